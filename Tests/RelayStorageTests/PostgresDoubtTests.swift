#if PostgreSQL
import Foundation
import PostgresServer
import RelayStorage
import SennitWire
import Synchronization
import Testing

@testable import RelayPostgres

/// What happens when nobody says whether a commit took place.
@Suite(.enabled(if: PostgresServer.programs != nil), .serialized, .timeLimit(.minutes(2)))
struct PostgresDoubtTests {
    private static let servers = Mutex<PostgresServer?>(nil)

    let server: PostgresServer
    let log = FakeLog(1)

    init() throws {
        server = try Self.servers.withLock { known in
            let server = try known ?? PostgresServer()
            known = server
            return server
        }
    }

    private func make(_ options: PostgresStorage.Options = .init()) throws -> PostgresStorage {
        try server.query("DROP SCHEMA IF EXISTS doubt CASCADE; CREATE SCHEMA doubt")
        let storage = try PostgresStorage([server.address(schema: "doubt")], options: options)
        try storage.commit([
            .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
        ])
        return storage
    }

    /// Commits wait for a standby that there isn't, or don't any more.
    private func setStandby(_ isWanted: Bool) throws {
        let name = isWanted ? "nobody" : ""
        try server.query("ALTER SYSTEM SET synchronous_standby_names = '\(name)'")
        try server.query("SELECT pg_reload_conf()")
        // Until every process has read it.
        while try server.query("SHOW synchronous_standby_names") != name {
            Thread.sleep(forTimeInterval: 0.01)
        }
        Thread.sleep(forTimeInterval: 0.05)
    }

    private func waitUntil(_ condition: String) throws {
        for _ in 0..<1000 {
            if try server.query("SELECT count(*) > 0 FROM pg_stat_activity WHERE \(condition)")
                == "t"
            {
                return
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
        Issue.record("it never came to \(condition)")
    }

    private final class Answer: Sendable {
        let results = Mutex<[StorageError?]?>(nil)
        private let done = DispatchSemaphore(value: 0)

        func finish(_ results: [StorageError?]) {
            self.results.withLock { $0 = results }
            done.signal()
        }

        var isThere: Bool { results.withLock { $0 != nil } }

        func wait() -> [StorageError?] {
            guard done.wait(timeout: .now() + 30) == .success else { return [.closed] }
            return results.withLock { $0 ?? [] }
        }
    }

    @Test(arguments: ["pg_terminate_backend", "pg_cancel_backend"])
    func `a commit that was cut off while it waited for a standby is acked once that has it`(
        function: String
    ) throws {
        let storage = try make()
        try setStandby(true)
        defer { try? setStandby(false) }
        let answer = Answer()
        storage.submit([[.append(log.batch(0, 2), log: log.id)]]) { answer.finish($0) }
        let waiting = "wait_event = 'SyncRep'"
        try waitUntil(waiting)
        // The transaction is in this server's log, not on a standby. The client is cut off, or told
        // that all is well, with a warning.
        try server.query("SELECT \(function)(pid) FROM pg_stat_activity WHERE \(waiting)")
        // The relay asks again, in a transaction that waits in its turn.
        try waitUntil("wait_event = 'SyncRep' AND query LIKE '%generation + 1%'")
        #expect(!answer.isThere)
        try setStandby(false)
        #expect(answer.wait() == [nil])
        #expect(try log.read(from: storage)?.ends == [2])
        try storage.commit([.append(log.batch(2, 3), log: log.id)])
        try storage.close()
    }

    @Test func `a transaction that was cut off before its commit is made again, once`() throws {
        let storage = try make()
        let blocker = try PostgresConnection(server.address(schema: "doubt"), timeout: .seconds(5))
        let deadline = Deadline.after(.seconds(30))
        try blocker.run("BEGIN; SELECT * FROM logs FOR UPDATE", until: deadline)
        let answer = Answer()
        storage.submit([[.append(log.batch(0, 2), log: log.id)]]) { answer.finish($0) }
        let waiting = "wait_event_type = 'Lock' AND query LIKE '%moves%'"
        for _ in 0..<3 {
            try waitUntil(waiting)
            try server.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE \(waiting)"
            )
        }
        try blocker.run("ROLLBACK", until: deadline)
        #expect(answer.wait() == [nil])
        #expect(try log.read(from: storage)?.ends == [2])
        try storage.close()
    }

    @Test func `connections that are cut off at any time lose nothing and double nothing`() throws {
        let storage = try make()
        let isDone = Atomic(false)
        let count: UInt64 = 400
        let stored = Mutex<[UInt64: StorageError?]>([:])
        let appender = Thread {
            for offset in 0..<count {
                let batch = log.batch(offset, offset + 1)
                var result: StorageError?
                do throws(StorageError) { try storage.commit([.append(batch, log: log.id)]) } catch
                {
                    result = error
                }
                stored.withLock { $0[offset] = .some(result) }
                if result != nil { break }
            }
            isDone.store(true, ordering: .sequentiallyConsistent)
        }
        appender.start()
        var cuts = 0
        while !isDone.load(ordering: .sequentiallyConsistent) {
            let cut = try server.query(
                """
                SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE application_name = 'sennit-relay'
                """
            )
            cuts += Int(cut) ?? 0
            Thread.sleep(forTimeInterval: 0.02)
        }
        #expect(cuts > 0)
        #expect(stored.withLock { $0.filter { $0.value != nil } }.isEmpty)
        #expect(try log.read(from: storage)?.ends == Array(1...count))
        try storage.close()
    }

    @Test func `while the database is away appends are refused within a bound, and then go on`()
        throws
    {
        var options = PostgresStorage.Options()
        options.holdTimeout = .milliseconds(400)
        options.commitTimeout = .seconds(1)
        options.connectTimeout = .seconds(2)
        let storage = try make(options)
        #expect(storage.outage == nil)
        // It answers nothing, as if the network had swallowed it.
        try server.setStill(true)
        let began = ContinuousClock.now
        let error = #expect(throws: StorageError.self) {
            try storage.commit([.append(log.batch(0, 1), log: log.id)])
        }
        guard case .unavailable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(ContinuousClock.now - began < .seconds(20))
        #expect(storage.outage != nil)
        #expect(throws: StorageError.self) { _ = try storage.log(log.id) }
        try server.setStill(false)
        for _ in 0..<1000 where storage.outage != nil { Thread.sleep(forTimeInterval: 0.01) }
        #expect(storage.outage == nil)
        // The append may have been stored: its device offers it again and hears so.
        let end = try #require(try log.read(from: storage)).end
        #expect(end <= 1)
        try storage.commit([.append(log.batch(end, 2), log: log.id)])
        #expect(try log.read(from: storage)?.end == 2)
        try storage.close()
    }
}
#endif
