"""SPEC.md sections 1 and 2: the one hash with its purposes, and the identifiers."""

import hashlib

PURPOSES = frozenset(
    "space log entry chain0 chain epoch context access invite member doc nonce derive".split()
)
DIRECTORY = bytes(32)
ZEROS = bytes(32)


def digest(purpose, message, key=b""):
    """H(purpose, message) and H(purpose, message, key)."""
    if purpose not in PURPOSES:
        raise ValueError(purpose)
    person = f"sennit-{purpose}-1".encode().ljust(16, b"\0")
    return hashlib.blake2b(message, digest_size=32, key=key, person=person).digest()


def space_id(genesis):
    return digest("space", genesis)


def log_id(space, device, incarnation):
    return digest("log", space + device + incarnation)


def epoch_key_id(space, secret):
    return digest("epoch", space + secret)
