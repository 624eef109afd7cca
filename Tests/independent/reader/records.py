"""SPEC.md section 7: control records, that is their bytes. Who counts is in membership.py."""

from . import limits
from .codec import Reader, blob, varint
from .errors import Malformed, NeedsUpdate, NotAuthentic, Poison
from .keys import TAG, Epoch, decrypt, is_signed, is_small_order, wrap_key
from .names import log_id, space_id

OWNER, WRITER, READER = 1, 2, 3
ROLES = {OWNER: "owner", WRITER: "writer", READER: "reader"}
AUTOMATIC = 1
DEVICE, INVITED = 1, 2
REMOVE, GIVE_ROLE, REVOKE = 1, 2, 3


def _version(reader):
    version = reader.u8()
    if version != 1:
        raise NeedsUpdate(f"a record of version {version}")


def _poisonous(decode):
    """What doesn't parse inside of an authentic entry is poison."""

    def wrapped(cls, data):
        try:
            return decode(cls, data)
        except Malformed as error:
            raise Poison(str(error)) from error

    return classmethod(wrapped)


class Genesis:
    @classmethod
    def decode(cls, data):
        genesis = cls()
        reader = Reader(data)
        if reader.u8() != 1:
            raise NeedsUpdate("a genesis of another version")
        genesis.nonce = reader.bytes(32)
        genesis.device = reader.bytes(32)
        genesis.agreement = reader.bytes(32)
        reader.end()
        genesis.space = space_id(data)
        return genesis


class Recipient:
    def __init__(self, kind, key, box):
        self.kind = kind
        self.key = key
        self.box = box


class EpochRecord:
    @_poisonous
    def decode(cls, data):
        record = cls()
        reader = Reader(data)
        _version(reader)
        record.id = reader.bytes(32)
        record.parents = [reader.bytes(32) for _ in range(reader.varint(limits.EPOCH_PARENTS))]
        _ascend(record.parents, "parents")
        record.recipients = []
        for _ in range(reader.varint(limits.RECIPIENTS)):
            kind, suite = reader.u8(), reader.u8()
            if kind not in (DEVICE, INVITED) or suite != 1:
                raise NeedsUpdate(f"recipient of kind {kind}, suite {suite}")
            record.recipients.append(Recipient(kind, reader.bytes(32), reader.bytes(80)))
        _ascend([(each.kind, each.key) for each in record.recipients], "recipients")
        record.associated = data[: reader.place]
        record.older = reader.blob(limits.CLEAR)
        reader.end()
        if record.older:
            secrets = len(record.older) - 24 - TAG
            if secrets < 32 or secrets % 32:
                raise Poison("older keys of an odd length")
        return record

    def older_secrets(self, secret):
        """The epoch secrets before this one, for whoever has this one."""
        if not self.older:
            return []
        plain = decrypt(wrap_key(secret), self.older[:24], self.associated, self.older[24:])
        return [plain[place : place + 32] for place in range(0, len(plain), 32)]


class InviteClear:
    @_poisonous
    def decode(cls, data):
        invite = cls()
        reader = Reader(data)
        _version(reader)
        invite.mode = reader.u8()
        if invite.mode != AUTOMATIC:
            raise NeedsUpdate(f"an invite of mode {invite.mode}")
        invite.device = reader.bytes(32)
        invite.agreement = reader.bytes(32)
        invite.epoch = reader.bytes(32)
        invite.box = reader.bytes(80)
        reader.end()
        return invite


class InviteRecord:
    @_poisonous
    def decode(cls, data):
        record = cls()
        reader = Reader(data)
        _version(reader)
        record.role = reader.u8()
        record.uses = reader.varint()
        record.mode = reader.u8()
        record.device = reader.bytes(32)
        reader.end()
        if record.role not in ROLES:
            raise NeedsUpdate(f"role {record.role}")
        if record.mode != AUTOMATIC:
            raise NeedsUpdate(f"an invite of mode {record.mode}")
        if record.uses < 1:
            raise Poison("an invite without uses")
        return record

    @staticmethod
    def encode(role, uses, device, mode=AUTOMATIC):
        return bytes([1, role]) + varint(uses) + bytes([mode]) + device


class ChangesRecord:
    """What a membership record changes: (kind, key, role or None) each."""

    @_poisonous
    def decode(cls, data):
        record = cls()
        reader = Reader(data)
        _version(reader)
        count = reader.varint(limits.CHANGES)
        if count < 1:
            raise Poison("a membership record that changes nothing")
        record.changes = []
        for _ in range(count):
            kind = reader.u8()
            if kind not in (REMOVE, GIVE_ROLE, REVOKE):
                raise NeedsUpdate(f"a change of kind {kind}")
            key = reader.bytes(32)
            role = reader.u8() if kind == GIVE_ROLE else None
            if role is not None and role not in ROLES:
                raise NeedsUpdate(f"role {role}")
            record.changes.append((kind, key, role))
        reader.end()
        _ascend([(kind, key) for kind, key, _ in record.changes], "changes")
        devices = [key for kind, key, _ in record.changes if kind != REVOKE]
        if len(set(devices)) != len(devices):
            raise Poison("a device is named twice")
        return record


class JoinRecord:
    @_poisonous
    def decode(cls, data):
        join = cls()
        reader = Reader(data)
        _version(reader)
        join.invite = reader.bytes(32)
        join.device = reader.bytes(32)
        join.agreement = reader.bytes(32)
        join.incarnation = reader.bytes(16)
        join.invite_signature = reader.bytes(64)
        join.device_signature = reader.bytes(64)
        reader.end()
        return join

    def message(self, space):
        keys = self.invite + self.device + self.agreement + self.incarnation
        return b"sennit/join/1\n" + space + keys

    def check(self, space, log):
        """Refuses a join that can't count, whatever invites there are."""
        if log_id(space, self.device, self.incarnation) != log:
            raise NotAuthentic("the join names another log's keys")
        if is_small_order(self.agreement):
            raise NotAuthentic("nothing can be sealed to the agreement key")
        message = self.message(space)
        if not is_signed(self.invite, message, self.invite_signature):
            raise NotAuthentic("the invite didn't sign")
        if not is_signed(self.device, message, self.device_signature):
            raise NotAuthentic("the device didn't sign")


class MemberRecord:
    @_poisonous
    def decode(cls, data):
        member = cls()
        reader = Reader(data)
        _version(reader)
        member.person = reader.bytes(32)
        member.name = reader.text(limits.PERSON_NAME)
        member.certificate = reader.blob(limits.CERTIFICATE)
        reader.end()
        return member

    @staticmethod
    def encode(person, name):
        return b"\1" + person + blob(name.encode()) + b"\0"


def _ascend(keys, what):
    if any(after <= before for before, after in zip(keys, keys[1:])):
        raise Poison(f"the {what} don't ascend")


def epoch_of(space, secret, key_id):
    """An epoch out of a box, if its hash is the id it was given for."""
    epoch = Epoch(space, secret)
    if epoch.id != key_id:
        raise NotAuthentic("the box holds another epoch's secret")
    return epoch
