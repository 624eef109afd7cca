import SennitSeal
import SennitWire
import Testing

/// Several invites with one key: which is meant follows from the records a join has seen, and not
/// from the order in which they came.
@Suite("Invites of one key")
struct InviteOrderTests {
    /// A record and where it stands.
    private struct Record {
        let source: Membership.Source
        let apply: (inout Membership) -> Void
    }

    private struct Invite {
        let place: Position
        let role: Role
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `the lowest that the join has seen is meant, in whatever order they come`(
        seed: UInt64
    ) throws {
        var fixture = Fixture(seed: seed)
        let first = fixture.log.logID(in: fixture.space)
        let again = LogDescriptor(
            device: fixture.founder.device,
            incarnation: fixture.random.incarnation()
        )
        let second = again.logID(in: fixture.space)
        let begun = JoinRecord(
            again: fixture.founder,
            incarnation: again.incarnation,
            space: fixture.space
        )
        let start = source(again, in: fixture.space, .zero, [:])
        var records = [Record(source: start) { $0.apply(begun, nil, from: start) }]

        let key = fixture.inviteIdentity()
        let invites = [
            Invite(place: Position(log: first, offset: Offset(2)), role: .reader),
            Invite(place: Position(log: first, offset: Offset(3)), role: .writer),
            Invite(place: Position(log: second, offset: Offset(1)), role: .writer),
        ]
        for invite in invites {
            let clear = try InviteClear(
                invite: key,
                epoch: fixture.epoch,
                ephemeral: fixture.random.bytes32()
            )
            let record = InviteRecord(role: invite.role, uses: 9, invite: key.device)
            let author = invite.place.log == first ? fixture.log : again
            let place = source(author, in: fixture.space, invite.place.offset, [:])
            records.append(Record(source: place) { $0.apply(clear, record, from: place) })
        }

        // What each join has seen, and so the role that it gives.
        let views: [[LogID: Offset]] = [
            [first: Offset(4), second: Offset(2)], [first: Offset(3)],
            [first: Offset(2), second: Offset(2)],
        ]
        var expected: [DeviceKey: Role] = [:]
        for view in views {
            let device = fixture.device()
            let join = JoinRecord(
                by: key,
                device: device,
                incarnation: fixture.random.incarnation(),
                space: fixture.space
            )
            let place = source(join.descriptor, in: fixture.space, .zero, view)
            records.append(Record(source: place) { $0.apply(join, nil, from: place) })
            let seen = invites.filter { $0.place.offset < view[$0.place.log] ?? .zero }
            let meant = seen.min {
                ($0.place.log, $0.place.offset) < ($1.place.log, $1.place.offset)
            }
            expected[device.device] = meant?.role
        }

        let hash = EntryHash(of: Seal.entry(founding: fixture.genesis).bytes)
        let founded = Membership(genesis: fixture.genesis, hash: hash, log: first)
        var orders = 0
        forEachOrder(of: records, from: founded) { membership in
            orders += 1
            for (device, role) in expected {
                #expect(membership.role(of: device) == role, "seed \(seed)")
            }
            #expect(membership.openInvites.count == 3)
        }
        #expect(orders == 82)
    }

    private func source(
        _ author: LogDescriptor,
        in space: SpaceID,
        _ offset: Offset,
        _ seen: [LogID: Offset]
    ) -> Membership.Source {
        var version = Version()
        for (log, end) in seen { version[log] = end }
        let log = author.logID(in: space)
        return Membership.Source(
            author: author,
            log: log,
            offset: offset,
            hash: EntryHash(of: log.bytes + [UInt8(offset.value)]),
            seen: version
        )
    }

    /// Applies records in every order in which each comes after those it has seen.
    private func forEachOrder(
        of records: [Record],
        from membership: Membership,
        _ body: (Membership) -> Void
    ) {
        if records.isEmpty { return body(membership) }
        for (index, record) in records.enumerated() {
            let isReady = records.allSatisfy { other in
                other.source.log == record.source.log
                    ? other.source.offset >= record.source.offset
                    : record.source.seen[other.source.log] <= other.source.offset
            }
            guard isReady else { continue }
            var next = membership
            record.apply(&next)
            var rest = records
            rest.remove(at: index)
            forEachOrder(of: rest, from: next, body)
        }
    }
}
