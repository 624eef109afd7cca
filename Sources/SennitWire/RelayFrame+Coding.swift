// The bytes of each frame: a type byte, then the fields in the order of SPEC.md section 10.

extension RelayFrame {
    enum Tag: UInt8 {
        case challenge = 1
        case welcome = 2
        case entries = 3
        case caughtUp = 4
        case ack = 5
        case refused = 6
        case access = 7
        case hello = 16
        case found = 17
        case subscribe = 18
        case append = 19
        case putAccess = 20
        case foundWithToken = 21
        case presence = 32
        case ping = 33
        case pong = 34
    }

    /// The canonical bytes of the frame.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 256)
        switch self {
        case .challenge(let challenge):
            writer.write(Tag.challenge.rawValue)
            challenge.write(to: &writer)
        case .welcome(let welcome):
            writer.write(Tag.welcome.rawValue)
            welcome.write(to: &writer)
        case .entries(let range):
            writer.write(Tag.entries.rawValue)
            range.write(to: &writer)
        case .caughtUp:
            writer.write(Tag.caughtUp.rawValue)
        case .ack(let ack):
            ack.writeFrame(to: &writer)
        case .refused(let refusal):
            writer.write(Tag.refused.rawValue)
            refusal.write(to: &writer)
        case .access(let list):
            writer.write(Tag.access.rawValue)
            writer.write(list.bytes)
        case .hello(let hello):
            writer.write(Tag.hello.rawValue)
            hello.write(to: &writer)
        case .found(let genesis, let token):
            writer.write((token == nil ? Tag.found : .foundWithToken).rawValue)
            writer.write(genesis.bytes)
            if let token { writer.write(token.secret.bytes) }
        case .subscribe(let positions):
            writer.write(Tag.subscribe.rawValue)
            writer.writeVarint(positions.count)
            for position in positions { position.write(to: &writer) }
        case .append(let range):
            writer.write(Tag.append.rawValue)
            range.write(to: &writer)
        case .putAccess(let list):
            writer.write(Tag.putAccess.rawValue)
            writer.write(list.bytes)
        case .presence(let message):
            writer.write(Tag.presence.rawValue)
            writer.write(message)
        case .ping(let value):
            writer.write(Tag.ping.rawValue)
            writer.write(value)
        case .pong(let value):
            writer.write(Tag.pong.rawValue)
            writer.write(value)
        }
        return writer.bytes
    }

    /// Parses exactly one frame.
    /// - Throws: what `ByteReader` throws; `overLimit` before anything is read if the frame is too
    ///   large; `unknown` for a frame type of a newer version.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= Limits.maximumFrameByteCount else {
            throw .overLimit(
                value: UInt64(bytes.count),
                limit: Limits.maximumFrameByteCount,
                byteOffset: 0
            )
        }
        var reader = ByteReader(bytes)
        let rawTag = try reader.readByte()
        guard let tag = Tag(rawValue: rawTag) else {
            throw .unknown(field: "frame type", value: UInt64(rawTag), byteOffset: 0)
        }
        switch tag {
        case .challenge: self = .challenge(try Challenge(from: &reader))
        case .welcome: self = .welcome(try Welcome(from: &reader))
        case .entries: self = .entries(try EntryRange(from: &reader))
        case .caughtUp: self = .caughtUp
        case .ack: self = .ack(try Ack(from: &reader))
        case .refused: self = .refused(try Refusal(from: &reader))
        case .access:
            self = .access(try AccessList(decoding: try reader.readBytes(reader.remaining)))
        case .hello: self = .hello(try Hello(from: &reader))
        case .found: self = .found(try Genesis(decoding: try reader.readBytes(reader.remaining)))
        case .foundWithToken:
            let genesis = try Genesis(decoding: try reader.readBytes(Genesis.byteCount))
            self = .found(genesis, token: RelayToken(secret: try reader.readBytes32()))
        case .subscribe: self = .subscribe(try RelayFrame.readPositions(from: &reader))
        case .append: self = .append(try EntryRange(from: &reader))
        case .putAccess:
            self = .putAccess(try AccessList(decoding: try reader.readBytes(reader.remaining)))
        case .presence:
            guard reader.remaining <= Limits.maximumPresenceByteCount else {
                throw .overLimit(
                    value: UInt64(reader.remaining),
                    limit: Limits.maximumPresenceByteCount,
                    byteOffset: 1
                )
            }
            self = .presence(try reader.readBytes(reader.remaining))
        case .ping: self = .ping(try reader.readUInt64())
        case .pong: self = .pong(try reader.readUInt64())
        }
        try reader.finish()
    }

    /// Whose log an `entries` frame is of and where its range begins, for a frame that is refused
    /// as over a limit; `nil` for any other frame.
    public static func rangeStart(
        in bytes: [UInt8]
    ) -> (descriptor: LogDescriptor, from: Offset)? {
        var reader = ByteReader(bytes)
        guard (try? reader.readByte()) == Tag.entries.rawValue,
            let descriptor = try? LogDescriptor(from: &reader),
            let from = try? reader.readOffset()
        else { return nil }
        return (descriptor, from)
    }

    private static func readPositions(
        from reader: inout ByteReader
    ) throws(WireError) -> [Position] {
        let count = try reader.readCount(limit: Limits.maximumLogCount)
        var positions: [Position] = []
        for _ in 0..<count {
            let position = try Position(from: &reader)
            if let last = positions.last, !(last.log < position.log) {
                throw .invalid(reason: "positions ascend by log", byteOffset: reader.byteOffset)
            }
            positions.append(position)
        }
        return positions
    }
}

