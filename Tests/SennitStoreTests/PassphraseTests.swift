import Foundation
import SennitSeal
import SennitSync
import SennitWire
import Testing

@testable import SennitStore

@Suite struct PassphraseTests {
    private let first = SecretBytes(Array("the first passphrase".utf8))
    private let second = SecretBytes(Array("the second passphrase".utf8))
    private static let random = (0..<64).map { UInt8($0) }

    private func open(_ directory: TemporaryDirectory, _ passphrase: SecretBytes?)
        throws(StoreError)
        -> Profile
    {
        try Profile(
            directory: directory.profile,
            command: "test",
            new: .sample,
            passphrase: passphrase
        )
    }

    private func set(_ passphrase: SecretBytes, _ current: SecretBytes?, _ journal: Journal) throws
    {
        try journal.setPassphrase(
            passphrase,
            current: current,
            cost: .minimum,
            random: PassphraseTests.random
        )
    }

    /// Whether any file of the profile holds these bytes.
    private func holds(_ directory: TemporaryDirectory, _ secret: [UInt8]) throws -> Bool {
        try FileManager.default.contentsOfDirectory(atPath: directory.profile).contains { name in
            let url = URL(filePath: directory.profile + "/" + name)
            return try Data(contentsOf: url).firstRange(of: Data(secret)) != nil
        }
    }

    @Test func `a profile under a passphrase opens with that alone, and holds all it held`() throws
    {
        let directory = try TemporaryDirectory()
        var sample = SampleSpace(seed: 5)
        var profile = try directory.open()
        try profile.fill(&sample, stepCount: 60)
        #expect(try !profile.journal.hasPassphrase())
        try set(first, nil, profile.journal)
        #expect(try profile.journal.hasPassphrase())
        // What is learned after is sealed, too.
        for _ in 0..<60 { try profile.journal.commit([try sample.step()], to: sample.id) }
        try profile.close()

        let secrets = [Array(1...32)] + sample.expected.epochs.map(\.secret.bytes)
        #expect(secrets.count > 1)
        for secret in secrets { #expect(try !holds(directory, secret)) }
        #expect(throws: StoreError.locked(path: directory.journal)) { try directory.open() }
        #expect(throws: StoreError.wrongPassphrase(path: directory.journal)) {
            try open(directory, second)
        }
        profile = try open(directory, first)
        #expect(try profile.journal.deviceSeed().bytes == Array(1...32))
        let restored = try profile.journal.restore(sample.id)
        #expect(ComparableRecord(restored) == ComparableRecord(sample.expected))
        #expect(try profile.check().findings == [])
        try profile.journal.setPerson(PersonRecord(id: .zero, name: "Bea"))
        #expect(try profile.journal.deviceSeed().bytes == Array(1...32))
        try profile.close()
    }

    @Test func `a passphrase is changed and taken away, by who knows it alone`() throws {
        let directory = try TemporaryDirectory()
        var sample = SampleSpace(seed: 6)
        var profile = try directory.open()
        try profile.fill(&sample, stepCount: 30)
        try set(first, nil, profile.journal)
        #expect(throws: StoreError.wrongPassphrase(path: directory.journal)) {
            try set(second, second, profile.journal)
        }
        #expect(throws: StoreError.locked(path: directory.journal)) {
            try set(second, nil, profile.journal)
        }
        try set(second, first, profile.journal)
        try profile.close()
        #expect(throws: StoreError.wrongPassphrase(path: directory.journal)) {
            try open(directory, first)
        }
        profile = try open(directory, second)
        #expect(throws: StoreError.wrongPassphrase(path: directory.journal)) {
            try profile.journal.removePassphrase(current: first)
        }
        try profile.journal.removePassphrase(current: second)
        try profile.close()
        profile = try directory.open()
        let restored = try profile.journal.restore(sample.id)
        #expect(ComparableRecord(restored) == ComparableRecord(sample.expected))
        #expect(try profile.journal.deviceSeed().bytes == Array(1...32))
        try profile.close()
    }

    @Test func `kill -9 at any moment leaves the old passphrase or the new one`() async throws {
        for delay in stride(from: 0, to: 1000, by: 125) {
            let directory = try TemporaryDirectory()
            let path = directory.profile
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, delay = delay as Int] in
                let profile = try Profile(directory: path, command: "victim", new: .sample)
                var sample = SampleSpace(seed: 7)
                try profile.fill(&sample, stepCount: 40)
                Thread.detachNewThread {
                    usleep(UInt32(delay) * 1000)
                    kill(getpid(), SIGKILL)
                }
                let one = SecretBytes(Array("the first passphrase".utf8))
                let other = SecretBytes(Array("the second passphrase".utf8))
                let random = (0..<64).map { UInt8($0) }
                try profile.journal.setPassphrase(
                    one,
                    current: nil,
                    cost: .minimum,
                    random: random
                )
                while true {
                    for (new, old) in [(other, one), (one, other)] {
                        try profile.journal.setPassphrase(
                            new,
                            current: old,
                            cost: .minimum,
                            random: random
                        )
                    }
                }
            }
            var sample = SampleSpace(seed: 7)
            for _ in 0..<40 { _ = try sample.step() }
            var opened: Profile?
            for passphrase in [nil, first, second] as [SecretBytes?] where opened == nil {
                opened = try? open(directory, passphrase)
            }
            let profile = try #require(opened, "after \(delay) ms")
            let restored = try profile.journal.restore(sample.id)
            #expect(ComparableRecord(restored) == ComparableRecord(sample.expected))
            #expect(try profile.journal.deviceSeed().bytes == Array(1...32))
            try profile.close()
        }
    }

    @Test func `a vault that somebody altered is damage, and nothing is opened`() throws {
        let directory = try TemporaryDirectory()
        let profile = try directory.open()
        try set(first, nil, profile.journal)
        var bytes = try #require(try profile.journal.setting("vault"))
        bytes[20] ^= 1
        try profile.journal.setSetting("vault", to: bytes)
        try profile.close()
        #expect {
            try open(directory, first)
        } throws: { error in
            guard case .corrupt = error as? StoreError else { return false }
            return true
        }
    }
}
