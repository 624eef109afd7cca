"""SPEC.md section 13: a space as one reader has it. Ranges are verified, then entries applied.

Membership is a function of all records, those in logs that ended as well. So a first replica, the
scout, reads everything and applies no operation; what it knows says how much of each log counts.
"""

from . import membership as facts
from .bodies import CHANGES, MEMBER, Body, context_digest
from .bodies import INVITE as INVITE_PAYLOAD
from .chains import membership_digest
from .directory import paths
from .entries import (
    CONTROL, EDIT, EPOCH, GENESIS, INVITE, JOIN, MEMBERSHIP, Entry, entry_hash,
)
from .errors import Malformed, NeedsUpdate, NotAuthentic, Poison, Refusal
from .keys import Epoch, open_box
from .logs import Log
from .membership import Membership
from .merge import Document
from .names import DIRECTORY
from .records import (
    DEVICE, READER, ChangesRecord, EpochRecord, Genesis, InviteClear, InviteRecord, JoinRecord,
    MemberRecord, epoch_of,
)


class Finding:
    """A status of SPEC.md section 13, with its place."""

    def __init__(self, status, log, offset, detail):
        self.status = status
        self.log = log
        self.offset = offset
        self.detail = detail

    def __repr__(self):
        return f"{self.status} {self.log.hex()[:8]}/{self.offset}: {self.detail}"

    @property
    def place(self):
        return (self.status, self.log, self.offset)


class Waits(Exception):
    """The next entry of a log can't be applied yet, or not at all: a status with its place."""

    def __init__(self, status, detail, log=None, offset=None):
        super().__init__(status)
        self.status = status
        self.detail = detail
        self.log = log
        self.offset = offset


