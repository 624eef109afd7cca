"""Writes the bad (and some good) vectors that this reader added: python3 make_vectors.py

A file that is there is never changed, so this says where they came from and adds what is new.
"""

import os

import vector_files
from reader import bodies, keys, links
from reader.chains import Head
from reader.codec import blob, u64, varint
from reader.names import digest, log_id
from reader.records import JoinRecord

ORDER = 2**252 + 27742317777372353535851937790883648493
ORDER_8 = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
SPACE = bytes.fromhex("1b4764ef9cbd5df7337d64f141f286a5a0c2da704fddf56c77ab8d585c7db703")


def given(label):
    """Bytes that look random and are always the same."""
    return digest("doc", label.encode())


DEVICE = keys.signing_pair(given("device"))
INCARNATION = given("incarnation")[:16]
LOG = log_id(SPACE, DEVICE.public, INCARNATION)
CHAIN = given("chain")
EPOCH = keys.Epoch(SPACE, given("epoch"))
OTHERS = sorted([given("one log"), given("another log")])


def save(folder, name, comment, outcome, fields):
    path = os.path.join(vector_files.FOLDER, folder, f"{name}.txt")
    if os.path.exists(path):
        return
    kind = fields.pop("kind", folder)
    lines = [f"# {comment}", f"kind: {kind}", f"outcome: {outcome}"]
    for key, value in fields.items():
        lines.append(f"{key}: {value.hex() if isinstance(value, bytes) else value}")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def place(offset=5):
    return {"space": SPACE, "log": LOG, "offset": offset, "chain": CHAIN}


def body(name, comment, outcome, data, offset=5):
    save("body", f"body_{name}", comment, outcome, {**place(offset), "bytes": data})


def make_bodies():
    named = [(log, 3, CHAIN) for log in OTHERS]
    full = bodies.encode(0, True, named, [], bodies.LogTable(LOG))
    body("full_context_good", "Offset 256 with a context of kind 1.", "ok", full, 256)
    body("empty", "No byte at all.", "poison", b"")
    body("newer_version", "The body is of version 2.", "needs update", b"\2\0\5\0\1\0\0\0")
    body("context_kind_2", "Contexts are of kind 0 or 1.", "poison", bodies.wrap(b"\0\2\0\0\0"))
    far = b"\0\0\1\0" + OTHERS[0] + varint(2**53 + 1) + bytes(32) + b"\0\0"
    body("context_end_over_limit", "A context's end is 2^53 + 1.", "poison", bodies.wrap(far))
    origin = b"\0\0\0\1" + OTHERS[0] + u64(2**53 + 1) + bytes(32) + b"\0"
    body("origin_over_limit", "The origin's offset is 2^53 + 1.", "poison", bodies.wrap(origin))
    body("time_varint_not_canonical", "The time 0 is written in two bytes.", "poison",
         bodies.wrap(b"\x80\0\0\0\0\0"))
    body("time_over_64_bits", "The time has 70 bits.", "poison",
         bodies.wrap(b"\xff" * 9 + b"\x7f\0\0\0\0"))
    body("payload_cut_short", "The payload says 2 bytes and has 1.", "poison",
         bodies.wrap(b"\0\0\0\0\1\x63\2\7"))
    body("unknown_compression_too_short", "Compression 1, and a length that isn't there.",
         "poison", b"\1\1\x09abcd")


def entry(name, comment, outcome, kind=3, padded=None, data=None, expected=b""):
    if data is None:
        data = EPOCH.seal_padded(kind, b"", padded, LOG, 5, CHAIN, given("random"))
    fields = {**place(), "epoch secret": EPOCH.secret, "bytes": data}
    if expected:
        fields["body"] = expected
    save("entry", f"entry_{name}", comment, outcome, fields)


