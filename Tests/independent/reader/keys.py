"""SPEC.md section 5: derivations, signatures, sealed boxes, padding, sealing and opening.

PyNaCl gives the primitives of libsodium, whose verdicts count.
"""

import hashlib

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from .codec import blob, u32, u64
from .errors import NotAuthentic, Poison
from .names import ZEROS, digest, epoch_key_id

SUITE = 1
TAG = 16


class Pair:
    def __init__(self, public, secret):
        self.public = public
        self.secret = secret


def signing_pair(seed):
    return Pair(*sodium.crypto_sign_seed_keypair(seed))


def agreement_pair(secret):
    return Pair(sodium.crypto_scalarmult_base(secret), secret)


class DeviceKeys:
    """A device's key pairs in one space."""

    def __init__(self, device_seed, space_nonce):
        self.space_seed = digest("derive", b"space seed" + space_nonce, device_seed)
        self.signing = signing_pair(digest("derive", b"sign", self.space_seed))
        self.agreement = agreement_pair(digest("derive", b"agree", self.space_seed))


class InviteKeys:
    """The key pairs of an invite link (SPEC.md section 8)."""

    def __init__(self, seed, space):
        self.signing = signing_pair(digest("derive", b"invite sign" + space, seed))
        self.agreement = agreement_pair(digest("derive", b"invite agree" + space, seed))


def sign(pair, message):
    return sodium.crypto_sign(message, pair.secret)[:64]


def is_signed(key, message, signature):
    if len(signature) != 64 or len(key) != 32:
        return False
    try:
        sodium.crypto_sign_open(signature + message, key)
    except CryptoError:
        return False
    return True


def is_small_order(agreement_key):
    """Whether every scalar takes the key to zero, which libsodium reports."""
    try:
        sodium.crypto_scalarmult(bytes([8]) + bytes(31), agreement_key)
    except Exception:  # PyNaCl raises its RuntimeError
        return True
    return False


def box(secret, recipient, ephemeral):
    nonce = hashlib.blake2b(ephemeral.public + recipient, digest_size=24).digest()
    return ephemeral.public + sodium.crypto_box(secret, nonce, recipient, ephemeral.secret)


def open_box(data, pair):
    try:
        return sodium.crypto_box_seal_open(data, pair.public, pair.secret)
    except CryptoError as error:
        raise NotAuthentic("a box that can't be opened") from error


def padme(length):
    exponent = length.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return (length + step - 1) // step * step


def pad(body):
    return body.ljust(padme(max(len(body), 64)), b"\0")


def check_padding(padded, length):
    """Refuses padding that `pad` would not have made behind the first `length` bytes."""
    if len(padded) != padme(max(length, 64)):
        raise Poison("padded to another length")
    if any(padded[length:]):
        raise Poison("padding that is not zero")


def entry_key(secret, kind, log):
    return digest("derive", b"entry key" + bytes([kind]) + log, secret)


def nonce_key(secret, kind, log):
    return digest("derive", b"nonce key" + bytes([kind]) + log, secret)


def wrap_key(secret):
    return digest("derive", b"wrap key", secret)


def wrap_nonce_key(secret):
    return digest("derive", b"wrap nonce key", secret)


def hedged_nonce(key, random, associated, padded):
    return digest("nonce", random + associated + padded, key)[:24]


def entry_data(kind, space, log, offset, chain, key_id, sealed_length, clear):
    """The associated data of an entry."""
    return (
        b"sennit/entry/1\n" + bytes([SUITE, kind]) + space + log + u64(offset) + chain + key_id
        + u32(sealed_length) + u32(len(clear)) + clear
    )


def presence_data(space, key_id):
    return b"sennit/presence/1\n" + bytes([SUITE, 128]) + space + key_id


def encrypt(key, nonce, associated, plain):
    return sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, associated, nonce, key)


def decrypt(key, nonce, associated, sealed):
    if len(sealed) < TAG:
        raise NotAuthentic("shorter than a tag")
    try:
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, associated, nonce, key)
    except CryptoError as error:
        raise NotAuthentic("the tag doesn't fit") from error


class Epoch:
    """An epoch secret with the id that is its hash."""

    def __init__(self, space, secret):
        self.space = space
        self.secret = secret
        self.id = epoch_key_id(space, secret)
        self.hint = self.id[:8]

    def open_entry(self, entry, log, offset, chain):
        """The padded body of an entry."""
        if entry.hint != self.hint:
            raise NotAuthentic("the key hint is another key's")
        data = entry_data(
            entry.kind, self.space, log, offset, chain, self.id, len(entry.sealed), entry.clear
        )
        return decrypt(entry_key(self.secret, entry.kind, log), entry.nonce, data, entry.sealed)

    def seal_entry(self, kind, clear, body, log, offset, chain, random):
        """The bytes of an entry: what a writer does, for tests and for hostile members in them."""
        return self.seal_padded(kind, clear, pad(body), log, offset, chain, random)

    def seal_padded(self, kind, clear, padded, log, offset, chain, random):
        data = entry_data(
            kind, self.space, log, offset, chain, self.id, len(padded) + TAG, clear
        )
        nonce = hedged_nonce(nonce_key(self.secret, kind, log), random, data, padded)
        sealed = encrypt(entry_key(self.secret, kind, log), nonce, data, padded)
        head = bytes([SUITE, kind]) + self.hint + nonce
        return head + blob(clear) + blob(sealed)

    def open_presence(self, nonce, sealed):
        key = entry_key(self.secret, 128, ZEROS)
        return decrypt(key, nonce, presence_data(self.space, self.id), sealed)

    def seal_presence(self, padded, random):
        data = presence_data(self.space, self.id)
        nonce = hedged_nonce(nonce_key(self.secret, 128, ZEROS), random, data, padded)
        return nonce + encrypt(entry_key(self.secret, 128, ZEROS), nonce, data, padded)
