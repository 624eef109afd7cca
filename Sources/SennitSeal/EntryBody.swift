public import SennitWire

// What is inside a sealed part. SPEC.md section 6.
//
//     body     = bodyVersion:u8(1)  compression:u8(0)  length:varint  data
//     data     = authorTime:varint  context  origin  payloads
//     origin   = flag  (log[32]  offset:u64  entry hash[32] if the flag is 1)
//     payloads = count:varint  (kind:varint  bytes:blob)*
//
// The smallest body is 01 00 05 00 01 00 00 00: time 0, a full context without logs, no origin,
// no payload. A body is written by `BodyWriter`, which keeps the author's table in step.

/// The entry that this one repeats, written by an earlier incarnation of the same device.
public struct Origin: Hashable, Sendable {
    /// The log it stood in.
    public let log: LogID
    /// Its offset there.
    public let offset: Offset
    /// The hash of its bytes.
    public let hash: EntryHash

    /// Puts an origin together.
    public init(log: LogID, offset: Offset, hash: EntryHash) {
        self.log = log
        self.offset = offset
        self.hash = hash
    }
}

/// What a payload is. Values that this version doesn't know are carried.
public struct PayloadKind: Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt64

    /// Wraps any number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Operations on one document. SPEC.md section 14.
    public static let operations = PayloadKind(rawValue: 1)
    /// A `MemberRecord`.
    public static let member = PayloadKind(rawValue: 2)
    /// An `InviteRecord`.
    public static let invite = PayloadKind(rawValue: 3)
    /// `MembershipChanges`.
    public static let changes = PayloadKind(rawValue: 4)
    /// Which life of the author's device typed the operations; for that device alone.
    public static let lives = PayloadKind(rawValue: 5)

    /// Whether this version knows what to do with it.
    public var isKnown: Bool { (1...5).contains(rawValue) }
}

/// One part of a body.
public struct Payload: Hashable, Sendable {
    /// What it is.
    public let kind: PayloadKind
    /// Its own encoding.
    public let bytes: [UInt8]

    /// Puts a payload together.
    public init(kind: PayloadKind, bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }
}

/// The parsed inside of an entry.
public struct EntryBody: Hashable, Sendable {
    /// Milliseconds since 1970 by the author's clock. For display; nothing is valid by it.
    public let authorTime: UInt64
    /// What the author had applied.
    public let context: CausalContext
    /// The entry that this one repeats, if it does.
    public let origin: Origin?
    /// In the order in which they name logs.
    public let payloads: [Payload]

    /// Puts a body together. The bytes of payloads that name logs were made after the context's
    /// names were in the table, payload after payload; `BodyWriter` does it in that order.
    public init(
        authorTime: UInt64,
        context: CausalContext,
        origin: Origin? = nil,
        payloads: [Payload]
    ) {
        self.authorTime = authorTime
        self.context = context
        self.origin = origin
        self.payloads = payloads
    }

    /// Parses exactly one body, as `Seal.open` gives it.
    ///
    /// `logs` is the table of the author as the well-formed bodies before left it. The context's
    /// names are added to it here; the caller passes the same table on to whatever decodes the
    /// payloads, in their order. If one of them turns out to be poison then the whole body is, and
    /// the caller goes back to the table from before:
    ///
    ///     var logs = author.logs
    ///     let body = try EntryBody(decoding: bytes, at: place, logs: &logs)
    ///     for payload in body.payloads { … decode with &logs … }
    ///     author.logs = logs
    ///
    /// - Throws: `poison`; `needsUpdate` for a version or compression that isn't known, which
    ///   makes the whole log wait, since nobody can say what it names. A throw leaves `logs` as it
    ///   was.
    /// - Complexity: O(bytes).
    public init(
        decoding bytes: [UInt8],
        at place: EntryPlace,
        logs: inout LogTable
    ) throws(SealError) {
        let knownCount = logs.count
        do {
            let body = try SealError.reading(bytes) { (reader) throws(WireError) in
                let end = try BodyFrame.read(from: &reader)
                let body = try EntryBody(from: &reader, at: place, logs: &logs)
                guard reader.byteOffset == end else {
                    throw .invalid(reason: "a body has the length it says", byteOffset: end)
                }
                return body
            }
            self = body
        } catch {
            logs.truncate(to: knownCount)
            throw error
        }
    }

    /// The canonical bytes. See `init` for the table that the payloads need.
    public func bytes(logs: inout LogTable) -> [UInt8] {
        var writer = BodyWriter(
            authorTime: authorTime,
            context: context,
            origin: origin,
            logs: logs
        )
        for payload in payloads {
            writer.append(payload.kind) { (bytes, _) in bytes.write(payload.bytes) }
        }
        logs = writer.logs
        return writer.bytes
    }

