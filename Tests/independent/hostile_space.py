"""A space on a relay's disk with a log for every fault.

    python3 hostile_space.py FOLDER     keeps one, as Tests/Vectors/spaces/faults is
"""

import json
import os
import shutil
import sys
import tempfile

import operation_faults
from faults import FAULTS, Case
from programs import Device, Relay
from reader.links import Link
from reader.profile import device_seed
from reader.relay_space import read_space
from reader.relay_storage import write

assert operation_faults.fault  # It is imported for the faults that it registers.


class HostileSpace:
    """Anna founds a space with the real programs; the rest is written to the relay's disk."""

    def __init__(self, folder):
        self.relay = Relay(os.path.join(folder, "relay"))
        self.anna = Device("Anna", os.path.join(folder, "anna"))
        writers, readers = self._found()
        self.seed = device_seed(self.anna.profile)
        base = read_space(self.relay.directory, self.seed)
        [epoch] = base.epochs.values()
        self.cases = {
            name: Case(name, base, epoch, writers.keys.signing, readers.keys.signing)
            for name in FAULTS
        }
        storage = base.storage
        for name, (commit, _, _) in FAULTS.items():
            commit(self.cases[name])
            for author in (self.cases[name].log, *self.cases[name].others):
                storage.logs[len(storage.logs)] = author.stored
        shutil.rmtree(self.relay.directory)
        write(self.relay.directory, storage)
        self.replica = read_space(self.relay.directory, self.seed)

    def _found(self):
        self.relay.start()
        try:
            self.anna.run("new", "Notes", "--as", "Anna", "--relay", self.relay.url)
            self.anna.run("write", "a.md", text="alpha\n")
            links = [
                self.anna.run("invite", "--role", role, "--uses", "500")
                for role in ("writer", "reader")
            ]
            return [Link.decode(link.strip()) for link in links]
        finally:
            self.relay.stop()


def outcomes_of(case, replica):
    """Of a fault's log, from the fault on."""
    state = replica.logs[case.log.log]
    outcomes = list(state.outcomes)
    if case.name == "member_begins_another_log":
        outcomes += replica.logs[case.others[0].log].outcomes
    if case.log.log not in replica.membership.roles:
        return outcomes
    return outcomes[len(outcomes) - len(FAULTS[case.name][1]):]


def main():
    folder = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="sennit-faults-") as temporary:
        space = HostileSpace(temporary)
        shutil.copytree(space.relay.directory, os.path.join(folder, "relay"))
    faults = [
        {"name": name, "log": case.log.log.hex(), "text": FAULTS[name][2],
         "outcomes": space.replica.logs[case.log.log].outcomes}
        for name, case in space.cases.items()
    ]
    with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as file:
        rows = ",\n".join(json.dumps(fault, ensure_ascii=False) for fault in faults)
        keys = json.dumps({"Anna": {"device seed": space.seed.hex()}})
        file.write(f'{{"space": "{space.replica.space.hex()}", "keys": {keys}, "faults": [\n')
        file.write(f"{rows}\n]}}\n")


if __name__ == "__main__":
    main()
