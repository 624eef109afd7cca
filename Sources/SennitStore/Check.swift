import GRDB
public import SennitDocument
public import SennitSync
public import SennitWire

// Reads everything that a profile holds and believes none of it:
//
//     SQLite's structure → rows and their checksums → entries, chains, heads and their signatures
//     → positions → operations replayed from nothing = stored states → a rebuilt index = the index
//
// It changes nothing, and it goes on after what it finds, so that one report names all damage.

/// The documents of a space as a replay from nothing gives them.
public struct ReplayedSpace: Sendable {
    public let space: SpaceID
    public let position: JournalPosition
    /// Every document with all operations that were applied, and none that are pending.
    public let documents: [DocumentID: Document]
}

extension Profile {
    /// Checks the journal and, if `source` is given, compares the index with a rebuilt one.
    ///
    /// - Parameter source: Tells what the index would ask of the replica, for the documents of a
    ///   replay: the paths of its directory and the names of its people. Its position is
    ///   `ReplayedSpace.position`.
    /// - Throws: `io`, `closed`. Damage is in the report instead.
    /// - Complexity: O(bytes of the profile); 50 µs for each head's signature.
    public func check(
        source: ((ReplayedSpace) -> DocumentSource)? = nil
    ) throws(StoreError) -> CheckReport {
        var report = CheckReport()
        let journal = journal
        let spaces = try journal.queue.reading(journal.path) { db in
            try CheckReport.checkFile(db, &report)
            var spaces: [SpaceRecord] = []
            try report.collect(.row) { _ in spaces = try journal.readSpaces(db) }
            try report.collect(.row) { _ in try journal.verifyProfile(db) }
            return spaces
        }
        for record in spaces {
            let replayed = try journal.queue.reading(journal.path) { db -> ReplayedSpace? in
                var replayed: ReplayedSpace?
                try report.collect(.row) { report in
                    let reader = try JournalReader(db, journal, record.id)
                    var check = SpaceCheck(reader: reader, record: record, report: report)
                    defer { report = check.report }
                    replayed = try check.run()
                }
                return replayed
            }
            guard let source, let replayed else { continue }
            try checkIndex(record.id, source(replayed), &report)
        }
        return report
    }

    /// Drops the index of a space and derives it again from the journal.
    /// - Throws: what `Index.rebuild` throws.
    public func rebuildIndex(
        of space: SpaceID,
        _ source: DocumentSource
    ) throws(StoreError) {
        try index.rebuild(journal, space, source)
    }

    private func checkIndex(
        _ space: SpaceID,
        _ source: DocumentSource,
        _ report: inout CheckReport
    ) throws(StoreError) {
        report.comparedIndex = true
        do {
            let checkpoint = try index.checkpoint(of: space)
            // An index may lag; what it holds must still be what it would hold at its checkpoint.
            // Only at the journal's own position is that known.
            if checkpoint < source.position { try index.follow(journal, space, source) }
            let rebuilt = try Index()
            defer { try? rebuilt.close() }
            try rebuilt.rebuild(journal, space, source)
            try index.checkSearch()
            if let difference = try index.firstDifference(from: rebuilt, of: space) {
                report.add(.index, .space(space), difference)
            }
        } catch let error {
            guard error.isDamage else { throw error }
            report.add(.index, .space(space), error.description)
        }
    }
}

extension CheckReport {
    /// Lets SQLite look at its own structure.
    fileprivate static func checkFile(_ db: Database, _ report: inout CheckReport) throws {
        let rows = try Row.fetchCursor(db, sql: "PRAGMA integrity_check(100)")
        while let row = try rows.next() {
            let line = String.fromDatabaseValue(row[0] as DatabaseValue) ?? "unreadable"
            if line != "ok" { report.add(.file, .file, line) }
        }
    }
}
