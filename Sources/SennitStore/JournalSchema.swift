// The tables of the journal.
//
//     profile ─ settings            this device, once
//     identifiers                   number ↔ 32 bytes: logs and documents are long names
//     spaces ─ relays               what this device knows of each space
//       ├ logs                      how far each is, its head, its author's table and context
//       │  ├ entries                what was received or written: the truth
//       │  └ applied                what each entry came to, and its position
//       ├ operations                of applied entries, by document
//       ├ documents                 heads: replay may begin there
//       │  └ chunks                 their history, read when a merge needs it
//       ├ pending                   typed here, in no entry yet
//       └ epochs                    secrets
//
// Tables without a rowid lie in the order of their key, so a range of a log, or all operations on a
// document after a position, is one stretch of the file. `operations` begins with the document for
// that reason, and has an index by position for views. Columns named `checksum` come last, but for
// those that were added later, and hold `RowChecksum` over the others, in order; entries have their
// chain instead.
//
// A log's entries are applied in order, so those that wait are the ones from `logs.applied` on.

extension DatabaseKind {
    /// The journal. "SNJL" marks it.
    static let journal = DatabaseKind(
        applicationID: 0x534E_4A4C,
        steps: [journalVersion1, journalVersion2, journalVersion3, journalVersion4]
    )

    /// Pending operations say which life of the device typed them, so that copies of a profile can
    /// tell what they have in common.
    private static let journalVersion4 =
        "ALTER TABLE pending ADD COLUMN life INTEGER NOT NULL DEFAULT 0"

    /// Heads of documents and chunks of their history are rows of their own, so that a document is
    /// opened without its history and written again without rewriting it. The chunks of a document
    /// follow on from each other: each begins with the event that the one before it ended with, and
    /// the last one ends where the head does. States of the version before are derived and made
    /// anew.
    private static let journalVersion3 = """
        DELETE FROM documents;
        ALTER TABLE documents RENAME COLUMN state TO head;
        CREATE TABLE chunks (
            space INTEGER NOT NULL,
            document INTEGER NOT NULL,
            first_event INTEGER NOT NULL,
            end_event INTEGER NOT NULL,
            bytes BLOB NOT NULL,
            checksum INTEGER NOT NULL,
            PRIMARY KEY (space, document, first_event)
        ) STRICT;
        """

    /// States of documents have another encoding. They are derived: the next start replays all
    /// operations and stores them anew.
    private static let journalVersion2 = "DELETE FROM documents"

    private static let journalVersion1 = """
        CREATE TABLE profile (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            device_seed BLOB NOT NULL CHECK (length(device_seed) = 32),
            person BLOB NOT NULL CHECK (length(person) = 32),
            person_name TEXT NOT NULL,
            checksum INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE settings (
            key TEXT PRIMARY KEY,
            value BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE identifiers (
            number INTEGER PRIMARY KEY,
            id BLOB NOT NULL UNIQUE CHECK (length(id) = 32),
            checksum INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE spaces (
            number INTEGER PRIMARY KEY,
            id BLOB NOT NULL UNIQUE CHECK (length(id) = 32),
            nonce BLOB NOT NULL CHECK (length(nonce) = 32),
            name TEXT NOT NULL,
            device BLOB NOT NULL CHECK (length(device) = 32),
            incarnation BLOB NOT NULL CHECK (length(incarnation) = 16),
            invite_seed BLOB,
            access BLOB,
            created INTEGER NOT NULL,
            checksum INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE relays (
            space INTEGER NOT NULL,
            ordinal INTEGER NOT NULL,
            url TEXT NOT NULL,
            PRIMARY KEY (space, ordinal)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE logs (
            space INTEGER NOT NULL,
            log INTEGER NOT NULL,
            device BLOB NOT NULL,
            incarnation BLOB NOT NULL,
            end INTEGER NOT NULL,
            applied INTEGER NOT NULL,
            byte_count INTEGER NOT NULL,
            next_event INTEGER NOT NULL,
            log_table BLOB NOT NULL,
            context BLOB NOT NULL,
            head BLOB,
            checksum INTEGER NOT NULL,
            PRIMARY KEY (space, log)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE entries (
            log INTEGER NOT NULL,
            offset INTEGER NOT NULL,
            chain BLOB NOT NULL,
            bytes BLOB NOT NULL,
            PRIMARY KEY (log, offset)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE applied (
            log INTEGER NOT NULL,
            offset INTEGER NOT NULL,
            space INTEGER NOT NULL,
            position INTEGER NOT NULL,
            type INTEGER NOT NULL,
            outcome INTEGER NOT NULL,
            author_time INTEGER NOT NULL,
            event_end INTEGER NOT NULL,
            control_body BLOB,
            checksum INTEGER NOT NULL,
            PRIMARY KEY (log, offset)
        ) STRICT, WITHOUT ROWID;
        CREATE UNIQUE INDEX applied_by_position ON applied (space, position);
        CREATE INDEX applied_controls ON applied (space, position) WHERE control_body IS NOT NULL;
        CREATE TABLE operations (
            space INTEGER NOT NULL,
            document INTEGER NOT NULL,
            position INTEGER NOT NULL,
            ordinal INTEGER NOT NULL,
            author INTEGER NOT NULL,
            bytes BLOB NOT NULL,
            checksum INTEGER NOT NULL,
            PRIMARY KEY (space, document, position, ordinal)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX operations_by_position ON operations (space, position);
        CREATE TABLE documents (
            space INTEGER NOT NULL,
            document INTEGER NOT NULL,
            position INTEGER NOT NULL,
            state BLOB NOT NULL,
            checksum INTEGER NOT NULL,
            PRIMARY KEY (space, document)
        ) STRICT;
        CREATE TABLE pending (
            space INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            document INTEGER NOT NULL,
            author INTEGER NOT NULL,
            bytes BLOB NOT NULL,
            checksum INTEGER NOT NULL,
            PRIMARY KEY (space, sequence)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE epochs (
            number INTEGER PRIMARY KEY,
            space INTEGER NOT NULL,
            id BLOB NOT NULL,
            secret BLOB NOT NULL,
            UNIQUE (space, id)
        ) STRICT;
        """
}
