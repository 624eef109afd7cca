"""Logs of members with one fault each, and what must become of their entries.

Each author joins by an invite, begins a document "base" under its own name, commits the fault, and
then writes a good entry where that tells how indices and event numbers went on. The outcomes are
those of the entries from the fault on.
"""

import hashlib
import os

from authors import ROOT, Author, insert, member, parents, put
from reader import bodies, keys
from reader.chains import chain_next, chain_start
from reader.codec import varint
from reader.entries import EDIT, EPOCH, INVITE, JOIN, Entry
from reader.names import DIRECTORY
from reader.records import InviteRecord

FAULTS = {}


def fault(*outcomes, text=None):
    """Registers a fault: the outcomes of the entries from the fault on, and the text in the end."""

    def register(commit):
        FAULTS[commit.__name__] = (commit, outcomes, text)
        return commit

    return register


class Case:
    """What a fault is made with: a space to join, and an author in it."""

    def __init__(self, name, base, epoch, invite, reader_invite):
        self.name = name
        self.base = base
        self.epoch = epoch
        self.invite = invite
        self.reader_invite = reader_invite
        self.founder = next(iter(base.logs))
        self.document = hashlib.sha256(name.encode()).digest()
        self.log = Author(base, epoch)
        self.others = []

    def join(self, invite=None):
        self.log.join(invite or self.invite, name=self.name)
        return self.begin()

    def begin(self):
        self.log.add(
            self.log.batch(DIRECTORY, put(self.name, self.document, ROOT)),
            self.log.batch(self.document, insert(0, "base", ROOT)))
        self.last = self.log.next_event - 1
        return self.log

    def edit(self, *runs, **others):
        """An entry with a batch whose event numbers count as used."""
        self.log.add(self.log.batch(self.document, *runs), **others)

    def edit_in_vain(self, *runs, first=None, **others):
        """An entry with a batch whose event numbers stay free."""
        number = self.log.next_event
        self.log.add(self.log.batch(self.document, *runs, first=first), **others)
        self.log.next_event = number

    def tail(self):
        """A good entry right behind the base."""
        back = self.log.next_event - self.last
        self.edit(insert(4, "T", None if back == 1 else parents(varint(back))))

    def context(self, end):
        return self.log.context((self.founder, end))

    def stranger(self):
        return keys.signing_pair(os.urandom(32))


def chain_of(author):
    chain = [chain_start(
        author.space, author.log, author.device.signing.public, author.incarnation)]
    for _, entries, _ in author.stored.ranges:
        for entry in entries:
            chain.append(chain_next(chain[-1], entry))
    return chain


# Section 3: entries

@fault("ok", text="baseT")
def good(case):
    case.join()
    case.tail()


@fault("poison", "ok", text="baseT")
def entry_does_not_parse(case):
    case.join().add_bytes(b"\1\3garbage")
    case.tail()


@fault("poison", "ok", text="baseT")
def entry_of_another_suite(case):
    log = case.join()
    log.add_bytes(b"\2" + log.seal(bodies.encode(0, False, [], [], log.table))[1:])
    case.tail()


@fault("poison", "ok", text="baseT")
def genesis_inside_of_a_log(case):
    case.join().add_bytes(case.base.logs[case.founder].entries[0])
    case.tail()


@fault("poison", "ok", text="baseT")
def join_inside_of_a_log(case):
    log = case.join()
    case.edit(insert(4, "X"), kind=JOIN, clear=log.join_clear(case.invite))
    case.tail()


@fault("needs update", "ok", text="baseT")
def unknown_type_uses_event_numbers(case):
    case.join()
    case.edit(insert(4, "X"), kind=9, clear=b"new")
    case.tail()


@fault("ok", "ok", text="baseXT")
def edit_with_a_clear_part(case):
    case.join()
    case.edit(insert(4, "X"), clear=b"ignored")
    case.edit(insert(5, "T"))


# Section 6: bodies

@fault("poison", "ok", text="baseT")
def padding_not_zero(case):
    log = case.join()
    log.add_body(b"", padded=bodies.encode(0, False, [], [], log.table).ljust(63, b"\0") + b"\1")
    case.tail()


@fault("poison", "ok", text="baseT")
def context_goes_back(case):
    case.join()
    case.edit_in_vain(insert(4, "X"), context=case.context(2))
    case.tail()


@fault("ok", "ok", text="baseXT")
def context_stays(case):
    case.join()
    case.edit(insert(4, "X"), context=case.context(5))
    case.edit(insert(5, "T"))


