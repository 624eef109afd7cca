import SennitDocument
import SennitSeal
import SennitWire
import Testing

@testable import SennitSync

/// Copies of a device in a space whose members change meanwhile.
@Suite struct RenewalMembershipTests {
    private static let aside = bytes32(78).document

    /// What a replica wrote into its own log, from the first entry on.
    private func range(_ entries: [StoredEntry], of replica: Replica) throws -> EntryRange {
        let own = entries.filter { $0.log == replica.ownLog }
        let first = try #require(own.first)
        let end = try #require(own.last).offset.next
        try #require(first.offset == .zero)
        let byteCount = own.reduce(0) { $0 + UInt64($1.bytes.count) }
        return EntryRange(
            descriptor: replica.own,
            from: .zero,
            entries: own.map(\.bytes),
            head: try #require(replica.head(upTo: end, byteCount: byteCount))
        )
    }

    private func type(_ text: String, in document: DocumentID, _ replica: inout Replica) throws {
        _ = try replica.edit(document, [Patch(range: 0..<0, text: text)])
    }

    private func remove(
        _ device: Replica,
        by owner: inout Replica
    ) throws -> [StoredEntry] {
        let changes = try MembershipChanges([.remove(device.identity.device)])
        return try owner.change(changes, surroundings(60)).entries
    }

    @Test func `an owner decides in a new log that isn't begun yet`() throws {
        var space = try TestSpace.joined()
        var copy = space
        try copy.adaTypes("copy", at: 0)
        _ = try space.ada.receive(copy.adas(3...))
        #expect(space.ada.isOwnLogTaken)
        _ = space.ada.beginNewLog(surroundings(61))
        #expect(space.ada.maySeal)
        let entries = try remove(space.bob, by: &space.ada)
        #expect(try entries.map { try Entry(decoding: $0.bytes).type } == [.join, .membership])
        #expect(!space.ada.isMember(space.bob.identity.device))
        try space.ada.checkInvariants()
        // The other copy and Bob read it so as well.
        let told = try range(entries, of: space.ada)
        _ = try copy.ada.receive(told)
        #expect(!copy.ada.isMember(space.bob.identity.device))
        #expect(copy.ada.membership?.role(ofLog: space.ada.ownLog) == .owner)
        try copy.ada.checkInvariants()
    }

    /// Ada's copy removes Bob without what Bob wrote; Ada has that, types on, and renews.
    private func renewedAfterRemoval(
        typingIn document: DocumentID
    ) throws -> (replica: Replica, change: ReplicaChange, space: TestSpace) {
        var space = try TestSpace.joined()
        var copy = space
        copy.ada.life = 2
        space.ada.life = 1
        try space.bobTypes("BOB", at: 0)
        _ = try space.ada.receive(space.bobs(1...))
        try type("mine ", in: document, &space.ada)
        let ours = try space.ada.sealPending(surroundings(62)).entries
        try type("pending ", in: document, &space.ada)
        copy.adasEntries += try remove(space.bob, by: &copy.ada)
        let theirs = copy.adas(3...)
        #expect(throws: SyncError.self) { _ = try space.ada.receive(theirs) }
        let (fresh, change) = try space.ada.renewed(
            from: space.adasEntries + ours + space.bobsEntries,
            ownEnd: Offset(3),
            [theirs],
            surroundings(63)
        )
        #expect(!fresh.needsRebuild)
        #expect(!fresh.isMember(space.bob.identity.device))
        try fresh.checkInvariants()
        return (fresh, change, space)
    }

    @Test func `what the other copy's removal sets aside is taken back`() throws {
        let (fresh, _, space) = try renewedAfterRemoval(typingIn: RenewalMembershipTests.aside)
        #expect(space.text(of: fresh) == "")
        let mine = fresh.documents[RenewalMembershipTests.aside]?.text.string
        #expect(mine == "pending mine ")
        let bobs = fresh.logSummaries.first { $0.log == space.bob.ownLog }
        #expect(bobs?.hold == .setAside)
        #expect(fresh.pendingCount == 1)
    }

    @Test func `what was typed on what the removal would set aside keeps it`() throws {
        let (fresh, change, space) = try renewedAfterRemoval(typingIn: TestSpace.document)
        #expect(space.text(of: fresh) == "pending mine BOB")
        #expect(fresh.pendingCount == 0)
        // Whoever reads the new log comes to the same.
        var reader = try TestSpace.joined().ada
        _ = try reader.receive(space.bobs(1...))
        let old = change.entries.filter { $0.log == space.ada.ownLog }
        let log = try #require(fresh.logs.first { $0.id == space.ada.ownLog })
        _ = try reader.receive(
            EntryRange(
                descriptor: log.descriptor,
                from: Offset(3),
                entries: old.map(\.bytes),
                head: try #require(log.head)
            )
        )
        _ = reader.beginNewLog(surroundings(64))
        _ = try reader.receive(try range(change.entries, of: fresh))
        if reader.needsRebuild {
            reader = try reader.rebuilt(
                from: space.adasEntries + old + space.bobsEntries
                    + change.entries.filter { $0.log == fresh.ownLog },
                surroundings(65)
            ).replica
        }
        #expect(space.text(of: reader) == "pending mine BOB")
        try reader.checkInvariants()
    }

    @Test func `a copy of a device that was removed keeps what it typed and writes no more`()
        throws
    {
        var space = try TestSpace.joined()
        var copy = space
        try space.bobTypes("theirs", at: 0)
        try copy.bobTypes("ours", at: 0)
        try type("pending ", in: TestSpace.document, &copy.bob)
        let removal = try remove(space.bob, by: &space.ada)
        space.adasEntries += removal
        // Bob has no key for the record, but hears of it: as if Ada had given him one.
        for key in space.ada.epochs.values {
            var unused = ReplicaChange()
            copy.bob.learn(key, into: &unused)
        }
        let heard = try copy.bob.receive(space.adas(3...)).entries
        #expect(heard.count == 1)
        let (fresh, change) = try copy.bob.renewed(
            from: space.adasEntries + copy.bobsEntries,
            ownEnd: Offset(1),
            [space.bobs(1...)],
            surroundings(66)
        )
        #expect(!fresh.isMember)
        #expect(fresh.hasBeenMember)
        #expect(fresh.pendingCount == 2)
        #expect(!change.entries.contains { $0.log == fresh.ownLog })
        #expect(fresh.membership?.endedLogs.contains(space.bob.ownLog) == true)
        try fresh.checkInvariants()
    }

    @Test func `a rebuild forgets neither the life nor that there is a copy`() throws {
        var space = try TestSpace.joined()
        var copy = space
        space.bob.life = 9
        try copy.bobTypes("copy", at: 0)
        let entry = try space.bob.receive(copy.bobs(1...)).entries
        try type("mine", in: TestSpace.document, &space.bob)
        let stored = space.adasEntries + space.bobsEntries + entry
        let (fresh, _) = try space.bob.rebuilt(from: stored, surroundings(67))
        #expect(fresh.life == 9)
        #expect(fresh.isOwnLogTaken)
        #expect(fresh.findings[space.bob.ownLog] == .copied(at: Offset(1)))
        #expect(space.text(of: fresh) == space.text(of: space.bob))
    }
}
