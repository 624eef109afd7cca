import SennitDocument
import SennitSeal
import SennitSync
import SennitWire
import Testing

@testable import Sennit
@testable import SennitStore

@Suite struct OutboxTests {
    /// The changes of a space with some edits in it.
    private func changes(_ count: Int) throws -> [ReplicaChange] {
        let surroundings = Surroundings(authorTime: 0, random: .zero)
        let incarnation = try #require(Incarnation([UInt8](repeating: 1, count: 16)))
        var (replica, first) = try Replica.founding(
            deviceSeed: SecretBytes([UInt8](repeating: 2, count: 32)),
            spaceNonce: .zero,
            incarnation: incarnation,
            member: MemberRecord(person: PersonID(value: .zero), name: "Ada"),
            surroundings
        )
        var changes = [first]
        for _ in 0..<count {
            changes.append(try replica.edit(.directory, [.insert("x", at: 0)]))
            changes.append(try replica.sealPending(surroundings))
        }
        return changes
    }

    @Test func `what gathers during a commit goes into the next`() throws {
        var outbox = Outbox()
        let changes = try changes(3)
        outbox.add(changes[0])
        #expect(outbox.begin()?.count == 1)
        outbox.add(changes[1])
        outbox.add(changes[2])
        #expect(outbox.begin() == nil)
        outbox.succeed()
        #expect(outbox.savedCount == 1 && !outbox.isEmpty)
        #expect(outbox.begin()?.count == 2)
        outbox.succeed()
        #expect(outbox.isEmpty && outbox.byteCount == 0)
    }

    @Test func `a commit that failed is tried again, before what came after it`() throws {
        var outbox = Outbox()
        let changes = try changes(2)
        outbox.add(changes[1])
        _ = outbox.begin()
        outbox.add(changes[3])
        outbox.fail(.diskFull(path: "x"))
        #expect(outbox.fault == .diskFull(path: "x"))
        let again = outbox.begin()
        #expect(again?.map { $0.pending.first?.sequence } == [0, 1])
        outbox.succeed()
        #expect(outbox.fault == nil && outbox.isEmpty)
    }

    @Test func `before the space may be stored nothing is committed`() throws {
        var outbox = Outbox()
        outbox.isStored = false
        outbox.add(try changes(0)[0])
        #expect(outbox.begin() == nil)
        outbox.isStored = true
        #expect(outbox.begin()?.count == 1)
    }

    @Test func `only what is committed is sent, with the bytes before its end`() throws {
        let entries = try changes(3).flatMap(\.entries)
        var tail = OwnTail()
        tail.append(entries)
        #expect(tail.batch(from: .zero) == nil)
        tail.commit(Offset(3))
        let batch = try #require(tail.batch(from: Offset(1)))
        #expect(batch.entries == entries[1..<3].map(\.bytes))
        #expect(batch.byteCount == UInt64(entries[0..<3].reduce(0) { $0 + $1.bytes.count }))
        tail.acknowledge(Offset(2))
        #expect(tail.batch(from: Offset(1)) == nil)
        #expect(tail.batch(from: Offset(2))?.entries == [entries[2].bytes])
        #expect(tail.batch(from: Offset(3)) == nil)
    }

    @Test func `an upload is cut at the limits of a batch`() throws {
        let bytes = [UInt8](repeating: 0, count: Limits.maximumBatchByteCount / 2)
        let entries = (0..<5).map {
            StoredEntry(
                log: LogID(value: .zero),
                offset: Offset(UInt64($0)),
                bytes: $0 == 3 ? bytes + bytes + bytes : bytes,
                chain: ChainHash(value: .zero)
            )
        }
        var tail = OwnTail()
        tail.append(entries)
        tail.commit(Offset(5))
        #expect(tail.batch(from: .zero)?.entries.count == 2)
        #expect(tail.batch(from: Offset(2))?.entries.count == 1)
        #expect(tail.batch(from: Offset(3))?.entries.count == 1)
        #expect(tail.batch(from: Offset(4))?.entries.count == 1)
    }
}
