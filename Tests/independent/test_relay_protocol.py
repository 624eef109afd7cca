"""SPEC.md sections 10 and 11 against a running relay: entering, reading, presence, refusals."""

import os
import tempfile
import unittest

from authors import ROOT, Author, insert, member, put
from programs import Device, Editor, Relay
from reader.access import AccessList
from reader.bodies import context_digest
from reader.chains import chain_start
from reader.keys import DeviceKeys
from reader.links import Link
from reader.names import DIRECTORY
from reader.presence import Presence
from reader.profile import device_seed
from reader.replica import Replica
from relay_client import PRESENCE, RelayClient

GAP, CONFLICT, BAD_HEAD = 5, 6, 13


class RelayProtocolTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="sennit-protocol-")
        cls.relay = Relay(os.path.join(cls.folder.name, "relay"))
        cls.anna, cls.bob = [
            Device(name, os.path.join(cls.folder.name, name.lower())) for name in ("Anna", "Bob")
        ]
        cls.relay.start()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.addClassCleanup(cls.relay.stop)
        cls.anna.run("new", "Notes", "--as", "Anna", "--relay", cls.relay.url)
        cls.anna.run("write", "a.md", text="eins 🌿\n")
        text = cls.anna.run("invite", "--uses", "9")
        cls.link = Link.decode(text.strip())
        cls.bob.run("join", "--as", "Bob", text=text)
        cls.bob.run("append", "a.md", text="zwei\n")
        cls.keys = DeviceKeys(device_seed(cls.anna.profile), cls.link.nonce)

    def connect(self, device=None):
        client = RelayClient(self.relay.url, self.link.space, device or self.keys)
        self.addCleanup(client.close)
        return client

    def read(self, client):
        replica = Replica(self.link.space)
        access, logs = client.enter()
        AccessList.decode(access).check()
        client.subscribe({})
        client.read_all(replica)
        self.assertEqual(
            {log: end for log, _, _, _, end in logs},
            {log: len(state.entries) for log, state in replica.logs.items()})
        replica.learn_keys(self.keys)
        replica.apply()
        return replica

    def test_a_device_enters_and_reads_everything(self):
        replica = self.read(self.connect())
        self.assertEqual(replica.findings, [])
        self.assertIn("eins 🌿\nzwei\n", replica.texts().values())

    def test_a_stranger_is_let_in_nowhere(self):
        client = self.connect(DeviceKeys(bytes(32), self.link.nonce))
        with self.assertRaisesRegex(ConnectionError, "frame 6 instead of 2.*no such space"):
            client.enter()

    def test_presence_is_opened_and_signed_by_its_author(self):
        client = self.connect()
        replica = self.read(client)
        [epoch] = replica.epochs.values()
        editor = Editor(self.bob, "a.md")
        try:
            kind = None
            while kind != PRESENCE:
                kind, reader = client.receive()
            presence = Presence.open(reader.data, epoch, replica.membership.devices.get)
        finally:
            editor.leave()
        self.assertEqual(presence.name, "Bob")
        self.assertEqual(replica.membership.name_of_log(presence.log), "Bob")

    def member(self):
        """An author that has come by the invite, with its connection; its join isn't sent yet."""
        replica = self.read(self.connect())
        [epoch] = replica.epochs.values()
        author = Author(replica, epoch)
        client = self.connect(author.device)
        client.enter(self.link.keys.signing)
        author.join(self.link.keys.signing, name="Python")
        return author, client

    def send(self, client, author, index):
        return client.append(author.stored, *author.stored.ranges[index])

    def test_what_this_reader_writes_the_programs_read(self):
        author, client = self.member()
        document = bytes(range(32))
        author.add(
            author.batch(DIRECTORY, put("python.md", document, ROOT)),
            author.batch(document, insert(0, "geschrieben 🐍\n", ROOT)))
        self.assertEqual(self.send(client, author, 0), (True, 1))
        self.assertEqual(self.send(client, author, 1), (True, 2))
        self.assertEqual(self.send(client, author, 1), (True, 2), "the same again is known")
        [found] = self.anna.json("cat", "python.md")
        self.assertEqual(found["text"], "geschrieben 🐍\n")
        [status] = self.anna.json("status")
        self.assertIn("Python", [log["author"] for log in status["logs"]])
        self.assertEqual(status["findings"], [])

    def test_appends_that_do_not_fit_are_refused_by_their_code(self):
        author, client = self.member()
        author.add(member("Another name"))
        author.add(member("A third name"))
        self.assertEqual(self.send(client, author, 0), (True, 1))
        self.assertEqual(self.send(client, author, 2), (False, GAP))
        first, entries, head = author.stored.ranges[1]
        forged = head[:-1] + bytes([head[-1] ^ 1])
        self.assertEqual(client.append(author.stored, first, entries, forged), (False, BAD_HEAD))

    def test_another_entry_at_an_offset_is_a_conflict(self):
        author, client = self.member()
        self.assertEqual(self.send(client, author, 0), (True, 1))
        author.stored.ranges.clear()
        author.table.logs.clear()
        author.chain = chain_start(
            author.space, author.log, author.device.signing.public, author.incarnation)
        author.byte_count = 0
        author.join(self.link.keys.signing, name="Somebody else")
        self.assertEqual(self.send(client, author, 0), (False, CONFLICT))

    def test_the_links_floor_is_the_inviters_version_before_the_invite(self):
        replica = self.read(self.connect())
        [(log, state)] = [
            each for each in replica.logs.items()
            if each[1].device == replica.membership.founder
        ]
        [invite] = replica.membership.invites(self.link.keys.signing.public)
        named = [(log, invite.offset, state.chain[invite.offset])]
        self.assertEqual(self.link.floor, context_digest(named)[:16])


if __name__ == "__main__":
    unittest.main()
