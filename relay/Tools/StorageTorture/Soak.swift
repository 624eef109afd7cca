import Foundation
import RelayStorage
import SennitWire
import Synchronization

/// Appends to a few logs until it is killed, and says on standard output what was acked.
final class Appender: Sendable {
    static let logCount = 24

    private struct State {
        var ends: [UInt64]
        var dice: Dice
        var lines: [UInt8] = []
    }

    private let storage: SegmentStorage
    private let logs = (0..<Appender.logCount).map { NumberedLog($0, entryByteCount: 20 + $0 * 40) }
    private let state: Mutex<State>

    init(_ directory: String, seed: UInt64) throws {
        var options = SegmentStorage.Options()
        options.segmentByteCount = 256 << 10
        options.checkpointSegmentCount = 2
        storage = try SegmentStorage(directory: directory, options: options)
        for damage in storage.damages { throw damage }
        if try storage.space(NumberedLog.space) == nil {
            try storage.commit([.createSpace(NumberedLog.genesis)])
        }
        var ends: [UInt64] = []
        for log in logs { ends.append(try storage.log(log.id)?.end.value ?? 0) }
        state = Mutex(State(ends: ends, dice: Dice(state: seed)))
    }

    func run() throws -> Never {
        for log in logs where try storage.log(log.id) == nil {
            try storage.commit([.createLog(log.descriptor, space: NumberedLog.space)])
        }
        for index in logs.indices { submit(index) }
        while true {
            sleep(1)
            _ = try storage.compact(maximumLiveShare: 0.8)
        }
    }

    /// One append, and the next when it is acked. Now and then the log's past is deleted.
    private func submit(_ index: Int) {
        let (from, end, deletes) = state.withLock { state in
            let count = UInt64.random(in: 1...5, using: &state.dice)
            let from = state.ends[index]
            state.ends[index] += count
            return (from, from + count, from > 50 && state.dice.next() % 200 == 0)
        }
        let log = logs[index]
        var units: [StorageUnit] = [[.append(log.batch(from, end), log: log.id)]]
        if deletes { units.insert([.truncate(log.batch(from - 1, from).head, log: log.id)], at: 0) }
        storage.submit(units) { [self] results in
            guard results.allSatisfy({ $0 == nil }) else { exit(3) }
            write(Array("\(index) \(end)\n".utf8))
            submit(index)
        }
    }

    private func write(_ line: [UInt8]) { FileHandle.standardOutput.write(Data(line)) }
}

/// Starts the appender, kills it, and checks that what it said is acked is there.
struct Soak {
    private let directory: String
    private var dice: Dice
    private var acked = [UInt64](repeating: 0, count: Appender.logCount)
    private var ackCount = 0

    init(_ directory: String, seed: UInt64) {
        self.directory = directory
        dice = Dice(state: seed)
    }

    mutating func run(iterations: Int) throws {
        for _ in 0..<iterations {
            try live()
            try check()
        }
        print("\(iterations) kills, \(ackCount) acked appends, none lost")
    }

    private mutating func live() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["append", directory, String(dice.next() >> 2)]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let id = process.processIdentifier
        let delay = UInt32.random(in: 5_000...400_000, using: &dice)
        Thread.detachNewThread {
            usleep(delay)
            kill(id, SIGKILL)
        }
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        guard process.terminationReason == .uncaughtSignal else {
            throw Failure("the process ended by itself: \(process.terminationStatus)")
        }
        // A last line without its end may be half of one.
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let parts = line.split(separator: " ").compactMap { UInt64($0) }
            guard parts.count == 2 else { throw Failure("the line \(line)") }
            acked[Int(parts[0])] = max(acked[Int(parts[0])], parts[1])
            ackCount += 1
        }
    }

    private func check() throws {
        var options = SegmentStorage.Options()
        options.fillsAhead = false
        let storage = try SegmentStorage(directory: directory, options: options)
        for damage in storage.damages { throw damage }
        for index in acked.indices where acked[index] > 0 {
            let log = NumberedLog(index, entryByteCount: 20 + index * 40)
            guard let record = try storage.log(log.id), record.end.value >= acked[index] else {
                throw Failure("log \(index) was acked up to \(acked[index])")
            }
            var next = record.start?.end.value ?? 0
            while next < record.end.value {
                let batches = try storage.batches(
                    of: log.id,
                    from: Offset(next),
                    maximumCount: 256,
                    maximumByteCount: 1 << 18
                )
                for batch in batches {
                    guard batch == log.batch(next, batch.end.value) else {
                        throw Failure("log \(index) has other bytes at \(next)")
                    }
                    next = batch.end.value
                }
                guard !batches.isEmpty else { throw Failure("log \(index) ends at \(next)") }
            }
        }
        try storage.close()
    }
}

/// What was found wrong.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
