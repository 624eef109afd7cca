public import SennitWire

// Who is where now. SPEC.md section 11. Sealed like an entry, never stored.
//
//     suite:u8  type:u8(128)  keyHint[8]  nonce[24]  sealed
//     padded  = log[32]  session[16]  counter:u64  echoes:varint (session[16])*  payload:blob
//               signature[64]  zeros
//     payload = version:u8(1)  name:text
//               flag (document[32]  cursor:varint  anchor:varint  frontier)
//     frontier = count:varint (log[32]  number:varint)*
//
// The key can't depend on the author's log, which stands inside; the signature tells the author.

/// Names one connection of one device: 16 bytes, random for each.
public struct PresenceSession: Hashable, Sendable {
    /// Exactly 16 bytes.
    public let bytes: [UInt8]

    /// How many bytes a session has.
    public static let byteCount = 16

    /// Takes 16 bytes; `nil` for any other count.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == PresenceSession.byteCount else { return nil }
        self.bytes = bytes
    }
}

/// What a device tells the others about its person's whereabouts.
public struct PresenceMessage: Hashable, Sendable {
    /// Where somebody is in a document.
    public struct Place: Hashable, Sendable {
        /// The document.
        public let document: DocumentID
        /// Where the cursor is, in scalars of the text at `frontier`; at most 2^53.
        public let cursor: UInt64
        /// Where the selection begins, in the same unit; the cursor itself if nothing is selected.
        public let anchor: UInt64
        /// Invariant: strictly ascending. The text's version: at most
        /// `Limits.maximumFrontierCount` events.
        public let frontier: [EventID]

        /// Puts a place together; `frontier` is sorted here.
        public init(document: DocumentID, cursor: UInt64, anchor: UInt64, frontier: [EventID]) {
            self.document = document
            self.cursor = cursor
            self.anchor = anchor
            self.frontier = Set(frontier).sorted()
        }
    }

    /// A log of the author.
    public let log: LogID
    /// The author's connection.
    public let session: PresenceSession
    /// Rises with each message of a session.
    public let counter: UInt64
    /// The sessions the author has heard; at most `Limits.maximumEchoCount`. Who finds its own
    /// here knows that the message isn't a replay.
    public let echoes: [PresenceSession]
    /// The person's name; at most `Limits.maximumNameByteCount` bytes.
    public let name: String
    /// Where the person is; `nil` if in no document.
    public let place: Place?

    private static let payloadVersion: UInt8 = 1
    private static let headerByteCount = 2 + Entry.keyHintByteCount + Entry.nonceByteCount

    /// Puts a message together.
    public init(
        log: LogID,
        session: PresenceSession,
        counter: UInt64,
        echoes: [PresenceSession],
        name: String,
        place: Place?
    ) {
        self.log = log
        self.session = session
        self.counter = counter
        self.echoes = echoes
        self.name = name
        self.place = place
    }

    /// Signs and seals the message. `random` is 32 fresh random bytes.
    /// - Throws: `tooLarge` if a list, the name or the whole is over its limit.
    public func sealed(
        by device: DeviceIdentity,
        space: SpaceID,
        under epoch: EpochKey,
        random: Bytes32
    ) throws(SealError) -> [UInt8] {
        try checkLimits()
        let unsigned = unsignedBytes
        let signature = device.sign(
            PresenceMessage.signedBytes(unsigned, space: space, epoch: epoch.id)
        )
        let padded = Padding.padded(unsigned + signature)
        let associatedData = PresenceMessage.associatedData(space: space, epoch: epoch.id)
        let nonce = EpochKey.nonce(
            random: random,
            associatedData: associatedData,
            plaintext: padded,
            key: epoch.nonceKey(.presence, PresenceMessage.noLog)
        )
        let sealed = Sodium.seal(
            padded,
            nonce: nonce,
            associatedData: associatedData,
            key: epoch.entryKey(.presence, PresenceMessage.noLog)
        )
        let bytes = [Entry.suite, EntryType.presence.rawValue] + epoch.hint + nonce + sealed
        guard bytes.count <= Limits.maximumPresenceByteCount else {
            throw .tooLarge(byteCount: bytes.count, limit: Limits.maximumPresenceByteCount)
        }
        return bytes
    }

    /// The hint at the epoch that a sealed message needs.
    /// - Throws: `poison`, `needsUpdate` for another suite or type.
    public static func keyHint(of bytes: [UInt8]) throws(SealError) -> [UInt8] {
        var reader = ByteReader(bytes)
        do {
            try reader.readVersion(Entry.suite, of: "suite")
            try reader.readVersion(EntryType.presence.rawValue, of: "presence type")
            return try reader.readBytes(Entry.keyHintByteCount)
        } catch {
            throw SealError(error)
        }
    }

