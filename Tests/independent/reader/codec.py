"""SPEC.md section 1: bytes in order, fixed width, canonical varints."""

import struct

from .errors import Malformed


class Reader:
    def __init__(self, data, start=0):
        self.data = bytes(data)
        self.place = start

    @property
    def left(self):
        return len(self.data) - self.place

    def bytes(self, count):
        if count > self.left:
            raise Malformed(f"{count} bytes are said to follow, and {self.left} do")
        self.place += count
        return self.data[self.place - count : self.place]

    def u8(self):
        return self.bytes(1)[0]

    def u32(self):
        return struct.unpack("<I", self.bytes(4))[0]

    def u64(self):
        return struct.unpack("<Q", self.bytes(8))[0]

    def flag(self):
        value = self.u8()
        if value > 1:
            raise Malformed(f"flag {value}")
        return value == 1

    def varint(self, limit=(1 << 64) - 1):
        value = 0
        for place in range(10):
            byte = self.u8()
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if byte == 0 and place > 0:
                    raise Malformed("a varint is longer than it need be")
                if value >= 1 << 64:
                    break
                if value > limit:
                    raise Malformed(f"{value} is over the limit of {limit}")
                return value
        raise Malformed("a varint is over 64 bits")

    def blob(self, limit):
        return self.bytes(self.varint(limit))

    def text(self, limit):
        return utf8(self.blob(limit))

    def rest(self):
        return self.bytes(self.left)

    def end(self):
        if self.left:
            raise Malformed(f"{self.left} bytes follow the end")


def utf8(data):
    """Python's decoder is strict: no surrogates, no overlong forms, nothing past U+10FFFF."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("not UTF-8") from error


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def blob(data):
    return varint(len(data)) + data


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)
