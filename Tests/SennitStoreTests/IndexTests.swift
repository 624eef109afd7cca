import Foundation
import GRDB
import SennitDocument
import SennitWire
import Testing

@testable import SennitStore
@testable import SennitSync

struct IndexTests {
    @Test(arguments: [51, 52, 53, 54] as [UInt64])
    func `following step by step gives what a rebuild gives`(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        var profile = try directory.open()
        var library = Library(seed: seed)
        try profile.journal.createSpace(library.sample.record, library.sample.firstChange())
        for stepIndex in 0..<60 {
            try library.step(profile)
            if library.sample.random.next().isMultiple(of: 3) {
                try profile.index.follow(profile.journal, library.id, library.source)
            }
            if library.sample.random.next().isMultiple(of: 15) {
                try profile.close()
                profile = try directory.open()
                #expect(profile.index.state == .kept)
            }
            guard stepIndex.isMultiple(of: 10) else { continue }
            try profile.index.follow(profile.journal, library.id, library.source)
            let rebuilt = try Index()
            try rebuilt.rebuild(profile.journal, library.id, library.source)
            let difference = try profile.index.firstDifference(from: rebuilt, of: library.id)
            #expect(difference == nil, "seed \(seed), step \(stepIndex)")
            try profile.index.checkSearch()
            try library.expect(profile.index)
        }
        let report = try profile.check { [library] _ in library.source }
        #expect(report.findings == [])
        #expect(report.comparedIndex)
    }

    @Test func `an index that was changed by hand is found and rebuilt`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var library = Library(seed: 55)
        try library.fill(profile)
        try profile.index.queue.write { db in
            try db.execute(sql: "UPDATE documents SET text = 'forged'")
        }
        let report = try profile.check { [library] _ in library.source }
        #expect(report.findings.map(\.kind) == [.index])
        try profile.rebuildIndex(of: library.id, library.source)
        let repaired = try profile.check { [library] _ in library.source }
        #expect(repaired.findings == [])
    }

    @Test func `words that the full-text table lost are found`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var library = Library(seed: 56)
        try library.fill(profile)
        try profile.index.queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO search (search, rowid, path, text)
                    SELECT 'delete', number, path, text FROM documents LIMIT 1
                    """
            )
        }
        let report = try profile.check { [library] _ in library.source }
        #expect(report.findings.map(\.kind) == [.index])
    }

    @Test func `an index that is missing or damaged is made again`() throws {
        let directory = try TemporaryDirectory()
        var profile = try directory.open()
        #expect(profile.index.state == .made)
        var library = Library(seed: 57)
        try library.fill(profile)
        let sound = try Files.read(directory.index)
        try profile.close()
        for bytes in [[], Array("not a database, just text".utf8), Array(sound.prefix(99))] {
            try Files.write(bytes, to: directory.index)
            profile = try directory.open()
            guard case .replaced = profile.index.state else {
                Issue.record("\(profile.index.state)")
                return
            }
            #expect(try Files.read(directory.index + ".damaged") == bytes)
            try profile.index.follow(profile.journal, library.id, library.source)
            try library.expect(profile.index)
            try profile.close()
        }
        try FileManager.default.removeItem(atPath: directory.index)
        profile = try directory.open()
        #expect(profile.index.state == .made)
        try profile.index.follow(profile.journal, library.id, library.source)
        try library.expect(profile.index)
    }

    @Test func `damage that shows only while following is repaired at once`() throws {
        let directory = try TemporaryDirectory()
        var profile = try directory.open()
        var library = Library(seed: 58)
        try library.fill(profile)
        try profile.close()
        var bytes = try Files.read(directory.index)
        for index in 4096..<bytes.count { bytes[index] = 0xA5 }
        try Files.write(bytes, to: directory.index)
        profile = try directory.open()
        #expect(profile.index.state == .kept)
        for _ in 0..<10 { try library.step(profile) }
        try profile.index.follow(profile.journal, library.id, library.source)
        guard case .replaced(.corrupt) = profile.index.state else {
            Issue.record("\(profile.index.state)")
            return
        }
        try library.expect(profile.index)
    }

    @Test func `an index ahead of its journal is derived again`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var library = Library(seed: 59)
        try library.fill(profile)
        let position = Int64(library.sample.expected.position.value) + 5
        try profile.index.queue.write { db in
            try db.execute(sql: "UPDATE spaces SET position = ?", arguments: [position])
            try db.execute(sql: "UPDATE documents SET text = 'from another life'")
        }
        try profile.index.follow(profile.journal, library.id, library.source)
        try library.expect(profile.index)
    }

    @Test func `another connection reads while the owner writes`() async throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var library = Library(seed: 60)
        try library.fill(profile)
        let path = directory.index
        let reading = Task.detached {
            let reader = try Index(readOnly: path)
            var checkpoints: [JournalPosition] = []
            while !Task.isCancelled {
                for space in try reader.spaces() {
                    checkpoints.append(try reader.checkpoint(of: space.id))
                    for document in try reader.documents(in: space.id) {
                        let text = try reader.text(at: document.path, in: space.id)
                        // A document may go between the two questions; else the text is whole.
                        let count = text?.unicodeScalars.count
                        _ = try reader.search("word")
                        if count == nil { continue }
                    }
                }
            }
            return checkpoints
        }
        for _ in 0..<60 {
            try library.step(profile)
            try profile.index.follow(profile.journal, library.id, library.source)
        }
        reading.cancel()
        let checkpoints = try await reading.value
        #expect(checkpoints == checkpoints.sorted())
        let reader = try Index(readOnly: path)
        try library.expect(reader)
        #expect(throws: StoreError.self) {
            try reader.follow(profile.journal, library.id, library.source)
        }
    }

    @Test func `the index is readable after its owner was killed`() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.profile
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let profile = try Profile(directory: path, command: "victim", new: .sample)
            var library = Library(seed: 61)
            try library.fill(profile)
            kill(getpid(), SIGKILL)
        }
        let reader = try Index(readOnly: directory.index)
        #expect(try reader.spaces().count == 1)
        #expect(try !reader.documents().isEmpty)
    }

    @Test func `without an index there is nothing to read`() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: StoreError.noIndex(path: directory.index)) {
            try Index(readOnly: directory.index)
        }
    }

    @Test(arguments: [
        ("# Plan\nfirst", "# Plan"), ("\n \t\n  Hello \r\nyou", "Hello"), ("", ""), (" \n", ""),
        ("\0\0a\0b", "a"), (String(repeating: "x", count: 500), String(repeating: "x", count: 120)),
    ])
    func `a title is the first line with something on it`(text: String, title: String) {
        #expect(Index.title(of: text) == title)
    }
}
