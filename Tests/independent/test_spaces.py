"""Recorded spaces: the reader makes of the relay's files what the programs made of them."""

import json
import os
import tempfile
import unittest

import vector_files
from recording import Recording
from reader.access import ADMINISTER, READ, AccessList
from reader.entries import EDIT, EPOCH, GENESIS, INVITE, JOIN, Entry
from reader.records import OWNER, ROLES
from reader.relay_space import read_space
from reader.relay_storage import ACCESS

TYPES = {GENESIS: "genesis", EPOCH: "epoch", EDIT: "edit", JOIN: "join", INVITE: "invite"}
SPACES = os.path.join(vector_files.FOLDER, "spaces")


def read_as(name, relay, expected):
    keys = expected["keys"][name]
    secrets = [bytes.fromhex(each) for each in keys.get("epoch secrets", [])]
    return read_space(relay, bytes.fromhex(keys["device seed"]), secrets)


class SpaceTests(unittest.TestCase):
    def check(self, relay, expected):
        for name in expected["keys"]:
            replica = read_as(name, relay, expected)
            self.assertEqual(replica.findings, [])
            self.assertEqual(replica.storage.damage, [])
            self.assertEqual(replica.space.hex(), expected["space"])
            for device in expected["devices"]:
                with self.subTest(reader=name, device=device["name"]):
                    self.check_view(replica, device)
            self.check_entries(replica, expected["entries"])
            self.check_heads(replica)
            self.check_access(replica)

    def check_view(self, replica, device):
        self.assertEqual(device["findings"], [])
        documents = {
            path: {"document": document.hex(), "text": replica.documents[document].text}
            for path, document in replica.paths().items()
        }
        self.assertEqual(documents, device["documents"])
        members = replica.membership.members()
        logs = [
            {"log": log.hex(), "device": state.device.hex(), "applied": state.applied,
             "byteCount": state.byte_count, "author": members[state.device][1]}
            for log, state in sorted(replica.logs.items())
        ]
        self.assertEqual(logs, device["logs"])
        [role] = [ROLES[role] for role, name in members.values() if name == device["name"]]
        self.assertEqual(role, device["role"])

    def check_entries(self, replica, expected):
        entries = [
            [log.hex(), offset, TYPES[Entry.decode(data).kind], state.outcomes[offset] == "ok"]
            for log, state in replica.logs.items() for offset, data in enumerate(state.entries)
        ]
        self.assertEqual(sorted(entries), expected)

    def check_heads(self, replica):
        """A head's membership is what its author had applied when it wrote the last entry."""
        for log, state in replica.logs.items():
            for head in state.heads:
                context = {**state.contexts[head.end - 1], log: head.end - 1}
                self.assertEqual(head.membership, replica.membership_at(context))
                self.assertIn(head.epoch, replica.epochs)

    def check_access(self, replica):
        """Each access list is signed and follows the one before; the last lets all members in."""
        before = None
        for kind, _, data in replica.storage.others:
            if kind == ACCESS:
                access = AccessList.decode(data)
                access.check()
                self.assertTrue(access.follows(before, replica.membership.founder))
                before = access
        for device, (role, _) in replica.membership.members().items():
            self.assertTrue(before.may(device, READ))
            self.assertEqual(before.may(device, ADMINISTER), role == OWNER)

    def test_the_kept_recording(self):
        folder = os.path.join(SPACES, "three-people")
        with open(os.path.join(folder, "expected.json"), encoding="utf-8") as file:
            expected = json.load(file)
        self.check(os.path.join(folder, "relay"), expected)

    def test_a_fresh_recording(self):
        with tempfile.TemporaryDirectory(prefix="sennit-recording-") as folder:
            recording = Recording(folder)
            self.check(recording.relay.directory, recording.record())


if __name__ == "__main__":
    unittest.main()
