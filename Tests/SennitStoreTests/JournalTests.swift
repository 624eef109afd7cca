import GRDB
import SennitDocument
import SennitSeal
import SennitWire
import Testing

@testable import SennitStore
@testable import SennitSync

struct JournalTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `what is restored is what was committed, at every point of a random history`(
        seed: UInt64
    ) throws {
        let directory = try TemporaryDirectory()
        var profile = try directory.open()
        var sample = SampleSpace(seed: seed)
        try profile.journal.createSpace(sample.record, sample.firstChange())
        for stepIndex in 0..<120 {
            var changes = [try sample.step()]
            if sample.random.next().isMultiple(of: 3) { changes.append(try sample.step()) }
            try profile.journal.commit(changes, to: sample.id)
            if sample.random.next().isMultiple(of: 12) {
                let (documents, position) = sample.keepStates()
                try profile.journal.storeDocuments(documents, at: position, in: sample.id)
                for id in documents.keys {
                    try profile.journal.joinChunks(of: id, in: sample.id)
                }
            }
            if sample.random.next().isMultiple(of: 20) {
                try profile.close()
                profile = try directory.open("again")
            }
            guard stepIndex.isMultiple(of: 10) || stepIndex == 119 else { continue }
            let restored = try profile.journal.restore(sample.id)
            #expect(
                ComparableRecord(restored) == ComparableRecord(sample.expected),
                "seed \(seed), step \(stepIndex)"
            )
            for (id, document) in sample.expected.documents {
                var opened = try #require(restored.documents[id])
                #expect(opened.hasHistory == (document.eventCount == 0))
                let chunks = try profile.journal.history(of: id, in: sample.id)
                #expect(chunks.count <= StoreLimits.chunkCount + 1)
                try opened.attach(history: chunks)
                #expect(opened.hasSameState(as: document), "seed \(seed), step \(stepIndex)")
                #expect(opened.encodeChunk() == document.encodeChunk())
            }
        }
        let report = try profile.check()
        #expect(report.findings == [], "seed \(seed)")
        #expect(report.spaces.count == 1)
    }

    @Test func `two spaces do not see each other`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var one = SampleSpace(seed: 1)
        var two = SampleSpace(seed: 2)
        try profile.fill(&one, stepCount: 40)
        try profile.fill(&two, stepCount: 40)
        for _ in 0..<20 { try profile.journal.commit([try one.step()], to: one.id) }
        let restored = try profile.journal.restore(one.id)
        #expect(ComparableRecord(restored) == ComparableRecord(one.expected))
        let other = try profile.journal.restore(two.id)
        #expect(ComparableRecord(other) == ComparableRecord(two.expected))
        #expect(try profile.journal.spaces() == [one.record, two.record])
        #expect(throws: StoreError.spaceExists(one.id)) {
            try profile.journal.createSpace(one.record, one.firstChange())
        }
    }

    @Test func `a refused change leaves nothing of the changes committed with it`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var sample = SampleSpace(seed: 9)
        try profile.fill(&sample, stepCount: 60)
        let before = ComparableRecord(try profile.journal.restore(sample.id))
        var doubled = ReplicaChange()
        doubled.entries = [try #require(sample.entries(of: sample.logs[0]).first)]
        var ahead = sample
        let good = try ahead.step()
        let error = #expect(throws: StoreError.self) {
            try profile.journal.commit([good, doubled], to: sample.id)
        }
        guard case .contradiction = error else {
            Issue.record("not a contradiction: \(String(describing: error))")
            return
        }
        #expect(ComparableRecord(try profile.journal.restore(sample.id)) == before)
        try profile.journal.commit([good], to: sample.id)
        let after = try profile.journal.restore(sample.id)
        #expect(ComparableRecord(after) == ComparableRecord(ahead.expected))
        let stranger = SampleSpace(seed: 10).id
        #expect(throws: StoreError.noSuchSpace(stranger)) {
            try profile.journal.commit([good], to: stranger)
        }
    }

    @Test func `a full disk is an error that undoes the commit and passes`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var sample = SampleSpace(seed: 11)
        try profile.fill(&sample, stepCount: 10)
        let pageCount = try profile.journal.queue.inDatabase { db in
            try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        }
        func allow(_ pageCount: Int) throws {
            try profile.journal.queue.inDatabase { db in
                try db.execute(sql: "PRAGMA max_page_count = \(pageCount)")
            }
        }
        let before = ComparableRecord(try profile.journal.restore(sample.id))
        var ahead = sample
        var change = ReplicaChange()
        ahead.store(400, in: ahead.ownLog, into: &change)
        for extraPageCount in [0, 1, 3, 9] {
            try allow(pageCount + extraPageCount)
            #expect(throws: StoreError.diskFull(path: directory.journal)) {
                try profile.journal.commit([change], to: sample.id)
            }
            #expect(ComparableRecord(try profile.journal.restore(sample.id)) == before)
        }
        try allow(1 << 30)
        try profile.journal.commit([change], to: sample.id)
        let after = try profile.journal.restore(sample.id)
        #expect(ComparableRecord(after) == ComparableRecord(ahead.expected))
    }

    @Test func `the connection waits for the disk and shares with nobody`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        let synchronous = try profile.journal.queue.inDatabase { db in
            try Int.fetchOne(db, sql: "PRAGMA synchronous")
        }
        #expect(synchronous == 2)
        #expect(!Files.exists(directory.journal + "-shm"))
        #expect(Files.exists(directory.journal + "-wal"))
        #expect(try Files.mode(directory.profile) == 0o700)
        for file in [directory.journal, directory.journal + "-wal", directory.index] {
            #expect(try Files.mode(file) == 0o600, "\(file)")
        }
    }

    @Test func `commits that gather without blocking are all there`() async throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var sample = SampleSpace(seed: 12)
        try profile.journal.createSpace(sample.record, sample.firstChange())
        for _ in 0..<30 { try await profile.journal.commit([try sample.step()], to: sample.id) }
        let restored = try profile.journal.restore(sample.id)
        #expect(ComparableRecord(restored) == ComparableRecord(sample.expected))
        try profile.close()
        let change = try sample.step()
        await #expect(throws: StoreError.closed(path: directory.journal)) {
            try await profile.journal.commit([change], to: sample.id)
        }
    }

    @Test func `uploads get entries from an offset, up to a count and a size`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var sample = SampleSpace(seed: 13)
        try profile.journal.createSpace(sample.record, sample.firstChange())
        var change = ReplicaChange()
        sample.store(20, in: sample.ownLog, into: &change)
        try profile.journal.commit([change], to: sample.id)
        let all = sample.entries(of: sample.ownLog)
        func read(_ start: Int, _ count: Int, _ byteCount: Int) throws -> [StoredEntry] {
            try profile.journal.entries(
                of: sample.ownLog,
                in: sample.id,
                from: Offset(UInt64(start)),
                maximumCount: count,
                maximumByteCount: byteCount
            )
        }
        #expect(try read(0, 256, 1 << 18) == all)
        #expect(try read(7, 5, 1 << 18) == Array(all[7..<12]))
        #expect(try read(19, 5, 1) == [all[19]])
        #expect(try read(20, 5, 1 << 18) == [])
        #expect(try read(99, 5, 1 << 18) == [])
        let two = all[3].bytes.count + all[4].bytes.count
        #expect(try read(3, 9, two) == Array(all[3...4]))
        #expect(try read(3, 9, two - 1) == [all[3]])
        let stranger = LogID(value: .zero)
        #expect(throws: StoreError.noSuchLog(stranger)) {
            try profile.journal.entries(of: stranger, in: sample.id, from: .zero)
        }
    }

    @Test func `a state of a position that is not reached is refused`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var sample = SampleSpace(seed: 14)
        try profile.fill(&sample, stepCount: 30)
        let error = #expect(throws: StoreError.self) {
            try profile.journal.storeDocuments(
                [sample.documentIDs[0]: Document().unstoredState],
                at: sample.expected.position.next,
                in: sample.id
            )
        }
        guard case .contradiction = error else {
            Issue.record("not a contradiction: \(String(describing: error))")
            return
        }
    }

    @Test func `what is kept beside the logs can be changed and is still there`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        let sample = SampleSpace(seed: 15)
        try profile.journal.createSpace(sample.record, sample.firstChange())
        try profile.journal.updateSpace(sample.id) { record in
            record.name = "work\0hidden"
            record.relays = ["wss://three.example"]
            record.inviteSeed = nil
            record.access = [1, 2, 3]
        }
        try profile.journal.setPerson(PersonRecord(id: .zero, name: "Grace\0"))
        try profile.journal.setSetting("theme", to: [7])
        try profile.journal.setSetting("gone", to: [8])
        try profile.journal.setSetting("gone", to: nil)
        try profile.close()
        let again = try directory.open()
        let space = try again.journal.space(sample.id)
        #expect(space.name == "work")
        #expect(space.relays == ["wss://three.example"])
        #expect(space.inviteSeed == nil)
        #expect(space.access == [1, 2, 3])
        #expect(space.own == sample.record.own)
        #expect(try again.journal.person().name == "Grace")
        #expect(try again.journal.setting("theme") == [7])
        #expect(try again.journal.setting("gone") == nil)
        #expect(try again.journal.deviceSeed().bytes == Array(1...32))
    }

    @Test func `the log lists what was applied, by position`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var sample = SampleSpace(seed: 16)
        try profile.journal.createSpace(sample.record, sample.firstChange())
        var applied: [AppliedEntry] = []
        for _ in 0..<80 {
            let change = try sample.step()
            applied += change.applied
            try profile.journal.commit([change], to: sample.id)
        }
        #expect(applied.count > 20)
        let range = JournalPosition(5)..<JournalPosition(15)
        let lines = try profile.journal.applied(in: sample.id, range)
        #expect(lines.map(\.position) == applied[5..<15].map(\.position))
        #expect(lines.map(\.authorTime) == applied[5..<15].map(\.authorTime))
        #expect(lines.map(\.outcome) == applied[5..<15].map(\.outcome))
        #expect(lines.map(\.documents) == applied[5..<15].map { $0.operations.map(\.document) })
        let changed = try profile.journal.changedDocuments(in: sample.id, range)
        let expected = Set(applied[5..<15].flatMap { $0.operations.map(\.document) })
        #expect(Set(changed.map(\.document)) == expected)
        for change in changed {
            let last = applied[5..<15].last { entry in
                entry.operations.contains { $0.document == change.document }
            }
            #expect(change.position == last?.position)
            #expect(change.author == last?.log)
            #expect(change.authorTime == last?.authorTime)
        }
    }
}
