"""SPEC.md sections 7.3 to 7.8: who belongs to a space, and which epoch is written under.

Everything is a function of a set of control records. A record is judged in its own past; what the
records with the right come to follows by taking them in one order.
"""

from . import limits
from .records import DEVICE, GIVE_ROLE, OWNER, READER, REMOVE, REVOKE, WRITER

GENESIS, INVITE, JOIN, CHANGES, EPOCH = "genesis", "invite", "join", "changes", "epoch"


class Fact:
    """One control record, with what its author had seen and what follows from its past."""

    def __init__(self, kind, log, offset, device, seen, entry_hash):
        self.kind = kind
        self.log = log
        self.offset = offset
        self.device = device
        self.seen = dict(seen)
        self.hash = entry_hash
        self.clear = self.invite = self.join = self.epoch = None
        self.changes = []
        self.has_right = False
        self.seniority = 0
        self.rank = 0
        self.role = None  # of the log that a join begins
        self.by = None  # the invite that a join means
        self.depth = 0

    @property
    def place(self):
        return (self.log, self.offset)

    def has_seen(self, other):
        if other.log == self.log:
            return other.offset < self.offset
        return self.seen.get(other.log, 0) > other.offset

    @property
    def is_taking(self):
        return any(kind != GIVE_ROLE or role != OWNER for kind, _, role in self.changes)


def in_order(facts):
    """Those with the right, in the one order of the set."""
    takings = [each for each in facts if each.is_taking]
    if not takings:
        return sorted(facts, key=lambda each: (each.rank, each.hash))
    first = min(takings, key=lambda each: (each.seniority, each.rank, each.hash))
    seen = [each for each in facts if first.has_seen(each)]
    rest = [each for each in facts if each is not first and not first.has_seen(each)]
    return in_order(seen) + [first] + in_order(rest)


class State:
    """What a set comes to."""

    def __init__(self, founder_log, genesis):
        self.roles = {genesis.device: OWNER}
        self.agreements = {genesis.device: {genesis.agreement}}
        self.seniority = {genesis.device: 0}
        self.live = {founder_log: (genesis.device, OWNER)}
        self.effective = []
        self.closed = set()
        self.takings = []  # (device, role or None for a removal, fact)
        self.held = {}  # device -> keys of invites it opened or joined by

    def copy(self):
        other = State.__new__(State)
        other.roles = dict(self.roles)
        other.agreements = {each: set(keys) for each, keys in self.agreements.items()}
        other.seniority = dict(self.seniority)
        other.live = dict(self.live)
        other.effective = list(self.effective)
        other.closed = set(self.closed)
        other.takings = list(self.takings)
        other.held = {each: set(keys) for each, keys in self.held.items()}
        return other

    def has_seen_all(self, fact, device, least):
        """Whether the record has seen what left the device less than a role, or removed it."""
        return all(
            fact.has_seen(taking) for each, role, taking in self.takings
            if each == device and (role is None or role > least)
        )

    def take(self, fact):
        if fact.kind == JOIN:
            if self.take_join(fact):
                self.effective.append(fact)
            return
        if fact.kind not in (INVITE, CHANGES):
            return
        if self.roles.get(fact.device) != OWNER or fact.log not in self.live:
            return
        if not self.has_seen_all(fact, fact.device, OWNER):
            return
        if fact.kind == INVITE:
            if fact.clear.device not in self.closed:
                self.held.setdefault(fact.device, set()).add(fact.clear.device)
                self.effective.append(fact)
            return
        before = self.copy()
        removed, closed = set(), set()
        for kind, key, role in fact.changes:
            if kind == REMOVE:
                self.remove(fact, key, removed, closed)
            elif kind == REVOKE:
                self.close(fact, key, removed, closed)
            else:
                self.give(fact, key, role)
        if OWNER in self.roles.values():
            self.effective.append(fact)
        else:
            self.__dict__.update(before.__dict__)

    def take_join(self, fact):
        device = fact.device
        if not self.has_seen_all(fact, device, WRITER):
            return False
        if fact.by is None:
            if device not in self.roles:
                return False
            if self.roles[device] == READER and fact.role != READER:
                return False
        else:
            if fact.by not in self.effective or fact.join.invite in self.closed:
                return False
            self.held.setdefault(device, set()).add(fact.join.invite)
            self.roles[device] = min(self.roles.get(device, fact.role), fact.role)
        self.agreements.setdefault(device, set()).add(fact.join.agreement)
        self.live[fact.log] = (device, fact.role)
        return True

    def give(self, fact, device, role):
        old = self.roles.get(device)
        if old is None or old == role:
            return
        if role < old and not self.has_seen_all(fact, device, role):
            return
        if role != OWNER:
            self.takings.append((device, role, fact))
        if role == READER:
            self.end_logs(device, lambda each: each != READER)
        self.roles[device] = role
        self.seniority.pop(device, None)
        if role == OWNER:
            self.seniority[device] = min(fact.seniority + 1, limits.SENIORITY)

    def remove(self, fact, device, removed, closed):
        if device in removed:
            return
        removed.add(device)
        self.takings.append((device, None, fact))
        for table in (self.roles, self.agreements, self.seniority):
            table.pop(device, None)
        self.end_logs(device, lambda each: True)
        for invite in self.held.get(device, ()):
            self.close(fact, invite, removed, closed)

    def close(self, fact, invite, removed, closed):
        if invite in closed:
            return
        closed.add(invite)
        self.closed.add(invite)
        for join in list(self.effective):
            if join.kind == JOIN and join.by is not None and join.join.invite == invite:
                if not fact.has_seen(join):
                    self.remove(fact, join.device, removed, closed)

    def end_logs(self, device, does_end):
        self.live = {
            log: (each, role) for log, (each, role) in self.live.items()
            if each != device or not does_end(role)
        }

    def open_invites(self):
        used = [each.by for each in self.effective if each.kind == JOIN]
        return [
            each for each in self.effective
            if each.kind == INVITE and each.clear.device not in self.closed
            and used.count(each) < each.invite.uses
        ]