def make_entries():
    small = bodies.wrap(b"\0\0\0\0\0")
    entry("unknown_type_good", "Type 200 isn't known; it opens all the same.", "ok", 200,
          keys.pad(small), expected=small)
    entry("empty", "No byte at all.", "malformed", data=b"")
    entry("seals_nothing", "A tag over no byte: not even padding.", "poison", padded=b"")
    entry("unknown_compression_bad_padding", "Compression 1, and padding of another length.",
          "poison", padded=b"\1\1\4abcd".ljust(63, b"\0"))


def head(name, comment, outcome, data=None, device=None, space=SPACE, change=None):
    if data is None:
        good = Head(5, CHAIN, 999, given("membership"), EPOCH.id).sign(SPACE, LOG, DEVICE)
        if change:
            change(good)
        data = good.encode()
    save("head", f"head_{name}", comment, outcome, {
        "space": space, "log": LOG, "device": device or DEVICE.public, "bytes": data})


def above_order(signature):
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    return signature[:32] + scalar.to_bytes(32, "little")


def make_heads():
    good = Head(5, CHAIN, 999, given("membership"), EPOCH.id).sign(SPACE, LOG, DEVICE)
    head("trailing_byte", "A byte follows.", "malformed", good.encode() + b"\0")
    head("wrong_suite", "Suite 2 isn't known.", "malformed", b"\2" + good.encode()[1:])
    head("wrong_space", "The head stands in another space.", "not authentic",
         good.encode(), space=given("another space"))
    head("wrong_chain", "The chain was changed.", "not authentic",
         change=lambda each: setattr(each, "chain", given("another chain")))
    head("wrong_epoch", "The epoch was changed.", "not authentic",
         change=lambda each: setattr(each, "epoch", given("another epoch")))
    head("signature_not_canonical", "The order of the group was added to the signature's scalar.",
         "not authentic",
         change=lambda each: setattr(each, "signature", above_order(each.signature)))
    identity = b"\1" + bytes(31)
    head("small_order_device_key", "The device key is the neutral element, which fits anything.",
         "not authentic", device=identity,
         change=lambda each: setattr(each, "signature", identity + bytes(32)))


def join_bytes(invite, agreement, change=lambda signatures: signatures):
    names = invite.public + DEVICE.public + agreement + INCARNATION
    message = b"sennit/join/1\n" + SPACE + names
    signatures = change([keys.sign(invite, message), keys.sign(DEVICE, message)])
    return b"\1" + names + b"".join(signatures)


def make_joins():
    invite = keys.signing_pair(given("invite"))
    agreement = keys.agreement_pair(given("agreement")).public
    fields = {"space": SPACE, "device": DEVICE.public, "incarnation": INCARNATION}
    good = join_bytes(invite, agreement)
    JoinRecord.decode(good).check(SPACE, LOG)
    for name, comment, outcome, data in (
        ("trailing_byte", "A byte follows.", "poison", good + b"\0"),
        ("order_8_key", "The agreement key is of order 8.", "not authentic",
         join_bytes(invite, ORDER_8)),
        ("signature_not_canonical", "The order of the group was added to a signature's scalar.",
         "not authentic",
         join_bytes(invite, agreement, lambda both: [both[0], above_order(both[1])])),
        ("signatures_swapped", "The two signatures are swapped.", "not authentic",
         join_bytes(invite, agreement, lambda both: both[::-1])),
    ):
        save("join", f"join_{name}", comment, outcome, {**fields, "bytes": data})


def make_links():
    nonce, seed = given("nonce"), given("seed")[:16]
    good = links.encode(SPACE, nonce, seed, ["wss://relay.example/"])
    begin = bytes([1, 1]) + SPACE + nonce + seed + bytes(16)

    def save_link(name, comment, outcome, text):
        save("link", f"link_{name}", comment, outcome, {"text": text})

    save_link("padded", "Base64 with padding.", "not a link", good + "=")
    save_link("empty", "Nothing behind the hash.", "damaged link", "sennit:1#")
    bits = good[:-1] + chr(ord(good[-1]) + 1) if len(good[9:]) % 4 else None
    if bits:
        save_link("bits_left_over", "The last character has a bit that belongs to no byte.",
                  "damaged link", bits)
    save_link("too_many_relays", "17 relays, and the limit is 16.", "not a link",
              links.encode(SPACE, nonce, seed, ["wss://r/"] * 17))
    save_link("relay_too_long", "A relay of 1025 bytes, and the limit is 1024.", "not a link",
              links.encode(SPACE, nonce, seed, ["wss://" + "r" * 1019]))
    save_link("relay_not_utf8", "A relay that isn't UTF-8.", "not a link",
              links.wrap(begin + b"\1\3\xff\xfe\xfd"))
    save_link("relay_cut_short", "The relay is shorter than it says, and the checksum fits.",
              "not a link", links.wrap(begin + b"\1\x20wss://"))


