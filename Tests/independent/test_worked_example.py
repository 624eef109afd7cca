"""SPEC.md section 16, from its seeds to the signed head, byte for byte."""

import os
import unittest

import vector_files
from reader import bodies, entries, keys, records
from reader.chains import Head, chain_next, chain_start, membership_digest
from reader.codec import blob
from reader.names import epoch_key_id, log_id, space_id

PERSON = bytes(range(0xD0, 0xF0))


class WorkedExampleTests(unittest.TestCase):
    def setUp(self):
        self.values = vector_files.worked_example()
        self.named = set()

    def expect(self, name, value):
        self.assertEqual(value.hex(), self.values[name].hex(), name)
        self.named.add(name)
        return value

    def take(self, name):
        self.named.add(name)
        return self.values[name]

    def test_it_follows_from_its_seeds(self):
        device, genesis = self.found()
        space = self.expect("space id", space_id(genesis))
        incarnation = self.take("incarnation")
        log = self.expect("log id", log_id(space, device.signing.public, incarnation))
        epoch = keys.Epoch(space, self.take("epoch secret"))
        self.expect("epoch key id", epoch_key_id(space, epoch.secret))
        chain = self.expect("h[0]", chain_start(space, log, device.signing.public, incarnation))

        first = entries.Entry(1, bytes(8), bytes(24), genesis, b"").encode()
        self.expect("entry 0", first)
        self.expect("entry 0 hash", entries.entry_hash(first))
        chain = self.expect("h[1]", chain_next(chain, first))

        clear = self.expect("entry 1 clear part", self.epoch_clear(epoch, device))
        second = self.seal(epoch, 2, clear, "Ada", log, 1, chain)
        chain = self.expect("h[2]", chain_next(chain, second))
        third = self.seal(epoch, 3, b"", "Ada Lovelace", log, 2, chain)
        chain = self.expect("h[3]", chain_next(chain, third))

        hashes = [entries.entry_hash(first), entries.entry_hash(second)]
        membership = self.expect("membership", membership_digest(hashes))
        size = len(first) + len(second) + len(third)
        head = Head(3, chain, size, membership, epoch.id)
        self.expect("head", head.sign(space, log, device.signing).encode())
        self.assertEqual(self.named, set(self.values))

    def found(self):
        nonce = self.take("space nonce")
        device = keys.DeviceKeys(self.take("device seed"), nonce)
        self.expect("space seed", device.space_seed)
        self.expect("device key", device.signing.public)
        self.expect("agreement key", device.agreement.public)
        genesis = b"\1" + nonce + device.signing.public + device.agreement.public
        return device, self.expect("genesis", genesis)

    def epoch_clear(self, epoch, device):
        ephemeral = keys.agreement_pair(self.take("box ephemeral secret"))
        box = keys.box(epoch.secret, device.agreement.public, ephemeral)
        self.assertEqual(keys.open_box(box, device.agreement), epoch.secret)
        return b"\1" + epoch.id + b"\0\1\1\1" + device.agreement.public + box + b"\0"

    def seal(self, epoch, kind, clear, name, log, offset, chain):
        title = f"entry {offset}"
        record = records.MemberRecord.encode(PERSON, name)
        table = bodies.LogTable(log)
        time = self.values[f"{title} body"][3:9]  # the one value that is only in the body
        body = bodies.wrap(time + b"\0\0\0\1\2" + blob(record))
        self.expect(f"{title} body", body)
        bodies.Body.decode(body, table, offset).read_batches(table)
        random = self.take(f"{title} random")
        self.expect(f"{title} key", keys.entry_key(epoch.secret, kind, log))
        self.expect(f"{title} nonce key", keys.nonce_key(epoch.secret, kind, log))
        sealed = len(keys.pad(body)) + keys.TAG
        data = keys.entry_data(
            kind, epoch.space, log, offset, chain, epoch.id, sealed, clear)
        self.expect(f"{title} associated data", data)
        entry = epoch.seal_entry(kind, clear, body, log, offset, chain, random)
        self.expect(title, entry)
        if f"{title} hash" in self.values:
            self.expect(f"{title} hash", entries.entry_hash(entry))
        return entry

    def test_the_specification_prints_the_same(self):
        folder = os.path.join(vector_files.FOLDER, "..", "..")
        with open(os.path.join(folder, "SPEC.md"), encoding="utf-8") as file:
            specification = file.read()
        path = os.path.join(vector_files.FOLDER, "worked-example.txt")
        with open(path, encoding="utf-8") as file:
            self.assertIn(file.read().strip(), specification)


if __name__ == "__main__":
    unittest.main()
