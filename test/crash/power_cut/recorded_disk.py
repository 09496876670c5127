#!/usr/bin/env python3
"""A disk with a volatile write cache, as one FUSE file for a loop device: only what was flushed is in the image.

    recorded_disk.py IMAGE MOUNT-POINT      MOUNT-POINT: an existing file, which becomes the disk

Prints "ready" when it is mounted. Each line on standard input is answered by one line:

    cut MODE SEED WRITES
                      After so many more writes (or after 5 s without one) every operation fails. IMAGE gets, for each sector written since the last flush, one of its
                      versions: `none` the flushed one, `all` the newest, `some` any, drawn with SEED. Answers with the number of
                      sectors that had not been flushed and of those that got an unflushed version. Ends the program.
"""

import ctypes
import errno
import os
import random
import select
import stat
import struct
import sys

SECTOR = 512
MAX_WRITE = 128 << 10
BUFFER = MAX_WRITE + 4096
ROOT = 1
WITHOUT_WRITES_S = 5
MAJOR, MINOR = 7, 31
BIG_WRITES = 1 << 5

# Operations of linux/fuse.h.
FORGET, GETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC, FLUSH, INIT, INTERRUPT, DESTROY, BATCH_FORGET = (
    2, 3, 14, 15, 16, 17, 18, 20, 25, 26, 36, 38, 42)
UNANSWERED = {FORGET, INTERRUPT, BATCH_FORGET}
IN_HEADER = struct.Struct("<IIQQIIIHH")
OUT_HEADER = struct.Struct("<IiQ")
RANGE = struct.Struct("<QQI")  # handle, position, size: the front of a read and of a write
WRITE_FRONT = 40
INIT_OUT = struct.Struct("<IIIIHHIIHHI28x")
ATTRIBUTES = struct.Struct("<QI4xQQQQQQIIIIIIIIII")


class WriteCache:
    """The image, and above it each sector's versions since the last flush, oldest first."""

    def __init__(self, image):
        self._fd = os.open(image, os.O_RDWR)
        self.size = os.fstat(self._fd).st_size
        self._pending = {}

    def read(self, position, size):
        data = bytearray(os.pread(self._fd, size, position))
        if self._pending:
            for sector in range(position // SECTOR, (position + len(data)) // SECTOR):
                versions = self._pending.get(sector)
                if versions:
                    at = sector * SECTOR - position
                    data[at:at + SECTOR] = versions[-1]
        return bytes(data)

    def write(self, position, data):
        if position % SECTOR or len(data) % SECTOR:
            raise OSError(errno.EINVAL, "a disk is written in sectors")
        for at in range(0, len(data), SECTOR):
            self._pending.setdefault((position + at) // SECTOR, []).append(data[at:at + SECTOR])

    def flush(self):
        for sector, versions in self._pending.items():
            os.pwrite(self._fd, versions[-1], sector * SECTOR)
        self._pending.clear()

    def cut(self, mode, seed):
        dice = random.Random(seed)
        kept = 0
        for sector, versions in sorted(self._pending.items()):
            newest = len(versions)
            chosen = {"none": lambda: 0, "all": lambda: newest, "some": lambda: dice.randint(0, newest)}[mode]()
            if chosen:
                os.pwrite(self._fd, versions[chosen - 1], sector * SECTOR)
                kept += 1
        return len(self._pending), kept


class Server:
    def __init__(self, cache, fuse):
        self._cache = cache
        self._fuse = fuse
        self.writes = 0

    def answer_one(self):
        """False when the file system has been unmounted."""
        try:
            message = os.read(self._fuse, BUFFER)
        except OSError as failure:
            if failure.errno == errno.ENODEV:
                return False
            if failure.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):  # the request was interrupted
                return True
            raise
        _, operation, unique, *_ = IN_HEADER.unpack_from(message)
        if operation in UNANSWERED:
            return True
        body = message[IN_HEADER.size:]
        try:
            code, answer = 0, self._perform(operation, body)
        except OSError as failure:
            code, answer = -failure.errno, b""
        os.write(self._fuse, OUT_HEADER.pack(OUT_HEADER.size + len(answer), code, unique) + answer)
        return True

    def _perform(self, operation, body):
        if operation == INIT:
            return INIT_OUT.pack(MAJOR, MINOR, MAX_WRITE, BIG_WRITES, 16, 12, MAX_WRITE, 1, 0, 0, 0)
        if operation == GETATTR:
            size = self._cache.size
            return ATTRIBUTES.pack(3600, 0, ROOT, size, size // SECTOR, 0, 0, 0, 0, 0, 0, stat.S_IFREG | 0o600, 1, 0, 0, 0, 4096, 0)
        if operation == OPEN:
            return struct.pack("<QII", 0, 0, 0)
        if operation == READ:
            _, position, size = RANGE.unpack_from(body)
            return self._cache.read(position, size)
        if operation == WRITE:
            _, position, size = RANGE.unpack_from(body)
            self.writes += 1
            self._cache.write(position, body[WRITE_FRONT:WRITE_FRONT + size])
            return struct.pack("<II", size, 0)
        if operation == FSYNC:
            self._cache.flush()
            return b""
        # Closing a file makes nothing durable.
        if operation in (FLUSH, RELEASE, DESTROY):
            return b""
        raise OSError(errno.ENOSYS, "not an operation of a disk")


def mount(point):
    fuse = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={fuse},rootmode={stat.S_IFREG:o},user_id=0,group_id=0"
    if libc.mount(b"recorded_disk", os.fsencode(point), b"fuse", 0, options.encode()) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no FUSE file at {point}: {os.strerror(number)}")
    return fuse


def main(image, point):
    cache = WriteCache(image)
    fuse = mount(point)
    server = Server(cache, fuse)
    print("ready", flush=True)
    mode, seed, last_write = None, None, None
    while mode is None or server.writes < last_write:
        # Before a cut, requests are taken as they come; the order to cut waits until the one at hand is done.
        ready, _, _ = select.select([fuse, sys.stdin] if mode is None else [fuse], [], [], None if mode is None else WITHOUT_WRITES_S)
        if sys.stdin in ready:
            words = sys.stdin.readline().split()
            if not words:
                return
            _, mode, seed, writes = words
            last_write = server.writes + int(writes)
        elif not ready:
            break
        elif not server.answer_one():
            return
    # The descriptor closes with the program: everybody who still wants something of this disk gets an error.
    print(*cache.cut(mode, int(seed)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
