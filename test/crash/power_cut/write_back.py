"""Hands dirty pages to the disk at any moment and in any order, as the kernel does when memory is short. Flushes nothing."""

import ctypes
import os
import random
import threading

LIBC = ctypes.CDLL(None, use_errno=True)  # sync_file_range has no other name in Python
START, START_AND_WAIT = 2, 7
PAUSE_S = 0.01


def write_back(fd, flags=START):
    if LIBC.sync_file_range(fd, ctypes.c_int64(0), ctypes.c_int64(0), flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"sync_file_range: {os.strerror(number)}")


class WriteBack(threading.Thread):
    """One file below `directory` after the other, drawn with `seed`. A context manager: it runs inside."""

    def __init__(self, directory, seed):
        super().__init__(daemon=True)
        self._directory = directory
        self._dice = random.Random(seed)
        self._ended = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self.join()

    def run(self):
        while not self._ended.wait(PAUSE_S):
            try:
                files = sorted(path for path in self._directory.rglob("*") if path.is_file())
                if files:
                    self._hand_over(self._dice.choice(files))
            except OSError:
                pass  # the file has gone, or the power has

    @staticmethod
    def _hand_over(path):
        fd = os.open(path, os.O_RDONLY)
        try:
            write_back(fd)
        finally:
            os.close(fd)