@fault("poison", "ok", text="baseT")
def full_context_leaves_a_log_out(case):
    case.join()
    case.edit_in_vain(insert(4, "X"), is_full=True)
    case.tail()


@fault("poison", "ok", text="baseT")
def context_of_unknown_kind(case):
    case.join().add_body(bodies.wrap(b"\0\2\0\0\0"))
    case.tail()


@fault("poison", "ok", text="baseT")
def origin_over_the_limit(case):
    case.join()
    case.edit_in_vain(insert(4, "X"), origin=(case.founder, 2**53 + 1, bytes(32)))
    case.tail()


@fault("poison", "poison", text="base")
def poison_assigns_no_index(case):
    other = Case(case.name + " other", case.base, case.epoch, case.invite, None)
    other.join()
    case.others.append(other.log)
    case.log.join(case.invite, name=case.name)
    case.log.seen[other.log.log] = chain_of(other.log)
    log = case.begin()
    case.edit_in_vain(insert(4, "X"), first=99, context=log.context((other.log.log, 1)))
    case.edit(insert(4, "T"), context=log.context((other.log.log, 2)))


@fault("needs update", "ok", text="baseXT")
def payload_of_unknown_kind(case):
    log = case.join()
    log.add((9, b"new"), log.batch(case.document, insert(4, "X")))
    case.edit(insert(5, "T"))


@fault("ok", text="baseX")
def wrong_digest(case):
    case.join()
    case.edit(insert(4, "X"), context=[(case.founder, 5, bytes(32))])


@fault(text="base")
def compression_waits(case):
    case.join().add_body(b"\1\1\4abcd")
    case.tail()


@fault("poison", "ok", text="baseT")
def compression_with_bad_padding(case):
    case.join().add_body(b"", padded=b"\1\1\4abcd".ljust(63, b"\0") + b"\1")
    case.tail()


@fault(text="base")
def body_of_another_version_waits(case):
    case.join().add_body(b"\2new")
    case.tail()


@fault(text="base")
def key_nobody_has(case):
    log = case.join()
    epoch = keys.Epoch(log.space, os.urandom(32))
    log.add_bytes(log.seal(bodies.encode(0, False, [], [], log.table), epoch=epoch))
    case.tail()


@fault(text="base")
def garbage_under_a_known_hint(case):
    case.join().add_bytes(Entry(EDIT, case.epoch.hint, bytes(24), b"", bytes(80)).encode())
    case.tail()


@fault(text="base")
def context_names_a_log_that_is_not_there(case):
    case.join()
    case.edit(insert(4, "X"), context=[(b"\7" * 32, 3, bytes(32))])


# Section 7: records

@fault("poison", "ok", text="baseT")
def member_record_malformed(case):
    log = case.join()
    log.add((2, b"\1short"), log.batch(case.document, insert(4, "X")))
    case.tail()


@fault("ok", "ok", text="baseXT")
def invite_record_in_an_edit(case):
    log = case.join()
    log.add((3, b"nonsense"), log.batch(case.document, insert(4, "X")))
    case.edit(insert(5, "T"))


@fault("poison", "ok", text="baseT")
def epoch_malformed(case):
    case.join()
    case.edit(insert(4, "X"), kind=EPOCH, clear=b"\1short")
    case.tail()


@fault("poison", "ok", text="baseT")
def epoch_with_a_malformed_member_record(case):
    log = case.join()
    clear = b"\1" + bytes(32) + b"\0\0\0"
    log.add((2, b"\1short"), log.batch(case.document, insert(4, "X")), kind=EPOCH, clear=clear)
    case.tail()


def newer(name, *payloads, **others):
    """An entry with a record of a newer version: neither it nor the rest has an effect."""

    def commit(case):
        log = case.join()
        log.add(*payloads, log.batch(case.document, insert(4, "X")), **others)
        case.tail()

    commit.__name__ = name
    fault("needs update", "ok", text="baseT")(commit)


INVITE_OF_NOBODY = b"\1\1" + bytes(176)

newer("member_record_of_a_newer_version", (2, b"\2new"))
newer("epoch_of_a_newer_version", kind=EPOCH, clear=b"\2new")
newer("epoch_with_a_newer_member_record", (2, b"\2new"), kind=EPOCH,
      clear=b"\1" + bytes(32) + b"\0\0\0")
newer("epoch_for_an_unknown_kind_of_recipient", kind=EPOCH,
      clear=b"\1" + bytes(32) + b"\0\1\7\1" + bytes(112) + b"\0")
