"""Decodes a store directory from its bytes alone: commit log, queue files, index files, checkpoint, configuration.

Written from docs/format, and on purpose not from our C++: what both brokers write is judged by a third reader.
"""

import pathlib
import re
import struct
import zlib
from dataclasses import dataclass, field

MAGIC_V1, MAGIC_V2, MAGIC_BLANK = 0xDAA320A7, 0xDAA320AB, 0xCBD43194
BORN_V6, STORE_V6 = 0x10, 0x20
TRANSACTION, PREPARED, ROLLBACK = 0xC, 0x4, 0xC
SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX"
QUEUE_ENTRY = struct.Struct(">qiq")
EXT_UNIT = struct.Struct(">hqqh")
LOWEST_TAG_CODE = -(1 << 31)
BATCH_ENTRY = struct.Struct(">qiqqqhii")
NOT_COMPACTED = -1
NEED_UNWRAP, INNER_BATCH = 0x40, 0x80
PREFILL_SIZE = 0x7FFFFFFF
INDEX_HEADER = struct.Struct(">qqqqii")
INDEX_ENTRY = struct.Struct(">iqii")
CRC_NAME = "__CRC32#"
CRC_SIZE = 20


class Damaged(Exception):
    """Bytes that no format document allows; says where."""


@dataclass
class Record:
    position: int
    size: int
    magic: int
    body_crc: int
    queue: int
    flag: int
    offset: int
    stored_position: int
    sys_flag: int
    born: int
    born_host: bytes
    stored: int
    store_host: bytes
    reconsume_times: int
    prepared: int
    body: bytes
    topic: str
    properties: dict
    property_text: bytes
    has_whole_crc: bool

    @property
    def is_queued(self):
        return self.sys_flag & TRANSACTION not in (PREPARED, ROLLBACK)

    @property
    def count(self):
        """Messages that it holds: queue offsets that it takes."""
        return int(self.properties.get("INNER_NUM", 1))

    @property
    def keys(self):
        """As the index knows them, in the order in which they enter it."""
        found = []
        if "UNIQ_KEY" in self.properties:
            found.append(self.properties["UNIQ_KEY"])
        found += [key for key in self.properties.get("KEYS", "").split(" ") if key]
        if "TAGS" in self.properties:
            found.append("T#" + self.properties["TAGS"])
        return [f"{self.topic}#{key}" for key in found]


@dataclass
class Log:
    start: int
    end: int
    records: list
    segments: int
    blanks: int
    is_zero_behind: bool


@dataclass
class Queue:
    topic: str
    id: int
    first: int
    entries: list
    files: int
    is_zero_behind: bool
    extended: int = 0  # entries whose tag code stands in an extension file; here they have it themselves

    @property
    def end(self):
        return self.first + len(self.entries)


@dataclass
class Index:
    path: pathlib.Path
    begin_time: int
    end_time: int
    begin_position: int
    end_position: int
    used_slots: int
    next_entry: int
    slots: list
    entries: list = field(repr=False)


def java_hash(text):
    units = text.encode("utf-16-be")
    value = 0
    for at in range(0, len(units), 2):
        value = (31 * value + (units[at] << 8 | units[at + 1])) & 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def key_hash(text):
    value = abs(java_hash(text))
    return 0 if value == 1 << 31 else value


def parse_properties(text):
    found = {}
    for pair in text.split(b"\x02"):
        name, separator, value = pair.partition(b"\x01")
        if len(pair) >= 3 and separator and name and value:
            found[name.decode()] = value.decode()
    return found


class _Reader:
    def __init__(self, data, at):
        self.data, self.at = data, at

    def take(self, size):
        if size < 0 or self.at + size > len(self.data):
            raise Damaged(f"{size} bytes at {self.at} of {len(self.data)}")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, form):
        return struct.unpack(">" + form, self.take(struct.calcsize(">" + form)))[0]


