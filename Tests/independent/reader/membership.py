"""SPEC.md sections 7.3 and 7.4: whose entries count, and as what.

Everything is judged in the causal past of the record: by what its context covers, and never by
what this reader happens to have.
"""

from .records import OWNER


class InviteFact:
    """An invite that an owner made."""

    def __init__(self, log, offset, role, uses):
        self.log = log
        self.offset = offset
        self.role = role
        self.uses = uses


class JoinFact:
    """A join that counts: the beginning of a log."""

    def __init__(self, log, invite, device, role):
        self.log = log
        self.invite = invite
        self.device = device
        self.role = role


class Membership:
    def __init__(self, founder_log, genesis):
        self.founder = genesis.device
        self.roles = {founder_log: OWNER}  # log -> role
        self.devices = {founder_log: genesis.device}  # log -> device, of members' logs
        self.agreements = {genesis.device: genesis.agreement}
        self.invites = {}  # invite device key -> [InviteFact]
        self.joins = []
        self.names = {}  # log -> [(context, offset, member record)]

    def add_invite(self, log, offset, clear, record):
        """An invite of an applied entry; only an owner's counts, and none makes an owner."""
        if self.roles[log] != OWNER or record.role == OWNER:
            return False
        fact = InviteFact(log, offset, record.role, record.uses)
        self.invites.setdefault(clear.device, []).append(fact)
        return True

    def role_of_join(self, join, context):
        """The role a join gives, or None if it doesn't count. Its signatures are checked before."""
        if join.invite == join.device:
            return self._role_of_member(join, context)
        invites = [
            invite for invite in self.invites.get(join.invite, [])
            if context.get(invite.log, 0) > invite.offset
        ]
        if not invites:
            return None
        used = sum(
            each.invite == join.invite and context.get(each.log, 0) >= 1 for each in self.joins
        )
        # Should several invites name one key, the first counts.
        first = min(invites, key=lambda invite: (invite.log, invite.offset))
        return first.role if used < first.uses else None

    def _role_of_member(self, join, context):
        if join.device == self.founder:
            return OWNER
        roles = [
            each.role for each in self.joins
            if each.device == join.device and context.get(each.log, 0) >= 1
        ]
        return min(roles, default=None)

    def add_join(self, log, join, role):
        self.roles[log] = role
        self.devices[log] = join.device
        self.agreements.setdefault(join.device, join.agreement)
        self.joins.append(JoinFact(log, join.invite, join.device, role))

    def add_name(self, log, offset, context, record):
        self.names.setdefault(log, []).append((dict(context), offset, record))

    def members(self):
        """device key -> (role, name), with the highest of its logs' roles."""
        found = {}
        for log, device in self.devices.items():
            role = min(self.roles[log], found.get(device, 9))
            found[device] = role
        return {device: (role, self._name(device)) for device, role in found.items()}

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
