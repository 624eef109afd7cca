import GRDB
import SennitDocument
import SennitWire
import Testing

@testable import SennitStore
@testable import SennitSync

/// What the disk did to a journal is found, named and never repaired by deleting.
struct DamageTests {
    private func damaged(
        seed: UInt64,
        _ sql: String,
        _ arguments: StatementArguments = StatementArguments()
    ) throws -> (TemporaryDirectory, Profile, SampleSpace) {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var sample = SampleSpace(seed: seed)
        try profile.fill(&sample, stepCount: 100)
        let (documents, position) = sample.keepStates()
        try profile.journal.storeDocuments(documents, at: position, in: sample.id)
        #expect(try profile.check().findings == [])
        try profile.journal.queue.inDatabase { db in
            try db.execute(sql: sql, arguments: arguments)
        }
        return (directory, profile, sample)
    }

    @Test func `a flipped bit in an entry is found where it is`() throws {
        let (directory, profile, sample) = try damaged(
            seed: 31,
            """
            UPDATE entries SET bytes = CAST(substr(bytes, 1, 50)
                || x'00' || substr(bytes, 52) AS BLOB)
            WHERE offset = 3 AND log = (SELECT min(log) FROM entries)
            """
        )
        let findings = try profile.check().findings
        let finding = try #require(findings.first)
        #expect(findings.count == 1)
        #expect(finding.kind == .entry)
        guard case .entry(let log, Offset(3)) = finding.place else {
            Issue.record("not an entry: \(finding)")
            return
        }
        let error = #expect(throws: StoreError.self) {
            try profile.journal.entries(of: log, in: sample.id, from: .zero)
        }
        guard case .corrupt(directory.journal, .entry(log, Offset(3)), _) = error else {
            Issue.record("not the entry: \(String(describing: error))")
            return
        }
        let after = try profile.journal.entries(of: log, in: sample.id, from: Offset(4))
        #expect(after.first?.offset == Offset(4))
    }

    /// The SQL of a damage and what a check must say about it.
    struct Damage: Sendable, CustomTestStringConvertible {
        let sql: String
        let kind: CheckReport.Kind
        let stopsRestore: Bool
        var testDescription: String { sql }
    }

    private static let damages: [Damage] = [
        Damage(
            sql: "DELETE FROM entries WHERE offset = 2",
            kind: .entry,
            stopsRestore: true
        ),
        Damage(sql: "DELETE FROM logs", kind: .row, stopsRestore: true),
        Damage(
            sql: "DELETE FROM applied WHERE offset = 1",
            kind: .position,
            stopsRestore: true
        ),
        Damage(
            sql: "UPDATE applied SET author_time = author_time + 1",
            kind: .row,
            stopsRestore: true
        ),
        Damage(
            sql: "UPDATE operations SET bytes = x'00'",
            kind: .operations,
            stopsRestore: true
        ),
        Damage(
            sql: "UPDATE operations SET author = author + 1",
            kind: .operations,
            stopsRestore: true
        ),
        Damage(
            sql: "UPDATE documents SET head = x'01'",
            kind: .document,
            stopsRestore: true
        ),
        Damage(sql: "UPDATE chunks SET bytes = x'01'", kind: .document, stopsRestore: false),
        Damage(sql: "DELETE FROM chunks", kind: .document, stopsRestore: false),
        Damage(
            sql: "UPDATE chunks SET first_event = 1 WHERE first_event = 0",
            kind: .document,
            stopsRestore: false
        ),
        Damage(sql: "DELETE FROM documents", kind: .document, stopsRestore: false),
        Damage(
            sql: "UPDATE documents SET position = 0",
            kind: .document,
            stopsRestore: true
        ),
        Damage(sql: "UPDATE pending SET bytes = x'01'", kind: .row, stopsRestore: true),
        Damage(
            sql: "UPDATE epochs SET secret = zeroblob(32)",
            kind: .row,
            stopsRestore: true
        ),
        Damage(sql: "UPDATE epochs SET secret = x'01'", kind: .row, stopsRestore: true),
        Damage(
            sql: "UPDATE logs SET byte_count = byte_count + 1",
            kind: .row,
            stopsRestore: true
        ),
        Damage(
            sql: "UPDATE logs SET device = zeroblob(32)",
            kind: .row,
            stopsRestore: true
        ),
        Damage(sql: "UPDATE logs SET head = x'0102'", kind: .row, stopsRestore: true),
        Damage(sql: "UPDATE logs SET log_table = x'FF'", kind: .row, stopsRestore: true),
        Damage(sql: "UPDATE logs SET context = x'0180'", kind: .row, stopsRestore: true),
        Damage(
            sql: "UPDATE identifiers SET id = zeroblob(32) WHERE number = 1",
            kind: .row,
            stopsRestore: true
        ),
        Damage(
            sql: "DELETE FROM identifiers WHERE number <= 2",
            kind: .row,
            stopsRestore: true
        ),
        Damage(
            sql: "UPDATE spaces SET nonce = zeroblob(32)",
            kind: .row,
            stopsRestore: true
        ),
        Damage(
            sql: "UPDATE entries SET chain = zeroblob(32) WHERE offset = 0",
            kind: .entry,
            stopsRestore: false
        ),
        Damage(
            sql: "UPDATE profile SET device_seed = zeroblob(32)",
            kind: .row,
            stopsRestore: false
        ),
    ]

    @Test(arguments: DamageTests.damages)
    func `damage is a finding, an error and never a trap`(damage: Damage) throws {
        let (_, profile, sample) = try damaged(seed: 32, damage.sql)
        let report = try profile.check()
        #expect(report.findings.contains { $0.kind == damage.kind }, "\(report.findings)")
        if damage.stopsRestore {
            let error = #expect(throws: StoreError.self) {
                try profile.journal.restore(sample.id)
            }
            guard case .corrupt = error else {
                Issue.record("not corrupt: \(String(describing: error))")
                return
            }
        }
    }

    @Test func `a head that nobody signed is found`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var sample = SampleSpace(seed: 33)
        try profile.fill(&sample, stepCount: 60)
        let log = try #require(
            sample.logs.first { sample.expected.logs[$0]?.record.head != nil }
        )
        let record = try #require(sample.expected.logs[log]?.record)
        let head = try #require(record.head)
        var signature = head.signature
        signature[0] ^= 1
        var change = ReplicaChange()
        change.logs[log] = LogRecord(
            descriptor: record.descriptor,
            end: record.end,
            applied: record.applied,
            byteCount: record.byteCount,
            nextEvent: record.nextEvent,
            table: record.table,
            context: record.context,
            head: Head(
                end: head.end,
                chain: head.chain,
                byteCount: head.byteCount,
                membership: head.membership,
                epoch: head.epoch,
                signature: signature
            )
        )
        try profile.journal.commit([change], to: sample.id)
        let findings = try profile.check().findings
        #expect(findings.map(\.kind) == [.head])
        #expect(findings.map(\.place) == [.entry(log, head.end)])
    }

    @Test func `a stored state that replay does not give is found`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        var sample = SampleSpace(seed: 34)
        try profile.fill(&sample, stepCount: 80)
        let id = try #require(sample.current.keys.sorted().first)
        var document = try #require(sample.current[id])
        _ = try document.edit(
            [Patch(range: 0..<0, text: "never committed")],
            author: sample.ownLog,
            firstEvent: 1 << 30
        )
        try profile.journal.storeDocuments(
            [id: document.unstoredState],
            at: sample.expected.position,
            in: sample.id
        )
        let findings = try profile.check().findings
        #expect(findings.map(\.kind) == [.document])
        #expect(findings.map(\.place) == [.document(sample.id, id)])
    }

    @Test(arguments: [41, 42, 43, 44] as [UInt64])
    func `garbage anywhere in the file never traps and deletes nothing`(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        var sample = SampleSpace(seed: seed)
        do {
            let profile = try directory.open()
            try profile.fill(&sample, stepCount: 150)
            try profile.close()
        }
        let sound = try Files.read(directory.journal)
        var random = Seeded(seed)
        for round in 0..<24 {
            var bytes = sound
            switch round % 3 {
            case 0: bytes.removeLast(Int.random(in: 1..<(bytes.count - 100), using: &random))
            case 1:
                for _ in 0..<8 {
                    let index = Int.random(in: 100..<bytes.count, using: &random)
                    bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
            default:
                let start = Int.random(in: 100..<(bytes.count - 5000), using: &random)
                bytes.replaceSubrange(start..<(start + 4096), with: random.bytes(4096))
            }
            try Files.write(bytes, to: directory.journal)
            do throws(StoreError) {
                let profile = try directory.open()
                _ = try profile.journal.restore(sample.id)
                let report = try profile.check()
                // Bits that nobody uses may flip unseen; cut files may not.
                #expect(round % 3 != 0 || !report.isSound, "seed \(seed), round \(round)")
                try profile.close()
            } catch {
                #expect(error.isDamage || error == .noSuchSpace(sample.id), "\(error)")
            }
            #expect(Files.exists(directory.journal))
        }
    }
}