extension Challenge {
    init(from reader: inout ByteReader) throws(WireError) {
        try reader.readProtocolVersion()
        relay = try reader.readBytes32()
        nonce = try reader.readBytes32()
    }

    func write(to writer: inout ByteWriter) {
        writer.writeVarint(RelayFrame.protocolVersion)
        writer.write(relay.bytes)
        writer.write(nonce.bytes)
    }
}

extension Hello {
    init(from reader: inout ByteReader) throws(WireError) {
        try reader.readProtocolVersion()
        space = try reader.readIdentifier()
        device = try reader.readIdentifier()
        signature = try reader.readBytes(Signature.byteCount)
        if try reader.readFlag() {
            admission = Admission(
                invite: try reader.readIdentifier(),
                signature: try reader.readBytes(Signature.byteCount)
            )
        } else {
            admission = nil
        }
    }

    func write(to writer: inout ByteWriter) {
        writer.writeVarint(RelayFrame.protocolVersion)
        writer.write(space)
        writer.write(device)
        writer.write(signature)
        writer.write(admission == nil ? 0 : 1 as UInt8)
        if let admission {
            writer.write(admission.invite)
            writer.write(admission.signature)
        }
    }
}

extension Position {
    init(from reader: inout ByteReader) throws(WireError) {
        log = try reader.readIdentifier()
        offset = try reader.readOffset()
    }

    func write(to writer: inout ByteWriter) {
        writer.write(log)
        writer.write(offset.value)
    }
}

extension Welcome {
    init(from reader: inout ByteReader) throws(WireError) {
        let accessStart = reader.byteOffset
        let list = try reader.readBlob(limit: Limits.maximumFrameByteCount)
        if list.isEmpty {
            access = nil
        } else {
            do {
                access = try AccessList(decoding: list)
            } catch {
                throw .invalid(reason: "the access list does not parse", byteOffset: accessStart)
            }
        }
        let count = try reader.readCount(limit: Limits.maximumLogCount)
        var logs: [Log] = []
        for _ in 0..<count {
            let log = Log(
                descriptor: try LogDescriptor(from: &reader),
                start: try reader.readOffset(),
                startChain: try reader.readIdentifier(),
                end: try reader.readOffset()
            )
            guard log.start <= log.end else {
                throw .invalid(reason: "a log starts before it ends", byteOffset: reader.byteOffset)
            }
            logs.append(log)
        }
        self.logs = logs
    }