def parse_record(data, position):
    """A whole record, or Damaged."""
    read = _Reader(data, 0)
    size, magic = read.number("i"), read.number("I")
    if magic not in (MAGIC_V1, MAGIC_V2):
        raise Damaged(f"magic {magic:08x} at {position}")
    body_crc, queue, flag, offset, stored_position, sys_flag, born = (read.number(form) for form in "iiiqqiq")
    born_host = read.take(20 if sys_flag & BORN_V6 else 8)
    stored = read.number("q")
    store_host = read.take(20 if sys_flag & STORE_V6 else 8)
    reconsume_times, prepared = read.number("i"), read.number("q")
    body = read.take(read.number("i"))
    topic = read.take(read.number("b" if magic == MAGIC_V1 else "h")).decode()
    text = read.take(read.number("h"))
    if read.at != size:
        raise Damaged(f"record at {position}: {size} bytes, but its parts have {read.at}")
    if body and zlib.crc32(body) & 0x7FFFFFFF != body_crc:
        raise Damaged(f"record at {position}: wrong body CRC")
    if b"\0" in text:
        raise Damaged(f"record at {position}: a zero byte in its properties")
    properties = parse_properties(text)
    has_whole_crc = CRC_NAME in properties
    if has_whole_crc:
        # Decimal digits, the least significant first, filled up with zeros.
        wanted = int(properties[CRC_NAME][::-1])
        if zlib.crc32(data[:size - CRC_SIZE]) & 0x7FFFFFFF != wanted:
            raise Damaged(f"record at {position}: wrong CRC of the whole")
    return Record(position, size, magic, body_crc, queue, flag, offset, stored_position, sys_flag, born, born_host, stored,
                  store_host, reconsume_times, prepared, body, topic, properties, text, has_whole_crc)


def _numbered_files(directory, size, may_be_unfinished=False):
    """The files of a mapped queue, as (start, path): of equal size, without a gap. Whoever was killed while it made the
    last one may have left that empty: then it is none."""
    found = []
    paths = sorted(path for path in directory.iterdir() if not path.is_dir())
    for path in paths:
        if not re.fullmatch(r"\d{20}", path.name):
            raise Damaged(f"{path}: a file that does not belong there")
        if may_be_unfinished and path is paths[-1] and path.stat().st_size == 0:
            break
        if path.stat().st_size != size:
            raise Damaged(f"{path}: {path.stat().st_size} bytes instead of {size}")
        if found and int(path.name) != found[-1][0] + size:
            raise Damaged(f"{path}: does not follow {found[-1][1].name}")
        found.append((int(path.name), path))
    return found


def read_log(root, segment_size):
    files = _numbered_files(root / "commitlog", segment_size)
    log = Log(files[0][0] if files else 0, files[0][0] if files else 0, [], len(files), 0, True)
    for number, (start, path) in enumerate(files):
        data = path.read_bytes()
        at = 0
        while at < segment_size:
            if segment_size - at < 8:
                raise Damaged(f"{path}: no room for a blank record at {at}")
            size, magic = struct.unpack_from(">iI", data, at)
            if magic == MAGIC_BLANK:
                if size != segment_size - at:
                    raise Damaged(f"{path}: a blank record of {size} bytes, {segment_size - at} left")
                log.blanks += 1
                at = segment_size
                continue
            if magic not in (MAGIC_V1, MAGIC_V2):
                break
            record = parse_record(data[at:at + size], start + at)
            log.records.append(record)
            at += size
        log.end = start + at
        if at < segment_size:
            rest = data[at:] + b"".join(later.read_bytes() for _, later in files[number + 1:])
            log.is_zero_behind = rest.count(0) == len(rest)
            break
    return log


def read_queues(root, file_size, ext_file_size, is_clean):
    """Every queue: its entries from the first that names a record to the last."""
    file_size = (file_size + QUEUE_ENTRY.size - 1) // QUEUE_ENTRY.size * QUEUE_ENTRY.size
    queues = {}
    base = root / "consumequeue"
    for directory in sorted(base.glob("*/*")) if base.exists() else []:
        files = _numbered_files(directory, file_size, may_be_unfinished=not is_clean)
        if not files:
            continue
        data = b"".join(path.read_bytes() for _, path in files)
        first = files[0][0] // QUEUE_ENTRY.size
        entries = []
        for entry in QUEUE_ENTRY.iter_unpack(data):
            if entry[0] < 0 or entry[1] <= 0:
                break
            entries.append(entry)
        rest = data[len(entries) * QUEUE_ENTRY.size:]
        prefilled = 0
        while prefilled < len(entries) and entries[prefilled] == (0, PREFILL_SIZE, 0):
            prefilled += 1
        topic, queue = directory.parent.name, int(directory.name)
        extended = sum(entry[2] < LOWEST_TAG_CODE for entry in entries)
        if extended:
            extension = _Extension(root / "consumequeue_ext" / topic / str(queue), ext_file_size)
            entries = [(*entry[:2], extension.tag_code(entry[2])) for entry in entries]
        queues[topic, queue] = Queue(topic, queue, first + prefilled, entries[prefilled:], len(files), rest.count(0) == len(rest), extended)
    return queues