    private init(
        from reader: inout ByteReader,
        at place: EntryPlace,
        logs: inout LogTable
    ) throws(WireError) {
        authorTime = try reader.readVarint()
        context = try CausalContext(from: &reader, at: place, logs: &logs)
        if try reader.readFlag() {
            origin = Origin(
                log: try reader.readIdentifier(),
                offset: try reader.readOffset(),
                hash: try reader.readIdentifier()
            )
        } else {
            origin = nil
        }
        let count = try reader.readCount(limit: Limits.maximumPayloadCount)
        var payloads: [Payload] = []
        for _ in 0..<count {
            payloads.append(
                Payload(
                    kind: PayloadKind(rawValue: try reader.readVarint()),
                    bytes: try reader.readBlob(limit: Limits.maximumSealedByteCount)
                )
            )
        }
        self.payloads = payloads
    }
}

/// Writes a body so that logs are named in the order in which a reader meets them: the context's
/// first, then those of each payload.
public struct BodyWriter: Sendable {
    /// The author's table, with what the body has named so far. It becomes the author's table for
    /// the next entry once this one is sealed and committed.
    public private(set) var logs: LogTable

    private let head: [UInt8]
    private var payloads = ByteWriter()
    private var payloadCount = 0

    /// Begins a body. `logs` is the author's table as its entry before left it.
    public init(
        authorTime: UInt64,
        context: CausalContext,
        origin: Origin? = nil,
        logs: LogTable
    ) {
        var writer = ByteWriter(capacity: 128)
        self.logs = logs
        writer.writeVarint(authorTime)
        context.write(to: &writer, logs: &self.logs)
        writer.write(origin == nil ? 0 : 1 as UInt8)
        if let origin {
            writer.write(origin.log)
            writer.write(origin.offset.value)
            writer.write(origin.hash)
        }
        head = writer.bytes
    }

    /// Adds one payload, at most `Limits.maximumPayloadCount`: `write` writes its bytes, and names
    /// logs by the table it is given.
    public mutating func append(
        _ kind: PayloadKind,
        _ write: (inout ByteWriter, inout LogTable) -> Void
    ) {
        precondition(
            payloadCount < Limits.maximumPayloadCount,
            "A body has at most 1024 payloads."
        )
        var payload = ByteWriter()
        write(&payload, &logs)
        payloads.writeVarint(kind.rawValue)
        payloads.writeBlob(payload.bytes)
        payloadCount += 1
    }

    /// Adds a member record.
    public mutating func append(_ record: MemberRecord) {
        append(.member) { (writer, _) in writer.write(record.bytes) }
    }

    /// Adds an invite record.
    public mutating func append(_ record: InviteRecord) {
        append(.invite) { (writer, _) in writer.write(record.bytes) }
    }

    /// Adds changes of the membership.
    public mutating func append(_ changes: MembershipChanges) {
        append(.changes) { (writer, _) in writer.write(changes.bytes) }
    }

    /// The body as it is now.
    public var bytes: [UInt8] {
        var data = ByteWriter(capacity: head.count + payloads.bytes.count + 8)
        data.write(head)
        data.writeVarint(payloadCount)
        data.write(payloads.bytes)
        return BodyFrame.framed(data.bytes)
    }
}

/// What stands before a body's data and tells where padding begins.
enum BodyFrame {
    private static let version: UInt8 = 1
    private static let uncompressed: UInt8 = 0

    static func framed(_ data: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: data.count + 8)
        writer.write(version)
        writer.write(uncompressed)
        writer.writeBlob(data)
        return writer.bytes
    }

    /// How many of these bytes are the body; what comes after them is padding.
    static func byteCount(of padded: [UInt8]) throws(WireError) -> Int {
        var reader = ByteReader(padded)
        return try readEnd(from: &reader).end
    }

    /// Reads up to the data.
    /// - Returns: where the data ends.
    static func read(from reader: inout ByteReader) throws(WireError) -> Int {
        let (compression, end) = try readEnd(from: &reader)
        guard compression == uncompressed else {
            throw .unknown(field: "compression", value: UInt64(compression), byteOffset: 1)
        }
        return end
    }

    private static func readEnd(
        from reader: inout ByteReader
    ) throws(WireError) -> (compression: UInt8, end: Int) {
        let rawVersion = try reader.readByte()
        guard rawVersion == version else {
            throw .unknown(field: "body version", value: UInt64(rawVersion), byteOffset: 0)
        }
        let compression = try reader.readByte()
        let byteCount = try reader.readCount(limit: Limits.maximumSealedByteCount)
        guard byteCount <= reader.remaining else {
            throw .truncated(byteOffset: reader.byteOffset + reader.remaining)
        }
        return (compression, reader.byteOffset + byteCount)
    }
}
