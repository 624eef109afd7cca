"""One measurement of one peer, in a process of its own.

    measure.py build   PEER FOLDER TRACE     replays the trace; leaves update, snapshot, stream there
    measure.py local   PEER FOLDER TRACE     every patch through the editing call, one transaction
    measure.py merge   PEER FOLDER TRACE     one update with everything into an empty document
    measure.py live    PEER FOLDER TRACE     one update after another into an empty document
    measure.py open    PEER FOLDER TRACE     the stored document to its text, and to a first edit
    measure.py offline PEER N                two people with N random edits each

Prints one line of JSON. Times are CPU milliseconds of this process: `ms` is the least of `runs` runs,
`median_ms` the median. The interpreter's own loop is in them: 50 to 60 ns for each call.
Every measurement compares its text with the trace's, and prints `"ok": false` and no time if it is
another one. Peers order concurrent inserts at one place each in its own way, so for a concurrent trace
`build` decides: if its text is not `endContent`, the text that `build` ended in is the right one,
provided it has the same length.

A concurrent trace is built as its authors made it: each has a document, receives what its transaction
builds on and it has not got, and makes the transaction. Positions of a trace are scalars; pycrdt wants
bytes of UTF-8, and gets them worked out before anything is timed.
"""

import gc
import gzip
import json
import os
import random
import statistics
import sys
import time

MOST, FEWEST, PATIENCE, LONG = 15, 3, 1.5, 15.0


class Pycrdt:
    counts_bytes = True

    def __init__(self):
        import pycrdt

        self.library = pycrdt

    def new(self, author):
        return self.library.Doc(client_id=author)

    def _text(self, document):
        return document.get("text", type=self.library.Text)

    def edit(self, document, patches):
        """All patches in one transaction, by the lowest calls that the wheel has."""
        text = self._text(document)
        with document.transaction() as transaction:
            native, inner = text.integrated, transaction._txn
            insert, remove = native.insert, native.remove_range
            for position, deleted, inserted in patches:
                if deleted:
                    remove(inner, position, deleted)
                if inserted:
                    insert(inner, position, inserted)

    def on_update(self, document, receive):
        return document.observe(lambda event: receive(event.update))

    def apply(self, document, update):
        document.apply_update(update)

    def update(self, document):
        return document.get_update()

    def snapshot(self, document):
        return document.get_update()

    def text(self, document):
        return str(self._text(document))


class Loro:
    counts_bytes = False

    def __init__(self):
        import loro

        self.library = loro

    def new(self, author):
        document = self.library.LoroDoc()
        document.peer_id = author
        return document

    def edit(self, document, patches):
        text = document.get_text("text")
        insert, delete = text.insert, text.delete
        for position, deleted, inserted in patches:
            if deleted:
                delete(position, deleted)
            if inserted:
                insert(position, inserted)
        document.commit()

    def on_update(self, document, receive):
        return document.subscribe_local_update(lambda update: (receive(update), True)[1])

    def apply(self, document, update):
        document.import_(update)

    def update(self, document):
        mode = self.library.ExportMode.Updates(self.library.VersionVector())
        return document.export(mode)

    def snapshot(self, document):
        return document.export(self.library.ExportMode.Snapshot())

    def text(self, document):
        return document.get_text("text").to_string()


PEERS = {"pycrdt": Pycrdt, "loro": Loro}


def load(path):
    with open(path, "rb") as file:
        data = file.read()
    return json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)


def in_bytes(text, patches):
    """Patches whose positions count UTF-8 bytes, and the text after them."""
    result = []
    for position, deleted, inserted in patches:
        start = len(text[:position].encode())
        end = start + len(text[position : position + deleted].encode())
        result.append((start, end - start, inserted))
        text = text[:position] + inserted + text[position + deleted :]
    return result, text


