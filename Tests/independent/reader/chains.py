"""SPEC.md section 4: the running hash over a log, and its signed end."""

from . import limits
from .codec import Reader, u64
from .entries import entry_hash
from .errors import Malformed, NotAuthentic
from .keys import SUITE, is_signed, sign
from .names import digest

HEAD_LENGTH = 1 + 8 + 32 + 8 + 32 + 32 + 64


def chain_start(space, log, device, incarnation):
    return digest("chain0", space + log + device + incarnation)


def chain_next(chain, entry):
    return digest("chain", chain + entry_hash(entry))


def membership_digest(hashes):
    return digest("member", b"".join(sorted(hashes)))


class Head:
    def __init__(self, end, chain, byte_count, membership, epoch, signature=b""):
        self.end = end
        self.chain = chain
        self.byte_count = byte_count
        self.membership = membership
        self.epoch = epoch
        self.signature = signature

    @classmethod
    def decode(cls, data):
        reader = Reader(data)
        if reader.u8() != SUITE:
            raise Malformed("another suite")
        head = cls(
            reader.u64(), reader.bytes(32), reader.u64(), reader.bytes(32), reader.bytes(32),
            reader.bytes(64),
        )
        reader.end()
        if head.end > limits.NUMBER:
            raise Malformed(f"end {head.end}")
        return head

    def encode(self):
        return (
            bytes([SUITE]) + u64(self.end) + self.chain + u64(self.byte_count) + self.membership
            + self.epoch + self.signature
        )

    def message(self, space, log):
        return (
            b"sennit/head/1\n" + bytes([SUITE]) + space + log + u64(self.end) + self.chain
            + u64(self.byte_count) + self.membership + self.epoch
        )

    def sign(self, space, log, pair):
        self.signature = sign(pair, self.message(space, log))
        return self

    def check(self, space, log, device):
        if not is_signed(device, self.message(space, log), self.signature):
            raise NotAuthentic("the head's signature doesn't fit")
