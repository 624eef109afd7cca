import SennitWire

/// Sends a stream of appends with so many in flight, and takes the acks.
struct Feeder {
    var connection: LoadConnection
    let stream: AppendStream
    /// Appends that are sent and not acked yet, at most.
    let window: Int

    private(set) var ackedCount = 0
    private(set) var sentCount = 0
    private var sentByteCount = 0
    private var sentAt: [UInt64] = []
    private var isWriting = false
    // An ack of this log begins so.
    private let ackPrefix: [UInt8]

    var isDone: Bool { ackedCount == stream.ends.count }
    var inFlightCount: Int { sentCount - ackedCount }

    init(_ connection: LoadConnection, _ stream: AppendStream, window: Int) {
        self.connection = connection
        self.stream = stream
        self.window = window
        let ack = Ack(log: stream.log, end: .zero, chain: ChainHash(value: .zero))
        ackPrefix = Array(RelayFrame.ack(ack).bytes.prefix(1 + Bytes32.byteCount))
        sentAt.reserveCapacity(stream.ends.count)
    }

    /// When the append with this index was handed to the kernel.
    func sendTime(of index: Int) -> UInt64 { sentAt[index] }

    /// Sends what the window, the stream and `limit` (a count of appends) allow.
    mutating func pump(limit: Int, _ poller: Poller, index: Int) throws {
        let target = min(ackedCount + window, stream.ends.count, limit)
        if target > sentCount {
            let now = System.now
            while sentCount < target {
                sentAt.append(now)
                sentCount += 1
            }
        }
        guard sentCount > 0 else { return }
        let end = stream.ends[sentCount - 1]
        while sentByteCount < end {
            let count = try connection.socket.send(
                stream.bytes,
                from: sentByteCount,
                count: end - sentByteCount
            )
            if count == 0 { break }
            sentByteCount += count
        }
        let isBehind = sentByteCount < end
        guard isBehind != isWriting else { return }
        isWriting = isBehind
        try poller.set(connection.socket, index: index, isWriting: isBehind)
    }

    /// Takes what came from the relay.
    mutating func receive(_ buffer: inout [UInt8], _ latencies: inout Histogram) throws {
        let start = connection.scanner.begin(&buffer)
        guard let count = try connection.socket.receive(&buffer, at: start) else {
            throw LoadFailure.closed(during: "appending")
        }
        let now = System.now
        var acked = ackedCount
        let offsets = stream.offsets
        let log = stream.log
        let sent = sentCount
        let expected = ackPrefix
        try connection.scanner.scan(buffer, count: start + count) { found throws in
            guard let end = try Feeder.ackedEnd(found, in: buffer, of: log, expected) else {
                return
            }
            while acked < sent, offsets[acked] <= end { acked += 1 }
        }
        while ackedCount < acked {
            latencies.add(now - sentAt[ackedCount])
            ackedCount += 1
        }
    }

    /// The log's end that a frame acknowledges; `nil` for frames that are no answer to an append.
    private static func ackedEnd(
        _ found: FrameScanner.Found,
        in buffer: [UInt8],
        of log: LogID,
        _ expected: [UInt8]
    ) throws -> UInt64? {
        // Nearly always it is the ack of this log, and looking at its bytes is enough.
        let offset = found.start + expected.count
        if found.payloadByteCount == Ack.frameByteCount,
            buffer[found.start..<offset].elementsEqual(expected)
        {
            return buffer[offset..<(offset + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard found.opcode == 2, found.payloadByteCount <= FrameScanner.prefixByteCount else {
            return nil
        }
        let bytes = Array(buffer[found.start..<(found.start + found.payloadByteCount)])
        guard let type = bytes.first, type == 5 || type == 6 else { return nil }
        let frame: RelayFrame
        do { frame = try RelayFrame(decoding: bytes) } catch {
            throw LoadFailure.unreadable(what: "\(error)")
        }
        guard case .ack(let ack) = frame else { throw LoadConnection.failure(frame) }
        return ack.log == log ? ack.end.value : nil
    }
}
