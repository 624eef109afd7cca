// The tables of the index. They are public: docs/INDEX.md describes them for other programs.
//
// `search` is an FTS5 table whose content is `documents`, so a text is stored once; the triggers
// keep the two in step (https://www.sqlite.org/fts5.html, section 4.4.3). Names of 32 bytes are
// written in hexadecimal digits, for people with a shell.

extension DatabaseKind {
    /// The index. "SNIX" marks it.
    static let index = DatabaseKind(applicationID: 0x534E_4958, steps: [indexVersion1])

    private static let indexVersion1 = """
        CREATE TABLE spaces (
            space TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            position INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE authors (
            space TEXT NOT NULL,
            log TEXT NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (space, log)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE documents (
            number INTEGER PRIMARY KEY,
            space TEXT NOT NULL,
            path TEXT NOT NULL,
            document TEXT NOT NULL,
            title TEXT NOT NULL,
            scalar_count INTEGER NOT NULL,
            author TEXT,
            modified INTEGER,
            text TEXT NOT NULL,
            UNIQUE (space, path)
        ) STRICT;
        CREATE INDEX documents_by_document ON documents (space, document);
        CREATE INDEX documents_by_author ON documents (space, author);
        CREATE INDEX documents_by_modified ON documents (space, modified);
        CREATE VIRTUAL TABLE search USING fts5 (
            path, text,
            content = 'documents', content_rowid = 'number',
            tokenize = 'unicode61 remove_diacritics 2'
        );
        CREATE TRIGGER documents_inserted AFTER INSERT ON documents BEGIN
            INSERT INTO search (rowid, path, text) VALUES (new.number, new.path, new.text);
        END;
        CREATE TRIGGER documents_deleted AFTER DELETE ON documents BEGIN
            INSERT INTO search (search, rowid, path, text)
            VALUES ('delete', old.number, old.path, old.text);
        END;
        CREATE TRIGGER documents_updated AFTER UPDATE OF path, text ON documents BEGIN
            INSERT INTO search (search, rowid, path, text)
            VALUES ('delete', old.number, old.path, old.text);
            INSERT INTO search (rowid, path, text) VALUES (new.number, new.path, new.text);
        END;
        CREATE VIEW listing AS
            SELECT s.name AS space, d.path, d.title, d.scalar_count, a.name AS author,
                d.modified, d.document
            FROM documents AS d JOIN spaces AS s USING (space)
                LEFT JOIN authors AS a ON a.space = d.space AND a.log = d.author;
        """
}