def presence_padded(payload, change=lambda signature: signature, echoes=()):
    signed = LOG + given("session")[:16] + u64(7) + varint(len(echoes)) + b"".join(echoes)
    signed += blob(payload)
    message = b"sennit/presence/1\n" + SPACE + EPOCH.id + signed
    return keys.pad(signed + change(keys.sign(DEVICE, message)))


def presence(name, comment, outcome, padded, space=SPACE, log=LOG, kind=128, suite=1):
    data = bytes([suite, kind]) + EPOCH.hint + EPOCH.seal_presence(padded, given("random"))
    save("presence", f"presence_{name}", comment, outcome, {
        "space": space, "log": log, "device": DEVICE.public, "epoch secret": EPOCH.secret,
        "bytes": data, "name": "Ada"})


def make_presences():
    ada = b"\1" + blob(b"Ada")
    good = presence_padded(ada + b"\0")
    presence("nowhere_good", "Somebody who has no document open.", "ok", good)
    presence("wrong_space", "It was sealed for another space.", "not authentic", good,
             space=given("another space"))
    presence("of_no_member", "The log it names is no member's.", "not authentic", good,
             log=given("another log"))
    presence("wrong_type", "Type 129 isn't known.", "needs update", good, kind=129)
    presence("wrong_suite", "Suite 2 isn't known.", "needs update", good, suite=2)
    there = b"\1" + given("document") + varint(1) + varint(1)
    padded = presence_padded(ada + there + b"\0")
    assert padded[-1] == 0 == padded[-2]
    presence("bad_padding", "The last byte of padding is 1.", "poison", padded[:-1] + b"\1")
    ascending = b"".join(log + varint(3) for log in OTHERS)
    descending = b"".join(log + varint(3) for log in OTHERS[::-1])
    presence("frontier_good", "A frontier of two events.", "ok",
             presence_padded(ada + there + b"\2" + ascending))
    presence("frontier_descends", "The frontier is in the wrong order.", "poison",
             presence_padded(ada + there + b"\2" + descending))
    presence("long_name", "The name has 257 bytes.", "poison",
             presence_padded(b"\1" + blob(b"A" * 257) + b"\0"))
    presence("payload_trailing_byte", "A byte follows the payload's fields.", "poison",
             presence_padded(ada + b"\0\0"))
    presence("newer_version", "The payload is of version 2.", "needs update",
             presence_padded(b"\2" + ada[1:] + b"\0"))
    presence("too_many_echoes", "129 echoes, and the limit is 128.", "poison",
             presence_padded(ada + b"\0", echoes=[given(str(n))[:16] for n in range(129)]))
    presence("too_many_events", "A frontier of 65 events, and the limit is 64.", "poison",
             presence_padded(ada + there + varint(65) + b"".join(
                 OTHERS[0] + varint(n) for n in range(65))))


def record(kind, name, comment, outcome, data, **others):
    label = kind.replace(" ", "_")
    save("record", f"{label}_{name}", comment, outcome, {"kind": kind, "bytes": data, **others})


def recipient(kind, key, suite=1):
    return bytes([kind, suite]) + key + given("box") * 2 + given("box")[:16]


def epoch_bytes(parents=(), recipients=(), older=b""):
    out = b"\1" + EPOCH.id + varint(len(parents)) + b"".join(parents)
    return out + varint(len(recipients)) + b"".join(recipients) + blob(older)


