import SennitSeal
import SennitWire
import Testing

@Suite("Membership")
struct MembershipTests {
    @Test func `a space begins with its founder as the only member and owner`() {
        let scene = Scene()
        let membership = scene.founded
        #expect(membership.role(of: scene.fixture.founder.device) == .owner)
        #expect(membership.members.map(\.device) == [scene.fixture.founder.device])
        #expect(membership.openInvites.isEmpty)
        #expect(membership.currentEpoch == nil)
        let founder = EpochRecord.Recipient(
            kind: .device,
            agreement: scene.fixture.founder.agreement
        )
        #expect(membership.recipients == [founder])
    }

    @Test func `who joins by an owner's invite is a member with its role and name`() throws {
        var scene = Scene()
        let invite = try scene.invite(role: .reader, uses: 2)
        let guest = try scene.guest(by: invite, name: "Ada")
        var membership = scene.founded
        membership.apply(scene.epoch, from: scene.epochSource)
        scene.apply(invite, to: &membership)
        #expect(membership.openInvites.map(\.remainingUses) == [2])
        scene.apply(guest, to: &membership)
        #expect(membership.role(of: guest.device.device) == .reader)
        #expect(membership.member(guest.device.device)?.record?.name == "Ada")
        #expect(membership.name(of: guest.member.person) == "Ada")
        #expect(membership.openInvites.map(\.remainingUses) == [1])
        #expect(membership.currentEpoch == scene.fixture.epoch.id)
        #expect(membership.recipients.count == 3)
    }

    @Test func `an invite has so many uses`() throws {
        var scene = Scene()
        let invite = try scene.invite(uses: 2)
        var guests = try (0..<4).map { try scene.guest(by: invite, name: "\($0)") }
        for index in 1..<4 {
            for earlier in 0..<index { guests[index].see(guests[earlier].source) }
        }
        var membership = scene.founded
        scene.apply(invite, to: &membership)
        for guest in guests { scene.apply(guest, to: &membership) }
        for (index, guest) in guests.enumerated() {
            #expect(membership.isMember(guest.device.device) == (index < 2))
            #expect(membership.role(ofLog: guest.source.log) == (index < 2 ? .writer : nil))
        }
        #expect(membership.openInvites.isEmpty)
    }

    @Test func `who joins without having seen the others gets in, and nobody is put out again`()
        throws
    {
        var scene = Scene()
        let invite = try scene.invite(uses: 1)
        let guests = try (0..<3).map { try scene.guest(by: invite, name: "\($0)") }
        var membership = scene.founded
        scene.apply(invite, to: &membership)
        for (index, guest) in guests.enumerated() {
            scene.apply(guest, to: &membership)
            for known in guests.prefix(index + 1) {
                #expect(membership.isMember(known.device.device))
            }
        }
        #expect(membership.openInvites.isEmpty)
    }

    @Test func `a join comes after those it has seen, whatever its log id`() throws {
        var scene = Scene()
        let invite = try scene.invite(uses: 1)
        var pair = try (0..<2).map { try scene.guest(by: invite, name: "\($0)") }
        pair.sort { $1.source.log < $0.source.log }
        // The one of the lower id has seen the other.
        pair[1].see(pair[0].source)
        var membership = scene.founded
        scene.apply(invite, to: &membership)
        for guest in pair { scene.apply(guest, to: &membership) }
        #expect(membership.isMember(pair[0].device.device))
        #expect(!membership.isMember(pair[1].device.device))
    }

    @Test func `a join counts only if it has seen an invite of an owner that is its own`() throws {
        var scene = Scene()
        let invite = try scene.invite(uses: 9)
        let ownerMaker = try scene.invite(role: .owner, uses: 9)
        var blind = try scene.guest(by: invite, name: "blind")
        blind.source = scene.source(blind.join.descriptor, seen: Version())
        let climber = try scene.guest(by: ownerMaker, name: "climber")
        let member = try scene.guest(by: invite, name: "member")
        let memberInvite = try scene.invite(uses: 9, from: member.join.descriptor, offset: 1)
        let friend = try scene.guest(by: memberInvite, name: "friend")
        var membership = scene.founded
        scene.apply(invite, to: &membership)
        scene.apply(ownerMaker, to: &membership)
        for guest in [blind, climber, member] { scene.apply(guest, to: &membership) }
        scene.apply(memberInvite, to: &membership)
        scene.apply(friend, to: &membership)
        #expect(membership.isMember(member.device.device))
        for guest in [blind, climber, friend] {
            #expect(!membership.isMember(guest.device.device), "\(guest.member.name)")
        }
    }

