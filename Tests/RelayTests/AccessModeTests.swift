import Foundation
import RelayStorage
import SennitWire
import Testing

@testable import RelayCore

/// Who may have a space kept, over real sockets.
@Suite(.timeLimit(.minutes(2)))
struct AccessModeTests {
    let founder = TestDevice(1)
    let writer = TestDevice(2)
    let invite = TestDevice(3)
    let token = RelayToken(secret: .repeating(9))

    private var genesis: Genesis { founder.genesis() }
    private var space: SpaceID { genesis.spaceID }

    private func relay(_ mode: RelayPolicy.Access, directory: TestDirectory = TestDirectory())
        throws -> TestRelay
    {
        var policy = RelayPolicy()
        policy.access = mode
        return try TestRelay(directory: directory, policy: policy)
    }

    private func control(_ relay: TestRelay) -> ControlStore { relay.server.relay.governor.control }

    @discardableResult
    private func addToken(
        _ relay: TestRelay,
        name: String = "friends",
        expires: Date? = nil,
        quota: TokenQuota = TokenQuota()
    ) throws -> TokenRecord {
        try control(relay).addToken(
            name: name,
            hash: token.hash,
            created: Date(),
            expires: expires,
            quota: quota
        )
    }

    /// The answer to a device that brings the space.
    private func found(
        _ relay: TestRelay,
        _ genesis: Genesis? = nil,
        with token: RelayToken? = nil
    ) async throws -> RelayFrame {
        let genesis = genesis ?? self.genesis
        let client = try await RelayClient.connect(port: relay.port)
        try await client.greet(genesis.spaceID, as: founder)
        #expect(code(try await client.next()) == .unknownSpace)
        client.send(.found(genesis, token: token))
        let answer = try await client.next()
        // After a refusal the relay closes.
        try? await client.close()
        return answer
    }

    private func code(_ frame: RelayFrame) -> Refusal.Code? {
        if case .refused(let refusal) = frame { refusal.code } else { nil }
    }

    private func isWelcome(_ frame: RelayFrame) -> Bool {
        if case .welcome = frame { true } else { false }
    }

    @Test func `a space is founded with a token and lived in without`() async throws {
        let relay = try relay(.token)
        try addToken(relay)
        let without = try await found(relay)
        #expect(code(without) == .notHosted)
        #expect(isWelcome(try await found(relay, with: token)))
        let (client, _) = try await RelayClient.enter(space, as: founder, port: relay.port)
        let list = founder.accessList(space, devices: [(founder, .all)], invites: [invite])
        client.send(.putAccess(list))
        #expect(try await client.next() == .access(list))
        let (joiner, _) = try await RelayClient.enter(
            space,
            as: writer,
            port: relay.port,
            admittedBy: invite
        )
        var log = TestLog(writer, space)
        #expect(try await joiner.append(log.add(count: 1)) == .ack(log.ack(1)))
        let terms = try #require(try control(relay).terms(of: space))
        #expect(terms.token == 1)
        try relay.server.stop()
    }

    @Test func `a wrong, expired or revoked token has one answer`() async throws {
        let relay = try relay(.token)
        let other = RelayToken(secret: .repeating(8))
        let wrong = try await found(relay, with: other)
        var record = try addToken(relay, expires: Date(timeIntervalSinceNow: -1))
        let expired = try await found(relay, with: token)
        record.expires = nil
        record.revoked = Date()
        try control(relay).updateToken(record)
        let revoked = try await found(relay, with: token)
        #expect(code(wrong) == .notHosted)
        #expect(wrong == expired)
        #expect(expired == revoked)
        #expect(try control(relay).terms(of: space) == nil)
        record.revoked = nil
        try control(relay).updateToken(record)
        #expect(isWelcome(try await found(relay, with: token)))
        try relay.server.stop()
    }

    @Test func `a token has so many spaces, and bringing one again costs none`() async throws {
        let relay = try relay(.token)
        try addToken(relay, quota: TokenQuota(maximumSpaceCount: 2))
        #expect(isWelcome(try await found(relay, founder.genesis(1), with: token)))
        #expect(isWelcome(try await found(relay, founder.genesis(2), with: token)))
        #expect(code(try await found(relay, founder.genesis(3), with: token)) == .quotaExceeded)
        // Lost by the relay, brought by its founder.
        try relay.server.relay.storage.commit([.removeSpace(founder.genesis(1).spaceID)])
        relay.server.relay.committer.forgetAll()
        #expect(isWelcome(try await found(relay, founder.genesis(1), with: token)))
        try relay.server.stop()
    }

