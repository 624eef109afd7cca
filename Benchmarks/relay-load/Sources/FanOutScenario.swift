import SennitSeal
import SennitWire

/// One device writes, many read; an operation is one entry that came to one reader.
///
/// The writer stays at most `ahead` appends before the average reader, or the relay would rightly
/// fall back to reading from storage for readers that this one thread can't keep up with.
struct FanOutScenario {
    let settings: Settings

    /// Appends that the writer may be ahead of what was delivered.
    private static let ahead = 512

    private struct Reader {
        let socket: Socket
        var scanner = FrameScanner()
        var end: UInt64 = 0
    }

    func run() throws -> Outcome {
        var outcome = settings.outcome("fanout")
        let writer = LoadDevice(founder: settings.seed &* 1_000_003)
        var log = writer.makeLog()
        let stream = AppendStream(
            &log,
            count: settings.count,
            entryCount: settings.batch,
            entryByteCount: settings.payload
        )
        let writing = try LoadConnection(port: settings.port, founder: writer)
        let audience = AudienceOf(writer, settings)
        try audience.admit()
        var readers = try audience.connect(settings.connections).map { Reader(socket: $0) }
        var slow = SlowReaders(try audience.connect(settings.slow))
        var poller = try Poller()
        defer {
            for reader in readers { reader.socket.close() }
            slow.close()
            writing.socket.close()
            poller.close()
        }
        for (index, reader) in readers.enumerated() {
            reader.socket.stopBlocking()
            try poller.add(reader.socket, index: index)
        }
        var feeder = Feeder(writing, stream, window: settings.window)
        writing.socket.stopBlocking()
        try poller.add(writing.socket, index: readers.count)
        outcome.residentByteCountBefore = settings.relay.memory.resident
        let stopwatch = Stopwatch(settings.relay)
        try drive(&feeder, &readers, &slow, &poller, stopwatch, &outcome)
        stopwatch.stop(&outcome)
        if settings.slow > 0 { outcome.note += "; \(slow.drain())" }
        outcome.byteCount = outcome.operations * settings.payload
        return outcome
    }

    private func drive(
        _ feeder: inout Feeder,
        _ readers: inout [Reader],
        _ slow: inout SlowReaders,
        _ poller: inout Poller,
        _ stopwatch: Stopwatch,
        _ outcome: inout Outcome
    ) throws {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var acks = Histogram()
        var progress = ProgressLine("entries delivered")
        let last = UInt64(settings.count * settings.batch)
        let expected = Int(last) * readers.count
        var frameCount = 0
        while outcome.operations < expected {
            let isOver = stopwatch.elapsed >= settings.seconds
            if isOver, outcome.operations == feeder.ackedCount * settings.batch * readers.count {
                break
            }
            guard stopwatch.elapsed < settings.seconds + settings.patience else {
                throw LoadFailure.closed(during: "the last deliveries")
            }
            let delivered = outcome.operations / readers.count / settings.batch
            let limit = isOver ? feeder.sentCount : delivered + FanOutScenario.ahead
            try feeder.pump(limit: limit, poller, index: readers.count)
            for event in poller.wait(milliseconds: 20) where event.isReadable {
                if event.index == readers.count {
                    try feeder.receive(&buffer, &acks)
                    continue
                }
                // Latency is looked at for every 16th reader; reading the clock costs too.
                let timed = event.index % 16 == 0 ? feeder : nil
                frameCount += try receive(&readers[event.index], &buffer, timed, &outcome)
            }
            slow.read(at: stopwatch.elapsed)
            progress.show(outcome.operations, of: expected)
        }
        progress.finish()
        let perFrame = Double(outcome.operations) / Double(max(frameCount, 1))
        outcome.note =
            "\(Int(perFrame.rounded())) entries in each frame; \(feeder.ackedCount) appends, "
            + "half of them acked within \(Int(acks.microseconds(at: 0.5))) µs"
    }