    /// Opens a message and checks who signed it. Until this returns no counter may move.
    ///
    /// `author` gives the device of a log, `nil` if it isn't a member's.
    /// - Throws: `notAuthentic`, `poison`, `needsUpdate`.
    /// - Complexity: one signature check.
    public init(
        opening bytes: [UInt8],
        space: SpaceID,
        under epoch: EpochKey,
        author: (LogID) -> DeviceKey?
    ) throws(SealError) {
        guard bytes.count <= Limits.maximumPresenceByteCount,
            bytes.count > PresenceMessage.headerByteCount,
            try PresenceMessage.keyHint(of: bytes) == epoch.hint
        else { throw .notAuthentic }
        let nonceStart = PresenceMessage.headerByteCount - Entry.nonceByteCount
        let padded = Sodium.open(
            Array(bytes[PresenceMessage.headerByteCount...]),
            nonce: Array(bytes[nonceStart..<PresenceMessage.headerByteCount]),
            associatedData: PresenceMessage.associatedData(space: space, epoch: epoch.id),
            key: epoch.entryKey(.presence, PresenceMessage.noLog)
        )
        guard let padded else { throw .notAuthentic }
        let signedCount: Int
        do {
            var reader = ByteReader(padded)
            self = try PresenceMessage(from: &reader)
            signedCount = reader.byteOffset
            _ = try reader.readBytes(Signature.byteCount)
            try Padding.check(padded, after: reader.byteOffset)
        } catch {
            throw SealError(error)
        }
        let signature = Array(padded[signedCount..<(signedCount + Signature.byteCount)])
        let signed = PresenceMessage.signedBytes(
            Array(padded[..<signedCount]),
            space: space,
            epoch: epoch.id
        )
        guard let device = author(log), Signature.isValid(signature, of: signed, by: device) else {
            throw .notAuthentic
        }
    }

    private static let noLog = LogID(value: .zero)

    private static func associatedData(space: SpaceID, epoch: EpochKeyID) -> [UInt8] {
        Domain.presence.bytes + [Entry.suite, EntryType.presence.rawValue] + space.bytes
            + epoch.bytes
    }

    private static func signedBytes(
        _ unsigned: [UInt8],
        space: SpaceID,
        epoch: EpochKeyID
    ) -> [UInt8] {
        Domain.presence.bytes + space.bytes + epoch.bytes + unsigned
    }

    private func checkLimits() throws(SealError) {
        let limits = [
            (echoes.count, Limits.maximumEchoCount),
            (name.utf8.count, Limits.maximumNameByteCount),
            (place?.frontier.count ?? 0, Limits.maximumFrontierCount),
        ]
        for (count, limit) in limits where count > limit {
            throw .tooLarge(byteCount: count, limit: limit)
        }
    }
}

// MARK: Bytes

extension PresenceMessage {
    private var unsignedBytes: [UInt8] {
        var payload = ByteWriter(capacity: 128)
        payload.write(PresenceMessage.payloadVersion)
        payload.writeBlob(Array(name.utf8))
        payload.write(place == nil ? 0 : 1 as UInt8)
        place?.write(to: &payload)
        var writer = ByteWriter(capacity: 256)
        writer.write(log)
        writer.write(session.bytes)
        writer.write(counter)
        writer.writeVarint(echoes.count)
        for echo in echoes { writer.write(echo.bytes) }
        writer.writeBlob(payload.bytes)
        return writer.bytes
    }

    /// Reads up to the signature.
    private init(from reader: inout ByteReader) throws(WireError) {
        log = try reader.readIdentifier()
        session = try PresenceSession(from: &reader)
        counter = try reader.readUInt64()
        let count = try reader.readCount(limit: Limits.maximumEchoCount)
        var echoes: [PresenceSession] = []
        for _ in 0..<count { echoes.append(try PresenceSession(from: &reader)) }
        self.echoes = echoes
        var payload = ByteReader(
            try reader.readBlob(limit: Limits.maximumPresenceByteCount)
        )
        try payload.readVersion(PresenceMessage.payloadVersion, of: "presence version")
        name = try payload.readText(limit: Limits.maximumNameByteCount)
        place = try payload.readFlag() ? try Place(from: &payload) : nil
        try payload.finish()
    }
}

extension PresenceSession {
    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        bytes = try reader.readBytes(PresenceSession.byteCount)
    }
}

extension PresenceMessage.Place {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(document)
        writer.writeVarint(cursor)
        writer.writeVarint(anchor)
        writer.writeVarint(frontier.count)
        for event in frontier {
            writer.write(event.log)
            writer.writeVarint(event.number)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        document = try reader.readIdentifier()
        cursor = try reader.readPosition()
        anchor = try reader.readPosition()
        let count = try reader.readCount(limit: Limits.maximumFrontierCount)
        var frontier: [EventID] = []
        for _ in 0..<count {
            let start = reader.byteOffset
            let event = EventID(
                log: try reader.readIdentifier(),
                number: try reader.readPosition()
            )
            if let last = frontier.last, last >= event {
                throw .invalid(reason: "a frontier ascends", byteOffset: start)
            }
            frontier.append(event)
        }
        self.frontier = frontier
    }
}

extension ByteReader {
    /// A varint of at most 2^53.
    fileprivate mutating func readPosition() throws(WireError) -> UInt64 {
        let start = byteOffset
        let value = try readVarint()
        guard value <= Limits.maximumOffset else {
            throw .invalid(reason: "a position is at most 2^53", byteOffset: start)
        }
        return value
    }
}