def is_ascii(trace):
    return trace.get("startContent", "").isascii() and all(
        patch[2].isascii() for entry in trace["txns"] for patch in entry["patches"]
    )


def sequential_transactions(peer, trace):
    """The transactions, the start content first, as the peer counts."""
    start = trace.get("startContent", "")
    transactions = [[(0, 0, start)]] if start else []
    transactions += [entry["patches"] for entry in trace["txns"]]
    if peer.counts_bytes and not is_ascii(trace):
        text, converted = "", []
        for patches in transactions:
            patches, text = in_bytes(text, patches)
            converted.append(patches)
        return converted
    return transactions


def built_sequential(peer, trace):
    document, updates = peer.new(1), []
    subscription = peer.on_update(document, updates.append)
    for patches in sequential_transactions(peer, trace):
        peer.edit(document, patches)
    del subscription
    return document, updates


class Author:
    """One author of a concurrent trace: a document, and which transactions it has."""

    def __init__(self, peer, number):
        self.peer, self.document, self.known, self.made = peer, peer.new(number), set(), []
        self.subscription = peer.on_update(self.document, self.made.append)

    def catch_up(self, transactions, updates, parents):
        missing, waiting = set(), list(parents)
        while waiting:
            index = waiting.pop()
            if index not in self.known and index not in missing:
                missing.add(index)
                waiting.extend(transactions[index]["parents"])
        for index in sorted(missing):
            for update in updates[index]:
                self.peer.apply(self.document, update)
        self.known |= missing
        self.made.clear()

    def make(self, index, patches):
        self.peer.edit(self.document, patches)
        made = list(self.made)
        self.known.add(index)
        return made


def built_concurrent(peer, trace):
    transactions = trace["txns"]
    last_use = {entry["agent"]: index for index, entry in enumerate(transactions)}
    converts = peer.counts_bytes and not is_ascii(trace)
    authors, updates = {}, []
    for index, entry in enumerate(transactions):
        number = entry["agent"]
        author = authors.get(number)
        if author is None:
            author = authors[number] = Author(peer, number + 1)
        author.catch_up(transactions, updates, entry["parents"])
        patches = entry["patches"]
        if converts:
            patches, _ = in_bytes(peer.text(author.document), patches)
        updates.append(author.make(index, patches))
        if last_use[number] == index and index + 1 < len(transactions):
            del authors[number]
    # The last author's document, once it has everything.
    author.catch_up(transactions, updates, range(len(transactions)))
    return author.document, [update for made in updates for update in made]


def build(peer, folder, path):
    trace = load(path)
    is_concurrent = trace.get("kind") == "concurrent"
    document, updates = (built_concurrent if is_concurrent else built_sequential)(peer, trace)
    text = peer.text(document)
    if text != trace["endContent"]:
        if not is_concurrent or len(text) != len(trace["endContent"]):
            return {"ok": False}
    update, snapshot = peer.update(document), peer.snapshot(document)
    write(folder, "update", update)
    write(folder, "snapshot", snapshot)
    write(folder, "text", text.encode())
    write(folder, "stream", b"".join(len(u).to_bytes(4, "little") + u for u in updates))
    return {
        "ok": True,
        "update_bytes": len(update),
        "snapshot_bytes": len(snapshot),
        "is_end_content": text == trace["endContent"],
    }


def write(folder, name, data):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


def timed(prepare, body, check):
    """Runs body several times, each time on a fresh state. body may return marks between its steps."""
    samples, total = [], 0.0
    gc.collect()
    gc.disable()
    while len(samples) < MOST:
        state = prepare()
        start = time.process_time()
        marks = body(state) or []
        end = time.process_time()
        if not check(state):
            return {"ok": False}
        samples.append([mark - start for mark in marks] + [end - start])
        del state
        total += end - start
        if end - start > LONG or (total > PATIENCE and len(samples) >= FEWEST):
            break
    names = ["ms"] if len(samples[0]) == 1 else ["bare_ms", "ms", "edit_ms"][: len(samples[0])]
    result = {"ok": True, "runs": len(samples)}
    for name, column in zip(names, zip(*samples)):
        result[name] = min(column) * 1000
        result["median_" + name] = statistics.median(column) * 1000
    return result


