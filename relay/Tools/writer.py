"""A device that writes a log of which every byte follows from a seed, and can tell whether a relay
still has it. It shares no code with the relay: SPEC.md's protocol as Tests/independent speaks it."""

import hashlib
import os
import random
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "Tests/independent"))

from reader import keys  # noqa: E402
from reader.chains import HEAD_LENGTH, Head, chain_next, chain_start  # noqa: E402
from reader.codec import blob, u64, varint  # noqa: E402
from reader.names import ZEROS, digest, log_id  # noqa: E402
from relay_client import ACK, APPEND, CAUGHT_UP, ENTRIES, RelayClient  # noqa: E402

WINDOW = 16


class Wrong(Exception):
    """The relay has lost or changed something."""


class Writer:
    """A device with a space and a log of its own. What stands at an offset follows from the seed."""

    def __init__(self, number, seed, acked_file):
        self.number = number
        self.seed = hashlib.blake2b(f"{seed} {number}".encode()).digest()
        nonce = self.seed[:32]
        self.device = keys.DeviceKeys(self.seed[32:], nonce)
        public = self.device.signing.public
        self.genesis = b"\1" + nonce + public + self.device.agreement.public
        self.space = digest("space", self.genesis)
        self.incarnation = self.seed[8:24]
        self.log = log_id(self.space, public, self.incarnation)
        # Of every offset: the chain and the bytes before it.
        self.chains = [chain_start(self.space, self.log, public, self.incarnation)]
        self.byte_counts = [0]
        self.random = random.Random(self.seed)
        self.acked_file = acked_file
        self.acked = 0
        self.acked_count = 0
        self.compared = 0
        self.resent_count = 0
        self.failure = None

    def entry(self, offset):
        block = hashlib.blake2b(u64(offset), key=self.seed).digest()
        return (block * 16)[: 20 + int.from_bytes(block[:4], "little") % 1000]

    def extend(self, end):
        """Knows the chain up to `end`."""
        while len(self.chains) <= end:
            entry = self.entry(len(self.chains) - 1)
            self.chains.append(chain_next(self.chains[-1], entry))
            self.byte_counts.append(self.byte_counts[-1] + len(entry))

    def live(self, port, told):
        """Compares, then writes until the relay is gone."""
        try:
            client = RelayClient(f"ws://127.0.0.1:{port}", self.space, self.device)
            self.compare(client, self.enter(client))
            self.write(client, told)
        except (ConnectionError, OSError):
            return  # It was killed.
        except Exception as error:  # noqa: BLE001 - whatever it is, the loop is to end with it.
            self.failure = error

    def enter(self, client):
        """Where the relay says that the log ends."""
        _, logs = client.enter(genesis=self.genesis)
        ends = [end for log, _, _, start, end in logs if log == self.log and start == 0]
        stored = ends[0] if ends else 0
        if stored < self.acked:
            raise Wrong(f"log {self.number} was acked up to {self.acked} and ends at {stored}")
        return stored

    def compare(self, client, stored):
        """Reads what wasn't compared yet."""
        self.extend(stored)
        client.subscribe({self.log: self.compared} if self.compared else {})
        while True:
            kind, reader = client.receive()
            if kind == CAUGHT_UP:
                break
            if kind != ENTRIES:
                raise Wrong(f"frame {kind}: {reader.rest()!r}")
            reader.bytes(32 + 16)
            offset = reader.u64()
            if offset != self.compared:
                raise Wrong(f"entries from {offset}, not {self.compared}")
            for _ in range(reader.varint(256)):
                if reader.blob(1 << 21) != self.entry(offset):
                    raise Wrong(f"log {self.number} has other bytes at {offset}")
                offset += 1
            head = Head.decode(reader.bytes(HEAD_LENGTH))
            reader.end()
            self.extend(offset)
            if (head.end, head.chain) != (offset, self.chains[offset]):
                raise Wrong(f"log {self.number} has another head at {offset}")
            head.check(self.space, self.log, self.device.signing.public)
            self.compared = offset
        if self.compared < stored:
            raise Wrong(f"log {self.number} ends at {stored} and is read to {self.compared}")

    def write(self, client, told):
        sent = self.compared
        self.resent_count += max(0, len(self.chains) - 1 - sent)
        waiting = []
        while True:
            while len(waiting) < WINDOW:
                end = sent + self.random.randrange(1, 6)
                client.send(APPEND, self.append(sent, end))
                waiting.append(end)
                sent = end
            kind, reader = client.receive()
            if kind != ACK:
                raise Wrong(f"frame {kind} instead of an ack: {reader.rest()!r}")
            if reader.bytes(32) != self.log:
                raise Wrong("an ack of another log")
            end = reader.u64()
            if reader.bytes(32) != self.chains[end]:
                raise Wrong("an ack of other entries")
            before = len(waiting)
            waiting = [each for each in waiting if each > end]
            self.acked = max(self.acked, end)
            self.acked_count += before - len(waiting)
            os.write(self.acked_file, f"{self.number} {end}\n".encode())
            told.set()

    def append(self, first, end):
        self.extend(end)
        head = Head(end, self.chains[end], self.byte_counts[end], ZEROS, ZEROS)
        head.sign(self.space, self.log, self.device.signing)
        entries = b"".join(blob(self.entry(offset)) for offset in range(first, end))
        return (self.device.signing.public + self.incarnation + u64(first)
                + varint(end - first) + entries + head.encode())