def make_records():
    one = [recipient(1, given("key"))]
    record("epoch", "parents_descend", "The parents are in the wrong order.", "poison",
           epoch_bytes(OTHERS[::-1], one))
    record("epoch", "parent_twice", "A parent is named twice.", "poison",
           epoch_bytes([OTHERS[0]] * 2, one))
    record("epoch", "too_many_parents", "65 parents, and the limit is 64.", "poison",
           epoch_bytes(sorted(given(str(n)) for n in range(65)), one))
    record("epoch", "trailing_byte", "A byte follows.", "poison", epoch_bytes([], one) + b"\0")
    record("epoch", "newer_version", "The record is of version 2.", "needs update",
           b"\2" + epoch_bytes([], one)[1:])
    record("epoch", "unknown_suite", "A recipient's suite is 2.", "needs update",
           epoch_bytes([], [recipient(1, given("key"), 2)]))
    record("epoch", "older_keys_odd", "The older keys are no whole number of keys.", "poison",
           epoch_bytes([], one, bytes(24 + 16 + 33)))
    genesis = b"\1" + given("nonce") + DEVICE.public + given("agreement")
    record("genesis", "trailing_byte", "A byte follows.", "malformed", genesis + b"\0")
    invite = b"\1\1" + given("invite") + given("agreement") + EPOCH.id + bytes(80)
    record("invite", "newer_version", "The record is of version 2.", "needs update",
           b"\2" + invite[1:])
    record("invite", "truncated", "The last byte is missing.", "poison", invite[:-1])
    record("invite", "trailing_byte", "A byte follows.", "poison", invite + b"\0")
    sealed = b"\1\2\1\1" + given("invite")
    record("invite record", "newer_version", "The record is of version 2.", "needs update",
           b"\2" + sealed[1:])
    record("invite record", "by_approval", "Mode 2, by approval, is reserved.", "needs update",
           b"\1\2\1\2" + given("invite"))
    record("invite record", "trailing_byte", "A byte follows.", "poison", sealed + b"\0")
    member = b"\1" + given("person")
    record("member", "longest_good", "A name of 256 bytes, a certificate of 1024.", "ok",
           member + blob(b"A" * 256) + blob(bytes(1024)))
    record("member", "long_certificate", "The certificate has 1025 bytes.", "poison",
           member + blob(b"A") + blob(bytes(1025)))
    record("member", "trailing_byte", "A byte follows.", "poison", member + b"\0\0\0")
    record("member", "newer_version", "The record is of version 2.", "needs update",
           b"\2" + member[1:] + b"\0\0")


def access(name, comment, outcome, members, suite=1, change=lambda data: data):
    unsigned = bytes([suite]) + SPACE + u64(1) + bytes(32) + DEVICE.public
    unsigned += varint(len(members)) + b"".join(members)
    signature = keys.sign(DEVICE, b"sennit/access/1\n" + unsigned)
    record("access", name, comment, outcome, change(unsigned + signature))


def make_access_lists():
    device, invite = b"\1" + DEVICE.public + b"\7", b"\2" + given("invite") + b"\3"
    access("without_members_good", "Nobody but the signer is let in.", "ok", [])
    access("member_twice", "A member is named twice.", "malformed", [device, device])
    access("unknown_kind", "A key is of kind 3.", "malformed", [b"\3" + given("key") + b"\1"])
    access("wrong_suite", "Suite 2 isn't known.", "malformed", [device], 2)
    access("truncated", "The last byte is missing.", "malformed", [device, invite],
           change=lambda data: data[:-1])
    access("trailing_byte", "A byte follows.", "malformed", [device, invite],
           change=lambda data: data + b"\0")
    access("rights_changed", "A right was added after it was signed.", "not authentic",
           [device, invite], change=lambda data: data[:-65] + b"\7" + data[-64:])


if __name__ == "__main__":
    make_bodies()
    make_entries()
    make_heads()
    make_joins()
    make_links()
    make_presences()
    make_records()
    make_access_lists()
