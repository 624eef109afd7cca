"""The faults of operations (SPEC.md section 14), made as those in faults.py."""

import hashlib

from authors import ROOT, delete, insert, parents, put, unknown
from faults import fault
from reader import operations
from reader.codec import varint
from reader.names import DIRECTORY

def structural(name, *runs):
    """A batch that isn't well-formed: its numbers stay free."""

    def commit(case):
        case.join()
        case.edit_in_vain(*runs)
        case.tail()

    commit.__name__ = name
    fault("poison", "ok", text="baseT")(commit)


structural("batch_without_runs")
structural("insert_of_nothing", insert(4, ""))
structural("insert_of_a_surrogate", (operations.encode_run(1, b"\4\xed\xa0\x80"), 1))
structural("delete_of_nothing", delete(0, 0))
structural("delete_over_the_limit", delete(0, 1_048_577))
structural("backward_delete_of_one", delete(0, 1, kind=operations.DELETE_BACKWARD))
structural("position_over_the_limit", insert(2**53 + 1, "x"))
structural("operation_of_kind_0", (operations.encode_run(0, b""), 1))
structural("unknown_operation_without_events", unknown(0))
structural("gather_with_a_body", (operations.encode_run(6, b"x"), 1))
structural("map_key_over_the_limit", put("k" * 1025, b"v"))
structural("map_value_over_the_limit", put("k", b"v" * 65_537))
structural("map_key_not_utf8", put(b"\xff", b"v"))
structural("removed_key_not_utf8", (operations.encode_run(5, b"\xff"), 1))
structural("parents_written_in_vain", insert(4, "X", parents(varint(1))))
structural("parents_descend", insert(4, "X", parents(varint(1), varint(2))))
structural("parent_twice", insert(4, "X", parents(varint(2), varint(2))))
structural("parent_before_the_log", insert(4, "X", parents(varint(99))))


@fault("poison", "ok", text="baseT")
def first_event_too_high(case):
    case.join()
    case.edit_in_vain(insert(4, "X", ROOT), first=99)
    case.tail()


@fault("poison", "ok", text="baseT")
def first_event_again(case):
    case.join()
    case.edit_in_vain(insert(4, "X", ROOT), first=1)
    case.tail()


@fault("ok", "poison", "ok", text="base")
def parents_left_out_at_event_0(case):
    case.log.join(case.invite, name=case.name)
    case.edit_in_vain(insert(0, "lost"))
    case.begin()


@fault("poison", "ok", text="baseT")
def parent_of_another_document(case):
    case.join()
    case.edit(insert(4, "X", parents(varint(case.log.next_event))))
    case.tail()


@fault("poison", "poison", "ok", text="baseT")
def parent_without_effect(case):
    case.join()
    case.edit(insert(4, "X", parents(varint(case.log.next_event))))
    case.edit(insert(4, "Y"))
    case.tail()


@fault("poison", "ok", text="baseTY")
def one_batch_of_two_is_unfounded(case):
    log = case.join()
    log.add(
        log.batch(case.document, insert(0, "X", parents(log.foreign_parent(case.founder, 0)))),
        log.batch(case.document, insert(0, "Y", ROOT)))
    case.tail()


@fault("poison", "ok", text="baseT")
def one_run_of_two_is_unfounded(case):
    log = case.join()
    case.edit(
        insert(0, "X", ROOT), insert(0, "Y", parents(log.foreign_parent(case.founder, 0))))
    case.tail()


@fault("ok", "ok", text="baseT")
def void_insert(case):
    case.join()
    case.edit(insert(99, "XY"))
    case.edit(insert(4, "T"))


@fault("ok", "ok", text="baseT")
def void_delete_of_a_million(case):
    case.join()
    case.edit(delete(3, 1_048_576))
    case.edit(insert(4, "T"))


@fault("ok", text="be")
def backward_delete(case):
    case.join()
    case.edit(delete(1, 2, kind=operations.DELETE_BACKWARD))


@fault("ok", text="b!?e")
def backward_delete_seen_half(case):
    """Parents inside of a run, and before it: what went first is told by where "!" comes."""
    case.join()
    case.edit(
        delete(1, 2, kind=operations.DELETE_BACKWARD), insert(2, "!", parents(varint(2))),
        insert(2, "?", parents(varint(4))))


@fault("ok", "ok", text="baseT")
def unknown_operation(case):
    case.join()
    case.edit(unknown(3))
    case.edit(insert(4, "T"))


@fault("ok", "ok", text="baseT")
def paths_that_are_none(case):
    log = case.join()
    name = case.name
    marks = "\n\v\f\r\x85\u2028\u2029\0"
    bad = [name + "//b", "/" + name, name + "/", name + "/../x", "./" + name, name + "a" * 600]
    bad += [name + mark for mark in marks]
    runs = [put(path, case.document, ROOT) for path in bad]
    runs += [put(name + " short", bytes(31), ROOT), put(name + " empty", b"", ROOT)]
    log.add(log.batch(DIRECTORY, *runs))
    case.tail()


@fault("ok", "ok", text="baseT")
def paths_of_several_documents(case):
    log = case.join()
    name = case.name

    def document(index):
        return hashlib.sha256(f"{name} {index}".encode()).digest()

    log.add(log.batch(
        DIRECTORY, put(name, case.document, ROOT), put(name, document(1), ROOT),
        put(name, document(2), ROOT), put(name + "~2", document(3), ROOT),
        put(name + "~2", document(4), ROOT)))
    case.tail()