    /// Takes what came to one reader.
    /// - Returns: how many frames.
    private func receive(
        _ reader: inout Reader,
        _ buffer: inout [UInt8],
        _ timed: Feeder?,
        _ outcome: inout Outcome
    ) throws -> Int {
        let start = reader.scanner.begin(&buffer)
        guard let count = try reader.socket.receive(&buffer, at: start) else {
            throw LoadFailure.closed(during: "fan-out")
        }
        let now = timed == nil ? 0 : System.now
        var frameCount = 0
        var end = reader.end
        var latencies = outcome.latencies
        let batch = UInt64(settings.batch)
        try reader.scanner.scan(buffer, count: start + count) { found in
            guard found.opcode == 2, buffer[found.start] == 3 else { return }
            let range = EntriesPrefix(buffer, at: found.start)
            guard range.from == end else { throw LoadFailure.unexpected(frame: "a gap") }
            end += range.count
            frameCount += 1
            guard let timed else { return }
            for index in Int(range.from / batch)..<Int(end / batch) {
                latencies.add(now - timed.sendTime(of: index))
            }
        }
        outcome.operations += Int(end - reader.end)
        reader.end = end
        if timed != nil { outcome.latencies = latencies }
        return frameCount
    }
}

/// Where an `entries` frame starts and how many entries it has, without looking at the rest.
struct EntriesPrefix {
    let from: UInt64
    let count: UInt64

    /// Type, descriptor, offset, count: SPEC.md section 10.
    init(_ buffer: [UInt8], at start: Int) {
        let offset = start + 1 + 48
        from = buffer[offset..<(offset + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        let low = buffer[offset + 8]
        let high = low & 0x80 == 0 ? 0 : buffer[offset + 9]
        count = UInt64(low & 0x7F) | UInt64(high) << 7
    }
}

/// Readers that read a byte a second.
private struct SlowReaders {
    private let sockets: [Socket]
    private var nextRead = 1.0

    init(_ sockets: [Socket]) {
        self.sockets = sockets
        for socket in sockets { socket.stopBlocking() }
    }

    mutating func read(at elapsed: Double) {
        guard elapsed >= nextRead else { return }
        nextRead += 1
        var byte: [UInt8] = [0]
        for socket in sockets { _ = try? socket.receive(&byte, at: 0) }
    }

    /// Reads what is left, as fast as it comes for a while, to see who was cut off.
    func drain() -> String {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var open = sockets
        let end = System.now + 2_000_000_000
        while System.now < end, !open.isEmpty {
            open = open.filter { socket in
                while let count = try? socket.receive(&buffer, at: 0) {
                    if count == 0 { return true }
                    if System.now >= end { return true }
                }
                return false
            }
        }
        return "\(sockets.count - open.count) of \(sockets.count) slow readers were cut off"
    }

    func close() { for socket in sockets { socket.close() } }
}

/// Readers of one space: a device that the founder's list names, on many connections.
struct AudienceOf {
    private let founder: LoadDevice
    private let reader: LoadDevice
    private let settings: Settings

    init(_ founder: LoadDevice, _ settings: Settings) {
        self.founder = founder
        self.settings = settings
        reader = LoadDevice(member: settings.seed &* 1_000_003 &+ 1, of: founder)
    }

    /// Puts the reader on the list.
    func admit() throws {
        var owner = try LoadConnection(port: settings.port, founder: founder)
        let list = founder.identity.accessList(
            space: founder.space,
            after: nil,
            members: [
                AccessList.Member(kind: .device, key: founder.identity.device, rights: .all),
                AccessList.Member(kind: .device, key: reader.identity.device, rights: [.read]),
            ].sorted { $0.key < $1.key }
        )
        try owner.send(.putAccess(list))
        guard case .access = try owner.next("the access list") else {
            throw LoadFailure.unexpected(frame: "no access list")
        }
        owner.socket.close()
    }

    /// Connects so many readers, subscribes and waits until all are caught up.
    func connect(_ count: Int) throws -> [Socket] {
        var sockets: [Socket] = []
        var progress = ProgressLine("connecting")
        for _ in 0..<count {
            progress.show(sockets.count, of: count)
            var connection = try LoadConnection(port: settings.port)
            try connection.greet(as: reader)
            let frame = try connection.next("the handshake")
            guard case .welcome = frame else { throw LoadConnection.failure(frame) }
            try connection.send(.subscribe([]))
            let word = try connection.next("catching up")
            guard case .caughtUp = word else { throw LoadConnection.failure(word) }
            sockets.append(connection.socket)
        }
        progress.finish()
        return sockets
    }
}
