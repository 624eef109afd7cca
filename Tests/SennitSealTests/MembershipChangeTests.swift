import SennitSeal
import SennitWire
import Testing

// Numbers are those of the attacks in docs/SECURITY.md.

@Suite("Membership changes")
struct MembershipChangeTests {
    /// A founder (0), two more owners (1, 2) in the order they became it, a writer (3) and a
    /// reader (4), all of whom know all.
    private func world(seed: UInt64 = 1) throws -> RecordWorld {
        var world = RecordWorld(seed: seed)
        try world.rotate(by: 0)
        let writers = try world.invite(by: 0, uses: 3)
        let readers = try world.invite(by: 0, role: .reader)
        for _ in 0..<4 {
            let index = world.addDevice()
            world.tell(index, from: 0)
            world.join(index, by: index == 4 ? readers : writers)
            world.tell(0, from: index)
        }
        try world.change([.role(world.key(1), .owner)], by: 0)
        world.tell(1, from: 0)
        try world.change([.role(world.key(2), .owner)], by: 1)
        world.tellAll()
        return world
    }

    /// Checks that every order of the records after `start` gives the same.
    private func outcome(of world: RecordWorld, from start: Int) -> Membership {
        let known = Array(world.records[..<start])
        var outcomes: [Outcome] = []
        for order in world.everyOrder(of: Array(world.records[start...])) {
            outcomes.append(Outcome(world.membership(known + order)))
        }
        #expect(outcomes.allSatisfy { $0 == outcomes[0] }, "\(outcomes.count) orders")
        return world.membership(world.records)
    }

    @Test func `a removed device is no member, gets no key, and its log ends`() throws {
        var world = try world()
        let epoch = world.devices[0].membership.currentEpoch
        #expect(try world.change([.remove(world.key(3))], by: 1))
        let after = world.devices[1].membership
        #expect(!after.isMember(world.key(3)))
        #expect(after.endedLogs == [world.devices[3].logID])
        #expect(after.members.count == 4)
        let removed = EpochRecord.Recipient(
            kind: .device,
            agreement: world.devices[3].identity.agreement
        )
        #expect(!after.recipients.contains(removed))
        #expect(after.currentEpoch != epoch)
        #expect(after.epochs[after.currentEpoch ?? fixtureKey]?.record.recipients.count == 4)
        #expect(after.epochs[epoch ?? fixtureKey]?.isSafe == false)
    }

    @Test func `22: only an owner changes anything, and only what is there`() throws {
        var world = try world()
        for index in [3, 4] {
            #expect(try !world.change([.remove(world.key(1))], by: index))
            let forced = world.devices[index].membership.recipients
            try world.change([.role(world.key(index), .owner)], by: index, to: forced)
        }
        #expect(try !world.change([.remove(world.key(1))], by: 1), "nobody removes itself")
        let stranger = world.addDevice()
        #expect(try !world.change([.remove(world.key(stranger))], by: 0))
        #expect(try !world.change([.revoke(world.key(1))], by: 0))
        world.tellAll()
        for device in world.devices.prefix(5) {
            #expect(device.membership.role(of: world.key(3)) == .writer)
            #expect(device.membership.role(of: world.key(4)) == .reader)
        }
    }

    @Test func `25: nobody writes under an epoch with a recipient too many or too few`() throws {
        var world = try world()
        let stranger = world.addDevice()
        let added = EpochRecord.Recipient(
            kind: .device,
            agreement: world.devices[stranger].identity.agreement
        )
        let right = world.devices[0].membership.recipients
        let epoch = world.devices[0].membership.currentEpoch
        let third = EpochRecord.Recipient(
            kind: .device,
            agreement: world.devices[3].identity.agreement
        )
        try world.rotate(by: 0, to: right.filter { $0 != third })
        #expect(world.devices[0].membership.currentEpoch == epoch)
        // The older key is handed on with the newer: neither is written under any more.
        try world.rotate(by: 0, to: right + [added])
        #expect(world.devices[0].membership.currentEpoch == nil)
        try world.rotate(by: 0)
        let mended = world.devices[0].membership.currentEpoch
        #expect(mended != nil)
        // Who is removed is out, even if the remover hands it the key.
        try world.change([.remove(world.key(3))], by: 0, to: right)
        let after = world.devices[0].membership
        #expect(!after.isMember(world.key(3)))
        #expect(after.currentEpoch == nil)
        try world.rotate(by: 1)
        world.tell(1, from: 0)
        try world.rotate(by: 1)
        #expect(world.devices[1].membership.currentEpoch != nil)
    }

