import Foundation
import RelayStorage
import SennitWire
import Synchronization
import Testing

#if PostgreSQL
import PostgresServer
import RelayPostgres
#endif

/// A folder of its own for a test, removed with it.
final class TestDirectory {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.path + "/relay-test-" + UUID().uuidString
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// What any storage must do.
struct StorageConformanceTests {
    enum Kind: CaseIterable {
        case memory, segments
        #if PostgreSQL
        case postgres, postgresShards
        #endif

        func make(_ directory: String) throws -> any RelayStorage {
            switch self {
            case .memory: MemoryStorage()
            case .segments: try SegmentStorage(directory: directory, options: .small)
            #if PostgreSQL
            case .postgres: try PostgresStorage(PostgresServer.shared().schemas(1))
            case .postgresShards: try PostgresStorage(PostgresServer.shared().schemas(3))
            #endif
            }
        }

        /// Those that can be tested here.
        static var allCases: [Kind] {
            #if PostgreSQL
            if PostgresServer.programs != nil {
                return [.memory, .segments, .postgres, .postgresShards]
            }
            #endif
            return [.memory, .segments]
        }
    }

    let directory = TestDirectory()
    let founder = TestDevice(1)

    @Test(arguments: Kind.allCases)
    func `what was never stored isn't there`(kind: Kind) throws {
        let storage = try kind.make(directory.path)
        let log = TestLog(founder, founder.genesis().spaceID)
        #expect(try storage.spaces() == [])
        #expect(try storage.space(log.space) == nil)
        #expect(try storage.logs(of: log.space) == [])
        #expect(try storage.log(log.id) == nil)
        #expect(try storage.head(of: log.id, endingAt: Offset(1)) == nil)
        #expect(try storage.range(of: log.id, descriptor: log.descriptor, from: .zero) == nil)
        #expect(try storage.usage(of: log.space) == StorageUsage())
        try storage.close()
    }

    @Test(arguments: Kind.allCases)
    func `a space keeps its list and its admissions`(kind: Kind) throws {
        let storage = try kind.make(directory.path)
        let genesis = founder.genesis()
        let space = genesis.spaceID
        let list = founder.accessList(space, devices: [(founder, .all)])
        let (one, two, invite) = (TestDevice(2).key, TestDevice(3).key, TestDevice(4).key)
        try storage.commit([.createSpace(genesis)])
        try storage.commit([.createSpace(founder.genesis(1))])
        #expect(try storage.spaceCount() == 2)
        #expect(try storage.spaces() == [space, founder.genesis(1).spaceID].sorted())
        try storage.commit([
            .setAccess(list), .admit(device: one, invite: invite, space: space),
            .admit(device: two, invite: invite, space: space),
        ])
        #expect(
            try storage.space(space)
                == SpaceRecord(
                    genesis: genesis,
                    access: list,
                    admissions: [one: invite, two: invite]
                )
        )
        try storage.commit([.forget(devices: [one], space: space)])
        #expect(try storage.space(space)?.admissions == [two: invite])
        #expect(try storage.space(founder.genesis(1).spaceID)?.admissions == [:])
        try storage.close()
    }

    @Test(arguments: Kind.allCases)
    func `ranges start anywhere and end on a stored head`(kind: Kind) throws {
        let storage = try kind.make(directory.path)
        var log = TestLog(founder, founder.genesis().spaceID)
        _ = log.add(count: 12)
        try storage.commit([
            .createSpace(founder.genesis()), .createLog(log.descriptor, space: log.space),
            .append(log.batch(0, 3), log: log.id), .append(log.batch(3, 4), log: log.id),
            .append(log.batch(4, 12), log: log.id),
        ])
        for from in 0..<12 {
            let range = try storage.range(
                of: log.id,
                descriptor: log.descriptor,
                from: Offset(UInt64(from))
            )
            #expect(range == log.range(from, 12))
        }
        let end = try storage.range(of: log.id, descriptor: log.descriptor, from: Offset(12))
        #expect(end == nil)
        #expect(try storage.head(of: log.id, endingAt: Offset(4)) == log.head(4))
        #expect(try storage.head(of: log.id, endingAt: Offset(5)) == nil)
        let record = LogRecord(space: log.space, descriptor: log.descriptor, head: log.head(12))
        #expect(try storage.log(log.id) == record)
        #expect(try storage.logs(of: log.space) == [record])
        #expect(try storage.logCount(of: log.space) == 1)
        let usage = StorageUsage(logCount: 1, entryCount: 12, byteCount: 96)
        #expect(try storage.usage(of: log.space) == usage)
        try storage.close()
    }

