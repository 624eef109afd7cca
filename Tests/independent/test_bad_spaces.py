"""What a relay, or whoever has its disk, can do to a recorded space, and where it is seen.

Each fault is put into a copy of the recorded space, with the checksums of the relay's files made
to fit: those protect against decay, not against people.
"""

import json
import os
import tempfile
import unittest

from reader.chains import Head, chain_next
from reader.keys import DeviceKeys, signing_pair
from reader.records import Genesis
from reader.relay_space import read_space
from reader.relay_storage import Storage, write
from test_spaces import SPACES, read_as

FOLDER = os.path.join(SPACES, "three-people")


class BadSpaceTests(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(FOLDER, "expected.json"), encoding="utf-8") as file:
            self.expected = json.load(file)
        self.storage = Storage(os.path.join(FOLDER, "relay"))
        named = {each["author"]: each["log"] for each in self.expected["devices"][0]["logs"]}
        logs = {log.log.hex(): log for log in self.storage.logs.values()}
        self.anna, self.bob = logs[named["Anna"]], logs[named["Bob"]]

    def read(self):
        """What the reader says of the changed space, as (status, log, offset)."""
        with tempfile.TemporaryDirectory(prefix="sennit-bad-") as folder:
            relay = os.path.join(folder, "relay")
            write(relay, self.storage)
            replica = read_as("Anna", relay, self.expected)
        self.assertEqual(replica.storage.damage, [])
        self.replica = replica
        return [each.place for each in replica.findings]

    def keys_of(self, name):
        nonce = Genesis.decode(self.storage.geneses[0]).nonce
        return DeviceKeys(bytes.fromhex(self.expected["keys"][name]["device seed"]), nonce)

    def range_of(self, log, offset):
        """The index of the range that holds an offset."""
        return max(index for index, each in enumerate(log.ranges) if each[0] <= offset)

    def change(self, log, index, entries=None, head=None):
        first, old_entries, old_head = log.ranges[index]
        log.ranges[index] = (first, entries or old_entries, head or old_head)
        return first

    def corrupt(self, log, offset):
        found = self.read()
        self.assertIn(("corrupt", log.log, offset), found)
        self.assertEqual(self.replica.logs[log.log].applied <= offset, True)
        others = [place for place in found if place[0] == "corrupt" and place[1] != log.log]
        self.assertEqual(others, [])

    def test_the_space_as_it_is_gives_no_finding(self):
        self.assertEqual(self.read(), [])

    def test_any_byte_of_an_entry_flipped(self):
        index = self.range_of(self.bob, 5)
        first, [entry, *others], _ = self.bob.ranges[index]
        for place in range(0, len(entry), 37):
            changed = bytearray(entry)
            changed[place] ^= 1 << place % 8
            with self.subTest(place):
                self.change(self.bob, index, [bytes(changed), *others])
                self.corrupt(self.bob, first)

    def test_an_entry_cut_short(self):
        index = self.range_of(self.anna, 9)
        entries = self.anna.ranges[index][1]
        first = self.change(self.anna, index, [entries[0][:-1], *entries[1:]])
        self.corrupt(self.anna, first)

    def test_two_entries_of_a_log_swapped(self):
        one, other = self.range_of(self.anna, 20), self.range_of(self.anna, 21)
        self.assertNotEqual(one, other)
        entries = self.anna.ranges[one][1]
        first = self.change(self.anna, one, self.anna.ranges[other][1])
        self.change(self.anna, other, entries)
        self.corrupt(self.anna, first)

    def test_two_entries_under_one_head_swapped(self):
        index = next(i for i, each in enumerate(self.anna.ranges) if len(each[1]) > 1)
        first = self.change(self.anna, index, self.anna.ranges[index][1][::-1])
        self.corrupt(self.anna, first)

    def test_entries_of_two_logs_swapped(self):
        one, other = self.range_of(self.anna, 30), self.range_of(self.bob, 7)
        mine, yours = self.anna.ranges[one], self.bob.ranges[other]
        self.change(self.anna, one, yours[1])
        self.change(self.bob, other, mine[1])
        found = self.read()
        self.assertIn(("corrupt", self.anna.log, mine[0]), found)
        self.assertIn(("corrupt", self.bob.log, yours[0]), found)

    def test_a_head_replaced_by_an_older_one(self):
        index = self.range_of(self.anna, 40)
        first = self.change(self.anna, index, head=self.anna.ranges[index - 1][2])
        self.corrupt(self.anna, first)

    def test_a_head_replaced_by_another_logs(self):
        index = self.range_of(self.anna, 40)
        first = self.change(self.anna, index, head=self.bob.ranges[3][2])
        self.corrupt(self.anna, first)

    def test_a_head_signed_by_another_key(self):
        for pair in (signing_pair(bytes(32)), self.keys_of("Bob").signing):
            index = self.range_of(self.anna, 40)
            head = Head.decode(self.anna.ranges[index][2])
            head.sign(self.replica_space(), self.anna.log, pair)
            first = self.change(self.anna, index, head=head.encode())
            self.corrupt(self.anna, first)

    def test_an_entry_changed_and_its_log_signed_anew_by_another_key(self):
        """Whoever has the epoch's key can seal, and only the device can sign."""
        index = self.range_of(self.anna, 40)
        first, entries, head = self.anna.ranges[index]
        changed = [entries[0][:-1] + bytes([entries[0][-1] ^ 1]), *entries[1:]]
        chain = Head.decode(self.anna.ranges[index - 1][2]).chain
        for entry in changed:
            chain = chain_next(chain, entry)
        head = Head.decode(head)
        head.chain = chain
        head.sign(self.replica_space(), self.anna.log, self.keys_of("Bob").signing)
        self.change(self.anna, index, changed, head.encode())
        self.corrupt(self.anna, first)

    def test_a_head_with_another_field_changed(self):
        index = self.range_of(self.bob, 11)
        for name in ("end", "byte_count", "membership", "epoch"):
            head = Head.decode(self.bob.ranges[index][2])
            value = getattr(head, name)
            setattr(head, name, value + 1 if isinstance(value, int) else bytes(32))
            with self.subTest(name):
                old = self.bob.ranges[index]
                first = self.change(self.bob, index, head=head.encode())
                self.corrupt(self.bob, first)
                self.bob.ranges[index] = old

    def test_a_range_in_the_middle_left_out(self):
        index = self.range_of(self.bob, 20)
        first = self.bob.ranges.pop(index)[0]
        self.corrupt(self.bob, first)

    def test_a_tail_withheld_that_others_have_seen(self):
        index = self.range_of(self.bob, 20)
        first = self.bob.ranges[index][0]
        del self.bob.ranges[index:]
        found = self.read()
        self.assertIn(("withheld", self.bob.log, first), found)
        self.assertEqual({place[0] for place in found}, {"withheld"})
        self.assertEqual(self.replica.logs[self.bob.log].applied, first)

    def test_a_log_withheld_that_others_have_seen(self):
        log = self.bob.log
        self.bob.ranges.clear()
        self.assertIn(("withheld", log, 0), self.read())

    def test_another_device_named_as_the_author(self):
        self.bob.device, self.anna.device = self.anna.device, self.bob.device
        found = self.read()
        self.assertIn(("corrupt", self.bob.log, 0), found)
        self.assertIn(("corrupt", self.anna.log, 0), found)

    def test_without_the_keys_nothing_is_read(self):
        with tempfile.TemporaryDirectory(prefix="sennit-bad-") as folder:
            relay = os.path.join(folder, "relay")
            write(relay, self.storage)
            replica = read_space(relay, bytes(32))
        self.assertEqual(replica.texts(), {})
        self.assertIn(
            ("keyMissing", self.anna.log, 1), [each.place for each in replica.findings])

    def test_decay_of_the_relays_disk_is_seen_before_anything_else(self):
        name = sorted(os.listdir(os.path.join(FOLDER, "relay")))[0]
        with open(os.path.join(FOLDER, "relay", name), "rb") as file:
            data = bytearray(file.read())
        data[9000] ^= 4
        with tempfile.TemporaryDirectory(prefix="sennit-bad-") as folder:
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
            self.assertEqual([name for name, _ in Storage(folder).damage], [name])

    def replica_space(self):
        return bytes.fromhex(self.expected["space"])


if __name__ == "__main__":
    unittest.main()