    @Test func `spaces of a token share its bytes, and others' are untouched`() async throws {
        let relay = try relay(.token)
        try addToken(relay, quota: TokenQuota(maximumByteCount: 600))
        for number in 1...2 as ClosedRange<UInt8> {
            #expect(isWelcome(try await found(relay, founder.genesis(number), with: token)))
        }
        var sizes: [Refusal.Code?] = []
        for number in 1...2 as ClosedRange<UInt8> {
            let space = founder.genesis(number).spaceID
            let (client, _) = try await RelayClient.enter(space, as: founder, port: relay.port)
            var log = TestLog(founder, space)
            let big = [[UInt8](repeating: 7, count: 400)]
            sizes.append(code(try await client.append(log.add(big))))
        }
        #expect(sizes == [nil, .quotaExceeded])
        try relay.server.stop()
    }

    @Test func `a revoked token's spaces are served on unless it is said otherwise`() async throws {
        let relay = try relay(.token)
        var record = try addToken(relay)
        #expect(isWelcome(try await found(relay, with: token)))
        record.revoked = Date()
        try control(relay).updateToken(record)
        relay.server.relay.governor.forgetAll()
        let (client, _) = try await RelayClient.enter(space, as: founder, port: relay.port)
        try await client.close()
        record.isServingStopped = true
        try control(relay).updateToken(record)
        relay.server.relay.governor.forgetAll()
        let refused = try await RelayClient.connect(port: relay.port)
        try await refused.greet(space, as: founder)
        #expect(code(try await refused.next()) == .notHosted)
        // A stranger isn't told that there is such a space.
        let stranger = try await RelayClient.connect(port: relay.port)
        try await stranger.greet(space, as: writer)
        #expect(code(try await stranger.next()) == .unknownSpace)
        try relay.server.stop()
    }

    @Test func `an allow-list names spaces or their founders`() async throws {
        let relay = try relay(.allowList)
        #expect(code(try await found(relay)) == .notHosted)
        try control(relay).setAllowed(.space(space), to: true)
        #expect(isWelcome(try await found(relay)))
        #expect(code(try await found(relay, founder.genesis(1))) == .notHosted)
        try control(relay).setAllowed(.founder(founder.key), to: true)
        #expect(isWelcome(try await found(relay, founder.genesis(1))))
        try control(relay).setAllowed(.founder(founder.key), to: false)
        #expect(code(try await found(relay, founder.genesis(2))) == .notHosted)
        #expect(try control(relay).allowed() == [.space(space)])
        try relay.server.stop()
    }

    @Test func `a frozen space is read and takes nothing, and stays away once it is gone`()
        async throws
    {
        let relay = try relay(.open)
        #expect(isWelcome(try await found(relay)))
        var log = TestLog(founder, space)
        let (client, _) = try await RelayClient.enter(space, as: founder, port: relay.port)
        #expect(try await client.append(log.add(count: 1)) == .ack(log.ack(1)))
        var terms = SpaceTerms()
        terms.isFrozen = true
        try control(relay).setTerms(terms, of: space)
        relay.server.relay.governor.forget(space)
        #expect(code(try await client.append(log.add(count: 1))) == .notHosted)
        let (again, welcome) = try await RelayClient.enter(space, as: founder, port: relay.port)
        #expect(welcome.logs.first?.end == Offset(1))
        try await again.close()
        try await client.close()
        try relay.server.relay.storage.commit([.removeSpace(space)])
        relay.server.relay.committer.forgetAll()
        #expect(code(try await found(relay)) == .notHosted)
        try relay.server.stop()
    }

    @Test func `decisions survive a restart, and a newer control file is refused`() async throws {
        let directory = TestDirectory()
        let relay = try relay(.token, directory: directory)
        try addToken(relay)
        try relay.server.stop()
        let again = try self.relay(.token, directory: directory)
        #expect(isWelcome(try await found(again, with: token)))
        try again.server.stop()
        let path = directory.path + "/" + ControlStore.fileName
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try handle.seek(toOffset: 60)
        try handle.write(contentsOf: Data([0, 0, 0, 99]))
        try handle.close()
        #expect(throws: RelayError.storage(.newerFormat(path: path, version: 99))) {
            try self.relay(.token, directory: directory)
        }
    }

    @Test func `the control file gives no token away`() throws {
        let directory = TestDirectory()
        let relay = try relay(.token, directory: directory)
        try addToken(relay)
        try relay.server.stop()
        let path = directory.path + "/" + ControlStore.fileName
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(data.range(of: Data(token.hash.bytes)) != nil)
        #expect(data.range(of: Data(token.secret.bytes)) == nil)
        #expect(data.range(of: Data("sennit-token".utf8)) == nil)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect(mode as? Int == 0o600)
    }
}
