import Foundation
import GRDB
import SennitWire
import Synchronization
import Testing

@testable import RelayStorage

/// Backups, restores, migrations and checks.
struct StorageCopyTests {
    let directory = TestDirectory()
    let founder = TestDevice(1)

    /// A storage with two spaces and signed logs; one starts late.
    private func fill(_ storage: any RelayStorage) throws -> [TestLog] {
        var logs: [TestLog] = []
        for number in 0..<4 as Range<UInt8> {
            let genesis = founder.genesis(number / 2)
            if number % 2 == 0 {
                let list = founder.accessList(genesis.spaceID, devices: [(founder, .all)])
                try storage.commit([.createSpace(genesis), .setAccess(list)])
                try storage.commit([
                    .admit(
                        device: TestDevice(9).key,
                        invite: TestDevice(8).key,
                        space: genesis.spaceID
                    )
                ])
            }
            var log = TestLog(founder, genesis.spaceID, incarnation: number)
            _ = log.add(count: 30, byteCount: 100)
            try storage.commit([
                .createLog(log.descriptor, space: log.space),
                .append(log.batch(0, 10), log: log.id),
                .append(log.batch(10, 20), log: log.id), .append(log.batch(20, 30), log: log.id),
            ])
            logs.append(log)
        }
        return logs
    }

    private func expect(_ storage: any StorageReading, has logs: [TestLog]) throws {
        #expect(try storage.spaceCount() == 2)
        for log in logs {
            let space = try #require(try storage.space(log.space))
            #expect(space.access != nil && space.admissions.count == 1)
            #expect(try storage.log(log.id)?.head == log.head(30))
            let last = try storage.range(
                of: log.id,
                descriptor: log.descriptor,
                from: Offset(10)
            )
            #expect(last == log.range(10, 30))
        }
        let report = try StorageCheck.run(on: storage)
        #expect(report.damages == [])
    }

