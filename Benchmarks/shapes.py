#!/usr/bin/env python3
"""Makes up editing traces of shapes that the published ones don't have, for sennit-bench.

    python3 Benchmarks/shapes.py FOLDER [SEED] [SCALE]
    sennit-bench trace FOLDER/*.json.gz

`make bench-shapes` does both.

Each author has a section of the text and changes nothing else, so the outcome of every merge is
known without a merge: the sections one after the other. Between two sections lies a character that
nobody deletes, so no two authors insert at the same place. Positions are those of the author's
version, which has older sections of the others.

The same seed gives the same files.
"""

import gzip
import json
import os
import random
import sys

LETTERS = "etaoin shrdlu\n"
WIDE = "zażółć gęślą jaźń 日本語の文章 👩‍👩‍👧 e\u0301 𝒳\n"


class Trace:
    def __init__(self, author_count, seed):
        self.random = random.Random(seed)
        self.author_count = author_count
        self.txns = []
        # For each author: the section, its length after each of the author's transactions, and
        # those transactions.
        self.sections = [[] for _ in range(author_count)]
        self.lengths = [[0] for _ in range(author_count)]
        self.own = [[] for _ in range(author_count)]
        # How many transactions of each author an author has seen; and each transaction had.
        self.seen = [[0] * author_count for _ in range(author_count)]
        self.clocks = []
        self.carets = [0] * author_count
        # The first transaction lays out what ends each section.
        self.commit(0, [[0, 0, "|" * author_count]])
        for author in range(author_count):
            self.see(author, 0)

    def see(self, author, other):
        """Merges all that another author has."""
        mine, theirs = self.seen[author], self.seen[other]
        self.seen[author] = [max(a, b) for a, b in zip(mine, theirs)]

    def parents(self, author):
        seen = self.seen[author]
        latest = [self.own[a][count - 1] for a, count in enumerate(seen) if count > 0]
        return sorted(
            txn
            for txn in latest
            if not any(
                other != txn
                and self.clocks[other][self.txns[txn]["agent"]]
                >= self.clocks[txn][self.txns[txn]["agent"]]
                for other in latest
            )
        )

    def commit(self, author, patches):
        parents = self.parents(author)
        for parent in parents:
            self.txns[parent]["numChildren"] += 1
        self.own[author].append(len(self.txns))
        self.seen[author][author] += 1
        self.lengths[author].append(len(self.sections[author]))
        self.clocks.append(list(self.seen[author]))
        time = "2024-01-01T00:00:00.000Z"
        self.txns.append(
            {
                "parents": parents,
                "numChildren": 0,
                "agent": author,
                "time": time,
                "patches": patches,
            }
        )

    def replace(self, author, position, deleted, text):
        """Changes an author's section, at the author's version."""
        before = sum(
            self.lengths[other][self.seen[author][other]] + 1 for other in range(author)
        )
        self.sections[author][position : position + deleted] = text
        self.carets[author] = position + len(text)
        self.commit(author, [[before + position, deleted, text]])

    def type(self, author, letters=LETTERS):
        """A keystroke, mostly where the last one was."""
        length = len(self.sections[author])
        if self.random.random() < 0.03:
            self.carets[author] = self.random.randrange(length + 1)
        caret = self.carets[author]
        if caret > 0 and self.random.random() < 0.12:
            self.replace(author, caret - 1, 1, "")
        else:
            self.replace(author, caret, 0, self.random.choice(letters))

    def paste(self, author, count, letters=LETTERS):
        at = self.random.randrange(len(self.sections[author]) + 1)
        self.replace(author, at, 0, "".join(self.random.choices(letters, k=count)))

    def cut(self, author, share):
        length = len(self.sections[author])
        count = int(length * share)
        if count > 0:
            self.replace(author, self.random.randrange(length - count + 1), count, "")

    def write(self, path):
        text = "".join("".join(section) + "|" for section in self.sections)
        trace = {
            "kind": "concurrent",
            "endContent": text,
            "numAgents": self.author_count,
            "txns": self.txns,
        }
        data = json.dumps(trace, ensure_ascii=False).encode()
        with open(path, "wb") as file:
            file.write(gzip.compress(data, mtime=0))


def crowd(seed, scale):
    """Forty authors; each now and then hears from one other."""
    trace = Trace(40, seed)
    for _ in range(int(20_000 * scale)):
        author = trace.random.randrange(40)
        if trace.random.random() < 0.1:
            trace.see(author, trace.random.randrange(40))
        trace.type(author)
    return trace


def offline(seed, scale):
    """Three authors, each offline for long; each comes back in turn."""
    trace = Trace(3, seed)
    for turn in range(12):
        for author in range(3):
            for _ in range(int(700 * scale)):
                trace.type(author)
        back = turn % 3
        for other in range(3):
            trace.see(back, other)
    return trace


def pastes(seed, scale):
    """Two authors who paste much and cut large ranges."""
    trace = Trace(2, seed)
    for _ in range(int(1_500 * scale)):
        author = trace.random.randrange(2)
        chance = trace.random.random()
        if chance < 0.05:
            trace.paste(author, trace.random.randrange(500, 20_000))
        elif chance < 0.08:
            trace.cut(author, trace.random.random() * 0.7)
        else:
            trace.type(author)
        if trace.random.random() < 0.05:
            trace.see(author, 1 - author)
    return trace


def wide(seed, scale):
    """Four authors live, in scalars of every width."""
    trace = Trace(4, seed)
    for _ in range(int(15_000 * scale)):
        author = trace.random.randrange(4)
        if trace.random.random() < 0.3:
            trace.see(author, trace.random.randrange(4))
        trace.type(author, WIDE)
    return trace


def live(seed, scale):
    """Two authors at once, each a few keystrokes behind the other."""
    trace = Trace(2, seed)
    for _ in range(int(26_000 * scale)):
        author = trace.random.randrange(2)
        if trace.random.random() < 0.2:
            trace.see(author, 1 - author)
        trace.type(author)
    return trace


def deep(seed, scale):
    """Branches off branches: each author begins where another is and joins much later."""
    trace = Trace(60, seed)
    for author in range(60):
        trace.see(author, max(0, author - 1 - trace.random.randrange(3)))
        for _ in range(int(250 * scale)):
            trace.type(author)
        if author % 7 == 6:
            trace.see(author, trace.random.randrange(author))
            trace.type(author)
    return trace


def scattered(seed, scale):
    """Two long offline branches of single letters all over the text: nothing joins."""
    trace = Trace(2, seed)
    for author in range(2):
        trace.paste(author, 20_000)
    trace.see(0, 1)
    trace.see(1, 0)
    for author in range(2):
        for _ in range(int(6_000 * scale)):
            trace.carets[author] = trace.random.randrange(len(trace.sections[author]) + 1)
            trace.type(author)
    return trace


SHAPES = (crowd, offline, pastes, wide, live, deep, scattered)


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit("usage: shapes.py FOLDER [SEED] [SCALE]")
    folder = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    scale = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    os.makedirs(folder, exist_ok=True)
    for shape in SHAPES:
        shape(seed, scale).write(os.path.join(folder, f"{shape.__name__}.json.gz"))


if __name__ == "__main__":
    main()
