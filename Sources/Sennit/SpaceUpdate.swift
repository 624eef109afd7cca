public import SennitWire

/// That something of a space changed. A wake-up: what changed is asked for.
public struct SpaceUpdate: Hashable, Sendable {
    /// What may have changed.
    public struct Kinds: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The text of a document; `documents` says which.
        public static let texts = Kinds(rawValue: 1)
        /// The paths of the documents.
        public static let directory = Kinds(rawValue: 2)
        /// Connection, findings, counts: what `status()` says.
        public static let status = Kinds(rawValue: 4)
        /// Who is where.
        public static let presence = Kinds(rawValue: 8)
        /// Something typed here is on the disk now.
        public static let saved = Kinds(rawValue: 16)
        /// Who belongs to the space.
        public static let members = Kinds(rawValue: 32)
    }

    /// What may have changed.
    public var kinds: Kinds
    /// The documents whose text did.
    public var documents: Set<DocumentID>

    init(_ kinds: Kinds, documents: Set<DocumentID> = []) {
        self.kinds = kinds
        self.documents = documents
    }

    func union(_ other: SpaceUpdate) -> SpaceUpdate {
        SpaceUpdate(
            kinds.union(other.kinds),
            documents: documents.union(other.documents)
        )
    }
}

/// Those who want to hear of updates.
struct Subscribers {
    private var continuations: [Int: AsyncStream<SpaceUpdate>.Continuation] = [:]
    private var nextNumber = 0

    mutating func add(_ continuation: AsyncStream<SpaceUpdate>.Continuation) -> Int {
        nextNumber += 1
        continuations[nextNumber] = continuation
        return nextNumber
    }

    mutating func remove(_ number: Int) { continuations[number] = nil }

    mutating func finish() {
        for continuation in continuations.values { continuation.finish() }
        continuations = [:]
    }

    /// Tells everybody. A reader that hasn't taken the last update gets one that covers both.
    func tell(_ update: SpaceUpdate) {
        for continuation in continuations.values {
            var update = update
            // One is buffered. What it pushes out is put back in as a part of the next.
            while case .dropped(let older) = continuation.yield(update) {
                let both = update.union(older)
                if both == update { break }
                update = both
            }
        }
    }
}