    @Test func `a backup made while appends go on has all that was acked before it`() throws {
        let storage = try SegmentStorage(directory: directory.path + "/data", options: .small)
        let logs = try fill(storage)
        let log = FakeLog(1)
        try storage.commit([
            .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
        ])
        let acked = Mutex<UInt64>(0)
        let isRunning = Mutex(true)
        let ended = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            for offset in 0..<20_000 as Range<UInt64> where isRunning.withLock({ $0 }) {
                let unit: StorageUnit = [.append(log.batch(offset, offset + 1), log: log.id)]
                guard (try? storage.commit(unit)) != nil else { break }
                acked.withLock { $0 = offset + 1 }
            }
            ended.signal()
        }
        var least: [UInt64] = []
        for number in 0..<4 {
            while acked.withLock({ $0 }) < UInt64(number + 1) * 40 { usleep(1000) }
            least.append(acked.withLock { $0 })
            let target = try POSIXFiles(directory.path + "/backup\(number)")
            var progress: [Int] = []
            try storage.backup(to: target) { progress.append($0.byteCount) }
            #expect(progress == progress.sorted() && progress.last ?? 0 > 8192)
            target.close()
        }
        isRunning.withLock { $0 = false }
        ended.wait()
        #expect(storage.damages == [])
        for (number, end) in least.enumerated() {
            let restored = try POSIXFiles(directory.path + "/restored\(number)")
            let usage = try SegmentStorage.restore(
                from: try POSIXFiles(directory.path + "/backup\(number)"),
                to: restored
            )
            #expect(usage.entryCount >= 120 + end)
            restored.close()
            let copy = try SegmentStorage(directory: directory.path + "/restored\(number)")
            #expect(copy.relayName == storage.relayName)
            #expect(try log.read(from: copy)?.end ?? 0 >= end)
            #expect(try copy.log(logs[3].id)?.head == logs[3].head(30))
            try copy.commit([.createSpace(founder.genesis(77))])
            try copy.close()
        }
        let target = try POSIXFiles(directory.path + "/backup0")
        #expect(throws: StorageError.self) { try storage.backup(to: target) }
        try storage.close()
    }

    @Test func `a migration carries everything over and goes on where it was interrupted`() throws {
        let source = MemoryStorage()
        let logs = try fill(source)
        try source.delete(below: Offset(10), of: logs[3].id)
        let disk = SimulatedFiles(seed: 1)
        var isDone = false
        for round in 0..<40 where !isDone {
            let files = round == 0 ? disk : disk.afterPowerCut(seed: UInt64(round))
            let target = try SegmentStorage(
                files: files,
                relayName: source.relayName,
                options: .inline
            )
            if round < 2 { files.fail(8 + round * 6, with: .error("I/O error")) }
            isDone = (try? StorageMigration.run(from: source, to: target)) != nil
            guard isDone else { continue }
            #expect(target.relayName == source.relayName)
            try expect(target, has: Array(logs))
            #expect(try target.log(logs[3].id)?.start == logs[3].head(10))
            let again = try StorageMigration.run(from: source, to: target)
            #expect(again.entryCount == 0 && again.logCount == 4)
        }
        #expect(isDone)
    }

    @Test func `a target that has other entries is refused`() throws {
        let (source, target) = (MemoryStorage(), MemoryStorage())
        let logs = try fill(source)
        try target.commit([
            .createSpace(founder.genesis(0)),
            .createLog(logs[0].descriptor, space: logs[0].space),
            .append(FakeLog(1).batch(0, 3), log: logs[0].id),
        ])
        #expect(throws: StorageError.self) {
            _ = try StorageMigration.run(from: source, to: target)
        }
    }

    @Test func `a check proves every frame, chain and signature`() throws {
        let storage = try SegmentStorage(directory: directory.path, options: .small)
        _ = try fill(storage)
        var steps = 0
        let found = try storage.verify { _ in steps += 1 }
        #expect(found.damages == [])
        #expect(found.logCount == 4 && found.entryCount == 120)
        #expect(found.frameCount == 2 * 3 + 4 * 4)
        #expect(steps >= 5)
        try storage.close()
    }

    @Test func `a check finds a forged chain, head and signature`() throws {
        let log = TestLog(founder, founder.genesis().spaceID)
        var good = log
        _ = good.add(count: 6)
        var other = log
        _ = other.add([[1], [2], [3], [4], [5], [6]])
        let head = good.head(3)
        var forged = head.signature
        forged[0] ^= 1
        let signature = Head(
            end: head.end,
            chain: head.chain,
            byteCount: head.byteCount,
            membership: head.membership,
            epoch: head.epoch,
            signature: forged
        )
        let bad: [(Batch, String)] = [
            (Batch(first: .zero, entries: Array(other.entries[..<3]), head: head), "chain"),
            (Batch(first: .zero, entries: Array(good.entries[..<3]), head: signature), "signature"),
            (
                Batch(
                    first: .zero,
                    entries: Array(good.entries[..<3]),
                    head: good.head(3, byteCountError: 1)
                ), "bytes"
            ),
        ]
        for (number, (batch, reason)) in bad.enumerated() {
            let disk = SimulatedFiles(seed: UInt64(number))
            let storage = try SegmentStorage(files: disk, options: .inline)
            try storage.commit([
                .createSpace(founder.genesis()), .createLog(log.descriptor, space: log.space),
                .append(batch, log: log.id),
            ])
            let found = try storage.verify()
            #expect(found.damages.count == 1 && "\(found.damages)".contains(reason))
            #expect("\(found.damages)".contains(log.id.hex))
        }
    }

    // MARK: The older file

    /// A file as the relay wrote it before it had segments.
    private func writeSQLite(_ logs: [TestLog], version: Int = 1) throws {
        try FileManager.default.createDirectory(
            atPath: directory.path,
            withIntermediateDirectories: true
        )
        let queue = try DatabaseQueue(path: directory.path + "/" + SQLiteStorage.fileName)
        try queue.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE relay (name BLOB NOT NULL);
                    CREATE TABLE space (
                        id INTEGER PRIMARY KEY, space BLOB NOT NULL UNIQUE,
                        genesis BLOB NOT NULL, access BLOB);
                    CREATE TABLE admission (
                        space BLOB NOT NULL, device BLOB NOT NULL, invite BLOB NOT NULL,
                        PRIMARY KEY (space, device)) WITHOUT ROWID;
                    CREATE TABLE log (
                        id INTEGER PRIMARY KEY, log BLOB NOT NULL UNIQUE, space BLOB NOT NULL,
                        device BLOB NOT NULL, incarnation BLOB NOT NULL);
                    CREATE INDEX logOfSpace ON log (space, log);
                    CREATE TABLE batch (
                        id INTEGER PRIMARY KEY, log INTEGER NOT NULL, first INTEGER NOT NULL,
                        end INTEGER NOT NULL, entries BLOB NOT NULL, head BLOB NOT NULL);
                    CREATE UNIQUE INDEX batchOfLog ON batch (log, end);
                    PRAGMA application_id = \(SQLiteStorage.applicationID);
                    PRAGMA user_version = \(version);
                    """
            )
            try db.execute(
                sql: "INSERT INTO relay VALUES (?)",
                arguments: [Data(repeating: 7, count: 32)]
            )
            for number in 0..<2 as Range<UInt8> {
                let genesis = founder.genesis(number)
                let list = founder.accessList(genesis.spaceID, devices: [(founder, .all)])
                try db.execute(
                    sql: "INSERT INTO space (space, genesis, access) VALUES (?, ?, ?)",
                    arguments: [
                        Data(genesis.spaceID.bytes), Data(genesis.bytes), Data(list.bytes),
                    ]
                )
                try db.execute(
                    sql: "INSERT INTO admission VALUES (?, ?, ?)",
                    arguments: [
                        Data(genesis.spaceID.bytes), Data(TestDevice(9).key.bytes),
                        Data(TestDevice(8).key.bytes),
                    ]
                )
            }
            for (number, log) in logs.enumerated() {
                try db.execute(
                    sql: "INSERT INTO log VALUES (?, ?, ?, ?, ?)",
                    arguments: [
                        number + 1, Data(log.id.bytes), Data(log.space.bytes),
                        Data(log.descriptor.device.bytes), Data(log.descriptor.incarnation.bytes),
                    ]
                )
                for first in stride(from: 0, to: 30, by: 10) {
                    var entries = ByteWriter()
                    for entry in log.entries[first..<(first + 10)] { entries.writeBlob(entry) }
                    var head = ByteWriter()
                    log.head(first + 10).write(to: &head)
                    try db.execute(
                        sql: """
                            INSERT INTO batch (log, first, end, entries, head)
                            VALUES (?, ?, ?, ?, ?)
                            """,
                        arguments: [
                            number + 1, first, first + 10, Data(entries.bytes), Data(head.bytes),
                        ]
                    )
                }
            }
        }
        try queue.close()
    }

    private func makeLogs() -> [TestLog] {
        (0..<4 as Range<UInt8>).map { number in
            var log = TestLog(founder, founder.genesis(number / 2).spaceID, incarnation: number)
            _ = log.add(count: 30, byteCount: 100)
            return log
        }
    }

    @Test func `an older relay's file is brought over when it is opened`() throws {
        let logs = makeLogs()
        try writeSQLite(logs)
        var storage = try StorageOpening.open(directory.path)
        #expect(storage.relayName == .repeating(7))
        try expect(storage, has: logs)
        #expect(!SQLiteStorage.isPresent(in: directory.path))
        let kept = directory.path + "/" + SQLiteStorage.fileName + ".migrated"
        #expect(FileManager.default.fileExists(atPath: kept))
        try storage.close()
        storage = try StorageOpening.open(directory.path)
        try expect(storage, has: logs)
        try storage.close()
    }

    @Test func `a file that isn't a relay's, is newer or damaged is refused and left alone`() throws
    {
        let path = directory.path + "/" + SQLiteStorage.fileName
        try writeSQLite([], version: 2)
        #expect(throws: StorageError.newerFormat(path: path, version: 2)) {
            _ = try StorageOpening.open(directory.path)
        }
        for data in [Data(), Data("hello".utf8), Data(repeating: 7, count: 9000)] {
            try data.write(to: URL(fileURLWithPath: path))
            #expect(throws: StorageError.notRelayStorage(path: path)) {
                _ = try StorageOpening.open(directory.path)
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == data)
        }
        #expect(!SegmentStorage.isPresent(in: directory.path))
    }

    @Test func `a directory is one relay's at a time, and its files are the owner's alone`() throws
    {
        let storage = try SegmentStorage(directory: directory.path, options: .small)
        try storage.commit([.createSpace(founder.genesis())])
        #expect(throws: StorageError.inUse(path: directory.path)) {
            _ = try SegmentStorage(directory: directory.path)
        }
        let files = FileManager.default
        func mode(_ path: String) throws -> Int? {
            try files.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(directory.path) == 0o700)
        for name in try files.contentsOfDirectory(atPath: directory.path) {
            #expect(try mode(directory.path + "/" + name) == 0o600)
        }
        try storage.close()
        #expect(throws: StorageError.closed) {
            try storage.commit([.createSpace(founder.genesis(1))])
        }
        try SegmentStorage(directory: directory.path).close()
    }

    @Test func `killed at random again and again, it has all that was acked`() throws {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tests).deletingLastPathComponent()
            .appendingPathComponent("StorageTorture")
        process.arguments = ["soak", directory.path, "6", "11"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self)
        #expect(process.terminationStatus == 0, "\(text)")
        #expect(text.contains("6 kills"))
    }
}
