"""The classes of refusal, in the words of SPEC.md section 13 and of the vectors' README."""


class Refusal(Exception):
    """Something that a reader must not take as it stands. `outcome` is its class in a vector."""

    outcome = "refused"


class Malformed(Refusal):
    """It doesn't parse."""

    outcome = "malformed"


class NotAuthentic(Refusal):
    """Its seal or signature doesn't fit."""

    outcome = "not authentic"


class Poison(Refusal):
    """It is authentic and breaks a rule: it counts as applied and has no effect anywhere."""

    outcome = "poison"


class NeedsUpdate(Refusal):
    """A newer version may know it."""

    outcome = "needs update"


class NotALink(Refusal):
    outcome = "not a link"


class DamagedLink(Refusal):
    outcome = "damaged link"


class NewerLink(Refusal):
    outcome = "newer link"


class Damaged(Refusal):
    """The relay's files, not an author's bytes, are broken."""

    outcome = "damaged"
