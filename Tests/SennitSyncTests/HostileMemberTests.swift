import SennitDocument
import SennitSeal
import SennitWire
import Testing

@testable import SennitSync

/// Members who write, under their own name, what no device of today writes.
@Suite struct HostileMemberTests {
    /// An entry with one record.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let type: EntryType
        var clear: [UInt8] = []
        var payloads: [Payload] = []
    }

    private static let emptyEpoch = [1] + [UInt8](repeating: 7, count: 32) + [0, 0, 0]
    private static let invite = [1, 1] + [UInt8](repeating: 0, count: 176)
    private static let newMember = Payload(kind: .member, bytes: [2, 9, 9])
    private static let oddMember = Payload(kind: .member, bytes: [1, 9, 9])

    private static func inviteRecord(_ start: [UInt8]) -> Payload {
        Payload(kind: .invite, bytes: start + [UInt8](repeating: 0, count: 32))
    }

    static let newer = [
        Fault(testDescription: "member record", type: .edit, payloads: [newMember]),
        Fault(testDescription: "epoch", type: .epoch, clear: [2, 9]),
        Fault(
            testDescription: "kind of recipient",
            type: .epoch,
            clear: Array(emptyEpoch.dropLast(2)) + [1, 9, 1] + [UInt8](repeating: 0, count: 113)
        ),
        Fault(
            testDescription: "member record of an epoch",
            type: .epoch,
            clear: emptyEpoch,
            payloads: [newMember]
        ),
        Fault(
            testDescription: "mode of an invite",
            type: .invite,
            clear: [1, 2] + [UInt8](repeating: 0, count: 96),
            payloads: [inviteRecord([1, 2, 1, 2])]
        ),
        Fault(
            testDescription: "role of an invite",
            type: .invite,
            clear: invite,
            payloads: [inviteRecord([1, 9, 1, 1])]
        ),
        Fault(
            testDescription: "invite record",
            type: .invite,
            clear: invite,
            payloads: [inviteRecord([2, 2, 1, 1])]
        ),
    ]

    static let malformed = [
        Fault(testDescription: "member record", type: .edit, payloads: [oddMember]),
        Fault(testDescription: "epoch", type: .epoch, clear: [1, 9]),
        Fault(
            testDescription: "member record of an epoch",
            type: .epoch,
            clear: emptyEpoch,
            payloads: [oddMember]
        ),
        Fault(testDescription: "invite without a record", type: .invite, clear: invite),
    ]

    @Test(arguments: newer)
    func `a record of a newer version waits for the update, and so does its entry`(
        fault: Fault
    ) throws {
        let (ada, bob, outcome) = try HostileMemberTests.commit(fault)
        #expect(outcome == .unknown)
        #expect(ada.findings[bob] == .needsUpdate(at: Offset(1)))
    }

    @Test(arguments: malformed)
    func `a record that isn't well-formed makes its entry poison`(fault: Fault) throws {
        let (ada, bob, outcome) = try HostileMemberTests.commit(fault)
        #expect(outcome == .poison)
        #expect(ada.findings[bob] == .poison(at: Offset(1)))
    }

    /// Bob commits a fault beside an insert, which must have no effect at Ada's.
    private static func commit(
        _ fault: Fault
    ) throws -> (ada: Replica, bob: LogID, outcome: Outcome?) {
        var space = try TestSpace.joined()
        let epochs = space.ada.membership?.epochs
        _ = try space.bob.edit(TestSpace.document, [Patch(range: 0..<0, text: "X")])
        let batch = space.bob.pending[0].batch
        try space.bobWrites(fault.type, clear: fault.clear) { writer in
            for payload in fault.payloads {
                writer.append(payload.kind) { (bytes, _) in bytes.write(payload.bytes) }
            }
            writer.append(.operations) { (bytes, logs) in
                batch.write(to: &bytes, logs: &logs)
            }
        }
        let change = try space.ada.receive(space.bobs(1...))
        #expect(space.text(of: space.ada) == "")
        #expect(space.ada.membership?.epochs == epochs)
        #expect(space.ada.version == space.ada.appliedVersion)
        return (space.ada, space.bob.ownLog, change.applied.last?.outcome)
    }

    @Test(arguments: [
        (oddMember, LogStatus.poison(at: .zero)), (newMember, .needsUpdate(at: .zero)),
    ])
    func `a join counts whatever its member record is, and the record is reported`(
        member: Payload,
        status: LogStatus
    ) throws {
        var space = try TestSpace()
        _ = try space.bob.receive(space.adas(0...))
        let join = JoinRecord(
            by: space.link.identity,
            device: space.bob.identity,
            incarnation: space.bob.own.incarnation,
            space: space.bob.space
        )
        try space.bobWrites(.join, clear: join.bytes) { writer in
            writer.append(member.kind) { (bytes, _) in bytes.write(member.bytes) }
        }
        let change = try space.ada.receive(space.bobs(0...))
        #expect(change.applied.last?.outcome == .applied)
        #expect(space.ada.isMember(space.bob.identity.device))
        #expect(space.ada.name(of: space.bob.identity.device) == nil)
        #expect(space.ada.findings[space.bob.ownLog] == status)
    }

    @Test func `a join of a newer version does not count, and is reported as such`() throws {
        var space = try TestSpace()
        _ = try space.bob.receive(space.adas(0...))
        try space.bobWrites(.join, clear: [2, 9, 9]) { _ in }
        _ = try space.ada.receive(space.bobs(0...))
        #expect(!space.ada.isMember(space.bob.identity.device))
        #expect(space.ada.findings[space.bob.ownLog] == .needsUpdate(at: .zero))
    }

    @Test func `an invite that stands twice in the membership is once in the access list`()
        throws
    {
        var space = try TestSpace()
        for use in 0..<2 {
            let seed = SecretBytes([UInt8](repeating: 9, count: 16))
            _ = try space.ada.openInvite(seed: seed, role: .writer, uses: 9, surroundings(use))
        }
        let list = try #require(space.ada.nextAccessList(after: nil))
        #expect(list.members.count == 3)
        #expect(try AccessList(decoding: list.bytes) == list)
        #expect(space.ada.nextAccessList(after: list) == nil)
    }

    @Test func `what is here and not applied is not awaited from the relay`() throws {
        var space = try TestSpace.joined()
        var mallory = Replica(
            joining: space.link,
            deviceSeed: SecretBytes([UInt8](repeating: 66, count: 32)),
            incarnation: try incarnation(66)
        )
        _ = try mallory.receive(space.adas(0...))
        // A log that begins with an edit is kept, and never applied.
        var change = ReplicaChange()
        let epoch = try #require(space.bob.writeEpoch)
        try mallory.appendEntry(.edit, epoch: epoch, surroundings(1), use: 0, into: &change) { _ in
        }
        let bytes = change.entries[0].bytes
        let head = try #require(mallory.head(upTo: Offset(1), byteCount: UInt64(bytes.count)))
        try space.bobNames(Position(log: mallory.ownLog, offset: Offset(1)), head.chain)
        _ = try space.ada.receive(space.bobs(1...))
        let bob = space.bob.ownLog
        func hold() -> HoldReason? { space.ada.logSummaries.first { $0.log == bob }?.hold }
        #expect(hold() == .awaits(log: mallory.ownLog, end: Offset(1)))
        _ = try space.ada.receive(
            EntryRange(descriptor: mallory.own, from: .zero, entries: [bytes], head: head)
        )
        #expect(hold() == .awaitsHeld(log: mallory.ownLog))
    }
}

