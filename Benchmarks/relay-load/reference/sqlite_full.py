"""Appends to 1,000 logs in SQLite with WAL and synchronous=FULL, and prints one JSON object.

  sqlite_full.py DIRECTORY GROUP SECONDS

An append moves its log's head on the condition that it stands where the author thinks, and inserts
the entry; GROUP of them share a transaction. There is no socket before it, so this is what a relay
on SQLite can't beat.
"""
import json
import os
import random
import sqlite3
import sys
import time


def main():
    directory, group, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    path = os.path.join(directory, "full.sqlite")
    for name in (path, path + "-wal", path + "-shm"):
        if os.path.exists(name):
            os.remove(name)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE heads(log BLOB PRIMARY KEY, head INT) WITHOUT ROWID")
    database.execute(
        "CREATE TABLE entries(log BLOB, off INT, data BLOB, PRIMARY KEY (log, off)) WITHOUT ROWID"
    )
    random.seed(1)
    logs = [random.randbytes(16) for _ in range(1000)]
    database.executemany("INSERT INTO heads VALUES (?, 0)", [(log,) for log in logs])
    ends = [0] * len(logs)
    payload, latencies, count = b"\x5e" * 256, [], 0
    start = time.monotonic()
    while (began := time.monotonic()) - start < seconds:
        chosen = [(count + k) % len(logs) for k in range(group)]
        database.execute("BEGIN IMMEDIATE")
        moved = database.executemany(
            "UPDATE heads SET head = head + 1 WHERE log = ? AND head = ?",
            [(logs[i], ends[i]) for i in chosen],
        ).rowcount
        if moved != group:
            raise SystemExit("a head stands elsewhere")
        database.executemany(
            "INSERT INTO entries VALUES (?, ?, ?)", [(logs[i], ends[i], payload) for i in chosen]
        )
        database.execute("COMMIT")
        for i in chosen:
            ends[i] += 1
        count += group
        latencies.append(time.monotonic() - began)
    latencies.sort()
    passed = time.monotonic() - start
    print(json.dumps({
        "per_second": count / passed,
        "p50_us": latencies[len(latencies) // 2] * 1e6,
        "p99_us": latencies[int(len(latencies) * 0.99)] * 1e6,
    }))
    database.close()
    os.remove(path)


if __name__ == "__main__":
    main()
