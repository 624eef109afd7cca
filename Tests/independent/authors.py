"""A writer that does as it is told: valid logs, and logs with one fault, signed by their author."""

import os

from reader import bodies, keys, operations
from reader.chains import Head, chain_next, chain_start
from reader.codec import blob, varint
from reader.entries import EDIT, INVITE, JOIN
from reader.names import log_id
from reader.records import InviteRecord, MemberRecord
from reader.relay_storage import StoredLog

TIME = 1_760_000_000_000


class Author:
    """One log, from its beginning. What is appended gets a head of its own, at once."""

    def __init__(self, replica, epoch, device=None):
        self.space = replica.space
        self.epoch = epoch
        self.device = device or keys.DeviceKeys(os.urandom(32), bytes(32))
        self.incarnation = os.urandom(16)
        self.log = log_id(self.space, self.device.signing.public, self.incarnation)
        self.stored = StoredLog(self.log, self.device.signing.public, self.incarnation)
        self.table = bodies.LogTable(self.log)
        self.chain = chain_start(
            self.space, self.log, self.device.signing.public, self.incarnation)
        self.byte_count = 0
        self.next_event = 0
        self.seen = {log: state.chain for log, state in replica.logs.items()}

    @property
    def end(self):
        return self.stored.end

    # Bytes as they are told

    def add_bytes(self, *entries, head=None):
        first = self.end
        for entry in entries:
            self.chain = chain_next(self.chain, entry)
            self.byte_count += len(entry)
        end = first + len(entries)
        head = head or Head(end, self.chain, self.byte_count, bytes(32), self.epoch.id)
        head.sign(self.space, self.log, self.device.signing)
        self.stored.ranges.append((first, list(entries), head.encode()))

    def seal(self, body, kind=EDIT, clear=b"", padded=None, epoch=None):
        epoch = epoch or self.epoch
        padded = keys.pad(body) if padded is None else padded
        return epoch.seal_padded(
            kind, clear, padded, self.log, self.end, self.chain, os.urandom(32))

    def add_body(self, body, kind=EDIT, clear=b"", **others):
        self.add_bytes(self.seal(body, kind, clear, **others))

    # Well-formed entries

    def context(self, *named):
        """(log, end, chain) of logs this author has seen, for a body."""
        return [(log, end, self.seen[log][end]) for log, end in named]

    def everything(self):
        return self.context(*[(log, len(chain) - 1) for log, chain in self.seen.items()])

    def add(self, *payloads, context=(), is_full=None, kind=EDIT, clear=b"", **others):
        is_full = self.end % 256 == 0 if is_full is None else is_full
        body = bodies.encode(TIME, is_full, list(context), list(payloads), self.table, **others)
        self.add_body(body, kind, clear)
        return self

    def join_clear(self, invite, agreement=None):
        agreement = agreement or self.device.agreement.public
        names = invite.public + self.device.signing.public + agreement + self.incarnation
        message = b"sennit/join/1\n" + self.space + names
        signatures = keys.sign(invite, message) + keys.sign(self.device.signing, message)
        return b"\1" + names + signatures

    def join(self, invite, name="Mallory", payloads=None, context=None):
        if payloads is None:
            payloads = [member(name)]
        context = self.everything() if context is None else context
        return self.add(*payloads, context=context, kind=JOIN, clear=self.join_clear(invite))

    def join_again(self, **others):
        """A new incarnation of a member's device."""
        return self.join(self.device.signing, **others)

    def invite(self, pair, role, uses=1, record=None, mode=1):
        agreement = keys.agreement_pair(os.urandom(32))
        box = keys.box(self.epoch.secret, agreement.public, keys.agreement_pair(os.urandom(32)))
        clear = bytes([1, mode]) + pair.public + agreement.public + self.epoch.id + box
        record = InviteRecord.encode(role, uses, pair.public) if record is None else record
        return self.add((3, record), kind=INVITE, clear=clear)

    def batch(self, document, *runs, first=None):
        """A payload of operations; `runs` are (bytes, count of events)."""
        first = self.next_event if first is None else first
        self.next_event = first + sum(count for _, count in runs)
        return (1, operations.encode_batch(document, first, [run for run, _ in runs]))

    def foreign_parent(self, log, number):
        return varint(0) + self.table.write(log) + varint(number)


def member(name, version=1):
    return (2, bytes([version]) + MemberRecord.encode(os.urandom(32), name)[1:])


def parents(*written):
    return varint(len(written)) + b"".join(written)


def insert(position, text, written=None):
    body = varint(position) + text.encode()
    return operations.encode_run(operations.INSERT, body, written), len(text)


def delete(position, count, written=None, kind=operations.DELETE):
    return operations.encode_run(kind, varint(position) + varint(count), written), count


def put(path, value, written=None):
    path = path if isinstance(path, bytes) else path.encode()
    return operations.encode_run(operations.SET, blob(path) + value, written), 1


def drop(path, written=None):
    return operations.encode_run(operations.REMOVE, path.encode(), written), 1


def unknown(events, written=None):
    foreign = varint(1) + varint(events)
    return operations.encode_run(7, b"new", written, foreign), events


ROOT = parents()