newer("invite_of_a_newer_version", (3, b"\1\2\1\1" + bytes(32)), kind=INVITE, clear=b"\2new")
newer("invite_by_approval", (3, b"\1\2\1\2" + bytes(32)), kind=INVITE,
      clear=b"\1\2" + bytes(96))
newer("invite_record_of_a_newer_version", (3, b"\2new"), kind=INVITE, clear=INVITE_OF_NOBODY)
newer("invite_of_an_unknown_role", (3, b"\1\11\1\1" + bytes(32)), kind=INVITE,
      clear=INVITE_OF_NOBODY)


@fault("ok", "ok", "ok", text="baseT")
def join_with_a_malformed_member_record(case):
    case.log.join(case.invite, payloads=[(2, b"\1short")])
    case.begin()
    case.tail()


@fault("ok", "ok", "ok", text="baseT")
def join_with_a_newer_member_record(case):
    case.log.join(case.invite, payloads=[(2, b"\2new")])
    case.begin()
    case.tail()


@fault(text=None)
def edit_that_builds_on_a_log_that_counts_for_nothing(case):
    """Nobody withholds what is here and not applied."""
    other = Case(case.name + " other", case.base, case.epoch, case.invite, None)
    other.log.add(context=other.log.everything(), is_full=True)
    case.others.append(other.log)
    case.log.join(case.invite, name=case.name)
    case.log.seen[other.log.log] = chain_of(other.log)
    case.log.add(context=case.log.context((other.log.log, 1)))
    case.begin()


@fault("poison", "ok", text="baseT")
def invite_differs_from_its_record(case):
    case.join().invite(case.stranger(), 2, record=InviteRecord.encode(2, 1, bytes(32)))
    case.tail()


@fault("poison", "ok", text="baseT")
def invite_without_a_record(case):
    case.join().add(kind=INVITE, clear=b"\1\1" + bytes(176))
    case.tail()


@fault("ok", text="base")
def invite_by_a_writer(case):
    pair = case.stranger()
    case.join().invite(pair, 2)
    guest = Author(case.base, case.epoch)
    guest.seen[case.log.log] = chain_of(case.log)
    guest.join(pair, name="guest").add(guest.batch(DIRECTORY, put("guest", bytes(32), ROOT)))
    case.others.append(guest)


@fault("ok", text=None)
def join_that_does_not_cover_its_invite(case):
    case.log.join(case.invite, name=case.name, context=case.context(3))
    case.begin()


@fault("ok", text=None)
def join_by_an_invite_of_nobody(case):
    case.join(case.stranger())


@fault("poison", text=None)
def operations_in_a_join_that_does_not_count(case):
    case.log.join(case.stranger(), payloads=[
        member(case.name), case.log.batch(DIRECTORY, put(case.name, case.document, ROOT))])


@fault("poison", text=None)
def join_with_a_wrong_signature(case):
    clear = case.log.join_clear(case.invite)
    clear = clear[:-1] + bytes([clear[-1] ^ 1])
    case.log.add(member(case.name), context=case.log.everything(), kind=JOIN, clear=clear)
    case.begin()


@fault("poison", text=None)
def join_with_a_key_of_small_order(case):
    clear = case.log.join_clear(case.invite, agreement=bytes(32))
    case.log.add(member(case.name), context=case.log.everything(), kind=JOIN, clear=clear)
    case.begin()


@fault("poison", text=None)
def join_without_a_full_context(case):
    clear = case.log.join_clear(case.invite)
    case.log.add(
        member(case.name), context=case.log.everything(), is_full=False, kind=JOIN, clear=clear)
    case.begin()


@fault(text=None)
def log_that_begins_with_an_edit(case):
    case.log.add(context=case.log.everything(), is_full=True)
    case.begin()


@fault("ok", "ok", text="base")
def operations_in_a_join(case):
    case.log.join(case.invite, payloads=[
        member(case.name), case.log.batch(DIRECTORY, put(case.name, case.document, ROOT))])
    case.edit(insert(0, "base", ROOT))


@fault("ok", "poison", "poison", text=None)
def reader_writes(case):
    case.join(case.reader_invite)
    case.tail()


@fault("ok", "ok", "ok", "ok", text="baseT")
def member_begins_another_log(case):
    case.join()
    case.tail()
    again = Author(case.base, case.epoch, device=case.log.device)
    again.seen[case.log.log] = chain_of(case.log)
    again.join_again(name=case.name)
    again.add(again.batch(DIRECTORY, put(case.name + " again", case.document, ROOT)))
    case.others.append(again)
