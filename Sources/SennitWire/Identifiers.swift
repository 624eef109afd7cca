// The names of SPEC.md section 2, a type each.

/// Names a space: the hash of its genesis record.
public struct SpaceID: Identifier {
    public let value: Bytes32
    public init(value: Bytes32) { self.value = value }
}

/// Names one log: the hash of space, device key and incarnation. Orders concurrent inserts.
public struct LogID: Identifier {
    public let value: Bytes32
    public init(value: Bytes32) { self.value = value }

    /// The name of the log that `device` writes in `space` during one incarnation.
    public init(space: SpaceID, device: DeviceKey, incarnation: Incarnation) {
        self.init(
            value: Hash.digest(.log, [space.bytes, device.bytes, incarnation.bytes])
        )
    }
}

/// The Ed25519 public key of one device in one space.
public struct DeviceKey: Identifier {
    public let value: Bytes32
    public init(value: Bytes32) { self.value = value }
}

/// The X25519 public key to which epoch keys are sealed.
public struct AgreementKey: Identifier {
    public let value: Bytes32
    public init(value: Bytes32) { self.value = value }
}

/// Names an epoch by the hash of its key, so that nobody can be given another key unnoticed.
public struct EpochKeyID: Identifier {
    public let value: Bytes32
    public init(value: Bytes32) { self.value = value }
}

/// The hash of one entry's bytes.
public struct EntryHash: Identifier {
    public let value: Bytes32
    public init(value: Bytes32) { self.value = value }
}

/// The running hash of a log: h[n] covers entries 0 up to, not including, n.
public struct ChainHash: Identifier {
    public let value: Bytes32
    public init(value: Bytes32) { self.value = value }
}

/// Names a document within its space. All zeros is the space's directory.
public struct DocumentID: Identifier {
    public let value: Bytes32
    public init(value: Bytes32) { self.value = value }

    /// The directory: the document whose root map takes paths to documents.
    public static let directory = DocumentID(value: .zero)
}

/// Tells one life of a device's log from the next: 16 random bytes drawn when a log is begun.
public struct Incarnation: Hashable, Sendable {
    private let word0: UInt64
    private let word1: UInt64

    /// How many bytes an incarnation has.
    public static let byteCount = 16

    /// Takes 16 bytes; `nil` for any other count.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Incarnation.byteCount else { return nil }
        word0 = bytes.word(at: 0)
        word1 = bytes.word(at: 8)
    }

    /// The 16 bytes, in order.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Incarnation.byteCount)
        bytes.append(word: word0)
        bytes.append(word: word1)
        return bytes
    }
}

/// A place in a log, from 0. Also a count: `Offset` n as an end means "n entries".
public struct Offset: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number itself.
    public let value: UInt64

    /// The place of a log's first entry.
    public static let zero = Offset(0)

    /// Wraps a number.
    public init(_ value: UInt64) { self.value = value }

    /// The next place. Offsets are bounded by `Limits.maximumOffset`, so this cannot overflow.
    public var next: Offset { Offset(value &+ 1) }

    public var description: String { String(value) }

    public static func < (left: Offset, right: Offset) -> Bool { left.value < right.value }
}

/// Names one event for ever: the log that wrote it and its number in that log, from 0.
public struct EventID: Hashable, Comparable, Sendable {
    /// The log whose device made the change.
    public let log: LogID

    /// Counts the events of that log over all its documents, from 0.
    public let number: UInt64

    /// Names event `number` of `log`.
    public init(log: LogID, number: UInt64) {
        self.log = log
        self.number = number
    }

    public static func < (left: EventID, right: EventID) -> Bool {
        left.log != right.log ? left.log < right.log : left.number < right.number
    }
}

/// What a device has: for each log the next offset. Logs that are absent stand at 0.
public struct Version: Hashable, Sendable {
    /// Invariant: no value is zero.
    public private(set) var offsets: [LogID: Offset]

    /// Nothing at all.
    public init() { offsets = [:] }

    /// The next offset of `log`; setting 0 forgets the log.
    public subscript(log: LogID) -> Offset {
        get { offsets[log] ?? .zero }
        set { offsets[log] = newValue == .zero ? nil : newValue }
    }

    /// The logs in ascending order with their next offsets.
    /// - Complexity: O(n log n).
    public var sorted: [(log: LogID, end: Offset)] {
        offsets.sorted { $0.key < $1.key }.map { (log: $0.key, end: $0.value) }
    }

    /// Whether this version has all that `other` has.
    public func covers(_ other: Version) -> Bool {
        other.offsets.allSatisfy { self[$0.key] >= $0.value }
    }
}
