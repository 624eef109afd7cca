import Foundation
import GRDB
import SennitWire
import Testing

@testable import RelayCore

struct SQLiteStorageTests {
    let directory = TestDirectory()
    let founder = TestDevice(1)

    private var path: String { directory.path + "/" + SQLiteStorage.fileName }

    private func contents() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    private func write(_ data: Data) throws { try data.write(to: URL(fileURLWithPath: path)) }

    /// A closed storage with one log of ten batches.
    private func fill() throws -> TestLog {
        var log = TestLog(founder, founder.genesis().spaceID)
        _ = log.add(count: 10, byteCount: 3000)
        let storage = try SQLiteStorage(directory: directory.path)
        try storage.commit([
            .createSpace(founder.genesis()), .createLog(log.descriptor, space: log.space),
        ])
        for index in 0..<10 {
            try storage.commit([.append(log.batch(index, index + 1), log: log.id)])
        }
        try storage.close()
        return log
    }

    @Test func `what was committed and the relay's name are there after opening again`() throws {
        let name = try SQLiteStorage(directory: directory.path).relayName
        let log = try fill()
        let storage = try SQLiteStorage(directory: directory.path)
        #expect(storage.relayName == name)
        let range = try storage.range(of: log.id, descriptor: log.descriptor, from: .zero)
        #expect(range == log.range(0, 10))
    }

