"""Members that write faults under their own name: the reader and the programs judge alike."""

import json
import os
import tempfile
import unittest

import vector_files
from faults import FAULTS
from hostile_space import HostileSpace, outcomes_of
from reader.names import DIRECTORY
from reader.relay_space import read_space

KEPT = os.path.join(vector_files.FOLDER, "spaces", "faults")


class HostileTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="sennit-hostile-")
        space = HostileSpace(cls.folder.name)
        cls.cases = space.cases
        cls.replica = space.replica
        anna = space.anna
        space.relay.start()
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
            space.relay.stop()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_the_reader_judges_as_the_specification_says(self):
        for name, (_, expected, text) in FAULTS.items():
            with self.subTest(name):
                self.assertEqual(tuple(outcomes_of(self.cases[name], self.replica)), expected)
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
            "member_record_of_a_newer_version": "needsUpdate",
            "epoch_of_a_newer_version": "needsUpdate",
            "epoch_with_a_newer_member_record": "needsUpdate",
            "epoch_for_an_unknown_kind_of_recipient": "needsUpdate",
            "invite_of_a_newer_version": "needsUpdate",
            "invite_by_approval": "needsUpdate",
            "invite_record_of_a_newer_version": "needsUpdate",
            "invite_of_an_unknown_role": "needsUpdate",
            "join_with_a_malformed_member_record": "poison",
            "join_with_a_newer_member_record": "needsUpdate",
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
        [withheld] = [
            each["log"] for each in self.status["findings"] if each["kind"] == "withheld"
        ]
        self.assertEqual(withheld, (b"\7" * 32).hex())

    def test_the_programs_stay_online(self):
        self.assertEqual(self.status["connection"], "online")
        self.assertEqual(self.status["unackedCount"], 0)

    def test_kept_faults_are_judged_as_ever(self):
        with open(os.path.join(KEPT, "expected.json"), encoding="utf-8") as file:
            expected = json.load(file)
        seed = bytes.fromhex(expected["keys"]["Anna"]["device seed"])
        replica = read_space(os.path.join(KEPT, "relay"), seed)
        paths = replica.paths()
        for fault in expected["faults"]:
            with self.subTest(fault["name"]):
                state = replica.logs[bytes.fromhex(fault["log"])]
                self.assertEqual(state.outcomes, fault["outcomes"])
                document = paths.get(fault["name"])
                text = None if document is None else replica.documents[document].text
                self.assertEqual(text, fault["text"])


if __name__ == "__main__":
    unittest.main()