    @Test func `another log of a member needs no invite and makes nobody a member`() throws {
        var scene = Scene()
        let invite = try scene.invite(uses: 1)
        let guest = try scene.guest(by: invite, name: "Ada")
        let stranger = scene.fixture.device()
        var membership = scene.founded
        scene.apply(invite, to: &membership)
        scene.apply(guest, to: &membership)
        for device in [guest.device, stranger] {
            let again = JoinRecord(
                again: device,
                incarnation: scene.fixture.random.incarnation(),
                space: scene.fixture.space
            )
            membership.apply(
                again,
                nil,
                from: scene.source(again.descriptor, seen: Version())
            )
        }
        #expect(membership.isMember(guest.device.device))
        #expect(!membership.isMember(stranger.device))
        #expect(membership.members.count == 2)
    }

    @Test func `a name is what the device's latest record says`() throws {
        var scene = Scene()
        let invite = try scene.invite(uses: 1)
        let guest = try scene.guest(by: invite, name: "Ada")
        var membership = scene.founded
        scene.apply(invite, to: &membership)
        scene.apply(guest, to: &membership)
        let later = try MemberRecord(person: guest.member.person, name: "Ada L.")
        let source = scene.source(guest.join.descriptor, offset: 4, seen: Version())
        membership.apply(later, from: source)
        #expect(membership.name(of: guest.member.person) == "Ada L.")
        // An earlier one that comes again changes nothing.
        membership.apply(guest.member, from: guest.source)
        #expect(membership.name(of: guest.member.person) == "Ada L.")
    }

    @Test func `the newest epoch is the deepest, and of two the one of the higher id`() throws {
        var scene = Scene()
        var membership = scene.founded
        membership.apply(scene.epoch, from: scene.epochSource)
        var next: [EpochKeyID] = []
        for offset: UInt64 in 2...3 {
            let key = EpochKey(
                secret: SecretBytes(scene.fixture.random.bytes(32)),
                space: scene.fixture.space
            )
            next.append(key.id)
            let record = try EpochRecord(
                key: key,
                parents: [scene.fixture.epoch.id],
                recipients: [scene.epoch.recipients[0]: scene.fixture.random.bytes32()],
                random: .zero
            )
            let source = scene.source(scene.fixture.log, offset: offset, seen: Version())
            membership.apply(record, from: source)
        }
        #expect(membership.currentEpoch == next.max())
        #expect(membership.epochs.count == 3)
        #expect(membership.epochs[scene.fixture.epoch.id]?.depth == 0)
    }

    @Test func `the hash covers the control records of members, poison ones as well`() throws {
        var scene = Scene()
        let invite = try scene.invite(uses: 1)
        var guests = try (0..<2).map { try scene.guest(by: invite, name: "\($0)") }
        guests[1].see(guests[0].source)
        let winner = guests[0]
        var membership = scene.founded
        func expected(_ hashes: [EntryHash]) -> Bytes32 {
            Hash.digest(.member, [hashes.sorted().flatMap(\.bytes)])
        }
        #expect(membership.hash == expected([scene.genesisHash]))
        scene.apply(invite, to: &membership)
        let poison = scene.source(scene.fixture.log, offset: 30, seen: Version())
        membership.apply(poisonFrom: poison)
        for guest in guests { scene.apply(guest, to: &membership) }
        #expect(
            membership.hash
                == expected([
                    scene.genesisHash, invite.source.hash, poison.hash, winner.source.hash,
                ])
        )
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `depends on the records, not on their order`(seed: UInt64) throws {
        var scene = Scene(seed: seed)
        let invites = [try scene.invite(uses: 3), try scene.invite(role: .reader, uses: 1)]
        var guests: [Scene.Guest] = []
        for index in 0..<9 {
            let invite = invites[scene.fixture.random.below(2)]
            var guest = try scene.guest(by: invite, name: "guest \(index)")
            for other in guests where scene.fixture.random.below(3) == 0 {
                guest.see(other.source)
            }
            guests.append(guest)
        }
        var renames: [(MemberRecord, Membership.Source)] = []
        for guest in guests + guests {
            let record = try MemberRecord(person: guest.member.person, name: "\(renames.count)")
            let other = LogDescriptor(
                device: guest.device.device,
                incarnation: scene.fixture.random.incarnation()
            )
            var seen = Version()
            if scene.fixture.random.below(2) == 0 { seen[guest.source.log] = Offset(1) }
            renames.append((record, scene.source(other, offset: 2, seen: seen)))
        }
        let first = scene.membership(invites, guests, renames)
        for invite in invites {
            let counting = Scene.counting(invite, among: guests)
            for guest in guests where guest.join.invite == invite.identity.device {
                #expect(
                    first.isMember(guest.device.device) == counting.contains(guest.source.log),
                    "seed \(seed)"
                )
            }
        }
        for _ in 0..<6 {
            let order = scene.shuffled(guests)
            let other = scene.membership(
                invites.shuffled(using: &scene.fixture.random),
                order,
                renames.shuffled(using: &scene.fixture.random)
            )
            #expect(other.members == first.members, "seed \(seed)")
            #expect(other.hash == first.hash, "seed \(seed)")
            #expect(other.recipients == first.recipients, "seed \(seed)")
            #expect(other.openInvites == first.openInvites, "seed \(seed)")
            #expect(other.epochs == first.epochs, "seed \(seed)")
        }
    }
}