extension TestSpace {
    /// Bob writes an entry as he is told.
    fileprivate mutating func bobWrites(
        _ type: EntryType,
        clear: [UInt8],
        _ write: (inout BodyWriter) -> Void
    ) throws {
        guard let epoch = bob.writeEpoch else { throw TestFailure("Bob has no key") }
        var change = ReplicaChange()
        try bob.appendEntry(
            type,
            clear: clear,
            epoch: epoch,
            surroundings(200),
            use: 0,
            into: &change,
            write
        )
        bobsEntries += change.entries
    }

    /// Bob says that he has applied entries of a log.
    fileprivate mutating func bobNames(_ position: Position, _ chain: ChainHash) throws {
        guard let epoch = bob.writeEpoch else { throw TestFailure("Bob has no key") }
        let index = try bob.index(of: bob.own)
        let writer = BodyWriter(
            authorTime: 0,
            context: CausalContext(isFull: false, naming: [(position, chain)]),
            logs: bob.logs[index].table
        )
        let entry = try Seal.seal(
            writer.bytes,
            type: .edit,
            clear: [],
            at: EntryPlace(
                space: bob.space,
                log: bob.ownLog,
                offset: bob.logs[index].end,
                chain: bob.logs[index].lastChain
            ),
            under: epoch,
            random: bytes32(3).value
        )
        var change = ReplicaChange()
        bob.append(entry, epoch: epoch.id, at: index, into: &change)
        bobsEntries += change.entries
    }
}
