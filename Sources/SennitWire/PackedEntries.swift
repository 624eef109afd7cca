// Entries that stay as they came. SPEC.md section 10, `append` and `entries`.
//
//     wire      descriptor from:u64 count:varint | length:varint entry | length:varint entry | head
//     packed                                     └─────────────── these bytes ──────────────┘
//
// A relay understands none of an entry: it hashes it, stores it and passes it on. So it needs no
// array for each, only where they lie; the bytes of all appends that came together are one array.

/// Entries one behind the other, each after its length. They lie within bytes that others share.
public struct PackedEntries: Hashable, Sendable {
    /// The bytes that hold the entries, among others.
    public let bytes: [UInt8]
    /// Where in `bytes` the entries with their lengths lie.
    public let range: Range<Int>
    /// How many entries there are.
    public let count: Int
    /// Bytes of all entries, lengths not counted.
    public let byteCount: Int

    /// Packs entries.
    public init(_ entries: [[UInt8]]) {
        let byteCount = entries.reduce(0) { $0 + $1.count }
        var writer = ByteWriter(capacity: byteCount + 3 * entries.count)
        for entry in entries { writer.writeBlob(entry) }
        bytes = writer.bytes
        range = bytes.indices
        count = entries.count
        self.byteCount = byteCount
    }

    /// Finds `count` entries in bytes that nobody vouches for; they must fill `range`.
    /// - Throws: `overLimit`, `truncated`, `varintNotCanonical`, `varintTooLarge`,
    ///   `trailingBytes`.
    public init(
        count: Int,
        in bytes: [UInt8],
        _ range: Range<Int>
    ) throws(WireError) {
        var reader = ByteReader(bytes, startingAt: range.lowerBound, endingAt: range.upperBound)
        try self.init(count: count, from: &reader)
        try reader.finish()
    }

    init(count: Int, from reader: inout ByteReader) throws(WireError) {
        let start = reader.byteOffset
        var byteCount = 0
        for _ in 0..<count {
            let length = try reader.readCount(limit: Limits.maximumEntryByteCount)
            try reader.skip(length)
            // At most `Limits.maximumBatchCount` entries of a bounded length: no overflow.
            byteCount += length
        }
        bytes = reader.bytes
        range = start..<reader.byteOffset
        self.count = count
        self.byteCount = byteCount
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>, count: Int, byteCount: Int) {
        self.bytes = bytes
        self.range = range
        self.count = count
        self.byteCount = byteCount
    }

    /// Calls `body` with the place in `bytes` of each entry, in order.
    public func forEach(_ body: (Range<Int>) -> Void) {
        var at = range.lowerBound
        for _ in 0..<count {
            let entry = entry(at: at)
            body(entry)
            at = entry.upperBound
        }
    }

    /// The entry whose length lies at `start`. It was checked when the value was made.
    private func entry(at start: Int) -> Range<Int> {
        var at = start
        var length = 0
        var shift = 0
        while true {
            let byte = bytes[at]
            at += 1
            length |= Int(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return at..<(at + length) }
            shift += 7
        }
    }

    /// Each entry as bytes of its own.
    public var unpacked: [[UInt8]] {
        var entries: [[UInt8]] = []
        entries.reserveCapacity(count)
        forEach { entries.append(Array(bytes[$0])) }
        return entries
    }

    /// The hash of each entry.
    public var hashes: [EntryHash] {
        var hashes: [EntryHash] = []
        hashes.reserveCapacity(count)
        forEach { hashes.append(EntryHash(of: bytes, in: $0)) }
        return hashes
    }

    /// All but the first entries; `first` is at most `count`.
    public func dropFirst(_ first: Int) -> PackedEntries {
        if first == 0 { return self }
        var at = range.lowerBound
        var dropped = 0
        for _ in 0..<first {
            let entry = entry(at: at)
            dropped += entry.count
            at = entry.upperBound
        }
        return PackedEntries(
            bytes,
            at..<range.upperBound,
            count: count - first,
            byteCount: byteCount - dropped
        )
    }

    public static func == (left: PackedEntries, right: PackedEntries) -> Bool {
        left.count == right.count && left.bytes[left.range] == right.bytes[right.range]
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(bytes[range]) }
}

/// What an `append` or `entries` frame carries, its entries left where they are.
public struct PackedRange: Hashable, Sendable {
    /// Author and life of the log.
    public let descriptor: LogDescriptor
    /// The offset of the first entry.
    public let from: Offset
    /// At least one entry.
    public let entries: PackedEntries
    /// The head after the last entry: its end is `from` plus the count.
    public let head: Head

    /// Puts a range together; the caller guarantees that it ends on its head.
    public init(descriptor: LogDescriptor, from: Offset, entries: PackedEntries, head: Head) {
        self.descriptor = descriptor
        self.from = from
        self.entries = entries
        self.head = head
    }

    /// Packs a range.
    public init(_ range: EntryRange) {
        self.init(
            descriptor: range.descriptor,
            from: range.from,
            entries: PackedEntries(range.entries),
            head: range.head
        )
    }

    /// Whether a frame says that it is an append.
    public static func isAppend(_ tag: UInt8) -> Bool { tag == RelayFrame.Tag.append.rawValue }

    /// Reads an `append` frame that lies within other bytes.
    /// - Throws: what `RelayFrame` throws for it. Places in errors count from the start of `bytes`.
    public init(appendIn bytes: [UInt8], _ range: Range<Int>) throws(WireError) {
        var reader = ByteReader(bytes, startingAt: range.lowerBound, endingAt: range.upperBound)
        let tag = try reader.readByte()
        guard PackedRange.isAppend(tag) else {
            throw .unknown(
                field: "frame type",
                value: UInt64(tag),
                byteOffset: range.lowerBound
            )
        }
        try self.init(from: &reader)
        try reader.finish()
    }

    private init(from reader: inout ByteReader) throws(WireError) {
        descriptor = try LogDescriptor(from: &reader)
        from = try reader.readOffset()
        let start = reader.byteOffset
        let count = try reader.readCount(limit: Limits.maximumBatchCount)
        entries = try PackedEntries(count: count, from: &reader)
        head = try Head(from: &reader)
        guard count > 0, head.end.value == from.value + UInt64(count) else {
            throw .invalid(reason: "a range ends on its head", byteOffset: start)
        }
    }
}

extension RelayFrame {
    /// The bytes of an `entries` frame that carries consecutive pieces of one log, up to a head.
    public static func entriesBytes(
        _ descriptor: LogDescriptor,
        from: Offset,
        _ pieces: [PackedEntries],
        head: Head
    ) -> [UInt8] {
        let byteCount = pieces.reduce(0) { $0 + $1.range.count }
        let count = pieces.reduce(0) { $0 + $1.count }
        var writer = ByteWriter(capacity: byteCount + 80 + Head.byteCount)
        writer.write(Tag.entries.rawValue)
        descriptor.write(to: &writer)
        writer.write(from.value)
        writer.writeVarint(count)
        for piece in pieces { writer.write(piece.bytes[piece.range]) }
        head.write(to: &writer)
        return writer.bytes
    }
}
