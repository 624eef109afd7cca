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
        let stored = Atomic<UInt64>(0)
        let failure = Mutex<StorageError?>(nil)
        let ended = DispatchSemaphore(value: 0)
        Thread {
            var offset: UInt64 = 0
            while !isDone.load(ordering: .sequentiallyConsistent) {
                let batch = log.batch(offset, offset + 1)
                do throws(StorageError) {
                    try storage.commit([.append(batch, log: log.id)])
                } catch {
                    failure.withLock { $0 = error }
                    break
                }
                offset += 1
                stored.store(offset, ordering: .sequentiallyConsistent)
            }
            ended.signal()
        }.start()
        var seen: UInt64 = 0
        var cutCount = 0
        while cutCount < 40 {
            // Between two cuts something is stored.
            while stored.load(ordering: .sequentiallyConsistent) == seen,
                failure.withLock({ $0 == nil })
            {
                Thread.sleep(forTimeInterval: 0.001)
            }
            if failure.withLock({ $0 != nil }) { break }
            seen = stored.load(ordering: .sequentiallyConsistent)
            let cut = try server.query(
                """
                SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE application_name = 'sennit-relay'
                """
            )
            // Those that find no connection, since none was made again yet, don't count.
            if cut != "0" { cutCount += 1 }
        }
        isDone.store(true, ordering: .sequentiallyConsistent)
        ended.wait()
        #expect(failure.withLock { $0 } == nil)
        let count = stored.load(ordering: .sequentiallyConsistent)
        #expect(count >= 40)
        #expect(try log.read(from: storage)?.ends == Array(1...count))
        try storage.close()
    }

    @Test func `each commit whose answer or whose transaction is lost is stored once`() throws {
        try server.query("DROP SCHEMA IF EXISTS doubt CASCADE; CREATE SCHEMA doubt")
        let link = try PostgresLink(to: server)
        let direct = server.address(schema: "doubt")
        let storage = try PostgresStorage([link.address(direct)])
        try storage.commit([
            .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
        ])
        for round in 0..<40 as Range<UInt64> {
            link.lose(round % 2 == 0 ? .answer : .transaction)
            try storage.commit([.append(log.batch(round, round + 1), log: log.id)])
            #expect(link.lossCount == Int(round) + 1)
        }
        try storage.close()
        let other = try PostgresStorage([direct])
        #expect(try log.read(from: other)?.ends == Array(1...40))
        try other.close()
    }

    @Test func `what follows on from an append that failed isn't put behind another relay's`()
        throws
    {
        var options = PostgresStorage.Options()
        options.holdTimeout = .seconds(3)
        var isConclusive = false
        // A busy machine may take longer than the second append waits; then once more.
        for _ in 0..<5 where !isConclusive {
            try server.query("DROP SCHEMA IF EXISTS doubt CASCADE; CREATE SCHEMA doubt")
            let link = try PostgresLink(to: server)
            let direct = server.address(schema: "doubt")
            let cutOff = try PostgresStorage([link.address(direct)], options: options)
            let sound = try PostgresStorage([direct])
            try cutOff.commit([
                .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
            ])
            link.setDown(true)
            let (first, second) = (Answer(), Answer())
            cutOff.submit([[.append(log.batch(0, 2), log: log.id)]]) { first.finish($0) }
            while cutOff.outage == nil { Thread.sleep(forTimeInterval: 0.01) }
            Thread.sleep(forTimeInterval: 1)
            // Judged as if the first were stored; it may wait a second longer.
            cutOff.submit([[.append(log.batch(2, 3), log: log.id)]]) { second.finish($0) }
            // Another relay's device has the place meanwhile, with other bytes.
            try sound.commit([.append(log.batch(0, 1), log: log.id)])
            try sound.commit([.append(log.batch(1, 2), log: log.id)])
            let refused = first.wait()
            link.setDown(false)
            let answer = second.wait()
            if case .unavailable? = refused[0], case .conflict? = answer[0] {
                isConclusive = true
            }
            #expect(answer[0] != nil)
            #expect(try log.read(from: sound)?.ends == [1, 2])
            // Whoever offers it now knows what it follows on from.
            if isConclusive { try cutOff.commit([.append(log.batch(2, 3), log: log.id)]) }
            try cutOff.close()
            try sound.close()
        }
        #expect(isConclusive)
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
