import Dispatch
import SennitWire
import Synchronization

/// Devices, each in a space of its own, append with so many appends in flight.
///
/// A space each keeps fan-out away: what is measured is the way to the disk and back.
struct AppendScenario {
    let settings: Settings

    func run() throws -> Outcome {
        var outcome = settings.outcome("append")
        let devices = (0..<settings.connections).map {
            LoadDevice(founder: settings.seed &* 1_000_003 &+ UInt64($0))
        }
        let share = max(2, settings.count / settings.connections)
        let streams = AppendScenario.sign(
            devices,
            count: share,
            entryCount: settings.batch,
            entryByteCount: settings.payload
        )
        var feeders: [Feeder] = []
        var progress = ProgressLine("connecting")
        for (device, stream) in zip(devices, streams) {
            progress.show(feeders.count, of: devices.count)
            let connection = try LoadConnection(port: settings.port, founder: device)
            feeders.append(Feeder(connection, stream, window: settings.window))
        }
        progress.finish()
        defer { for feeder in feeders { feeder.connection.socket.close() } }
        var poller = try Poller()
        defer { poller.close() }
        for (index, feeder) in feeders.enumerated() {
            feeder.connection.socket.stopBlocking()
            try poller.add(feeder.connection.socket, index: index)
        }
        // The first append of each makes its log; that is paid before the clock starts.
        var warmUp = Histogram()
        try drive(&feeders, &poller, until: 1, seconds: settings.patience, &warmUp)
        let stopwatch = Stopwatch(settings.relay)
        let before = feeders.reduce(0) { $0 + $1.ackedCount }
        try drive(&feeders, &poller, until: .max, seconds: settings.seconds, &outcome.latencies)
        stopwatch.stop(&outcome)
        let appends = feeders.reduce(0) { $0 + $1.ackedCount } - before
        outcome.operations = appends * settings.batch
        outcome.byteCount = outcome.operations * settings.payload
        if feeders.allSatisfy(\.isDone) { outcome.note = "all that was signed is stored" }
        return outcome
    }

    /// Keeps every window full until `limit` appends of each are acked or the time is over; then
    /// waits for what is in flight.
    private func drive(
        _ feeders: inout [Feeder],
        _ poller: inout Poller,
        until limit: Int,
        seconds: Double,
        _ latencies: inout Histogram
    ) throws {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let end = System.now + UInt64(seconds * 1e9)
        let lastEnd = end + UInt64(settings.patience * 1e9)
        var progress = ProgressLine("appending")
        for index in feeders.indices { try feeders[index].pump(limit: limit, poller, index: index) }
        while true {
            let now = System.now
            let isOver = now >= end
            // A finished connection has nothing in flight and nothing to send.
            let isIdle = feeders.allSatisfy { $0.inFlightCount == 0 }
            if isIdle, isOver || feeders.allSatisfy({ $0.isDone || $0.ackedCount >= limit }) {
                break
            }
            guard now < lastEnd else { throw LoadFailure.closed(during: "the last acks") }
            for event in poller.wait(milliseconds: 100) {
                let index = event.index
                if event.isReadable { try feeders[index].receive(&buffer, &latencies) }
                let target = isOver ? feeders[index].sentCount : limit
                try feeders[index].pump(limit: target, poller, index: index)
            }
            progress.show(feeders.reduce(0) { $0 + $1.ackedCount }, of: settings.count)
        }
        progress.finish()
    }

    /// Signs on all cores: a signature costs more than everything else here.
    static func sign(
        _ devices: [LoadDevice],
        count: Int,
        entryCount: Int,
        entryByteCount: Int
    ) -> [AppendStream] {
        let streams = Mutex([Int: AppendStream]())
        let progress = Mutex(ProgressLine("signing for device"))
        DispatchQueue.concurrentPerform(iterations: devices.count) { index in
            var log = devices[index].makeLog()
            let stream = AppendStream(
                &log,
                count: count,
                entryCount: entryCount,
                entryByteCount: entryByteCount
            )
            let done = streams.withLock { streams in
                streams[index] = stream
                return streams.count
            }
            progress.withLock { $0.show(done, of: devices.count) }
        }
        progress.withLock { $0.finish() }
        return streams.withLock { streams in devices.indices.compactMap { streams[$0] } }
    }
}
