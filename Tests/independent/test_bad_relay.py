"""The real programs on a relay whose disk was changed: what a person is told, and that it heals.

Numbers are those of docs/SECURITY.md. Each attack ends with the relay as it was, and the devices
agreeing. A relay may send several ranges as one; so what is refused may begin before the fault.
"""

import os
import shutil
import tempfile
import unittest

from programs import Device, Relay
from reader.relay_storage import Storage, write


class BadRelayTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="sennit-relay-")
        cls.relay = Relay(os.path.join(cls.folder.name, "relay"))
        cls.anna, cls.bob, cls.chiyo = [
            Device(name, os.path.join(cls.folder.name, name.lower()))
            for name in ("Anna", "Bob", "Chiyo")
        ]
        cls.relay.start()
        try:
            cls.anna.run("new", "Notes", "--as", "Anna", "--relay", cls.relay.url)
            cls.anna.run("write", "a.md", text="one\n")
            for device in (cls.bob, cls.chiyo):
                device.run("join", "--as", device.name, text=cls.anna.run("invite"))
            # What comes now Chiyo has not seen.
            for word in ("two", "three", "four"):
                cls.bob.run("append", "a.md", text=word + "\n")
            cls.anna.run("status")
            cls.anna.run("append", "a.md", text="five\n")
            [status] = cls.anna.json("status")
        finally:
            cls.relay.stop()
        cls.logs = {log["author"]: bytes.fromhex(log["log"]) for log in status["logs"]}
        cls.ends = {log["author"]: log["end"] for log in status["logs"]}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def look(self, device, change):
        """What a copy of a device is told by the changed relay, and then by the relay as it was."""
        with tempfile.TemporaryDirectory(prefix="sennit-look-") as folder:
            copy = Device(device.name, os.path.join(folder, "profile"))
            shutil.copytree(device.profile, copy.profile)
            changed = Storage(self.relay.directory)
            change({log.log: log for log in changed.logs.values()})
            bad, good = os.path.join(folder, "bad"), os.path.join(folder, "good")
            write(bad, changed)
            write(good, Storage(self.relay.directory))
            return [self.serve(each, copy) for each in (bad, good)]

    def serve(self, directory, device):
        relay = Relay(directory)
        relay.url = self.relay.url
        relay.start()
        try:
            [status] = device.json("status", "--wait", "5")
            [document] = device.json("cat", "a.md", is_offline=True)
        finally:
            relay.stop()
        self.assertEqual(status["connection"], "online")
        found = {(each["kind"], each.get("log")) for each in status["findings"]}
        return found, document["text"]

    def check(self, device, change, status, author, *texts):
        (found, seen), (later, healed) = self.look(device, change)
        self.assertIn((status, self.logs[author].hex()), found)
        self.assertIn(seen, texts)
        self.assertEqual(later, set())
        self.assertEqual(healed, "one\ntwo\nthree\nfour\nfive\n")

    def test_attack_1_a_bit_is_flipped(self):
        def flip(logs):
            bob = logs[self.logs["Bob"]]
            first, [entry], head = bob.ranges[-1]
            bob.ranges[-1] = (first, [entry[:-1] + bytes([entry[-1] ^ 1])], head)

        self.check(self.chiyo, flip, "corrupt", "Bob", "one\n", "one\ntwo\nthree\n")

    def test_attack_2_two_entries_are_swapped(self):
        def swap(logs):
            bob = logs[self.logs["Bob"]]
            one, other = bob.ranges[-2], bob.ranges[-1]
            bob.ranges[-2:] = [(one[0], other[1], one[2]), (other[0], one[1], other[2])]

        self.check(self.chiyo, swap, "corrupt", "Bob", "one\n", "one\ntwo\n")

    def test_attack_4_a_tail_that_others_have_seen_is_withheld(self):
        def cut(logs):
            del logs[self.logs["Bob"]].ranges[-2:]

        self.check(self.chiyo, cut, "withheld", "Bob", "one\ntwo\n")

    def test_attack_6_an_older_state_is_served(self):
        def roll_back(logs):
            del logs[self.logs["Bob"]].ranges[-1:]

        text = "one\ntwo\nthree\nfour\nfive\n"
        self.check(self.anna, roll_back, "rolledBack", "Bob", text)


if __name__ == "__main__":
    unittest.main()
