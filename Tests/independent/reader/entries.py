"""SPEC.md section 3: entry = suite | type | keyHint[8] | nonce[24] | clear | sealed."""

from . import limits
from .codec import Reader, blob
from .errors import Malformed
from .keys import SUITE
from .names import digest

GENESIS, EPOCH, EDIT, JOIN, INVITE, MEMBERSHIP = 1, 2, 3, 4, 5, 6
CONTROL = frozenset((GENESIS, EPOCH, JOIN, INVITE, MEMBERSHIP))


class Entry:
    def __init__(self, kind, hint, nonce, clear, sealed):
        self.kind = kind
        self.hint = hint
        self.nonce = nonce
        self.clear = clear
        self.sealed = sealed

    @classmethod
    def decode(cls, data):
        reader = Reader(data)
        if reader.u8() != SUITE:
            raise Malformed("another suite")
        kind = reader.u8()
        hint = reader.bytes(8)
        nonce = reader.bytes(24)
        clear = reader.blob(limits.CLEAR)
        sealed = reader.blob(limits.SEALED)
        reader.end()
        return cls(kind, hint, nonce, clear, sealed)

    def encode(self):
        head = bytes([SUITE, self.kind]) + self.hint + self.nonce
        return head + blob(self.clear) + blob(self.sealed)


def entry_hash(data):
    return digest("entry", data)
