"""SPEC.md section 9: the relay's access list."""

from . import limits
from .codec import Reader
from .errors import Malformed, NotAuthentic
from .keys import SUITE, is_signed
from .names import ZEROS, digest

READ, APPEND, ADMINISTER = 1, 2, 4


class AccessList:
    @classmethod
    def decode(cls, data):
        access = cls()
        reader = Reader(data)
        if reader.u8() != SUITE:
            raise Malformed("another suite")
        access.space = reader.bytes(32)
        access.version = reader.u64()
        access.previous = reader.bytes(32)
        access.signer = reader.bytes(32)
        access.members = []
        for _ in range(reader.varint(limits.ACCESS_KEYS)):
            kind = reader.u8()
            if kind not in (1, 2):
                raise Malformed(f"a key of kind {kind}")
            key, rights = reader.bytes(32), reader.u8()
            if rights > 7:
                raise Malformed(f"rights {rights}")
            access.members.append((kind, key, rights))
        names = [(kind, key) for kind, key, _ in access.members]
        if any(after <= before for before, after in zip(names, names[1:])):
            raise Malformed("the members don't ascend")
        access.message = b"sennit/access/1\n" + data[: reader.place]
        access.signature = reader.bytes(64)
        reader.end()
        access.hash = digest("access", data)
        return access

    def check(self):
        if not is_signed(self.signer, self.message, self.signature):
            raise NotAuthentic("the access list's signature doesn't fit")

    def may(self, key, right):
        return any(
            kind == 1 and each == key and rights & right for kind, each, rights in self.members)

    def follows(self, before, founder):
        """Whether a relay takes this list when `before`, or none, is its own."""
        if before is None:
            return self.signer == founder
        return (
            self.version == before.version + 1
            and self.previous == before.hash
            and before.may(self.signer, ADMINISTER)
        )

    @property
    def is_first(self):
        return self.version == 1 and self.previous == ZEROS
