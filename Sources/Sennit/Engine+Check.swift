import Dispatch
import SennitDocument
import SennitStore
import SennitSync
import SennitWire

/// What a check of a profile found. Keys of its JSON are the names of the properties.
public struct ProfileReport: Hashable, Sendable, Codable {
    /// Something that isn't as it was written.
    public struct Finding: Hashable, Sendable, Codable {
        /// What it is about; the words are stable.
        public var kind: String
        /// Where it is.
        public var place: String
        /// One sentence for a person.
        public var detail: String
    }

    /// How much of a space was looked at.
    public struct SpaceCounts: Hashable, Sendable, Codable {
        /// The space, in hexadecimal digits.
        public var space: String
        /// What it is called here.
        public var name: String
        /// Its logs, and the entries and bytes in them.
        public var logCount: Int
        public var entryCount: UInt64
        public var byteCount: UInt64
        /// Entries that aren't applied: they wait for others, a key or membership.
        public var waitingCount: UInt64
        public var documentCount: Int
        /// Changes made here that aren't in an entry yet.
        public var pendingCount: Int
    }

    /// What is wrong. Empty for a sound profile.
    public var findings: [Finding]
    /// Whether there was more than is listed.
    public var isCut: Bool
    /// What was looked at.
    public var spaces: [SpaceCounts]

    /// Whether nothing is wrong.
    public var isSound: Bool { findings.isEmpty }
}

extension Engine {
    /// Reads everything the profile holds, believes none of it, and compares the index with one
    /// that is made anew. Changes nothing but the index.
    /// - Parameter rebuild: makes the index anew first.
    /// - Throws: `notSaved` if the disk can't be read, `closed`. Damage is in the report instead.
    /// - Complexity: O(bytes of the profile).
    public func check(rebuild: Bool = false) async throws(SennitError) -> ProfileReport {
        var names: [SpaceID: [LogID: String]] = [:]
        var views: [SpaceID: IndexedView] = [:]
        for record in records {
            let driver = try driver(of: record.id)
            _ = await wait { resume in driver.waitUntilSaved(resume) }
            let view = IndexedView(driver)
            names[record.id] = view.names
            if driver.isSettled { views[record.id] = view }
        }
        let (profile, indexing, people, settled) = (profile, ports.indexing, names, views)
        let result = await withCheckedContinuation { continuation in
            indexing.async {
                let result: Result<CheckReport, StoreError>
                do throws(StoreError) {
                    if rebuild {
                        for (space, view) in settled {
                            try profile.rebuildIndex(of: space, view.source)
                        }
                    }
                    result = .success(
                        try profile.check { replayed in
                            IndexedView(replayed, names: people[replayed.space] ?? [:]).source
                        }
                    )
                } catch {
                    result = .failure(error)
                }
                continuation.resume(returning: result)
            }
        }
        do { return ProfileReport(try result.get(), records) } catch { throw SennitError(error) }
    }
}

extension IndexedView {
    /// What the index would ask for of a space that was replayed from nothing.
    init(_ replayed: ReplayedSpace, names: [LogID: String]) {
        self.init(
            position: replayed.position,
            entries: Directory(replayed.documents[.directory]?.entries ?? []).entries,
            texts: replayed.documents.mapValues(\.text),
            names: names
        )
    }
}

extension ProfileReport {
    fileprivate init(_ report: CheckReport, _ records: [SpaceRecord]) {
        findings = report.findings.map {
            Finding(kind: $0.kind.rawValue, place: $0.place.description, detail: $0.detail)
        }
        isCut = report.isCut
        spaces = report.spaces.map { counts in
            SpaceCounts(
                space: counts.space.hex,
                name: records.first { $0.id == counts.space }?.name ?? "",
                logCount: counts.logs,
                entryCount: counts.entries,
                byteCount: counts.byteCount,
                waitingCount: counts.waiting,
                documentCount: counts.documents,
                pendingCount: counts.pending
            )
        }
    }
}
