import Foundation
import RelayStorage
import SennitWire
import Synchronization

/// The store beside the least that could do the same: a loop of one write and one sync.
///
/// Both run in turns in one process on one disk, because a disk's figures change by the minute. The
/// bare loop writes as many bytes in a group as the store did on average, to a file that was filled
/// with zeros.
struct Bench {
    private let directory: String

    init(_ directory: String) { self.directory = directory }

    func run(seconds: Int) throws {
        for (clients, window) in [(64, 1), (8, 64), (1, 1)] {
            for round in 1...3 {
                let store = try measureStore(clients, window, seconds)
                let bare = try measureBare(store.groupByteCount, store.groupCount, seconds)
                print(
                    """
                    \(clients) clients, \(window) in flight, round \(round): \
                    store \(Int(store.rate))/s (p50 \(store.p50) us, p99 \(store.p99) us, \
                    \(store.groupCount) a group), bare \(Int(bare))/s, \
                    share \(Int(100 * store.rate / bare)) %
                    """
                )
            }
        }
    }

    private struct Figures {
        var rate: Double
        var p50: Int
        var p99: Int
        var groupCount: Int
        var groupByteCount: Int
    }

    private final class Client: Sendable {
        let log: NumberedLog
        let state = Mutex<(next: UInt64, acked: UInt64, latencies: [UInt32])>((0, 0, []))
        init(_ log: NumberedLog) { self.log = log }

        func submit(_ storage: SegmentStorage, _ running: Running, _ left: DispatchGroup) {
            let offset = state.withLock { state in
                defer { state.next += 1 }
                return state.next
            }
            let start = ContinuousClock.now
            storage.submit([[.append(log.batch(offset, offset + 1), log: log.id)]]) { [self] _ in
                let time = start.duration(to: .now).components.attoseconds / 1_000_000_000_000
                state.withLock { state in
                    state.acked += 1
                    state.latencies.append(UInt32(clamping: time))
                }
                guard running.flag.withLock({ $0 }) else { return left.leave() }
                submit(storage, running, left)
            }
        }
    }

    private func measureStore(_ clients: Int, _ window: Int, _ seconds: Int) throws -> Figures {
        let path = directory + "/store"
        try? FileManager.default.removeItem(atPath: path)
        let storage = try SegmentStorage(directory: path)
        try storage.commit([.createSpace(NumberedLog.genesis)])
        let all = (0..<clients).map { Client(NumberedLog($0)) }
        for client in all {
            try storage.commit([.createLog(client.log.descriptor, space: NumberedLog.space)])
        }
        // Until the first segment that is filled ahead is in use.
        usleep(500_000)
        let before = storage.figures
        let running = Running()
        let left = DispatchGroup()
        let start = ContinuousClock.now
        for client in all {
            for _ in 0..<window {
                left.enter()
                client.submit(storage, running, left)
            }
        }
        sleep(UInt32(seconds))
        running.flag.withLock { $0 = false }
        left.wait()
        let time = start.duration(to: .now)
        let figures = storage.figures
        try storage.close()
        try? FileManager.default.removeItem(atPath: path)
        let count = all.reduce(0) { $0 + $1.state.withLock { Int($0.acked) } }
        let latencies = all.flatMap { $0.state.withLock { $0.latencies } }.sorted()
        let groups = max(1, Int(figures.syncCount - before.syncCount))
        return Figures(
            rate: Double(count) / time.seconds,
            p50: Int(latencies[latencies.count / 2]),
            p99: Int(latencies[latencies.count * 99 / 100]),
            groupCount: count / groups,
            groupByteCount: Int(figures.byteCount - before.byteCount) / groups
        )
    }

    fileprivate final class Running: Sendable { let flag = Mutex(true) }

    private func measureBare(
        _ byteCount: Int,
        _ groupCount: Int,
        _ seconds: Int
    ) throws -> Double {
        let path = directory + "/bare"
        let file = unsafe open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw Failure("\(path) can't be made") }
        defer {
            close(file)
            try? FileManager.default.removeItem(atPath: path)
        }
        let size = 64 << 20
        let zeros = Data(count: 1 << 20)
        for position in stride(from: 0, to: size, by: zeros.count) {
            try write(zeros, to: file, at: position)
        }
        fsync(file)
        let bytes = Data(repeating: 7, count: byteCount)
        var position = 0
        var count = 0
        let start = ContinuousClock.now
        while start.duration(to: .now) < .seconds(seconds) {
            if position + byteCount > size { position = 0 }
            try write(bytes, to: file, at: position)
            guard fdatasync(file) == 0 else { throw Failure("fdatasync failed") }
            position += byteCount
            count += groupCount
        }
        return Double(count) / start.duration(to: .now).seconds
    }

    private func write(_ bytes: Data, to file: Int32, at position: Int) throws {
        let written = unsafe bytes.withUnsafeBytes { buffer in
            unsafe pwrite(file, buffer.baseAddress, buffer.count, off_t(position))
        }
        guard written == bytes.count else { throw Failure("a write was short") }
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}

/// A store with many logs, and how long it takes to open.
enum Filling {
    static func fill(_ directory: String, logs: Int, entries: Int) throws {
        let storage = try SegmentStorage(directory: directory)
        let start = ContinuousClock.now
        // A space has at most 4096 logs by its limits; storage doesn't mind one with all.
        try storage.commit([.createSpace(NumberedLog.genesis)])
        let done = DispatchSemaphore(value: 64)
        let failure = Mutex<StorageError?>(nil)
        func submit(_ unit: [StorageUnit]) {
            done.wait()
            storage.submit(unit) { results in
                if let error = results.compactMap({ $0 }).first { failure.withLock { $0 = error } }
                done.signal()
            }
        }
        for first in stride(from: 0, to: logs, by: 256) {
            submit(
                (first..<min(first + 256, logs)).map {
                    [.createLog(NumberedLog($0).descriptor, space: NumberedLog.space)]
                }
            )
        }
        let rounds = entries / max(logs, 1)
        for round in 0..<UInt64(rounds) {
            for first in stride(from: 0, to: logs, by: 256) {
                submit(
                    (first..<min(first + 256, logs)).map {
                        let log = NumberedLog($0)
                        return [.append(log.batch(round, round + 1), log: log.id)]
                    }
                )
            }
        }
        for _ in 0..<64 { done.wait() }
        if let error = failure.withLock({ $0 }) { throw error }
        let time = start.duration(to: .now).seconds
        let rate = Double(logs + logs * rounds) / time
        print("\(logs) logs, \(logs * rounds) entries in \(time) s, \(Int(rate)) changes/s")
        kill(getpid(), SIGKILL)
    }

    static func open(_ directory: String) throws {
        let before = residentByteCount()
        let start = ContinuousClock.now
        let storage = try SegmentStorage(directory: directory)
        let opened = start.duration(to: .now)
        let log = NumberedLog(3)
        let end = try storage.log(log.id)?.end.value ?? 0
        try storage.commit([.append(log.batch(end, end + 1), log: log.id)])
        let acked = start.duration(to: .now)
        print(
            """
            open \(opened.seconds) s, first ack \(acked.seconds) s, damages \
            \(storage.damages.count), memory \((residentByteCount() - before) >> 20) MiB more
            """
        )
        let closing = ContinuousClock.now
        try storage.close()
        print("close \(closing.duration(to: .now).seconds) s")
    }

    private static func residentByteCount() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * 4096
    }
}
