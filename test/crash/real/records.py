"""Stored records, as far as the judge needs them: which message stands at which offset."""

import struct

MAGIC_V2 = -626843477
FRONT = struct.Struct(">iiiiiqqiq")  # size, magic, CRC, queue, flag, queue offset, position, system flag, born time
BORN_HOST_V6, STORE_HOST_V6 = 1 << 4, 1 << 5


def offsets_and_bodies(answer):
    """Of the records in the body of a pull's answer, in order."""
    at = 0
    while at < len(answer):
        size, _, _, _, _, offset, _, flags, _ = FRONT.unpack_from(answer, at)
        place = at + FRONT.size + (20 if flags & BORN_HOST_V6 else 8) + 8 + (20 if flags & STORE_HOST_V6 else 8) + 4 + 8
        body_size, = struct.unpack_from(">i", answer, place)
        yield offset, bytes(answer[place + 4:place + 4 + body_size])
        at += size
