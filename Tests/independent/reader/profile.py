"""The keys of one device, out of its profile's journal (SQLite).

Sennit has no verb that gives keys away, and needs none: the reader takes the table's column.
"""

import os
import sqlite3
from contextlib import closing


def device_seed(profile):
    journal = os.path.join(profile, "journal.sqlite")
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
        return database.execute("SELECT device_seed FROM profile").fetchone()[0]


def epoch_secrets(profile, space):
    """The epoch secrets a profile has learned, which it needs when it came by an invite."""
    journal = os.path.join(profile, "journal.sqlite")
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT epochs.secret FROM epochs JOIN spaces ON epochs.space = spaces.number"
            " WHERE spaces.id = ?", (space,))
        return [row[0] for row in rows]
