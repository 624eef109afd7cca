import Foundation
import RelayStorage
import SennitWire
import Testing

@testable import RelayCore

/// What a relay does by itself, at times that the test says.
@Suite(.timeLimit(.minutes(2)))
struct MaintenanceTests {
    private let day: TimeInterval = 86_400
    private let founder = TestDevice(1)

    private func rules(_ days: Int?, grace: Int = 14) -> RelayPolicy.Retention {
        var rules = RelayPolicy.Retention()
        rules.untouchedDays = days
        rules.graceDays = grace
        return rules
    }

    private func terms(touched: Double? = nil, doomed: Double? = nil) -> SpaceTerms {
        var terms = SpaceTerms()
        terms.touched = touched.map { Date(timeIntervalSince1970: $0 * day) }
        terms.doomed = doomed.map { Date(timeIntervalSince1970: $0 * day) }
        return terms
    }

    private func step(
        _ rules: RelayPolicy.Retention,
        _ terms: SpaceTerms,
        isPresent: Bool = false,
        day now: Double
    ) -> RetentionStep {
        RetentionStep(
            rules,
            terms,
            isPresent: isPresent,
            now: Date(timeIntervalSince1970: now * day)
        )
    }

    @Test func `a space is announced, then deleted, unless anything speaks against it`() {
        let due = Date(timeIntervalSince1970: 44 * day)
        #expect(step(rules(30), terms(touched: 0), day: 29.9) == .keep)
        #expect(step(rules(30), terms(touched: 0), day: 30) == .announce(due))
        #expect(step(rules(30), terms(touched: 0, doomed: 44), day: 43.9) == .keep)
        #expect(step(rules(30), terms(touched: 0, doomed: 44), day: 44) == .delete)
        // Somebody is there; nobody knows when somebody was there; nothing was said.
        #expect(step(rules(30), terms(touched: 0, doomed: 44), isPresent: true, day: 99) == .keep)
        #expect(step(rules(30), terms(doomed: 44), day: 99) == .keep)
        #expect(step(rules(nil), terms(touched: 0, doomed: 44), day: 99) == .keep)
        // Touched again after it was announced.
        #expect(step(rules(30), terms(touched: 40, doomed: 44), day: 45) == .keep)
        // A shorter rule doesn't skip the announcement.
        let soon = Date(timeIntervalSince1970: 100 * day)
        #expect(step(rules(1, grace: 1), terms(touched: 0), day: 99) == .announce(soon))
    }

    @Test func `retention takes weeks, and only where no device comes`() async throws {
        let relay = try TestRelay()
        let (kept, gone) = (founder.genesis(1), founder.genesis(2))
        for genesis in [kept, gone] {
            let (client, _) = try await RelayClient.enter(
                genesis.spaceID,
                as: founder,
                port: relay.port,
                founding: genesis
            )
            var log = TestLog(founder, genesis.spaceID)
            #expect(try await client.append(log.add(count: 2)) == .ack(log.ack(2)))
            try await client.close()
        }
        while relay.server.connectionCount > 0 { try await Task.sleep(for: .milliseconds(5)) }
        let maintenance = relay.server.operations.maintenance
        let control = relay.server.relay.governor.control
        let begin = Date()
        func pass(_ days: Double) { maintenance.retain(rules(30), at: begin + days * day) }
        func due(_ genesis: Genesis) throws -> Date? {
            try control.terms(of: genesis.spaceID)?.doomed
        }
        maintenance.tick(at: begin)
        // Not known when the spaces were used last: they count as used today.
        pass(0)
        pass(29)
        #expect(try due(kept) == nil)
        pass(31)
        #expect(try due(kept) != nil)
        #expect(try due(gone) != nil)
        let again = try await RelayClient.enter(kept.spaceID, as: founder, port: relay.port).client
        maintenance.tick(at: begin + 40 * day)
        try await again.close()
        #expect(try due(kept) == nil)
        pass(44)
        #expect(try relay.server.relay.storage.spaceCount() == 2)
        pass(46)
        #expect(try relay.server.relay.storage.spaces() == [kept.spaceID])
        #expect(try control.terms(of: gone.spaceID) == nil)
        try relay.server.stop()
    }

    @Test func `compaction by the clock gives back what a deleted space took`() async throws {
        var policy = RelayPolicy()
        policy.compaction.interval = .zero
        policy.compaction.idleLiveShare = 0.9
        let directory = TestDirectory()
        let relay = try TestRelay(directory: directory, policy: policy)
        let (genesis, other) = (founder.genesis(1), founder.genesis(2))
        for (genesis, count) in [(genesis, 40), (other, 1)] {
            let (client, _) = try await RelayClient.enter(
                genesis.spaceID,
                as: founder,
                port: relay.port,
                founding: genesis
            )
            var log = TestLog(founder, genesis.spaceID)
            for _ in 0..<count {
                let entry = [UInt8](repeating: 7, count: 100_000)
                guard case .ack = try await client.append(log.add([entry])) else {
                    Issue.record("an append was refused")
                    return
                }
            }
        }
        try relay.server.stop()
        // A restart seals the segment.
        let again = try TestRelay(
            directory: directory,
            policy: policy,
            maximumByteCount: 1 << 30
        )
        let desk = AdminDesk(
            control: again.server.relay.governor.control,
            storage: again.server.relay.storage
        )
        let segments = try #require(again.server.relay.storage as? SegmentStorage)
        // Before, for the relay's own clock may compact at once.
        let before = segments.storedByteCount
        try desk.remove(genesis.spaceID, SpaceTerms(), isBlocked: false)
        // What was written may lie in two segments, and the janitor seals them meanwhile.
        while before - segments.storedByteCount <= 3_900_000 {
            again.server.operations.maintenance.tick(at: Date())
            try await Task.sleep(for: .milliseconds(5))
        }
        let (_, welcome) = try await RelayClient.enter(
            other.spaceID,
            as: founder,
            port: again.port
        )
        #expect(welcome.logs.first?.end == Offset(1))
        try again.server.stop()
    }
}
