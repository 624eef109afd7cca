"""SPEC.md section 14: the bytes of a batch of operations. What they do is in merge.py."""

from . import limits
from .codec import Reader, utf8, varint
from .errors import Malformed, Poison

INSERT, DELETE, DELETE_BACKWARD, SET, REMOVE, GATHER = 1, 2, 3, 4, 5, 6


class Run:
    """Consecutive events. `parents` is None where they are not written."""

    def __init__(self, kind, first, parents):
        self.kind = kind
        self.first = first
        self.parents = parents
        self.position = 0
        self.text = ""
        self.key = ""
        self.value = b""
        self.count = 1

    @property
    def end(self):
        return self.first + self.count


class Batch:
    def __init__(self, document, first, runs):
        self.document = document
        self.first = first
        self.runs = runs

    @property
    def end(self):
        return self.runs[-1].end

    @classmethod
    def decode(cls, data, table):
        try:
            return cls._decode(Reader(data), table)
        except Malformed as error:
            raise Poison(str(error)) from error

    @classmethod
    def _decode(cls, reader, table):
        document = reader.bytes(32)
        first = reader.varint(limits.NUMBER)
        runs = []
        start = first
        count = reader.varint(limits.RUNS)
        if count < 1:
            raise Poison("a batch without runs")
        for _ in range(count):
            run = _run(reader, start, table)
            if run.parents is None and start == 0:
                raise Poison("no event before the first could be its parent")
            runs.append(run)
            start = run.end
            if start > limits.NUMBER:
                raise Poison("event numbers over the limit")
        reader.end()
        return cls(document, first, runs)


def _run(reader, start, table):
    head = reader.varint()
    kind = head >> 1
    if kind == 0:
        raise Poison("operation of kind 0")
    run = Run(kind, start, _parents(reader, start, table) if head & 1 else None)
    if kind > GATHER:
        run.container = reader.varint()
        run.count = reader.varint(limits.RUN_EVENTS)
        if run.count < 1:
            raise Poison("a run without events")
        reader.blob(limits.UNKNOWN_OPERATION)
        return run
    # A known operation's body is never longer than its parts allow.
    body = Reader(reader.blob(limits.SEALED))
    if kind == INSERT:
        run.position = body.varint(limits.NUMBER)
        run.text = utf8(body.rest())
        run.count = len(run.text)
        if not 1 <= run.count <= limits.INSERT:
            raise Poison(f"an insert of {run.count} scalars")
    elif kind in (DELETE, DELETE_BACKWARD):
        run.position = body.varint(limits.NUMBER)
        run.count = body.varint(limits.RUN_EVENTS)
        if run.count < (2 if kind == DELETE_BACKWARD else 1):
            raise Poison(f"a deletion of {run.count} scalars")
    elif kind == SET:
        run.key = body.text(limits.MAP_KEY)
        run.value = body.rest()
        if len(run.value) > limits.MAP_VALUE:
            raise Poison("a value over the limit")
    elif kind == REMOVE:
        key = body.rest()
        if len(key) > limits.MAP_KEY:
            raise Poison("a key over the limit")
        run.key = utf8(key)
    body.end()
    return run


def _parents(reader, start, table):
    parents = []
    for _ in range(reader.varint(limits.RUN_PARENTS)):
        back = reader.varint()
        if back:
            if back > start:
                raise Poison("a parent before the log's first event")
            parents.append((table.own, start - back))
        else:
            log = table.read(reader)
            parents.append((log, reader.varint(limits.NUMBER)))
    if any(after <= before for before, after in zip(parents, parents[1:])):
        raise Poison("the parents of a run don't ascend")
    if parents == [(table.own, start - 1)]:
        raise Poison("parents are written that are the event before")
    return parents


def encode_run(kind, body, parents=None, foreign=b""):
    """A run, with parents already in bytes, for tests."""
    head = varint(2 * kind + (parents is not None))
    return head + (parents or b"") + foreign + varint(len(body)) + body


def encode_batch(document, first, runs):
    return document + varint(first) + varint(len(runs)) + b"".join(runs)
