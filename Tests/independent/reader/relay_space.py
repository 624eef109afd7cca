"""Reads a space out of a relay's directory with one device's keys."""

from .errors import NotAuthentic
from .keys import DeviceKeys
from .names import log_id
from .records import Genesis
from .relay_storage import Storage
from .replica import Replica


def read_space(directory, seed=None, secrets=(), link=None):
    """The only space of a relay, applied as far as the keys go."""
    storage = Storage(directory)
    if len(storage.geneses) != 1:
        raise NotAuthentic(f"{len(storage.geneses)} spaces on the relay")
    genesis = Genesis.decode(storage.geneses[0])
    replica = Replica(genesis.space)
    for log in storage.logs.values():
        if log_id(genesis.space, log.device, log.incarnation) != log.log:
            replica.find("corrupt", log.log, 0, "the descriptor is another log's")
            continue
        for first, entries, head in log.ranges:
            replica.receive(log.log, log.device, log.incarnation, first, entries, head)
    for secret in secrets:
        replica.add_epoch(secret)
    keys = DeviceKeys(seed, genesis.nonce) if seed else None
    replica.learn_keys(keys, link.keys if link else None)
    replica.apply()
    replica.storage = storage
    return replica