    @Test func `31: of two owners who remove each other the senior stays`() throws {
        var world = try world()
        let start = world.records.count
        try world.change([.remove(world.key(1))], by: 2)
        try world.change([.remove(world.key(2))], by: 1)
        let after = outcome(of: world, from: start)
        #expect(after.role(of: world.key(1)) == .owner)
        #expect(after.role(of: world.key(2)) == nil)
    }

    @Test func `31: of a circle of removals the second falls with its author's right`() throws {
        var world = try world()
        let start = world.records.count
        for (one, other) in [(0, 1), (1, 2), (2, 0)] {
            try world.change([.remove(world.key(other))], by: one)
        }
        let after = outcome(of: world, from: start)
        #expect(after.role(of: world.key(1)) == nil)
        // Its removal by 1 falls with 1's right, and so it may remove the founder.
        #expect(after.role(of: world.key(2)) == .owner)
        #expect(after.role(of: world.key(0)) == nil)
    }

    @Test func `31: a removal beats what the removed did meanwhile`() throws {
        var world = try world()
        let start = world.records.count
        let invite = try world.invite(by: 2)
        try world.change([.role(world.key(3), .owner)], by: 2)
        let guest = world.addDevice()
        world.tell(guest, from: 2)
        world.join(guest, by: invite)
        world.tell(3, from: 2)
        try world.change([.remove(world.key(4))], by: 3)
        try world.change([.remove(world.key(2))], by: 1)
        let after = outcome(of: world, from: start)
        #expect(after.role(of: world.key(3)) == .writer)
        #expect(after.role(of: world.key(4)) == .reader)
        #expect(!after.isMember(world.key(guest)))
        #expect(after.endedLogs == [world.devices[2].logID, world.devices[guest].logID])
    }

    @Test func `31: a removal beats a role that was given meanwhile, the lower role the higher`()
        throws
    {
        var world = try world()
        let start = world.records.count
        try world.change([.role(world.key(3), .owner)], by: 0)
        try world.change([.remove(world.key(3))], by: 1)
        try world.change([.role(world.key(4), .owner)], by: 1)
        try world.change([.role(world.key(4), .writer)], by: 2)
        let after = outcome(of: world, from: start)
        #expect(after.role(of: world.key(3)) == nil)
        #expect(after.role(of: world.key(4)) == .writer)
    }

    @Test func `31: two rotations stay readable, and one is written under`() throws {
        var world = try world()
        let start = world.records.count
        try world.rotate(by: 0)
        try world.rotate(by: 3)
        let after = outcome(of: world, from: start)
        let epochs = after.epochs
        let newest = epochs.values.map(\.depth).max()
        #expect(epochs.values.count { $0.depth == newest } == 2)
        #expect(after.currentEpoch == epochs.filter { $0.value.depth == newest }.keys.max())
    }

    @Test func `31: no epoch of two concurrent removals is safe, the next one is`() throws {
        var world = try world()
        let start = world.records.count
        try world.change([.remove(world.key(3))], by: 0)
        try world.change([.remove(world.key(4))], by: 1)
        let after = outcome(of: world, from: start)
        #expect(after.currentEpoch == nil)
        #expect(after.members.count == 3)
        world.tell(2, from: 0)
        world.tell(2, from: 1)
        try world.rotate(by: 2)
        let merged = world.devices[2].membership
        #expect(merged.currentEpoch != nil)
        #expect(merged.epochs[merged.currentEpoch ?? fixtureKey]?.record.parents.count == 2)
    }

    @Test func `31: who joins while the invite is revoked does not get in`() throws {
        var world = try world()
        let invite = try world.invite(by: 1, uses: 5)
        let guests = [world.addDevice(), world.addDevice()]
        for guest in guests { world.tell(guest, from: 1) }
        world.join(guests[0], by: invite)
        world.tell(0, from: guests[0])
        world.tell(0, from: 1)
        let start = world.records.count
        world.join(guests[1], by: invite)
        try world.change([.revoke(world.invites[invite].device)], by: 0)
        let after = outcome(of: world, from: start)
        #expect(after.isMember(world.key(guests[0])))
        #expect(!after.isMember(world.key(guests[1])))
        #expect(after.endedLogs == [world.devices[guests[1]].logID])
        #expect(!after.openInvites.contains { $0.clear.invite == world.invites[invite].device })
    }

