public import SennitWire

// What an author had applied when it wrote an entry. SPEC.md section 6.
//
//     kind:u8  count:varint  (logRef  end:varint)*  digest[32] if count > 0
//     digest = H(context, (log id | end:u64 | h[end])*)
//
// Kind 0 names the logs that moved since the author's entry before, kind 1 names all. The digest
// covers the chains, so two devices that agree on it have the same bytes at all these positions.

/// The positions in other logs that an entry follows.
public struct CausalContext: Hashable, Sendable {
    /// Whether all logs are named, or only those that moved since the author's entry before.
    public let isFull: Bool
    /// Invariant: strictly ascending by log, no offset is zero.
    public let positions: [Position]
    /// Over the positions with their chains; `nil` if there are none.
    public let digest: Bytes32?

    /// Every entry whose offset is a multiple of this has a full context.
    public static let fullInterval: UInt64 = 256

    /// The context that names `named`, in any order, each log once and no end zero.
    public init(isFull: Bool, naming named: [(position: Position, chain: ChainHash)] = []) {
        let ascending = named.sorted { $0.position.log < $1.position.log }
        self.isFull = isFull
        positions = ascending.map(\.position)
        digest = ascending.isEmpty ? nil : CausalContext.digest(of: ascending)
        precondition(
            zip(positions, positions.dropFirst()).allSatisfy { $0.log < $1.log },
            "A context names a log once."
        )
        precondition(
            positions.allSatisfy { $0.offset > .zero },
            "A context names no log of which nothing is known."
        )
    }

    /// The digest of positions that ascend by log, with the chain at each.
    ///
    /// A reader that has these positions computes it over its own chains and compares.
    public static func digest(of named: [(position: Position, chain: ChainHash)]) -> Bytes32 {
        var writer = ByteWriter(capacity: 72 * named.count)
        for (position, chain) in named {
            writer.write(position.log)
            writer.write(position.offset.value)
            writer.write(chain)
        }
        return Hash.digest(.context, [writer.bytes])
    }

    /// All that the author had applied, given what it had at its entry before.
    /// - Throws: `poison` if the context goes back.
    public func advancing(_ previous: Version) throws(SealError) -> Version {
        var version = isFull ? Version() : previous
        for position in positions {
            guard position.offset >= previous[position.log] else { throw .poison(wentBack) }
            version[position.log] = position.offset
        }
        guard version.covers(previous) else { throw .poison(wentBack) }
        return version
    }

    private var wentBack: WireError {
        .invalid(reason: "a context never goes back", byteOffset: 0)
    }
}

extension CausalContext {
    private enum Kind: UInt8 {
        case moved = 0
        case full = 1
    }

    func write(to writer: inout ByteWriter, logs: inout LogTable) {
        writer.write(isFull ? Kind.full.rawValue : Kind.moved.rawValue)
        writer.writeVarint(positions.count)
        for position in positions {
            logs.write(position.log, to: &writer)
            writer.writeVarint(position.offset.value)
        }
        if let digest { writer.write(digest.bytes) }
    }

    /// Reads the context of the entry at `place`, whose author's table is `logs`.
    init(
        from reader: inout ByteReader,
        at place: EntryPlace,
        logs: inout LogTable
    ) throws(WireError) {
        let start = reader.byteOffset
        let rawKind = try reader.readByte()
        guard let kind = Kind(rawValue: rawKind) else {
            throw .invalid(reason: "a context is of kind 0 or 1", byteOffset: start)
        }
        guard kind == .full || place.offset.value % CausalContext.fullInterval != 0 else {
            throw .invalid(reason: "every 256th context is full", byteOffset: start)
        }
        let count = try reader.readCount(limit: Limits.maximumLogCount)
        var positions: [Position] = []
        for _ in 0..<count {
            let positionStart = reader.byteOffset
            let log = try logs.read(from: &reader)
            let end = try reader.readVarint()
            guard (1...Limits.maximumOffset).contains(end) else {
                throw .invalid(reason: "an end is 1 to 2^53", byteOffset: positionStart)
            }
            guard log != place.log else {
                throw .invalid(reason: "no context names its own log", byteOffset: positionStart)
            }
            if let last = positions.last, last.log >= log {
                throw .invalid(reason: "a context ascends by log", byteOffset: positionStart)
            }
            positions.append(Position(log: log, offset: Offset(end)))
        }
        isFull = kind == .full
        self.positions = positions
        digest = positions.isEmpty ? nil : try reader.readBytes32()
    }
}
