// An entry as everybody sees it: what the relay stores and what is hashed. SPEC.md section 3.
//
//     suite:u8  type:u8  keyHint[8]  nonce[24]  clear:blob  sealed:blob
//
// The entry does not repeat its space, log and offset. They are bound to it by the associated data
// of the seal and by the chain, so an entry that is served in another place fails to open.

/// What an entry is for. Values that this version doesn't know are carried along.
public struct EntryType: Hashable, Sendable {
    /// The byte on the wire.
    public let rawValue: UInt8

    /// Wraps any byte.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The record that names a space; offset 0 of the founder's first log.
    public static let genesis = EntryType(rawValue: 1)
    /// A new epoch: its key sealed to each recipient.
    public static let epoch = EntryType(rawValue: 2)
    /// Operations on documents.
    public static let edit = EntryType(rawValue: 3)
    /// The first entry of a device that joins.
    public static let join = EntryType(rawValue: 4)
    /// An open invite, with the epoch key sealed to it.
    public static let invite = EntryType(rawValue: 5)
    /// Removals, roles and revocations, with the epoch that goes with them.
    public static let membership = EntryType(rawValue: 6)
    /// Reserved: "I have seen this", from a device that writes nothing else.
    public static let receipt = EntryType(rawValue: 7)
    /// Reserved: the last entry of a log.
    public static let closeLog = EntryType(rawValue: 8)
    /// Reserved: two heads that contradict each other.
    public static let forkProof = EntryType(rawValue: 9)
    /// Reserved: asks for an epoch key to be sealed again.
    public static let keyRequest = EntryType(rawValue: 10)
    /// Reserved: announces a sealed snapshot.
    public static let snapshot = EntryType(rawValue: 11)
    /// Reserved: permits the relay to forget a log's beginning.
    public static let truncation = EntryType(rawValue: 12)

    /// Not an entry: keys presence messages apart from all entries.
    public static let presence = EntryType(rawValue: 128)
}

/// One sealed entry, parsed but neither verified nor opened.
public struct Entry: Hashable, Sendable {
    /// What the entry is for.
    public let type: EntryType
    /// The first 8 bytes of the epoch key's id, or zeros if nothing is sealed.
    public let keyHint: [UInt8]
    /// The 24-byte nonce, or zeros if nothing is sealed.
    public let nonce: [UInt8]
    /// The part anybody may read; empty for edits.
    public let clear: [UInt8]
    /// The ciphertext with its tag, or nothing.
    public let sealed: [UInt8]

    /// The one suite of this version.
    public static let suite: UInt8 = 1
    /// Bytes of `keyHint`.
    public static let keyHintByteCount = 8
    /// Bytes of `nonce`.
    public static let nonceByteCount = 24

    /// Puts an entry together; the caller guarantees the sizes of hint, nonce and parts.
    public init(
        type: EntryType,
        keyHint: [UInt8],
        nonce: [UInt8],
        clear: [UInt8],
        sealed: [UInt8]
    ) {
        precondition(keyHint.count == Entry.keyHintByteCount, "A key hint has 8 bytes.")
        precondition(nonce.count == Entry.nonceByteCount, "A nonce has 24 bytes.")
        self.type = type
        self.keyHint = keyHint
        self.nonce = nonce
        self.clear = clear
        self.sealed = sealed
    }

    /// Parses exactly one entry.
    /// - Throws: `unknown` suite, `overLimit`, `truncated`, `trailingBytes`, `varintNotCanonical`.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        let suite = try reader.readByte()
        guard suite == Entry.suite else {
            throw .unknown(field: "suite", value: UInt64(suite), byteOffset: 0)
        }
        type = EntryType(rawValue: try reader.readByte())
        keyHint = try reader.readBytes(Entry.keyHintByteCount)
        nonce = try reader.readBytes(Entry.nonceByteCount)
        clear = try reader.readBlob(limit: Limits.maximumClearByteCount)
        sealed = try reader.readBlob(limit: Limits.maximumSealedByteCount)
        try reader.finish()
    }

    /// The canonical bytes, the ones that are hashed.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: clear.count + sealed.count + 48)
        writer.write(Entry.suite)
        writer.write(type.rawValue)
        writer.write(keyHint)
        writer.write(nonce)
        writer.writeBlob(clear)
        writer.writeBlob(sealed)
        return writer.bytes
    }
}