/// A space whose control records are applied by hand.
private struct Scene {
    struct Invite {
        let identity: InviteIdentity
        let clear: InviteClear
        let record: InviteRecord
        let source: Membership.Source
    }

    struct Guest {
        let device: DeviceIdentity
        let join: JoinRecord
        let member: MemberRecord
        var source: Membership.Source

        mutating func see(_ other: Membership.Source) {
            var seen = source.seen
            seen[other.log] = other.offset.next
            source = Membership.Source(
                author: source.author,
                log: source.log,
                offset: source.offset,
                hash: source.hash,
                seen: seen
            )
        }
    }

    var fixture: Fixture
    let genesisHash: EntryHash
    let epoch: EpochRecord
    private var nextOffset: UInt64 = 2

    init(seed: UInt64 = 1) {
        fixture = Fixture(seed: seed)
        genesisHash = EntryHash(of: Seal.entry(founding: fixture.genesis).bytes)
        do {
            let founder = EpochRecord.Recipient(
                kind: .device,
                agreement: fixture.founder.agreement
            )
            epoch = try EpochRecord(
                key: fixture.epoch,
                parents: [],
                recipients: [founder: fixture.random.bytes32()],
                random: .zero
            )
        } catch {
            preconditionFailure("Nothing is over a limit.")
        }
    }

    var founded: Membership {
        Membership(
            genesis: fixture.genesis,
            hash: genesisHash,
            log: fixture.log.logID(in: fixture.space)
        )
    }

    var epochSource: Membership.Source {
        source(fixture.log, offset: 1, seen: Version())
    }

    func source(
        _ author: LogDescriptor,
        offset: UInt64 = 0,
        seen: Version
    ) -> Membership.Source {
        let log = author.logID(in: fixture.space)
        return Membership.Source(
            author: author,
            log: log,
            offset: Offset(offset),
            hash: EntryHash(of: log.bytes + [UInt8(offset)]),
            seen: seen
        )
    }

    mutating func invite(
        role: Role = .writer,
        uses: UInt64,
        from author: LogDescriptor? = nil,
        offset: UInt64? = nil
    ) throws -> Invite {
        let identity = fixture.inviteIdentity()
        defer { nextOffset += 1 }
        return Invite(
            identity: identity,
            clear: try InviteClear(
                invite: identity,
                epoch: fixture.epoch,
                ephemeral: fixture.random.bytes32()
            ),
            record: InviteRecord(role: role, uses: uses, invite: identity.device),
            source: source(author ?? fixture.log, offset: offset ?? nextOffset, seen: Version())
        )
    }

    mutating func guest(by invite: Invite, name: String) throws -> Guest {
        let device = fixture.device()
        let join = JoinRecord(
            by: invite.identity,
            device: device,
            incarnation: fixture.random.incarnation(),
            space: fixture.space
        )
        var seen = Version()
        seen[invite.source.log] = invite.source.offset.next
        return Guest(
            device: device,
            join: join,
            member: try fixture.memberRecord(name),
            source: source(join.descriptor, seen: seen)
        )
    }

    func apply(_ invite: Invite, to membership: inout Membership) {
        membership.apply(invite.clear, invite.record, from: invite.source)
    }

    func apply(_ guest: Guest, to membership: inout Membership) {
        membership.apply(guest.join, guest.member, from: guest.source)
    }

    func membership(
        _ invites: [Invite],
        _ guests: [Guest],
        _ renames: [(MemberRecord, Membership.Source)]
    ) -> Membership {
        var membership = founded
        membership.apply(epoch, from: epochSource)
        for invite in invites { apply(invite, to: &membership) }
        for guest in guests { apply(guest, to: &membership) }
        for (record, source) in renames { membership.apply(record, from: source) }
        return membership
    }

    /// The joins that count, each by asking the same of all that it has seen.
    static func counting(_ invite: Invite, among guests: [Guest]) -> Set<LogID> {
        let own = guests.filter { $0.join.invite == invite.identity.device }
        func counts(_ guest: Guest) -> Bool {
            let seen = own.filter { guest.source.seen[$0.source.log] > .zero }
            return UInt64(seen.filter(counts).count) < invite.record.uses
        }
        return Set(own.filter(counts).map(\.source.log))
    }

    /// Some other order in which each guest comes after those it has seen.
    mutating func shuffled(_ guests: [Guest]) -> [Guest] {
        var left = guests.shuffled(using: &fixture.random)
        var order: [Guest] = []
        while !left.isEmpty {
            let ready = left.firstIndex { guest in
                left.allSatisfy { guest.source.seen[$0.source.log] == .zero }
            }
            guard let ready else { preconditionFailure("Nobody has seen what came later.") }
            order.append(left.remove(at: ready))
        }
        return order
    }
}