    @Test func `files are the owner's alone`() throws {
        let storage = try SQLiteStorage(directory: directory.path)
        try storage.commit([.createSpace(founder.genesis())])
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(directory.path) == 0o700)
        #expect(try mode(path) == 0o600)
        #expect(try mode(path + "-wal") == 0o600)
        #expect(!FileManager.default.fileExists(atPath: path + "-shm"))
        try storage.close()
    }

    @Test func `a second opening is refused while the first lasts`() throws {
        let first = try SQLiteStorage(directory: directory.path)
        #expect(throws: RelayError.inUse(path: path)) {
            _ = try SQLiteStorage(directory: directory.path)
        }
        try first.close()
        try SQLiteStorage(directory: directory.path).close()
    }

    @Test func `what isn't a relay's storage is refused and left alone`() throws {
        try FileManager.default.createDirectory(
            atPath: directory.path,
            withIntermediateDirectories: true
        )
        let garbage = [Data(), Data("hello".utf8), Data(repeating: 7, count: 9000)]
        for data in garbage + [try other()] {
            try write(data)
            #expect(throws: RelayError.notRelayStorage(path: path)) {
                _ = try SQLiteStorage(directory: directory.path)
            }
            #expect(try contents() == data)
        }
    }

    private func other() throws -> Data {
        let otherPath = directory.path + "/other.sqlite"
        let queue = try DatabaseQueue(path: otherPath)
        try queue.write { try $0.execute(sql: "CREATE TABLE note (text)") }
        try queue.close()
        return try Data(contentsOf: URL(fileURLWithPath: otherPath))
    }

    @Test func `a storage of a newer format is refused`() throws {
        _ = try fill()
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 2") }
        try queue.close()
        #expect(throws: RelayError.newerFormat(path: path, version: 2)) {
            _ = try SQLiteStorage(directory: directory.path)
        }
    }

    @Test func `damage to the file's structure is refused and left alone`() throws {
        _ = try fill()
        var data = try contents()
        data.replaceSubrange(4096 * 4..<4096 * 5, with: Data(repeating: 0xAA, count: 4096))
        try write(data)
        let error = #expect(throws: RelayError.self) {
            _ = try SQLiteStorage(directory: directory.path)
        }
        guard case .damagedFile(path, _) = error else {
            Issue.record("it is \(String(describing: error))")
            return
        }
        #expect(try contents() == data)
    }

    @Test func `a full disk refuses the commit, reads go on and less may fit`() throws {
        try SQLiteStorage(directory: directory.path).close()
        let storage = try SQLiteStorage(directory: directory.path, maximumPageCount: 40)
        var log = TestLog(founder, founder.genesis().spaceID)
        _ = log.add([[1]])
        try storage.commit([
            .createSpace(founder.genesis()), .createLog(log.descriptor, space: log.space),
            .append(log.batch(0, 1), log: log.id),
        ])
        _ = log.add([[UInt8](repeating: 1, count: 200_000)])
        let error = #expect(throws: RelayError.self) {
            try storage.commit([.append(log.batch(1, 2), log: log.id)])
        }
        guard case .storage(path, _) = error else {
            Issue.record("it is \(String(describing: error))")
            return
        }
        #expect(try storage.log(log.id)?.head == log.head(1))
        let range = try storage.range(of: log.id, descriptor: log.descriptor, from: .zero)
        #expect(range == log.range(0, 1))
        var other = TestLog(founder, log.space, incarnation: 1)
        _ = other.add([[2]])
        try storage.commit([
            .createLog(other.descriptor, space: log.space),
            .append(other.batch(0, 1), log: other.id),
        ])
        #expect(try storage.log(other.id)?.head == other.head(1))
    }

    @Test func `a commit that fails half-way leaves nothing`() throws {
        let storage = try SQLiteStorage(directory: directory.path)
        var log = TestLog(founder, founder.genesis().spaceID)
        _ = log.add(count: 2)
        #expect(throws: RelayError.self) {
            try storage.commit([
                .createSpace(founder.genesis()), .createLog(log.descriptor, space: log.space),
                .append(log.batch(0, 1), log: log.id), .append(log.batch(0, 1), log: log.id),
            ])
        }
        #expect(try storage.spaces() == [])
        #expect(try storage.log(log.id) == nil)
    }

    @Test func `a walk proves every entry`() throws {
        _ = try fill()
        let report = try StorageCheck.run(on: SQLiteStorage(directory: directory.path))
        #expect(report.damages == [])
        #expect(report.spaceCount == 1)
        #expect(report.logCount == 1)
        #expect(report.entryCount == 10)
        #expect(report.byteCount == 30_000)
    }

    @Test(arguments: [
        ("UPDATE batch SET entries = zeroblob(length(entries)) WHERE end = 4", 3),
        ("UPDATE batch SET entries = (SELECT entries FROM batch WHERE end = 9) WHERE end = 4", 3),
        ("UPDATE batch SET head = (SELECT head FROM batch WHERE end = 9) WHERE end = 4", 4),
        ("DELETE FROM batch WHERE end = 4", 3),
        ("DELETE FROM batch WHERE end = 1", 0),
        ("UPDATE batch SET first = 2 WHERE end = 4", 2),
    ])
    func `a walk names the log and offset of what was changed`(sql: String, at offset: Int) throws {
        let log = try fill()
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
        let report = try StorageCheck.run(on: SQLiteStorage(directory: directory.path))
        guard case .damagedLog(log.id, Offset(UInt64(offset)), _) = report.damages.first else {
            Issue.record("it found \(report.damages)")
            return
        }
        #expect(report.damages.count == 1)
    }

    @Test func `a walk finds a forged signature`() throws {
        let log = try fill()
        let queue = try DatabaseQueue(path: path)
        let head = log.head(10)
        var forged = head.signature
        forged[0] ^= 1
        let bad = Head(
            end: head.end,
            chain: head.chain,
            byteCount: head.byteCount,
            membership: head.membership,
            epoch: head.epoch,
            signature: forged
        )
        try queue.write {
            try $0.execute(sql: "UPDATE batch SET head = ? WHERE end = 10", arguments: [bad.data])
        }
        try queue.close()
        let report = try StorageCheck.run(on: SQLiteStorage(directory: directory.path))
        let reason = "the head's signature is wrong"
        guard case .damagedLog(log.id, Offset(10), reason) = report.damages.first else {
            Issue.record("it found \(report.damages)")
            return
        }
    }
}

/// Matches an associated value that is equal.
func ~= (pattern: Offset, value: Offset) -> Bool { pattern == value }