class Replica:
    def __init__(self, space):
        self.space = space
        self.logs = {}
        self.epochs = {}
        self.documents = {}
        self.membership = None
        self.findings = []
        self.limits = {}  # of logs that ended
        self.is_scout = False

    def find(self, status, log, offset, detail=""):
        finding = Finding(status, log, offset, str(detail))
        if finding.place not in [each.place for each in self.findings]:
            self.findings.append(finding)

    def receive(self, log, device, incarnation, first, entries, head):
        """A range of entries that ends on a head. Behind a range that is refused nothing fits."""
        if log not in self.logs:
            self.logs[log] = Log(self.space, log, device, incarnation)
        state = self.logs[log]
        if state.is_corrupt:
            return
        try:
            state.verify(self.space, first, entries, head)
        except Refusal as error:
            state.is_corrupt = True
            self.find("corrupt", log, len(state.entries), error)

    # Keys are learned before their turn: an epoch's id is its hash, and entries name the id.

    def add_epoch(self, secret):
        epoch = Epoch(self.space, secret)
        self.epochs[epoch.id] = epoch

    def learn_keys(self, device_keys=None, invite_keys=None):
        before = -1
        while len(self.epochs) > before:
            before = len(self.epochs)
            for log in self.logs.values():
                for data in log.entries:
                    try:
                        self._learn(Entry.decode(data), device_keys, invite_keys)
                    except Refusal:
                        continue  # It is judged when its turn comes.

    def _learn(self, entry, device_keys, invite_keys):
        if entry.kind in (EPOCH, MEMBERSHIP):
            record = EpochRecord.decode(entry.clear)
            for each in record.recipients:
                mine = device_keys if each.kind == DEVICE else invite_keys
                if mine and each.key == mine.agreement.public:
                    self._open_box(each.box, mine, record.id)
            if record.id in self.epochs:
                for secret in record.older_secrets(self.epochs[record.id].secret):
                    self.add_epoch(secret)
        elif entry.kind == INVITE and invite_keys:
            clear = InviteClear.decode(entry.clear)
            if clear.agreement == invite_keys.agreement.public:
                self._open_box(clear.box, invite_keys, clear.epoch)

    def _open_box(self, box, keys, key_id):
        self.add_epoch(epoch_of(self.space, open_box(box, keys.agreement), key_id).secret)

    # Applying

    def apply(self):
        """Applies all that can be applied, then says what holds the rest back."""
        scout = None if self.is_scout else self._scout()
        if scout and scout.membership:
            self.limits = scout.find_limits()
        is_moving = True
        while is_moving:
            is_moving = False
            for log in sorted(self.logs):
                while self._advance(self.logs[log]) is None:
                    is_moving = True
        for log in sorted(self.logs):
            reason = self._advance(self.logs[log])
            if isinstance(reason, Waits):
                place = (reason.log or log, self.logs[log].applied)
                if reason.offset is not None:
                    place = (reason.log, reason.offset)
                self.find(reason.status, *place, reason.detail)
        if scout:
            self.membership = scout.membership

    def _scout(self):
        scout = Replica(self.space)
        scout.is_scout = True
        scout.epochs = self.epochs
        for log in self.logs.values():
            scout.logs[log.log] = log.unread()
        scout.apply()
        return scout

    def find_limits(self):
        """SPEC.md section 7.7: how many entries of each log that ended count."""
        decided = self.membership.decided_ends()
        found = {log: decided.get(log, 0) for log in self.membership.ended_logs()}
        is_rising = bool(found)
        while is_rising:
            is_rising = False
            for log, role in self.membership.roles.items():
                if role == READER or log not in self.logs:
                    continue
                contexts = self.logs[log].contexts
                for context in contexts[: found.get(log, len(contexts))]:
                    for named, end in context.items():
                        if found.get(named, end) < end:
                            found[named] = end
                            is_rising = True
        return found

    def _advance(self, log):
        """None if the log's next entry was applied, else what it waits for."""
        offset = log.applied
        if offset >= len(log.entries):
            return "nothing"
        if offset >= self.limits.get(log.log, len(log.entries)):
            return Waits("setAside", "its log ended")
        try:
            outcome = self._apply_next(log, offset)
        except Poison as error:
            outcome = "poison"
        except Waits as reason:
            return reason
        log.outcomes.append(outcome)
        log.event_ends.append(log.next_event)
        log.contexts.append(dict(log.context))
        log.applied += 1
        return None

    def _apply_next(self, log, offset):
        try:
            entry = Entry.decode(log.entries[offset])
        except Malformed as error:
            if offset == 0:
                raise Waits("unauthorised", error) from error
            raise Poison(str(error)) from error
        if entry.kind == GENESIS:
            return self._apply_genesis(log, entry, offset)
        if self.membership is None:
            raise Waits("behind", "genesis isn't here")
        if offset == 0 and entry.kind != JOIN:
            raise Waits("unauthorised", "it begins with no genesis and no join")
        if offset and log.log not in self.membership.roles:
            raise Waits("unauthorised", "it doesn't begin with a join that counts")
        padded = self._open(entry, log, offset)
        table = log.table.copy()
        try:
            body = Body.open(padded, table, offset)
        except NeedsUpdate as error:
            raise Waits("needsUpdate", error) from error
        body.read_batches(table)
        context = self._context(log, body)
        if body.batches and body.batches[0].first != log.next_event:
            raise Poison("the events don't follow the log's last")
        self._check_covered(log, body)
        # From here on the body is well-formed: it names logs and uses event numbers up, whatever
        # else is wrong with it.
        log.context, log.table = context, table
        if body.batches:
            log.next_event = body.batches[-1].end
        return self._apply_effects(log, entry, body, offset)

    def _apply_genesis(self, log, entry, offset):
        if offset:
            raise Poison("a genesis inside of a log")
        try:
            genesis = Genesis.decode(entry.clear)
        except Refusal as error:
            raise Waits("unauthorised", error) from error
        is_bare = entry.hint == bytes(8) and entry.nonce == bytes(24) and not entry.sealed
        is_ours = genesis.space == self.space and genesis.device == log.device
        if not is_ours or not is_bare or self.membership is not None:
            raise Waits("unauthorised", "another genesis")
        self.membership = Membership(log.log, genesis)
        return "ok"

    def _open(self, entry, log, offset):
        for epoch in self.epochs.values():
            try:
                return epoch.open_entry(entry, log.log, offset, log.chain[offset])
            except NotAuthentic:
                continue
        raise Waits("keyMissing", f"no key fits the hint {entry.hint.hex()}")

    @staticmethod
    def _context(log, body):
        """The author's whole context at this entry; it never goes back."""
        if body.is_full and any(named not in body.context for named in log.context):
            raise Poison("a full context leaves a log out")
        context = dict(log.context)
        for named, end in body.context.items():
            if end < context.get(named, 0):
                raise Poison("the context goes back")
            context[named] = end
        return context

    def _check_covered(self, log, body):
        for named, end in body.context.items():
            other = self.logs.get(named)
            if other is None or len(other.entries) < end:
                have = len(other.entries) if other else 0
                raise Waits("withheld", f"{log.log.hex()[:8]} has seen {end}", named, have)
            if other.applied < end:
                raise Waits("held back", f"{named.hex()[:8]}/{end} isn't applied")
        named = [(each, end, self.logs[each].chain[end]) for each, end in body.context.items()]
        if named and context_digest(named) != body.digest:
            self.find("unprovenContext", log.log, log.applied)

    # What an entry does

    def _apply_effects(self, log, entry, body, offset):
        if entry.kind not in CONTROL | {EDIT}:
            self.find("needsUpdate", log.log, offset, f"type {entry.kind}")
            return "needs update"
        try:
            self._apply_record(log, entry, body, offset)
        except NeedsUpdate as error:
            self.find("needsUpdate", log.log, offset, error)
            return "needs update"
        if body.batches and not self.is_scout:
            self._operate(log, body)
        if body.unknown:
            self.find("needsUpdate", log.log, offset, f"payloads {body.unknown}")
            return "needs update"
        return "ok"

    def _apply_record(self, log, entry, body, offset):
        if entry.kind == JOIN:
            self._join(log, entry, offset)
        elif entry.kind == INVITE:
            self._invite(log, entry, body, offset)
        record = body.first(MEMBER)
        member = None
        may_name = entry.kind not in (INVITE, MEMBERSHIP) and log.log in self.membership.roles
        if record is not None and may_name:
            try:
                member = MemberRecord.decode(record)
            except (Poison, NeedsUpdate) as error:
                if entry.kind == EPOCH:
                    EpochRecord.decode(entry.clear)
                if entry.kind != JOIN:
                    raise
                # The join counts, and its device has no name.
                status = "poison" if isinstance(error, Poison) else "needsUpdate"
                self.find(status, log.log, offset, error)
                return
        if entry.kind in (EPOCH, MEMBERSHIP):
            self._epoch(log, entry, body, offset)
        if member:
            self.membership.add_name(log.log, offset, log.context, member)

    def _fact(self, kind, log, entry, offset):
        return facts.Fact(
            kind, log.log, offset, log.device, log.context, entry_hash(log.entries[offset]))

    def _epoch(self, log, entry, body, offset):
        kind = facts.EPOCH if entry.kind == EPOCH else facts.CHANGES
        fact = self._fact(kind, log, entry, offset)
        fact.epoch = EpochRecord.decode(entry.clear)
        if entry.kind == MEMBERSHIP:
            if body.first(CHANGES) is None:
                raise Poison("a membership record without changes")
            fact.changes = ChangesRecord.decode(body.first(CHANGES)).changes
        if entry.hint != fact.epoch.id[:8]:
            raise Poison("another key than the one it announces")
        self.membership.add(fact)

    def _join(self, log, entry, offset):
        if offset:
            raise Poison("a join that begins no log")
        join = JoinRecord.decode(entry.clear)
        try:
            join.check(self.space, log.log)
        except NotAuthentic as error:
            raise Poison(str(error)) from error
        fact = self._fact(facts.JOIN, log, entry, offset)
        fact.join = join
        self.membership.add(fact)

    def _invite(self, log, entry, body, offset):
        clear = InviteClear.decode(entry.clear)
        if body.first(INVITE_PAYLOAD) is None:
            raise Poison("an invite without a record")
        record = InviteRecord.decode(body.first(INVITE_PAYLOAD))
        if record.device != clear.device or record.mode != clear.mode:
            raise Poison("clear part and record differ")
        fact = self._fact(facts.INVITE, log, entry, offset)
        fact.clear, fact.invite = clear, record
        self.membership.add(fact)

    def _operate(self, log, body):
        if self.membership.roles.get(log.log, READER) == READER:
            raise Poison("operations by who may not write")
        parents = []
        for batch in body.batches:
            # A batch may build on the one before it.
            document = self.documents.setdefault(batch.document, Document())
            found = self._parents(log, batch, document)
            parents.append(found)
            if found is not None:
                for run in batch.runs:
                    document.apply(run, log.log, found[run.first])
        if None in parents:
            raise Poison("operations with parents that are none")

    def _parents(self, log, batch, document):
        """First event of a run -> its parents, or None if one of the batch isn't founded."""
        found = {}
        for run in batch.runs:
            before = [(log.log, run.first - 1)] if run.first else []
            found[run.first] = before if run.parents is None else run.parents
            for parent in found[run.first]:
                if not self._is_founded(log, batch, document, run, parent):
                    return None
        return found

    def _is_founded(self, log, batch, document, run, parent):
        author, number = parent
        if author == log.log:
            is_in_batch = batch.first <= number < run.first
            return number < run.first and (is_in_batch or document.bit(parent) is not None)
        if document.bit(parent) is None:
            return False
        return self.logs[author].offset_of(number) < log.context.get(author, 0)

    # What came of it

    def texts(self):
        """document id -> text, of all but the directory."""
        return {each: document.text for each, document in self.documents.items()
                if each != DIRECTORY}

    def paths(self):
        directory = self.documents.get(DIRECTORY)
        return paths(directory) if directory else {}

    def version(self):
        return {log: state.applied for log, state in self.logs.items()}

    def membership_at(self, context):
        """The digest that a head carries whose author had applied `context`."""
        hashes = []
        for log, end in context.items():
            if self.membership and log in self.membership.roles:
                for data in self.logs[log].entries[:end]:
                    if Entry.decode(data).kind in CONTROL:
                        hashes.append(entry_hash(data))
        return membership_digest(hashes)
