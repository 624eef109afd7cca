"""Members that write faults under their own name: the reader and the programs judge alike."""

import os
import shutil
import tempfile
import unittest

import operation_faults  # noqa: F401, it registers its faults
from faults import FAULTS, Case
from programs import Device, Relay
from reader.links import Link
from reader.names import DIRECTORY
from reader.profile import device_seed
from reader.relay_space import read_space
from reader.relay_storage import write


class HostileTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="sennit-hostile-")
        relay = Relay(os.path.join(cls.folder.name, "relay"))
        anna = Device("Anna", os.path.join(cls.folder.name, "anna"))
        relay.start()
        try:
            anna.run("new", "Notes", "--as", "Anna", "--relay", relay.url)
            anna.run("write", "a.md", text="alpha\n")
            writers = Link.decode(anna.run("invite", "--uses", "500").strip())
            readers = Link.decode(anna.run("invite", "--role", "reader").strip())
        finally:
            relay.stop()
        seed = device_seed(anna.profile)
        base = read_space(relay.directory, seed)
        [epoch] = base.epochs.values()
        cls.cases = {
            name: Case(name, base, epoch, writers.keys.signing, readers.keys.signing)
            for name in FAULTS
        }
        storage = base.storage
        for name, (commit, _, _) in FAULTS.items():
            commit(cls.cases[name])
            for author in (cls.cases[name].log, *cls.cases[name].others):
                storage.logs[len(storage.logs)] = author.stored
        shutil.rmtree(relay.directory)
        write(relay.directory, storage)
        cls.replica = read_space(relay.directory, seed)
        relay.start()
        try:
            [cls.status] = anna.json("status")
            cls.entries = {
                (bytes.fromhex(each["log"]), each["offset"]): each["isEffective"]
                for each in anna.json("log")
            }
            cls.texts = {
                each["path"]: anna.json("cat", each["path"])[0]["text"]
                for each in anna.json("ls")
            }
        finally:
            relay.stop()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def outcomes(self, case):
        """Of the entries from the fault on."""
        outcomes = list(self.replica.logs[case.log.log].outcomes)
        for other in case.others:
            if case.name == "member_begins_another_log":
                outcomes += self.replica.logs[other.log].outcomes
        is_first_at_fault = not outcomes or case.log.log not in self.replica.membership.roles
        expected = FAULTS[case.name][1]
        return outcomes if is_first_at_fault else outcomes[len(outcomes) - len(expected):]

    def test_the_reader_judges_as_the_specification_says(self):
        for name, (_, expected, text) in FAULTS.items():
            with self.subTest(name):
                self.assertEqual(tuple(self.outcomes(self.cases[name])), expected)
                document = self.replica.paths().get(name)
                found = None if document is None else self.replica.documents[document].text
                self.assertEqual(found, text)

    def test_the_programs_judge_alike(self):
        for name, case in self.cases.items():
            for author in (case.log, *case.others):
                with self.subTest(name):
                    state = self.replica.logs[author.log]
                    effective = [
                        self.entries[author.log, offset] for offset in range(author.end)
                        if (author.log, offset) in self.entries
                    ]
                    self.assertEqual(
                        effective, [outcome == "ok" for outcome in state.outcomes])

    def test_the_programs_show_the_same_paths_and_texts(self):
        documents = self.replica.documents
        texts = {
            path: documents[document].text if document in documents else ""
            for path, document in self.replica.paths().items() if document != DIRECTORY
        }
        self.assertEqual(
            {path: text for path, text in self.texts.items() if path in texts}, texts)
        self.assertEqual(set(self.texts) - set(texts) - {"guest"}, set())

    def test_what_holds_logs_back_is_said(self):
        found = {(each.status, each.log) for each in self.replica.findings}
        for name, status in {
            "wrong_digest": "unprovenContext",
            "compression_waits": "needsUpdate",
            "body_of_another_version_waits": "needsUpdate",
            "payload_of_unknown_kind": "needsUpdate",
            "unknown_type_uses_event_numbers": "needsUpdate",
            "key_nobody_has": "keyMissing",
            "garbage_under_a_known_hint": "keyMissing",
            "join_by_an_invite_of_nobody": "unauthorised",
            "join_with_a_wrong_signature": "unauthorised",
            "log_that_begins_with_an_edit": "unauthorised",
        }.items():
            log = self.cases[name].log.log
            with self.subTest(name):
                self.assertIn((status, log), found)
                kinds = {
                    each["kind"] for each in self.status["findings"]
                    if each.get("log") == log.hex()
                }
                self.assertIn(status, kinds)
        self.assertIn(("withheld", b"\7" * 32), found)

    def test_the_programs_stay_online(self):
        self.assertEqual(self.status["connection"], "online")
        self.assertEqual(self.status["unackedCount"], 0)


if __name__ == "__main__":
    unittest.main()