    func write(to writer: inout ByteWriter) {
        writer.writeBlob(access?.bytes ?? [])
        writer.writeVarint(logs.count)
        for log in logs {
            log.descriptor.write(to: &writer)
            writer.write(log.start.value)
            writer.write(log.startChain)
            writer.write(log.end.value)
        }
    }
}

extension EntryRange {
    init(from reader: inout ByteReader) throws(WireError) {
        descriptor = try LogDescriptor(from: &reader)
        from = try reader.readOffset()
        let start = reader.byteOffset
        let count = try reader.readCount(limit: Limits.maximumBatchCount)
        var entries: [[UInt8]] = []
        for _ in 0..<count {
            entries.append(try reader.readBlob(limit: Limits.maximumEntryByteCount))
        }
        self.entries = entries
        head = try Head(from: &reader)
        guard count > 0, head.end.value == from.value + UInt64(count) else {
            throw .invalid(reason: "a range ends on its head", byteOffset: start)
        }
    }

    func write(to writer: inout ByteWriter) {
        descriptor.write(to: &writer)
        writer.write(from.value)
        writer.writeVarint(entries.count)
        for entry in entries { writer.writeBlob(entry) }
        head.write(to: &writer)
    }
}

extension Ack {
    init(from reader: inout ByteReader) throws(WireError) {
        log = try reader.readIdentifier()
        end = try reader.readOffset()
        chain = try reader.readIdentifier()
    }

    /// Bytes of the frame that carries an ack.
    public static let frameByteCount = 1 + 32 + 8 + 32

    /// Writes the whole frame.
    public func writeFrame(to writer: inout ByteWriter) {
        writer.write(RelayFrame.Tag.ack.rawValue)
        writer.write(log)
        writer.write(end.value)
        writer.write(chain)
    }
}

extension Refusal {
    init(from reader: inout ByteReader) throws(WireError) {
        code = Code(rawValue: try reader.readVarint())
        let start = reader.byteOffset
        let parts = try reader.readByte()
        guard parts < 4 else {
            throw .invalid(reason: "a refusal has no such part", byteOffset: start)
        }
        position = parts & 1 != 0 ? try Position(from: &reader) : nil
        if parts & 2 != 0 {
            let seconds = try reader.readCount(limit: Limits.maximumRetrySeconds)
            retryAfter = .seconds(seconds)
        } else {
            retryAfter = nil
        }
        reason = try reader.readText(limit: Limits.maximumReasonByteCount)
    }

    func write(to writer: inout ByteWriter) {
        writer.writeVarint(code.rawValue)
        writer.write((position == nil ? 0 : 1) | (retryAfter == nil ? 0 : 2) as UInt8)
        position?.write(to: &writer)
        if let retryAfter { writer.writeVarint(Refusal.wholeSeconds(of: retryAfter)) }
        writer.writeBlob(Refusal.clipped(reason))
    }

    /// Rounded up, so that nobody comes back too early.
    private static func wholeSeconds(of duration: Duration) -> Int {
        let (seconds, rest) = duration.components
        let rounded = rest > 0 && seconds < .max ? seconds + 1 : seconds
        return Int(min(max(rounded, 0), Int64(Limits.maximumRetrySeconds)))
    }

    private static func clipped(_ reason: String) -> [UInt8] {
        var text = reason
        while text.utf8.count > Limits.maximumReasonByteCount { text.removeLast() }
        return Array(text.utf8)
    }
}

extension ByteReader {
    /// A byte that is 0 or 1.
    /// - Throws: `truncated`, `invalid`.
    public mutating func readFlag() throws(WireError) -> Bool {
        let start = byteOffset
        switch try readByte() {
        case 0: return false
        case 1: return true
        default: throw .invalid(reason: "a flag is 0 or 1", byteOffset: start)
        }
    }

    mutating func readProtocolVersion() throws(WireError) {
        let start = byteOffset
        let version = try readVarint()
        guard version == RelayFrame.protocolVersion else {
            throw .unknown(field: "protocol version", value: version, byteOffset: start)
        }
    }
}
