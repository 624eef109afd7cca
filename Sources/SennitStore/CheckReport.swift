public import SennitWire

/// What a check of a profile found.
public struct CheckReport: Hashable, Sendable {
    /// What is wrong. Empty for a sound profile.
    public internal(set) var findings: [Finding] = []
    /// Whether there were more findings than `StoreLimits.findingCount`.
    public internal(set) var isCut = false
    /// What was looked at, by space.
    public internal(set) var spaces: [SpaceCounts] = []
    /// Whether the index was compared with a rebuilt one.
    public internal(set) var comparedIndex = false

    /// Whether nothing is wrong.
    public var isSound: Bool { findings.isEmpty }

    /// Something that isn't as it was written.
    public struct Finding: Hashable, Sendable {
        /// What it is about.
        public let kind: Kind
        /// Where it is.
        public let place: StoreError.Place
        /// One sentence for a person.
        public let detail: String
    }

    /// What a finding is about. The raw values are stable: programs may go by them.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The structure of the SQLite file.
        case file
        /// A row whose columns or checksum are wrong, or that is missing.
        case row
        /// An entry whose bytes don't have the hash that the chain says, or that doesn't parse.
        case entry
        /// A head whose signature, chain or byte count is wrong.
        case head
        /// Positions that aren't dense, or an entry that isn't applied where it should be.
        case position
        /// Operations that don't decode or don't merge.
        case operations
        /// A stored state that isn't what replay gives.
        case document
        /// An index that isn't what a rebuild gives.
        case index
    }

    /// How much of a space was looked at.
    public struct SpaceCounts: Hashable, Sendable {
        public let space: SpaceID
        public internal(set) var logs = 0
        public internal(set) var entries: UInt64 = 0
        public internal(set) var byteCount: UInt64 = 0
        /// Entries that aren't applied: they wait for others, a key or membership.
        public internal(set) var waiting: UInt64 = 0
        public internal(set) var operations = 0
        public internal(set) var documents = 0
        public internal(set) var pending = 0

        init(space: SpaceID) { self.space = space }
    }
}

extension CheckReport {
    mutating func add(_ kind: Kind, _ place: StoreError.Place, _ detail: String) {
        guard findings.count < StoreLimits.findingCount else {
            isCut = true
            return
        }
        findings.append(Finding(kind: kind, place: place, detail: detail))
    }

    /// Runs `body`; what is corrupt becomes a finding, other errors go on.
    mutating func collect(
        _ kind: Kind,
        _ body: (inout CheckReport) throws -> Void
    ) throws {
        do {
            try body(&self)
        } catch StoreError.corrupt(_, let place, let reason) {
            add(kind, place, reason)
        }
    }
}
