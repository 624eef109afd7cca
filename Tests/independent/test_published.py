"""Published edge cases get the pinned verdicts: of the primitives, and of the merge."""

import unittest

import vector_files
from reader.errors import NotAuthentic
from reader.keys import decrypt, encrypt, is_signed
from reader.merge import Document
from reader.operations import DELETE, INSERT, Run

CONFORMANCE_LOGS = {"a": b"\1" * 32, "b": b"\2" * 32, "c": b"\3" * 32}


class PrimitiveTests(unittest.TestCase):
    def test_wycheproof_ed25519(self):
        for group in vector_files.packed("wycheproof-ed25519.json.gz")["testGroups"]:
            key = bytes.fromhex(group["publicKey"]["pk"])
            for test in group["tests"]:
                message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
                with self.subTest(test["tcId"]):
                    self.assertEqual(
                        is_signed(key, message, signature), test["result"] == "valid")

    def test_wycheproof_xchacha20_poly1305(self):
        groups = vector_files.packed("wycheproof-xchacha20_poly1305.json.gz")["testGroups"]
        for test in [test for group in groups for test in group["tests"]]:
            key, nonce, associated, plain, sealed, tag = (
                bytes.fromhex(test[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag"))
            if len(nonce) != 24:
                self.assertEqual(test["result"], "invalid")
                continue
            with self.subTest(test["tcId"]):
                if test["result"] == "valid":
                    self.assertEqual(decrypt(key, nonce, associated, sealed + tag), plain)
                    self.assertEqual(encrypt(key, nonce, associated, plain), sealed + tag)
                else:
                    with self.assertRaises(NotAuthentic):
                        decrypt(key, nonce, associated, sealed + tag)

    def test_cctv_ed25519(self):
        accepted = vector_files.numbers("cctv-ed25519-accepted.txt")
        for case in vector_files.packed("cctv-ed25519.json.gz"):
            key, signature = bytes.fromhex(case["key"]), bytes.fromhex(case["sig"])
            with self.subTest(case["number"]):
                self.assertEqual(
                    is_signed(key, case["msg"].encode(), signature), case["number"] in accepted)


def conformance_text(case):
    """The text of a case: its transactions are runs, each position relative to the last change."""
    document = Document()
    names = {}  # number of an event in the case -> (log, number in that log)
    for transaction in case["txns"]:
        log = CONFORMANCE_LOGS[transaction["agent"]]
        event, number = transaction["span"][0], transaction["seqStart"]
        parents = [names[each] for each in transaction["parents"]]
        for position, deleted, inserted in transaction["ops"]:
            for kind, count in ((DELETE, deleted), (INSERT, len(inserted))):
                if not count:
                    continue
                run = Run(kind, number, None)
                run.position, run.count, run.text = position, count, inserted
                document.apply(run, log, parents)
                for _ in range(count):
                    names[event] = (log, number)
                    event, number = event + 1, number + 1
                parents = [(log, number - 1)]
    assert not document.void
    return document.text


class ConformanceTests(unittest.TestCase):
    def test_random_event_graphs_have_the_published_text(self):
        for index, case in enumerate(vector_files.packed("egwalker-conformance.json.gz")):
            with self.subTest(index):
                self.assertEqual(conformance_text(case), case["endContent"])


if __name__ == "__main__":
    unittest.main()
