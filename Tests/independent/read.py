"""Reads a space: python3 read.py RELAY-DIRECTORY PROFILE"""

import sys

from reader.profile import device_seed, epoch_secrets
from reader.records import ROLES, Genesis
from reader.relay_space import read_space
from reader.relay_storage import Storage


def main():
    relay, profile = sys.argv[1:]
    space = Genesis.decode(Storage(relay).geneses[0]).space
    replica = read_space(relay, device_seed(profile), epoch_secrets(profile, space))
    print("space", space.hex())
    for name, place in replica.storage.damage:
        print("damage", name, place)
    for finding in replica.findings:
        print(finding)
    if replica.membership is None:
        return
    for device, (role, name) in replica.membership.members().items():
        print("member", device.hex()[:8], ROLES[role], name)
    for log, state in sorted(replica.logs.items()):
        print("log", log.hex()[:8], state.applied, "of", len(state.entries))
    for path, document in sorted(replica.paths().items()):
        print(f"== {path}\n{replica.documents[document].text}", end="")


if __name__ == "__main__":
    main()
