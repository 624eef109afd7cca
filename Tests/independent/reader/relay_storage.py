"""relay/STORAGE.md: the logs in a relay's directory.

Frames are read one by one, footers and the checkpoint are not needed: they are derived. A frame
that doesn't check out ends its segment's reading and is reported.
"""

import os
import re
import struct

from .chains import HEAD_LENGTH
from .codec import Reader, blob
from .errors import Damaged, Malformed

PAGE = 4096
BATCH, SPACE, ACCESS, ADMISSION, DISMISSAL, LOG, FLOOR, REMOVAL = range(1, 9)
FRAME = struct.Struct("<IIIIBBHIQ")


def _table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _table()


def crc32c(data, before=0):
    value = before ^ 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


class Segment:
    """A segment's frames up to its footer, or to the first that doesn't check out."""

    def __init__(self, name, data):
        self.name = name
        header = self._header(data)
        self.number, self.epoch, self.after, self.after_end = header
        self.frames = []
        self.place = 2 * PAGE
        self.is_cut = not self._read_frames(data)

    @staticmethod
    def _header(data):
        for place in (0, PAGE):
            header = data[place : place + 80]
            if len(header) == 80 and header[:8] == b"sennitsg":
                form, crc, number, epoch, after, end = struct.unpack("<6I", header[8:32])
                if form == 1 and crc == crc32c(header[16:80]):
                    return number, epoch, after, end
        raise Damaged("both header pages are broken")

    def _read_frames(self, data):
        """Whether the frames end at a footer, or at space that was never written."""
        start = crc32c(struct.pack("<I", self.epoch))
        unit = []
        while self.place + FRAME.size <= len(data):
            fields = FRAME.unpack_from(data, self.place)
            epoch, crc, length, _, kind, flags, count, number, first = fields
            end = self.place + length
            if epoch != self.epoch:
                break
            if length < FRAME.size or end > len(data):
                return False
            if crc32c(data[self.place + 8 : end], start) != crc:
                return False
            body = data[self.place + FRAME.size : end]
            unit.append((self.place, (kind, count, number, first, body)))
            self.place += (length + 7) // 8 * 8
            if flags & 1:
                self.frames += unit
                unit = []
        return data[-48:-44] == b"sgft" or not any(data[self.place :])


class StoredLog:
    def __init__(self, log, device, incarnation):
        self.log = log
        self.device = device
        self.incarnation = incarnation
        self.ranges = []  # (offset of the first, entries, head), ascending

    @property
    def end(self):
        return self.ranges[-1][0] + len(self.ranges[-1][1]) if self.ranges else 0


class Storage:
    def __init__(self, directory):
        self.geneses = []
        self.access = {}  # number of a space -> its last access list
        self.logs = {}  # number of a log -> StoredLog
        self.others = []  # (kind, number, body) of the frames that are no log's
        self.damage = []
        for segment in self._segments(directory):
            if segment.is_cut:
                self.damage.append((segment.name, segment.place))
            for _, frame in segment.frames:
                self._take(*frame)

    def _segments(self, directory):
        """The chain of segments that `after` leads back through from the last."""
        segments = {}
        for name in sorted(os.listdir(directory)):
            if re.fullmatch(r"[0-9]{10}\.segment", name):
                with open(os.path.join(directory, name), "rb") as file:
                    data = file.read()
                if not any(data[: 2 * PAGE]):
                    continue  # prepared, and not in use yet
                try:
                    segment = Segment(name, data)
                except Damaged:
                    self.damage.append((name, 0))
                    continue
                segments[segment.number] = segment
        chain = []
        number = max(segments, default=None)
        while number in segments:
            segment = segments.pop(number)
            if chain:
                # What reached the disk behind the place where the next one goes on is out.
                end = chain[-1].after_end
                segment.frames = [each for each in segment.frames if each[0] < end]
            chain.append(segment)
            number = segment.after
        return chain[::-1]

    def _take(self, kind, count, number, first, body):
        if kind not in (LOG, BATCH):
            self.others.append((kind, number, body))
        if kind == SPACE:
            self.geneses.append(body)
        elif kind == ACCESS:
            self.access[number] = body
        elif kind == LOG:
            self.logs[number] = StoredLog(body[:32], body[32:64], body[64:80])
        elif kind == BATCH:
            self._take_batch(count, self.logs[number], first, body)

    @staticmethod
    def _take_batch(count, log, first, body):
        reader = Reader(body)
        head = reader.bytes(HEAD_LENGTH)
        entries = [reader.blob(1 << 31) for _ in range(count)]
        reader.end()
        if first < log.end:
            # A copy made by compaction of what was read already.
            if any(first == begin for begin, _, _ in log.ranges):
                return
            raise Malformed(f"offset {first} of a log comes twice")
        log.ranges.append((first, entries, head))


def write(directory, storage):
    """A relay's directory with the same spaces, lists and logs, in one segment without a footer."""
    number, epoch = 1, 0x5E4417
    place = 2 * PAGE
    out = bytearray()

    def add(kind, body, index=0, count=0, first=0, is_last=True):
        nonlocal place
        length = FRAME.size + len(body)
        fields = (kind, int(is_last), count, index, first)
        rest = struct.pack("<IIBBHIQ", length, place, *fields) + body
        crc = crc32c(rest, crc32c(struct.pack("<I", epoch)))
        frame = struct.pack("<II", epoch, crc) + rest
        frame += bytes(-len(frame) % 8)
        out.extend(frame)
        place += len(frame)

    for kind, index, body in storage.others:
        add(kind, body, index)
    for index, log in storage.logs.items():
        add(LOG, log.log + log.device + log.incarnation, index, is_last=not log.ranges)
        for first, entries, head in log.ranges:
            body = head + b"".join(blob(entry) for entry in entries)
            add(BATCH, body, index, len(entries), first)
    name = bytes(range(32))
    header = struct.pack("<IIII", number, epoch, 0xFFFFFFFF, 0) + bytes(16) + name
    header = b"sennitsg" + struct.pack("<II", 1, crc32c(header)) + header
    page = header + bytes(PAGE - len(header))
    os.makedirs(directory)
    with open(os.path.join(directory, f"{number:010}.segment"), "wb") as file:
        file.write(page + page + out + bytes(PAGE))
