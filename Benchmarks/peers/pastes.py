#!/usr/bin/env python3
"""Makes up a trace of pastes for sennit-bench: a program pasted, edited, cut and pasted again.

    python3 Benchmarks/peers/pastes.py FILE.json.gz [SEED]

About a million scalars are inserted, most of them again and again. The text is Sennit's own source,
so figures of two versions differ a little; compare within one version.
"""

import gzip
import json
import pathlib
import random
import sys


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    choose = random.Random(seed)
    folder = pathlib.Path(__file__).resolve().parents[2] / "Sources" / "SennitDocument"
    source = "".join(file.read_text() for file in sorted(folder.glob("*.swift")))
    source = "".join(character for character in source if ord(character) < 128)
    words = source.split()[:4000]
    text = ""
    inserted = 0
    transactions = []

    def edit(position, deleted, new):
        nonlocal text, inserted
        text = text[:position] + new + text[position + deleted :]
        inserted += len(new)
        patches = [[position, deleted, new]]
        transactions.append({"time": "2026-01-01T00:00:00Z", "patches": patches})

    edit(0, 0, source[:60_000])
    while inserted < 1_000_000:
        kind = choose.random()
        if kind < 0.9885:
            # A word, letter by letter, with corrections.
            place = choose.randrange(len(text) + 1)
            for letter in choose.choice(words)[:12]:
                edit(place, 0, letter)
                place += 1
                if choose.random() < 0.06:
                    place -= 1
                    edit(place, 1, "")
        elif kind < 0.9978:
            # A stretch goes elsewhere.
            start = choose.randrange(len(text))
            count = min(choose.randrange(100, 8000), len(text) - start)
            cut = text[start : start + count]
            edit(start, count, "")
            edit(choose.randrange(len(text) + 1), 0, cut)
        else:
            # Everything is replaced by a copy that was changed somewhere else.
            whole = text[:80_000]
            place = choose.randrange(len(whole))
            edit(0, len(text), "")
            edit(0, 0, whole[:place] + "// again\n" + whole[place:])
    trace = {"startContent": "", "endContent": text, "txns": transactions}
    with gzip.open(sys.argv[1], "wt") as file:
        json.dump(trace, file)
    print(f"{len(transactions)} transactions, {inserted} scalars inserted, {len(text)} left")


main()