class _Extension:
    """What the entries of one queue have no room for."""

    def __init__(self, directory, file_size):
        files = _numbered_files(directory, file_size)
        self._start = files[0][0] if files else 0
        self._data = b"".join(path.read_bytes() for _, path in files)

    def tag_code(self, code):
        if code >= LOWEST_TAG_CODE:
            return code
        at = code + (1 << 63) - self._start
        if not 0 <= at <= len(self._data) - EXT_UNIT.size:
            raise Damaged(f"no unit at {at} of {len(self._data)} bytes of an extension")
        size, tag_code, _, bits = EXT_UNIT.unpack_from(self._data, at)
        if size != EXT_UNIT.size + bits or bits < 0:
            raise Damaged(f"a unit of {size} bytes with {bits} of bits")
        return tag_code


def read_batch_queues(root, file_size):
    """Every queue of topics with queue.type=BatchCQ: its entries are whole tuples of BATCH_ENTRY."""
    file_size = (file_size + BATCH_ENTRY.size - 1) // BATCH_ENTRY.size * BATCH_ENTRY.size
    queues = {}
    base = root / "batchconsumequeue"
    for directory in sorted(base.glob("*/*")) if base.exists() else []:
        files = _numbered_files(directory, file_size)
        if not files:
            continue
        data = b"".join(path.read_bytes() for _, path in files)
        entries = []
        for entry in BATCH_ENTRY.iter_unpack(data):
            if entry[0] < 0 or entry[1] <= 0 or entry[5] <= 0:
                break
            entries.append(entry)
        rest = data[len(entries) * BATCH_ENTRY.size:]
        first = entries[0][4] if entries else 0
        topic, queue = directory.parent.name, int(directory.name)
        queues[topic, queue] = Queue(topic, queue, first, entries, len(files), rest.count(0) == len(rest))
    return queues


def read_indexes(root, slots, entries, is_clean):
    size = INDEX_HEADER.size + 4 * slots + INDEX_ENTRY.size * entries
    indexes = []
    base = root / "index"
    paths = sorted(base.iterdir()) if base.exists() else []
    if paths and not is_clean and paths[-1].stat().st_size == 0:
        paths.pop()  # killed while it was made
    for path in paths:
        if not re.fullmatch(r"\d{17}", path.name):
            raise Damaged(f"{path}: a file that does not belong there")
        data = path.read_bytes()
        if len(data) != size:
            raise Damaged(f"{path}: {len(data)} bytes instead of {size}")
        header = INDEX_HEADER.unpack_from(data)
        table = list(struct.unpack_from(f">{slots}i", data, INDEX_HEADER.size))
        rows = list(INDEX_ENTRY.iter_unpack(data[INDEX_HEADER.size + 4 * slots:]))
        indexes.append(Index(path, *header, table, rows[:max(1, header[5])]))
    return indexes


def find_in_index(index, key):
    """Positions of a key in one file, newest first, as a reader of the format walks them."""
    wanted, found = key_hash(key), []
    at = index.slots[wanted % len(index.slots)]
    while 0 < at < index.next_entry:
        hash_, position, _, previous = index.entries[at]
        if hash_ == wanted:
            found.append(position)
        if previous >= at:
            raise Damaged(f"{index.path}: entry {at} leads to {previous}")
        at = previous
    return found


def read_checkpoint(root):
    data = (root / "checkpoint").read_bytes()
    if len(data) != 4096 or data[48:].count(0) != 4096 - 48:
        raise Damaged(f"checkpoint: {len(data)} bytes, or something behind its six fields")
    return struct.unpack_from(">6q", data)


def read_table(path):
    """One of config/*.json, in Apache's dialect: keys that are numbers may stand without quotes."""
    import json
    text = path.read_text()
    return json.loads(re.sub(r'([{,]\s*)(-?\d+)(\s*:)', r'\1"\2"\3', text))