    @Test(arguments: Kind.allCases)
    func `a range keeps to its bounds unless one batch is over them`(kind: Kind) throws {
        let storage = try kind.make(directory.path)
        var log = TestLog(founder, founder.genesis().spaceID)
        _ = log.add(count: 10, byteCount: 100)
        try storage.commit([
            .createSpace(founder.genesis()), .createLog(log.descriptor, space: log.space),
            .append(log.batch(0, 4), log: log.id), .append(log.batch(4, 6), log: log.id),
            .append(log.batch(6, 10), log: log.id),
        ])
        func ends(from: UInt64, count: Int, byteCount: Int) throws -> [UInt64] {
            try storage.batches(
                of: log.id,
                from: Offset(from),
                maximumCount: count,
                maximumByteCount: byteCount
            ).map(\.end.value)
        }
        #expect(try ends(from: 0, count: 6, byteCount: 1000) == [4, 6])
        #expect(try ends(from: 0, count: 5, byteCount: 1000) == [4])
        #expect(try ends(from: 1, count: 5, byteCount: 1000) == [4, 6])
        #expect(try ends(from: 0, count: 10, byteCount: 599) == [4])
        #expect(try ends(from: 0, count: 10, byteCount: 600) == [4, 6])
        #expect(try ends(from: 0, count: 1, byteCount: 1) == [4])
        #expect(try ends(from: 5, count: 100, byteCount: 1000) == [6, 10])
        try storage.close()
    }

    @Test(arguments: Kind.allCases)
    func `logs are listed by space and in order`(kind: Kind) throws {
        let storage = try kind.make(directory.path)
        let spaces = [founder.genesis(0), founder.genesis(1)]
        for space in spaces { try storage.commit([.createSpace(space)]) }
        var expected: [SpaceID: [LogID]] = [:]
        for number in 0..<8 {
            let space = spaces[number % 2].spaceID
            let log = TestLog(TestDevice(UInt8(number)), space)
            try storage.commit([.createLog(log.descriptor, space: space)])
            expected[space, default: []].append(log.id)
        }
        for (space, logs) in expected {
            let records = try storage.logs(of: space)
            #expect(records.map { $0.descriptor.logID(in: space) } == logs.sorted())
            #expect(records.allSatisfy { $0.head == nil })
        }
        try storage.close()
    }

