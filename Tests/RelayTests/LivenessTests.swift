import Foundation
import Logging
import RelayStorage
import SennitWire
import Synchronization
import Testing

@testable import RelayCore

/// What systemd's watchdog is told.
@Suite(.timeLimit(.minutes(2)))
struct LivenessTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func `a relay whose committer is gone is not alive`() async throws {
        let directory = TestDirectory()
        var options = SegmentStorage.Options()
        // Nobody writes what is queued, until a commit by somebody else does.
        options.hasThreads = false
        let storage = try SegmentStorage(directory: directory.path, options: options)
        let configuration = RelayServer.Configuration(directory: directory.path + "/control")
        let server = try RelayServer(configuration, storage: storage, logger: logger)
        let isAlive = Mutex(false)
        server.whenAlive { isAlive.withLock { $0 = true } }
        // Event loops and queue have long come round by then.
        try await Task.sleep(for: .milliseconds(500))
        #expect(!isAlive.withLock { $0 })
        try storage.commit([.createSpace(TestDevice(1).genesis())])
        while !isAlive.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
        try server.stop()
    }

    @Test func `a relay with nothing to do is alive, and syncs nothing to say so`() async throws {
        let relay = try TestRelay()
        let count = relay.server.relay.storage.figures.syncCount
        for _ in 0..<3 {
            await withCheckedContinuation { continuation in
                relay.server.whenAlive { continuation.resume() }
            }
        }
        #expect(relay.server.relay.storage.figures.syncCount == count)
        try relay.server.stop()
    }
}
