import Foundation
import GRDB
import RelayCore
import SennitWire
import Testing

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
    enum Kind: CaseIterable { case memory, sqlite }

    let directory = TestDirectory()
    let founder = TestDevice(1)

    private func make(_ kind: Kind) throws -> any RelayStorage {
        switch kind {
        case .memory: MemoryStorage()
        case .sqlite: try SQLiteStorage(directory: directory.path)
        }
    }

    @Test(arguments: Kind.allCases)
    func `what was never stored isn't there`(kind: Kind) throws {
        let storage = try make(kind)
        let log = TestLog(founder, founder.genesis().spaceID)
        #expect(try storage.spaces() == [])
        #expect(try storage.space(log.space) == nil)
        #expect(try storage.logs(of: log.space) == [])
        #expect(try storage.log(log.id) == nil)
        #expect(try storage.head(of: log.id, endingAt: Offset(1)) == nil)
        #expect(try storage.range(of: log.id, descriptor: log.descriptor, from: .zero) == nil)
    }

    @Test(arguments: Kind.allCases)
    func `a space keeps its list and its admissions`(kind: Kind) throws {
        let storage = try make(kind)
        let genesis = founder.genesis()
        let space = genesis.spaceID
        let list = founder.accessList(space, devices: [(founder, .all)])
        let (one, two, invite) = (TestDevice(2).key, TestDevice(3).key, TestDevice(4).key)
        try storage.commit([.createSpace(genesis), .createSpace(founder.genesis(1))])
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
    }

    @Test(arguments: Kind.allCases)
    func `ranges start anywhere and end on a stored head`(kind: Kind) throws {
        let storage = try make(kind)
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
    }

    @Test(arguments: Kind.allCases)
    func `a range keeps to its bounds unless one batch is over them`(kind: Kind) throws {
        let storage = try make(kind)
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
    }

    @Test(arguments: Kind.allCases)
    func `logs are listed by space and in order`(kind: Kind) throws {
        let storage = try make(kind)
        let spaces = [founder.genesis(0), founder.genesis(1)]
        try storage.commit(spaces.map { .createSpace($0) })
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
    }
}