    @Test func `31: who joins while the keys are changed gets the next key`() throws {
        var world = try world()
        let invite = try world.invite(by: 0)
        let first = world.addDevice()
        let second = world.addDevice()
        for guest in [first, second] { world.tell(guest, from: 0) }
        world.join(first, by: invite)
        world.tell(0, from: first)
        let start = world.records.count
        try world.change([.remove(world.key(3))], by: 0)
        // The invite was used up when the owner made the epoch, so it has no box for this one.
        world.join(second, by: invite)
        let after = outcome(of: world, from: start)
        #expect(after.isMember(world.key(second)))
        #expect(after.currentEpoch == nil)
        world.tell(0, from: second)
        try world.rotate(by: 0)
        #expect(world.devices[0].membership.currentEpoch != nil)
    }

    @Test func `27: the removed can't come back by an invite that is known to it`() throws {
        var world = try world()
        let own = try world.invite(by: 2, uses: 9)
        let common = try world.invite(by: 0, uses: 9)
        let guest = world.addDevice()
        world.tellAll()
        world.join(guest, by: common)
        world.tellAll()
        try world.change([.remove(world.key(2)), .remove(world.key(guest))], by: 0)
        let after = world.devices[0].membership
        #expect(after.openInvites.isEmpty)
        let sock = world.addDevice()
        world.tell(sock, from: 2)
        world.join(sock, by: own)
        let other = world.addDevice()
        world.tell(other, from: 2)
        world.join(other, by: common)
        world.tell(0, from: sock)
        world.tell(0, from: other)
        #expect(!world.devices[0].membership.isMember(world.key(sock)))
        #expect(!world.devices[0].membership.isMember(world.key(other)))
    }

    @Test func `32: a backdated removal by a removed owner has no effect on a senior`() throws {
        var world = try world()
        try world.change([.remove(world.key(2))], by: 1)
        let start = world.records.count
        try world.change([.remove(world.key(1))], by: 2)
        let after = world.membership(world.records)
        #expect(after.role(of: world.key(1)) == .owner)
        #expect(after.role(of: world.key(2)) == nil)
        #expect(start < world.records.count)
    }

    @Test func `32: a backdated removal by a removed senior undoes its own`() throws {
        var world = try world()
        let start = world.records.count
        try world.change([.remove(world.key(1))], by: 2)
        try world.change([.remove(world.key(2))], by: 1)
        let after = outcome(of: world, from: start)
        #expect(after.role(of: world.key(1)) == .owner, "this is what seniority means")
        #expect(after.role(of: world.key(2)) == nil)
    }

    @Test func `33: a space is never without an owner`() throws {
        var world = try world()
        #expect(try world.change([.remove(world.key(2))], by: 0))
        world.tellAll()
        let start = world.records.count
        try world.change([.role(world.key(0), .writer)], by: 0)
        try world.change([.role(world.key(1), .reader)], by: 1)
        let after = outcome(of: world, from: start)
        #expect(after.role(of: world.key(0)) == .writer)
        #expect(after.role(of: world.key(1)) == .owner)
        world.tellAll()
        #expect(try !world.change([.role(world.key(1), .writer)], by: 1))
    }

    @Test func `a device that lost the right to write may begin a log to read`() throws {
        var world = try world()
        try world.change([.role(world.key(3), .reader)], by: 0)
        #expect(world.devices[0].membership.endedLogs == [world.devices[3].logID])
        world.tell(3, from: 0)
        let log = LogDescriptor(
            device: world.key(3),
            incarnation: world.fixture.random.incarnation()
        )
        let again = JoinRecord(
            again: world.devices[3].identity,
            incarnation: log.incarnation,
            space: world.fixture.space
        )
        var seen = world.devices[3].seen
        seen[world.devices[3].logID] = world.devices[3].end
        let source = Membership.Source(
            author: log,
            log: log.logID(in: world.fixture.space),
            offset: .zero,
            hash: EntryHash(of: [1]),
            seen: seen
        )
        world.devices[0].membership.apply(again, nil, from: source)
        let after = world.devices[0].membership
        #expect(after.role(ofLog: source.log) == .reader)
        #expect(!after.endedLogs.contains(source.log))
    }

    private var fixtureKey: EpochKeyID { EpochKeyID(value: .zero) }
}