    @Test(arguments: Kind.allCases)
    func `an append that doesn't start at the end is a conflict and its unit is nothing`(
        kind: Kind
    ) throws {
        let storage = try kind.make(directory.path)
        let (one, two) = (FakeLog(1), FakeLog(2))
        try storage.commit([
            .createSpace(one.genesis), .createLog(one.descriptor, space: one.space),
            .createLog(two.descriptor, space: one.space), .append(one.batch(0, 3), log: one.id),
        ])
        for (from, end) in [(0, 4), (2, 4), (4, 5)] as [(UInt64, UInt64)] {
            #expect(throws: StorageError.conflict(log: one.id, end: Offset(3))) {
                try storage.commit([
                    .append(two.batch(0, 1), log: two.id),
                    .append(one.batch(from, end), log: one.id),
                ])
            }
        }
        #expect(try two.read(from: storage)?.end == 0)
        #expect(try one.read(from: storage)?.end == 3)
        try storage.commit([.append(one.batch(3, 4), log: one.id)])
        #expect(try one.read(from: storage)?.ends == [3, 4])
        try storage.close()
    }

    @Test(arguments: Kind.allCases)
    func `what doesn't fit is refused and leaves nothing`(kind: Kind) throws {
        let storage = try kind.make(directory.path)
        let (log, other) = (FakeLog(1), FakeLog(2, space: 1))
        try storage.commit([
            .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
        ])
        let units: [StorageUnit] = [
            [.createSpace(log.genesis)], [.createLog(log.descriptor, space: log.space)],
            [.createLog(other.descriptor, space: other.space)],
            [.append(other.batch(0, 1), log: other.id)], [.removeSpace(other.space)],
            [.createSpace(other.genesis), .createSpace(log.genesis)],
            [.forget(devices: [], space: other.space)],
        ]
        for unit in units {
            let error = #expect(throws: StorageError.self) { try storage.commit(unit) }
            guard case .unfit = error else {
                Issue.record("\(unit) gave \(String(describing: error))")
                continue
            }
        }
        #expect(try storage.spaces() == [log.space])
        try storage.close()
    }

    @Test(arguments: Kind.allCases)
    func `a log truncated at a head starts there and counts what is left`(kind: Kind) throws {
        let storage = try kind.make(directory.path)
        let log = FakeLog(1)
        try storage.commit([
            .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
            .append(log.batch(0, 3), log: log.id), .append(log.batch(3, 5), log: log.id),
            .append(log.batch(5, 9), log: log.id),
        ])
        #expect(throws: StorageError.self) { try storage.delete(below: Offset(4), of: log.id) }
        try storage.delete(below: Offset(5), of: log.id)
        #expect(try log.read(from: storage)?.start == 5)
        #expect(try log.read(from: storage)?.ends == [9])
        #expect(try storage.head(of: log.id, endingAt: Offset(5)) == log.head(5))
        #expect(throws: StorageError.deleted(log: log.id, start: Offset(5))) {
            _ = try storage.batches(
                of: log.id,
                from: Offset(4),
                maximumCount: 9,
                maximumByteCount: 999
            )
        }
        let byteCount = (5..<9).reduce(0) { $0 + UInt64(log.byteCount($1)) }
        let usage = StorageUsage(logCount: 1, entryCount: 4, byteCount: byteCount)
        #expect(try storage.usage(of: log.space) == usage)
        try storage.delete(below: Offset(9), of: log.id)
        try storage.commit([.append(log.batch(9, 10), log: log.id)])
        #expect(try log.read(from: storage)?.ends == [10])
        try storage.close()
    }

    @Test(arguments: Kind.allCases)
    func `a log without entries can begin at a head`(kind: Kind) throws {
        let storage = try kind.make(directory.path)
        let log = FakeLog(1)
        try storage.commit([
            .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
            .truncate(log.head(40), log: log.id), .append(log.batch(40, 41), log: log.id),
        ])
        #expect(try log.read(from: storage)?.start == 40)
        #expect(try log.read(from: storage)?.ends == [41])
        #expect(try storage.usage(of: log.space).entryCount == 1)
        try storage.close()
    }

    @Test(arguments: Kind.allCases)
    func `a removed space is gone with its logs and can be founded again`(kind: Kind) throws {
        let storage = try kind.make(directory.path)
        let (log, other) = (FakeLog(1), FakeLog(2, space: 1))
        for log in [log, other] {
            try storage.commit([
                .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
                .append(log.batch(0, 5), log: log.id),
            ])
        }
        try storage.commit([.removeSpace(log.space)])
        #expect(try storage.spaces() == [other.space])
        #expect(try storage.log(log.id) == nil)
        #expect(try storage.logs(of: log.space) == [])
        #expect(try storage.usage(of: log.space) == StorageUsage())
        #expect(try other.read(from: storage)?.ends == [5])
        try storage.commit([
            .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
            .append(log.batch(0, 2), log: log.id),
        ])
        #expect(try log.read(from: storage)?.ends == [2])
        try storage.close()
    }

    @Test(arguments: Kind.allCases)
    func `units that are submitted without waiting are judged one after the other`(
        kind: Kind
    ) async throws {
        let storage = try kind.make(directory.path)
        let log = FakeLog(1)
        try storage.commit([
            .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
        ])
        let order = Mutex<[UInt64]>([])
        let errors = await withCheckedContinuation { continuation in
            for offset in 0..<64 as Range<UInt64> {
                let good = StorageChange.append(log.batch(offset, offset + 1), log: log.id)
                let late = StorageChange.append(log.batch(offset + 1, offset + 3), log: log.id)
                storage.submit([[late], [good]]) { results in
                    let count = order.withLock { order in
                        if results[1] == nil { order.append(offset) }
                        return order.count
                    }
                    #expect(results[0] != nil)
                    if offset == 63 { continuation.resume(returning: 64 - count) }
                }
            }
        }
        #expect(errors == 0)
        #expect(order.withLock { $0 } == Array(0..<64))
        #expect(try log.read(from: storage)?.end == 64)
        try storage.close()
    }
}

extension SegmentStorage.Options {
    /// Small segments, so that a test has many.
    static var small: SegmentStorage.Options {
        var options = SegmentStorage.Options()
        options.segmentByteCount = 48 << 10
        options.checkpointSegmentCount = 2
        return options
    }

    /// Without threads: every step is the caller's.
    static var inline: SegmentStorage.Options {
        var options = small
        options.hasThreads = false
        return options
    }
}