def local(peer, folder, path):
    trace = load(path)
    if trace.get("kind") == "concurrent":
        return {"ok": True}
    patches = [patch for entry in sequential_transactions(peer, trace) for patch in entry]
    end = trace["endContent"]
    del trace

    return timed(
        lambda: peer.new(1),
        lambda document: peer.edit(document, patches),
        lambda document: peer.text(document) == end,
    )


def merge(peer, folder, path):
    update, end = read(folder, "update"), read(folder, "text").decode()

    def body(state):
        peer.apply(state[0], update)
        bare = time.process_time()
        state[1] = peer.text(state[0])
        return [bare]

    return timed(lambda: [peer.new(7777), ""], body, lambda state: state[1] == end)


def live(peer, folder, path):
    data, end, updates, at = read(folder, "stream"), read(folder, "text").decode(), [], 0
    while at < len(data):
        count = int.from_bytes(data[at : at + 4], "little")
        updates.append(data[at + 4 : at + 4 + count])
        at += 4 + count
    apply = peer.apply

    def body(document):
        for update in updates:
            apply(document, update)

    result = timed(lambda: peer.new(7777), body, lambda document: peer.text(document) == end)
    return result | {"updates": len(updates), "stream_bytes": len(data) - 4 * len(updates)}


def open_document(peer, folder, path):
    snapshot, end = read(folder, "snapshot"), read(folder, "text").decode()
    middle = len(end) // 2
    if peer.counts_bytes:
        middle = len(end[:middle].encode())

    def body(state):
        peer.apply(state[0], snapshot)
        bare = time.process_time()
        state[1] = peer.text(state[0])
        text = time.process_time()
        peer.edit(state[0], [(middle, 0, "x")])
        return [bare, text]

    return timed(lambda: [peer.new(7777), ""], body, lambda state: state[1] == end)


def offline(peer, count):
    """The same rule as `sennit-bench offline`: half insertions, half deletions, of one scalar."""
    start_text = "All happy families are alike. " * 40
    source = random.Random(7)

    def steps():
        length, result = len(start_text), []
        for _ in range(count):
            inserts = length == 0 or source.random() < 0.5
            at = source.randrange(length + 1 if inserts else length)
            result.append((at, 0, "x") if inserts else (at, 1, ""))
            length += 1 if inserts else -1
        return result

    first = peer.new(100)
    peer.edit(first, [(0, 0, start_text)])
    start, my_steps, updates = peer.update(first), steps(), []
    theirs = peer.new(2)
    peer.apply(theirs, start)
    subscription = peer.on_update(theirs, updates.append)
    for step in steps():
        peer.edit(theirs, [step])
    del subscription

    def mine():
        document = peer.new(1)
        peer.apply(document, start)
        for step in my_steps:
            peer.edit(document, [step])
        return document

    whole = peer.update(theirs)
    peer.apply(theirs, peer.update(mine()))
    end = peer.text(theirs)

    def one_by_one(document):
        for update in updates:
            peer.apply(document, update)

    def is_right(document):
        return peer.text(document) == end

    as_one = timed(mine, lambda document: peer.apply(document, whole), is_right)
    print(json.dumps({"way": "as_one", **as_one}), flush=True)
    return {"way": "one_by_one", **timed(mine, one_by_one, is_right), "updates": len(updates)}


def main():
    work, name, *rest = sys.argv[1:]
    peer = PEERS[name]()
    if work == "offline":
        result = offline(peer, int(rest[0]))
    else:
        works = {"build": build, "local": local, "merge": merge, "live": live, "open": open_document}
        result = works[work](peer, *rest)
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
