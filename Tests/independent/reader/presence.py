"""SPEC.md section 11: who is where now."""

from . import limits
from .codec import Reader
from .errors import Malformed, NeedsUpdate, NotAuthentic, Poison
from .keys import SUITE, check_padding, is_signed


class Presence:
    @classmethod
    def open(cls, data, epoch, device_of):
        """`device_of` gives a member log's device key, or None."""
        if len(data) > limits.PRESENCE:
            raise Malformed("over the limit of a presence")
        reader = Reader(data)
        if reader.u8() != SUITE or reader.u8() != 128:
            raise NeedsUpdate("another kind of message")
        hint, nonce = reader.bytes(8), reader.bytes(24)
        if hint != epoch.hint:
            raise NotAuthentic("the key hint is another key's")
        padded = epoch.open_presence(nonce, reader.rest())
        try:
            return cls._decode(padded, epoch, device_of)
        except Malformed as error:
            raise Poison(str(error)) from error

    @classmethod
    def _decode(cls, padded, epoch, device_of):
        presence = cls()
        reader = Reader(padded)
        presence.log = reader.bytes(32)
        presence.session = reader.bytes(16)
        presence.counter = reader.u64()
        presence.echoes = [reader.bytes(16) for _ in range(reader.varint(limits.ECHOES))]
        payload = reader.blob(limits.PRESENCE)
        signed = padded[: reader.place]
        signature = reader.bytes(64)
        device = device_of(presence.log)
        message = b"sennit/presence/1\n" + epoch.space + epoch.id + signed
        if device is None or not is_signed(device, message, signature):
            raise NotAuthentic("the author didn't sign")
        check_padding(padded, reader.place)
        presence._read_payload(Reader(payload))
        return presence

    def _read_payload(self, reader):
        version = reader.u8()
        if version != 1:
            raise NeedsUpdate(f"presence of version {version}")
        self.name = reader.text(limits.PERSON_NAME)
        self.document = None
        if reader.flag():
            self.document = reader.bytes(32)
            self.cursor = reader.varint(limits.NUMBER)
            self.anchor = reader.varint(limits.NUMBER)
            count = reader.varint(limits.PRESENCE_FRONTIER)
            self.frontier = [
                (reader.bytes(32), reader.varint(limits.NUMBER)) for _ in range(count)
            ]
            if any(b <= a for a, b in zip(self.frontier, self.frontier[1:])):
                raise Malformed("the frontier descends")
        reader.end()
