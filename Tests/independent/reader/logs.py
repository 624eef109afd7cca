"""SPEC.md sections 4 and 13: one log, and the checks of a range of its entries."""

from . import limits
from .bodies import LogTable
from .chains import Head, chain_next, chain_start
from .errors import Malformed, NotAuthentic
from .names import log_id


class Log:
    def __init__(self, space, log, device, incarnation):
        self.log = log
        self.device = device
        self.incarnation = incarnation
        self.entries = []
        self.chain = [chain_start(space, log, device, incarnation)]
        self.byte_count = 0
        self.heads = []
        self.is_corrupt = False
        self.applied = 0
        self.outcomes = []  # offset -> "ok", "poison", "no effect" or "needs update"
        self.table = LogTable(log)
        self.context = {}
        self.next_event = 0
        self.contexts = []  # offset -> the author's context at that entry
        self.event_ends = []  # offset -> the log's next event after that entry

    def unread(self):
        """The same entries, none of them applied."""
        log = Log.__new__(Log)
        log.__dict__.update(self.__dict__)
        log.applied, log.context, log.next_event = 0, {}, 0
        log.outcomes, log.contexts, log.event_ends = [], [], []
        log.table = LogTable(self.log)
        return log

    def verify(self, space, first, entries, head_bytes):
        """Takes a range in that ends on a head, or refuses all of it."""
        if log_id(space, self.device, self.incarnation) != self.log:
            raise NotAuthentic("the descriptor is another log's")
        end = len(self.entries)
        if first > end:
            raise NotAuthentic(f"a gap before {first}")
        for offset in range(first, min(end, first + len(entries))):
            if entries[offset - first] != self.entries[offset]:
                raise NotAuthentic("another entry than before")
        entries = entries[end - first :]
        if not entries:
            return
        size = sum(map(len, entries))
        if len(entries) > limits.ENTRIES_OF_HEAD:
            raise Malformed("a head covers too many entries")
        if len(entries) > 1 and size > limits.BYTES_OF_HEAD:
            raise Malformed("a head covers too many bytes")
        head = Head.decode(head_bytes)
        chain = [self.chain[-1]]
        for entry in entries:
            chain.append(chain_next(chain[-1], entry))
        if head.end != end + len(entries) or head.chain != chain[-1]:
            raise NotAuthentic("the chain is not the head's")
        if head.byte_count != self.byte_count + size:
            raise NotAuthentic("the count of bytes is not the head's")
        head.check(space, self.log, self.device)
        self.entries += entries
        self.chain += chain[1:]
        self.byte_count += size
        self.heads.append(head)

    def offset_of(self, number):
        """The offset of the applied entry that used an event number, or None."""
        for offset, end in enumerate(self.event_ends):
            if number < end:
                return offset
        return None
