import SennitSeal
import SennitWire
import Testing

@Suite("Membership by the second implementation")
struct MembershipOracleTests {
    /// Records that devices write at random, each knowing what it was told.
    private func world(seed: UInt64) throws -> RecordWorld {
        var world = RecordWorld(seed: seed)
        try world.rotate(by: 0)
        let first = try world.invite(by: 0, uses: 3)
        for _ in 0..<3 {
            let index = world.addDevice()
            world.tell(index, from: 0)
            world.join(index, by: first)
            world.tell(0, from: index)
        }
        try world.change([.role(world.key(1), .owner), .role(world.key(2), .owner)], by: 0)
        world.tellAll()
        for _ in 0..<(8 + world.fixture.random.below(10)) { try step(&world) }
        return world
    }

    private func step(_ world: inout RecordWorld) throws {
        let index = world.fixture.random.below(world.devices.count)
        let members = world.devices[index].membership.members.map(\.device)
        let one = members[world.fixture.random.below(members.count)]
        let isOwner = world.devices[index].membership.role(of: world.key(index)) == .owner
        switch world.fixture.random.below(10) {
        case ..<4: world.tell(index, from: world.fixture.random.below(world.devices.count))
        case ..<6: try world.change([.remove(one)], by: index)
        case ..<8:
            let role = Role.allCases[world.fixture.random.below(3)]
            try world.change([.role(one, role)], by: index)
        case ..<9 where isOwner:
            let uses = UInt64(1 + world.fixture.random.below(2))
            let invite = try world.invite(by: index, uses: uses)
            guard world.devices.count < 7 else { return }
            let guest = world.addDevice()
            world.tell(guest, from: index)
            world.join(guest, by: invite)
        default:
            guard let open = world.devices[index].membership.openInvites.first else { return }
            try world.change([.revoke(open.clear.invite)], by: index)
        }
    }

    @Test(arguments: stride(from: UInt64(0), to: 160, by: 40).map { $0 })
    func `agrees, whatever the order`(first: UInt64) throws {
        for seed in first..<(first + 40) {
            var world = try world(seed: seed)
            let oracle = MembershipOracle(
                world.records,
                genesis: world.fixture.genesis,
                founderLog: world.devices[0].logID
            )
            let state = oracle.result
            let oracleRoles = Dictionary(
                uniqueKeysWithValues: state.devices.compactMap { device in
                    state.role(device).map { (device, $0) }
                }
            )
            let membership = world.membership(world.records)
            var roles: [DeviceKey: Role] = [:]
            for member in membership.members { roles[member.device] = member.role }
            #expect(roles == oracleRoles, "seed \(seed)")
            #expect(membership.endedLogs == oracle.ended, "seed \(seed)")
            #expect(Set(membership.recipients) == oracle.recipients(state), "seed \(seed)")
            #expect(membership.openInvites.count == oracle.open(state).count, "seed \(seed)")
            for _ in 0..<4 {
                let other = world.membership(world.shuffled())
                #expect(Outcome(other) == Outcome(membership), "seed \(seed)")
            }
        }
    }
}
