import Dispatch
import Foundation
import GRDB
import SennitWire
import Testing

@testable import SennitStore
@testable import SennitSync

struct ProfileTests {
    @Test func `a second owner is refused and told who the first is`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open("sennit edit")
        let expected = StoreError.inUse(
            path: directory.profile,
            process: getpid(),
            command: "sennit edit"
        )
        #expect(throws: expected) { try directory.open("sennit ls") }
        #expect(expected.description.contains("in use by process \(getpid()) (sennit edit)"))
        #expect(expected.hint?.contains("kill \(getpid())") == true)
        withExtendedLifetime(profile) {}
    }

    @Test func `a profile that was let go can be opened again`() throws {
        let directory = try TemporaryDirectory()
        for _ in 0..<3 { try directory.open().close() }
        _ = try directory.open()
        let profile = try directory.open()
        #expect(try profile.journal.person().name == "Ada")
    }

    @Test(arguments: ["", "0", "-3 x", "x y", "4711", "4711 \u{1B}[2Jsennit\u{7} edit"])
    func `what stands in a lock file is shown without control characters, or not at all`(
        content: String
    ) {
        let holder = ProfileLock.holder(Array(content.utf8))
        #expect(holder.process == (content.hasPrefix("4711") ? 4711 : nil))
        #expect(holder.command == (content.hasPrefix("4711 ") ? "[2Jsennit edit" : nil))
    }

    @Test func `another process is refused, and after kill -9 the profile opens with all in it`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let path = directory.profile
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let profile = try Profile(directory: path, command: "victim", new: .sample)
            var sample = SampleSpace(seed: 21)
            try profile.fill(&sample, stepCount: 200)
            kill(getpid(), SIGKILL)
        }
        var sample = SampleSpace(seed: 21)
        for _ in 0..<200 { _ = try sample.step() }
        let profile = try directory.open()
        let restored = try profile.journal.restore(sample.id)
        #expect(ComparableRecord(restored) == ComparableRecord(sample.expected))
        #expect(try profile.check().findings == [])
        let owner: Int32 = getpid()
        await #expect(processExitsWith: .exitCode(7)) {
            [path = path as String, owner = owner as Int32] in
            do {
                _ = try Profile(directory: path, command: "second", new: .sample)
            } catch let error as StoreError {
                let expected = StoreError.inUse(path: path, process: owner, command: "sennit test")
                if error == expected { exit(7) }
            }
        }
        withExtendedLifetime(profile) {}
    }

    @Test func `a commit cut off by kill -9 is there whole or not at all`() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.profile
        let marks = directory.path + "/marks"
        try Files.write([], to: marks)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, marks = marks as String] in
            let profile = try Profile(directory: path, command: "victim", new: .sample)
            var sample = SampleSpace(seed: 22)
            try profile.journal.createSpace(sample.record, sample.firstChange())
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: marks))
            let isReady = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                isReady.wait()
                kill(getpid(), SIGKILL)
            }
            var committedCount = 0
            while true {
                try profile.journal.commit([try sample.step()], to: sample.id)
                try file.write(contentsOf: Data([1]))
                committedCount += 1
                if committedCount == 25 { isReady.signal() }
            }
        }
        let profile = try directory.open()
        let restored = ComparableRecord(
            try profile.journal.restore(SampleSpace(seed: 22).id)
        )
        let committedCount = try Files.read(marks).count
        var sample = SampleSpace(seed: 22)
        for _ in 0..<committedCount { _ = try sample.step() }
        // The last commit may have been done and not marked.
        if ComparableRecord(sample.expected) != restored { _ = try sample.step() }
        #expect(committedCount >= 25)
        #expect(ComparableRecord(sample.expected) == restored)
        #expect(try profile.check().findings == [])
    }

    @Test func `a path that is no directory is refused`() throws {
        let directory = try TemporaryDirectory()
        try Files.write([1], to: directory.profile)
        #expect(throws: StoreError.notADirectory(path: directory.profile)) {
            try directory.open()
        }
        #expect(throws: StoreError.notADirectory(path: directory.profile + "/below")) {
            try Profile(directory: directory.profile + "/below", command: "", new: .sample)
        }
        #expect(try Files.read(directory.profile) == [1])
    }

    @Test(.enabled(if: geteuid() != 0, "root may do everything"))
    func `a directory without permission is refused`() throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: directory.profile,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o500]
        )
        #expect(throws: StoreError.notPermitted(path: directory.profile)) { try directory.open() }
    }

    @Test func `a journal of a newer version is refused and not touched`() throws {
        let directory = try TemporaryDirectory()
        try directory.open().close()
        var bytes = try Files.read(directory.journal)
        bytes.replaceSubrange(60..<64, with: [0, 0, 0, 5])
        try Files.write(bytes, to: directory.journal)
        let error = StoreError.newerVersion(path: directory.journal, found: 5, known: 4)
        #expect(throws: error) { try directory.open() }
        #expect(try Files.read(directory.journal) == bytes)
        #expect(!Files.exists(directory.journal + "-wal"))
    }

    @Test(arguments: [1, 2, 3])
    func `a journal of a version before is brought up`(version: Int) throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var sample = SampleSpace(seed: 3)
        try profile.fill(&sample, stepCount: 60)
        let expected = ComparableRecord(try profile.journal.restore(sample.id))
        // The tables of that version hold the same entries, and states that nobody reads any more.
        try profile.journal.queue.inDatabase { db in
            try db.execute(sql: "ALTER TABLE pending DROP COLUMN life")
            try db.execute(sql: "PRAGMA user_version = \(version)")
            guard version < 3 else { return }
            try db.execute(
                sql: """
                    DROP TABLE chunks;
                    ALTER TABLE documents RENAME COLUMN head TO state;
                    INSERT INTO documents VALUES (1, 1, 0, x'0203', 7);
                    """
            )
        }
        try profile.close()
        let again = try directory.open()
        #expect(ComparableRecord(try again.journal.restore(sample.id)) == expected)
        #expect(try again.check().findings == [])
        try again.close()
        #expect(Array(try Files.read(directory.journal)[60..<64]) == [0, 0, 0, 4])
    }

    @Test func `a journal without version, and files of other programs, are refused`() throws {
        let directory = try TemporaryDirectory()
        try directory.open().close()
        let sound = try Files.read(directory.journal)
        func expect(_ error: StoreError, _ change: (inout [UInt8]) -> Void) throws {
            var bytes = sound
            change(&bytes)
            try Files.write(bytes, to: directory.journal)
            #expect(throws: error) { try directory.open() }
            #expect(try Files.read(directory.journal) == bytes)
        }
        let path = directory.journal
        let noVersion = StoreError.corrupt(path: path, place: .file, reason: "it has no version")
        let cutOff = StoreError.corrupt(
            path: path,
            place: .file,
            reason: "it is cut off in its first 100 bytes"
        )
        try expect(noVersion) { $0.replaceSubrange(60..<64, with: [0, 0, 0, 0]) }
        try expect(.notOurs(path: path)) { $0.replaceSubrange(68..<72, with: [0, 0, 0, 0]) }
        try expect(.notOurs(path: path)) { $0 = Array("Dear diary".utf8) }
        try expect(cutOff) { $0 = [] }
        try expect(cutOff) { $0 = Array($0.prefix(99)) }
    }

    @Test func `an interrupted migration leaves the version before it`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/test.sqlite"
        let first = DatabaseKind(applicationID: 77, steps: ["CREATE TABLE a (x)"])
        let broken = DatabaseKind(
            applicationID: 77,
            steps: first.steps + ["CREATE TABLE b (x); CREATE TABLE a (x)"]
        )
        let mended = DatabaseKind(applicationID: 77, steps: first.steps + ["CREATE TABLE b (x)"])
        let queue = try DatabaseQueue(path: path)
        try first.migrate(queue)
        #expect(throws: DatabaseError.self) { try broken.migrate(queue) }
        #expect(try first.look(at: path) == .ours(version: 1))
        try mended.migrate(queue)
        #expect(try mended.look(at: path) == .ours(version: 2))
        #expect(throws: StoreError.newerVersion(path: path, found: 2, known: 1)) {
            try first.look(at: path)
        }
    }

    @Test func `a journal that is gone beside its index is not made anew`() throws {
        let directory = try TemporaryDirectory()
        try directory.open().close()
        try FileManager.default.removeItem(atPath: directory.journal)
        #expect(throws: StoreError.journalMissing(path: directory.journal)) {
            try directory.open()
        }
        #expect(!Files.exists(directory.journal))
    }

    @Test func `a profile whose making was cut off is made from the start`() throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: directory.profile,
            withIntermediateDirectories: false
        )
        try Files.write(Array("half".utf8), to: directory.journal + ".new")
        try Files.write(Array("half".utf8), to: directory.journal + ".new-wal")
        let profile = try directory.open()
        #expect(try profile.journal.person().name == "Ada")
        #expect(!Files.exists(directory.journal + ".new"))
    }
}
