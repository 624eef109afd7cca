"""A space whose members change: the reader and the programs agree on who is in and what counts."""

import os
import tempfile
import unittest

from programs import Device, Relay
from reader.profile import device_seed
from reader.records import ROLES
from reader.relay_space import read_space


class MembersTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="sennit-members-")
        cls.relay = Relay(os.path.join(cls.folder.name, "relay"))
        cls.anna, cls.bob, cls.chiyo, cls.dora = (
            Device(name, os.path.join(cls.folder.name, name.lower()))
            for name in ("Anna", "Bob", "Chiyo", "Dora")
        )
        cls.relay.start()
        try:
            cls.begin()
            cls.relay.stop()
            cls.remove_meanwhile()
            cls.relay.start()
            cls.go_on()
            cls.views = {each.name: cls.view(each) for each in (cls.anna, cls.bob)}
        finally:
            cls.relay.stop()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def begin(cls):
        cls.anna.run("new", "Notes", "--as", "Anna", "--relay", cls.relay.url)
        cls.anna.run("write", "a.md", text="alpha\n")
        for device, role in ((cls.bob, "writer"), (cls.chiyo, "reader"), (cls.dora, "writer")):
            link = cls.anna.run("invite", "--role", role)
            device.run("join", "--as", device.name, text=link)
        cls.anna.run("role", "Bob", "owner")
        cls.dora.run("append", "a.md", text="Dora, in time\n")
        for device in (cls.bob, cls.anna):
            device.run("append", "a.md", text=f"{device.name} builds on it\n")

    @classmethod
    def remove_meanwhile(cls):
        """Anna removes Dora, who writes without knowing. Dora's come to the relay first."""
        cls.anna.run("remove", "Dora", is_offline=True)
        cls.dora.run("append", "a.md", text="Dora, too late\n", is_offline=True)
        cls.dora.run("write", "late.md", text="nobody builds on this\n", is_offline=True)

    @classmethod
    def go_on(cls):
        cls.dora.run("status")
        cls.anna.run("status")
        cls.bob.run("status")
        cls.bob.run("invite", "--uses", "3")
        [invite] = cls.bob.json("invites")
        cls.bob.run("revoke", invite["invite"])
        cls.anna.run("role", "Bob", "writer")
        cls.anna.run("rotate")
        cls.bob.run("append", "a.md", text="the secret of those who stay\n")
        cls.anna.run("status")
        cls.dora.run("status")

    @staticmethod
    def view(device):
        [status] = device.json("status")
        return {
            "members": {
                each["device"]: (each["role"], each["name"]) for each in device.json("members")
            },
            "texts": {
                each["path"]: device.json("cat", each["path"])[0]["text"]
                for each in device.json("ls")
            },
            "applied": {each["log"]: each["applied"] for each in status["logs"]},
            "kinds": {each["kind"] for each in status["findings"]},
        }

    def read_as(self, device):
        return read_space(self.relay.directory, device_seed(device.profile))

    def test_they_agree_on_the_members_and_on_what_counts(self):
        for device in (self.anna, self.bob):
            replica = self.read_as(device)
            for name, view in self.views.items():
                with self.subTest(reader=device.name, programs=name):
                    members = {
                        each.hex(): (ROLES[role], known)
                        for each, (role, known) in replica.membership.members().items()
                    }
                    self.assertEqual(members, view["members"])
                    texts = {
                        path: replica.documents[document].text
                        for path, document in replica.paths().items()
                    }
                    self.assertEqual(texts, view["texts"])
                    applied = {log.hex(): end for log, end in replica.version().items()}
                    self.assertEqual(applied, view["applied"])
        self.assertEqual(
            sorted(self.views["Anna"]["members"].values()),
            [("owner", "Anna"), ("reader", "Chiyo"), ("writer", "Bob")])

    def test_what_the_removed_wrote_in_time_counts_and_the_rest_is_set_aside(self):
        text = self.views["Anna"]["texts"]["a.md"]
        self.assertIn("Dora, in time", text)
        self.assertNotIn("too late", text)
        self.assertNotIn("late.md", self.views["Bob"]["texts"])
        found = {each.status for each in self.read_as(self.anna).findings}
        self.assertEqual(found, {"setAside"})
        self.assertEqual(self.views["Anna"]["kinds"], {"setAside"})

    def test_29_the_removed_reads_nothing_of_it(self):
        replica = self.read_as(self.dora)
        texts = "".join(document.text for document in replica.documents.values())
        self.assertIn("alpha", texts)
        self.assertNotIn("the secret of those who stay", texts)
        self.assertIn("keyMissing", {each.status for each in replica.findings})
        known = self.read_as(self.anna).membership.write_epoch()
        self.assertNotIn(known, replica.epochs)


if __name__ == "__main__":
    unittest.main()
