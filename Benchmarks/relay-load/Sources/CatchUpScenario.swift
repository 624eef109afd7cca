import SennitWire

/// A space is filled, then one device that has nothing reads all of it. An operation is an entry.
struct CatchUpScenario {
    let settings: Settings

    func run() throws -> Outcome {
        var outcome = settings.outcome("catchup")
        let writer = LoadDevice(founder: settings.seed &* 1_000_003)
        let expected = try fill(writer)
        var connection = try LoadConnection(port: settings.port, founder: writer)
        defer { connection.socket.close() }
        outcome.residentByteCountBefore = settings.relay.memory.resident
        let stopwatch = Stopwatch(settings.relay)
        try connection.send(.subscribe([]))
        var buffer = [UInt8](repeating: 0, count: 4 << 20)
        var end: UInt64 = 0
        var isCaughtUp = false
        var progress = ProgressLine("entries read")
        var at = System.now
        while !isCaughtUp {
            let start = connection.scanner.begin(&buffer)
            guard let count = try connection.socket.receive(&buffer, at: start) else {
                throw LoadFailure.closed(during: "catching up")
            }
            try connection.scanner.scan(buffer, count: start + count) { found in
                guard found.opcode == 2 else { return }
                isCaughtUp = isCaughtUp || buffer[found.start] == 4
                guard buffer[found.start] == 3 else { return }
                let range = EntriesPrefix(buffer, at: found.start)
                guard range.from == end else { throw LoadFailure.unexpected(frame: "a gap") }
                end += range.count
                let now = System.now
                outcome.latencies.add(now - at)
                at = now
            }
            progress.show(Int(end), of: expected)
        }
        progress.finish()
        stopwatch.stop(&outcome)
        guard Int(end) == expected else {
            throw LoadFailure.unexpected(frame: "caughtUp at \(end) of \(expected)")
        }
        outcome.operations = expected
        outcome.byteCount = expected * settings.payload
        outcome.note = "latencies are those between two frames"
        return outcome
    }

    /// Appends `count` batches.
    /// - Returns: how many entries there are.
    private func fill(_ writer: LoadDevice) throws -> Int {
        var log = writer.makeLog()
        let connection = try LoadConnection(port: settings.port, founder: writer)
        connection.socket.stopBlocking()
        defer { connection.socket.close() }
        var poller = try Poller()
        defer { poller.close() }
        try poller.add(connection.socket, index: 0)
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var unused = Histogram()
        var progress = ProgressLine("filling: appends stored")
        var done = 0
        var scanner = FrameScanner()
        // In parts, so that a gigabyte is never laid out at once.
        while done < settings.count {
            let part = min(256, settings.count - done)
            let stream = AppendStream(
                &log,
                count: part,
                entryCount: settings.batch,
                entryByteCount: settings.payload
            )
            var feeder = Feeder(connection, stream, window: settings.window)
            feeder.connection.scanner = scanner
            while !feeder.isDone {
                try feeder.pump(limit: .max, poller, index: 0)
                for event in poller.wait(milliseconds: 1000) where event.isReadable {
                    try feeder.receive(&buffer, &unused)
                }
            }
            scanner = feeder.connection.scanner
            done += part
            progress.show(done, of: settings.count)
        }
        progress.finish()
        return settings.count * settings.batch
    }
}
