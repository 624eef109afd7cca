"""SPEC.md section 6: what is sealed in an entry.

Only a context and the parents of runs name logs by index, so a body is read with the author's
table, and its operations (kind 1) are read with it too: what they name for the first time gets
the next index. Nothing is kept of a body that isn't well-formed.
"""

from . import limits
from .codec import Reader, blob, u64, varint
from .errors import Malformed, NeedsUpdate, Poison
from .keys import check_padding
from .names import digest
from .operations import Batch

OPERATIONS, MEMBER, INVITE, CHANGES, LIVES = 1, 2, 3, 4, 5


class LogTable:
    """The logs one author has named in one log, in the order of their indices from 1."""

    def __init__(self, own, logs=()):
        self.own = own
        self.logs = list(logs)

    def copy(self):
        return LogTable(self.own, self.logs)

    def read(self, reader):
        index = reader.varint()
        if index == 0:
            log = reader.bytes(32)
            if log in self.logs:
                raise Poison("a log that has an index is named in full")
            if log == self.own:
                raise Poison("the author's own log is named")
            self.logs.append(log)
            return log
        if index > len(self.logs):
            raise Poison(f"index {index} was never assigned")
        return self.logs[index - 1]

    def write(self, log):
        if log in self.logs:
            return varint(self.logs.index(log) + 1)
        self.logs.append(log)
        return varint(0) + log


class Body:
    def __init__(self):
        self.time = 0
        self.is_full = False
        self.context = {}
        self.digest = None
        self.origin = None
        self.payloads = []  # (kind, bytes)
        self.batches = []
        self.unknown = []  # kinds of payload that this reader doesn't know

    @classmethod
    def open(cls, padded, table, offset):
        """A body out of its padding, which can't be checked where the version isn't known."""
        return cls._frame(Reader(padded), table, offset, check_padding)

    @classmethod
    def decode(cls, data, table, offset):
        """A body alone. `table` gains what it names, and only if it is well-formed."""
        return cls._frame(Reader(data), table, offset, None)

    @classmethod
    def _frame(cls, reader, table, offset, check):
        try:
            version = reader.u8()
            if version != 1:
                raise NeedsUpdate(f"body of version {version}")
            compression = reader.u8()
            data = reader.blob(limits.SEALED)
            if check:
                check(reader.data, reader.place)
            else:
                reader.end()
        except Malformed as error:
            raise Poison(str(error)) from error
        if compression != 0:
            raise NeedsUpdate(f"compression {compression}")
        return cls._decode(data, table, offset)

    @classmethod
    def _decode(cls, data, table, offset):
        body = cls()
        draft = table.copy()
        reader = Reader(data)
        try:
            body.time = reader.varint()
            body._read_context(reader, draft, offset)
            if reader.flag():
                body.origin = (reader.bytes(32), reader.u64(), reader.bytes(32))
                if body.origin[1] > limits.NUMBER:
                    raise Poison("an origin over the limit")
            for _ in range(reader.varint(limits.PAYLOADS)):
                kind = reader.varint()
                body.payloads.append((kind, reader.blob(limits.SEALED)))
            reader.end()
        except Malformed as error:
            raise Poison(str(error)) from error
        table.logs = draft.logs
        return body

    def _read_context(self, reader, table, offset):
        kind = reader.u8()
        if kind > 1:
            raise Poison(f"context of kind {kind}")
        self.is_full = kind == 1
        if offset % 256 == 0 and not self.is_full:
            raise Poison("a context that must be full is not")
        count = reader.varint(limits.LOGS)
        last = None
        for _ in range(count):
            log = table.read(reader)
            end = reader.varint()
            if not 1 <= end <= limits.NUMBER:
                raise Poison(f"a context's end is {end}")
            if last is not None and log <= last:
                raise Poison("the context descends")
            last = log
            self.context[log] = end
        if count:
            self.digest = reader.bytes(32)

    def read_batches(self, table):
        """Reads the operations. What else the payloads hold is read where it is asked for."""
        draft = table.copy()
        for kind, data in self.payloads:
            if kind == OPERATIONS:
                self.batches.append(Batch.decode(data, draft))
            elif kind not in (MEMBER, INVITE, CHANGES, LIVES):
                self.unknown.append(kind)
        for before, batch in zip(self.batches, self.batches[1:]):
            if batch.first != before.end:
                raise Poison("the batches of a body don't follow one another")
        table.logs = draft.logs

    def first(self, kind):
        """The first payload of a kind, or None: further records have no effect."""
        return next((data for each, data in self.payloads if each == kind), None)


def context_digest(named):
    """The digest over (log, end, chain at the end), ascending by log."""
    message = b"".join(log + u64(end) + chain for log, end, chain in sorted(named))
    return digest("context", message)


def encode(time, is_full, named, payloads, table, origin=None):
    """A body with a context of (log, end, chain), for tests and for hostile members in them."""
    out = varint(time) + bytes([is_full]) + varint(len(named))
    for log, end, _ in sorted(named):
        out += table.write(log) + varint(end)
    if named:
        out += context_digest(named)
    if origin is None:
        out += b"\0"
    else:
        out += b"\1" + origin[0] + u64(origin[1]) + origin[2]
    out += varint(len(payloads))
    for kind, data in payloads:
        out += varint(kind) + blob(data)
    return wrap(out)


def wrap(data):
    return b"\1\0" + blob(data)
