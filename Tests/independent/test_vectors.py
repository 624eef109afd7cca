"""Every vector of Tests/Vectors gets its verdict."""

import unittest

import vector_files
from reader.access import AccessList
from reader.bodies import Body, LogTable
from reader.chains import Head
from reader.entries import Entry
from reader.errors import Refusal
from reader.keys import Epoch
from reader.links import Link
from reader.names import log_id
from reader.presence import Presence
from reader.records import (
    ChangesRecord, EpochRecord, Genesis, InviteClear, InviteRecord, JoinRecord, MemberRecord)


def read_entry(vector):
    entry = Entry.decode(vector.bytes())
    log, offset = vector.bytes("log"), vector.number("offset")
    epoch = Epoch(vector.bytes("space"), vector.bytes("epoch secret"))
    padded = epoch.open_entry(entry, log, offset, vector.bytes("chain"))
    Body.open(padded, LogTable(log), offset)
    if "body" in vector:
        body = vector.bytes("body")
        assert padded[: len(body)] == body, "another body"


def read_body(vector):
    Body.decode(vector.bytes(), LogTable(vector.bytes("log")), vector.number("offset"))


def read_head(vector):
    Head.decode(vector.bytes()).check(
        vector.bytes("space"), vector.bytes("log"), vector.bytes("device"))


def read_join(vector):
    space = vector.bytes("space")
    log = log_id(space, vector.bytes("device"), vector.bytes("incarnation"))
    JoinRecord.decode(vector.bytes()).check(space, log)


def read_link(vector):
    link = Link.decode(vector.text("text"))
    assert link.space == vector.bytes("space") and link.seed == vector.bytes("seed")
    assert " ".join(link.relays) == vector.text("relays")
    assert link.keys.signing.public == vector.bytes("invite device key")
    assert link.keys.agreement.public == vector.bytes("invite agreement key")


def read_presence(vector):
    epoch = Epoch(vector.bytes("space"), vector.bytes("epoch secret"))
    devices = {vector.bytes("log"): vector.bytes("device")}
    presence = Presence.open(vector.bytes(), epoch, devices.get)
    assert presence.name == vector.text("name")


def read_access(vector):
    AccessList.decode(vector.bytes()).check()


def read_genesis(vector):
    assert Genesis.decode(vector.bytes()).space == vector.bytes("space")


READERS = {
    "entry": read_entry,
    "body": read_body,
    "head": read_head,
    "join": read_join,
    "link": read_link,
    "presence": read_presence,
    "access": read_access,
    "genesis": read_genesis,
    "epoch": lambda vector: EpochRecord.decode(vector.bytes()),
    "invite": lambda vector: InviteClear.decode(vector.bytes()),
    "invite record": lambda vector: InviteRecord.decode(vector.bytes()),
    "changes": lambda vector: ChangesRecord.decode(vector.bytes()),
    "member": lambda vector: MemberRecord.decode(vector.bytes()),
}


def verdict(vector):
    try:
        READERS[vector.text("kind")](vector)
    except Refusal as error:
        return error.outcome
    return "ok"


class VectorTests(unittest.TestCase):
    def test_every_vector_gets_its_verdict(self):
        count = 0
        for folder in vector_files.OWN:
            for vector in vector_files.own(folder):
                with self.subTest(vector.path):
                    self.assertEqual(verdict(vector), vector.text("outcome"))
                    count += 1
        self.assertGreater(count, 80)

    def test_no_entry_opens_with_a_byte_changed(self):
        [vector] = [each for each in vector_files.own("entry") if "entry_good" in each.path]
        good = vector.text("bytes")
        for place in range(0, len(good), 2):
            flipped = int(good[place : place + 2], 16) ^ 1 << place % 8
            vector.fields["bytes"] = f"{good[:place]}{flipped:02x}{good[place + 2:]}"
            self.assertIn(verdict(vector), ("malformed", "not authentic"))


if __name__ == "__main__":
    unittest.main()
