"""SPEC.md section 8: invite links."""

import base64
import re

from . import limits
from .codec import Reader, blob, varint
from .errors import DamagedLink, Malformed, NeedsUpdate, NewerLink, NotALink
from .keys import InviteKeys
from .names import digest
from .records import AUTOMATIC


class Link:
    @classmethod
    def decode(cls, text):
        parts = re.fullmatch(r"sennit:([0-9]+)#(.*)", text, re.DOTALL)
        if not parts:
            raise NotALink("it begins as something else")
        if parts[1] != "1":
            raise NewerLink(f"a link of version {parts[1]}")
        data = _bytes(parts[2])
        # The checksum comes first: what is cut short or mistyped is damaged, whatever it says.
        if len(data) < 5 or digest("invite", data[:-4])[:4] != data[-4:]:
            raise DamagedLink("the checksum doesn't fit")
        return cls._decode(Reader(data[:-4]))

    @classmethod
    def _decode(cls, reader):
        link = cls()
        if reader.u8() != 1:
            raise NewerLink("a payload of another version")
        try:
            link.mode = reader.u8()
            if link.mode != AUTOMATIC:
                raise NeedsUpdate(f"an invite of mode {link.mode}")
            link.space = reader.bytes(32)
            link.nonce = reader.bytes(32)
            link.seed = reader.bytes(16)
            link.floor = reader.bytes(16)
            count = reader.varint(limits.LINK_RELAYS)
            link.relays = [reader.text(limits.LINK_RELAY) for _ in range(count)]
            reader.end()
        except Malformed as error:
            raise NotALink(str(error)) from error
        return link

    @property
    def keys(self):
        return InviteKeys(self.seed, self.space)


def encode(space, nonce, seed, relays, mode=AUTOMATIC, floor=bytes(16)):
    payload = bytes([1, mode]) + space + nonce + seed + floor + varint(len(relays))
    payload += b"".join(blob(relay.encode()) for relay in relays)
    return wrap(payload)


def wrap(payload):
    data = payload + digest("invite", payload)[:4]
    return "sennit:1#" + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text):
    if re.search(r"[^A-Za-z0-9_-]", text):
        raise NotALink("a character that is none of base64url")
    if len(text) % 4 == 1:
        raise DamagedLink("a length that no bytes have")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise DamagedLink("bits are left over that are not zero")
    return data