class Membership:
    def __init__(self, founder_log, genesis):
        self.genesis = genesis
        self.founder = genesis.device
        self.founder_log = founder_log
        self.roles = {founder_log: OWNER}  # log -> role, of logs that begin with the right
        self.facts = []
        self.names = {}  # log -> [(context, offset, member record)]
        self.devices = {founder_log: genesis.device}
        self._state = State(founder_log, genesis)

    # The set grows

    def add(self, fact):
        """Takes a record in whose past is here. Twice is once."""
        if any(each.place == fact.place for each in self.facts):
            return
        past = [each for each in self.facts if fact.has_seen(each)]
        before = self._of(past)
        fact.rank = len(past)
        fact.seniority = before.seniority.get(fact.device, limits.SENIORITY)
        if fact.epoch is not None:
            depths = [
                each.depth for each in past
                if each.epoch is not None and each.epoch.id in fact.epoch.parents
            ]
            fact.depth = 1 + max(depths, default=-1)
        fact.has_right = self._has_right(fact, past, before)
        if fact.kind == JOIN and fact.has_right:
            self.roles[fact.log] = fact.role
            self.devices[fact.log] = fact.device
        self.facts.append(fact)
        self._state = self._of(self.facts)

    def _of(self, facts):
        state = State(self.founder_log, self.genesis)
        for fact in in_order([each for each in facts if each.has_right]):
            state.take(fact)
        return state

    def _has_right(self, fact, past, before):
        if fact.kind == JOIN:
            return self._may_join(fact, before)
        if fact.kind not in (INVITE, CHANGES):
            return False
        is_owner = before.roles.get(fact.device) == OWNER and fact.log in before.live
        if not is_owner or self.roles.get(fact.log, READER) == READER:
            return False
        if fact.kind == INVITE:
            return fact.invite.role != OWNER
        earlier = [each for each in past if each.kind == CHANGES and each.log == fact.log]
        return len(earlier) < limits.MEMBERSHIP_RECORDS and all(
            self._changes(fact, before, *change) for change in fact.changes)

    @staticmethod
    def _changes(fact, before, kind, key, role):
        if kind == REMOVE:
            return key in before.roles and key != fact.device
        if kind == GIVE_ROLE:
            return key in before.roles and before.roles[key] != role
        return key not in before.closed and any(
            each.kind == INVITE and each.clear.device == key for each in before.effective)

    @staticmethod
    def _may_join(fact, before):
        if fact.join.invite == fact.join.device:
            fact.role = before.roles.get(fact.device)
            return fact.role is not None
        fitting = [
            each for each in before.open_invites() if each.clear.device == fact.join.invite
        ]
        if not fitting:
            return False
        fact.by = min(fitting, key=lambda each: each.place)
        fact.role = fact.by.invite.role
        return True

    def add_name(self, log, offset, context, record):
        if all(each[1] != offset for each in self.names.get(log, [])):
            self.names.setdefault(log, []).append((dict(context), offset, record))

    # What it comes to

    def invites(self, key):
        """The invites with the right that name a key."""
        return [
            each for each in self.facts
            if each.kind == INVITE and each.has_right and each.clear.device == key
        ]

    def ended_logs(self):
        return [log for log in self.roles if log not in self._state.live]

    def decided_ends(self):
        """log -> the end of its last membership record that has an effect."""
        ends = {}
        for fact in self._state.effective:
            if fact.kind == CHANGES:
                ends[fact.log] = max(ends.get(fact.log, 0), fact.offset + 1)
        return ends

    def members(self):
        """device key -> (role, name)."""
        return {
            device: (role, self._name(device)) for device, role in self._state.roles.items()
        }

    def name_of_log(self, log):
        return self._name(self.devices[log]) if log in self.devices else None

    def _name(self, device):
        """Its latest record; among concurrent ones that of the highest log id."""
        latest = {
            log: self.names[log][-1] for log, each in self.devices.items()
            if each == device and log in self.names
        }
        heads = [
            log for log, (_, offset, _) in latest.items()
            if not any(context.get(log, 0) > offset for context, _, _ in latest.values())
        ]
        return latest[max(heads)][2].name if heads else None

    # Epochs

    def holders(self, epoch):
        """Who can have an epoch's key: ("device" | "agreement" | "invite", key)."""
        announcing = [
            each for each in self.facts
            if each.epoch is not None and self.roles.get(each.log, READER) != READER
        ]
        holders = set()
        for fact in announcing:
            if fact.epoch.id == epoch:
                holders |= self._given(fact)
        known = {epoch}
        is_growing = True
        while is_growing:
            before = (len(holders), len(known))
            for fact in self.facts:
                if fact.kind == INVITE and fact.has_right and fact.clear.epoch in known:
                    if self._holds(fact.device, holders):
                        holders.add(("invite", fact.clear.agreement))
            for fact in announcing:
                if known.intersection(fact.epoch.parents) and self._holds(fact.device, holders):
                    holders |= self._given(fact)
                    known.add(fact.epoch.id)
            is_growing = (len(holders), len(known)) != before
        return holders

    @staticmethod
    def _given(fact):
        return {("device", fact.device)} | {
            ("agreement" if each.kind == DEVICE else "invite", each.key)
            for each in fact.epoch.recipients
        }

    def _holds(self, device, holders):
        keys = {("device", device)}
        if device == self.founder:
            keys.add(("agreement", self.genesis.agreement))
        for fact in self.facts:
            if fact.kind == JOIN and fact.has_right and fact.device == device:
                keys.add(("agreement", fact.join.agreement))
                if fact.by is not None:
                    keys.add(("invite", fact.by.clear.agreement))
        return bool(keys & holders)

    def is_safe(self, holders):
        state = self._state
        allowed = {("device", each) for each in state.roles}
        allowed |= {("agreement", key) for keys in state.agreements.values() for key in keys}
        allowed |= {
            ("invite", each.clear.agreement) for each in state.effective
            if each.kind == INVITE and each.clear.device not in state.closed
        }
        return holders <= allowed

    def is_complete(self, holders):
        invites = [("invite", each.clear.agreement) for each in self._state.open_invites()]
        return all(each in holders for each in invites) and all(
            self._holds(each, holders) for each in self._state.roles)

    def write_epoch(self):
        """The deepest that is safe and complete, of equals the one of the highest id, or None."""
        first = {}
        for fact in sorted(self.facts, key=lambda each: each.place):
            if fact.epoch is not None and self.roles.get(fact.log, READER) != READER:
                first.setdefault(fact.epoch.id, fact)
        found = []
        for epoch, fact in first.items():
            holders = self.holders(epoch)
            if self.is_safe(holders) and self.is_complete(holders):
                found.append((fact.depth, epoch))
        return max(found)[1] if found else None
