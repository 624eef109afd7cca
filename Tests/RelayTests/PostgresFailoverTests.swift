#if PostgreSQL
import Foundation
import NIOCore
import PostgresServer
import RelayCore
import RelayStorage
import SennitWire
import Synchronization
import Testing

@testable import RelayPostgres

/// The server that commits is killed, its standby takes over.
@Suite(.enabled(if: PostgresServer.programs != nil), .timeLimit(.minutes(2)))
struct PostgresFailoverTests {
    /// What devices were told is stored: kept beside the relay and the database, by who was told.
    private final class Ledger: Sendable {
        private let acked = Mutex<[UInt8: Int]>([:])
        private let isOver = Atomic(false)

        /// The devices are to stop.
        var isDone: Bool { isOver.load(ordering: .sequentiallyConsistent) }
        func finish() { isOver.store(true, ordering: .sequentiallyConsistent) }

        func note(_ device: UInt8, _ end: Int) { acked.withLock { $0[device] = end } }
        var ends: [UInt8: Int] { acked.withLock { $0 } }
        var total: Int { ends.values.reduce(0, +) }
    }

    private static let deviceCount: UInt8 = 12

    /// One device in a space of its own: appends, several on their way, until it is told to stop.
    /// What was refused or not answered it offers again, from the end that the relay names.
    private static func work(
        _ number: UInt8,
        ports: [Int],
        ledger: Ledger
    ) async throws -> TestLog {
        let device = TestDevice(number)
        let genesis = device.genesis()
        var log = TestLog(device, genesis.spaceID)
        var attempt = 0
        while !ledger.isDone {
            attempt += 1
            let port = ports[(Int(number) + attempt) % ports.count]
            do {
                let (client, welcome) = try await RelayClient.enter(
                    genesis.spaceID,
                    as: device,
                    port: port,
                    founding: genesis
                )
                let end = Int(welcome.logs.first?.end.value ?? 0)
                // Nothing that was acked may be missing here already.
                #expect(end >= ledger.ends[number] ?? 0)
                for from in stride(from: end, to: log.entries.count, by: 4) {
                    client.send(.append(log.range(from, min(from + 4, log.entries.count))))
                }
                for _ in 0..<4 { client.send(.append(log.add(count: 1))) }
                while true {
                    guard case .ack(let ack) = try await client.next() else { break }
                    let acked = Int(ack.end.value)
                    #expect(ack == log.ack(acked))
                    ledger.note(number, max(acked, ledger.ends[number] ?? 0))
                    if ledger.isDone { break }
                    client.send(.append(log.add(count: 1)))
                }
                try? await client.close()
            } catch {
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        return log
    }

    @Test func `after the primary is killed under load nothing that was acked is missing`()
        async throws
    {
        let settings = ["synchronous_standby_names = 'FIRST 1 (walreceiver)'"]
        let primary = try PostgresServer(settings: ["wal_keep_size = 64MB"])
        let standby = try PostgresServer(standbyOf: primary)
        try primary.query("ALTER SYSTEM SET \(settings[0])")
        try primary.query("SELECT pg_reload_conf()")
        for _ in 0..<500 {
            if try primary.query("SELECT sync_state FROM pg_stat_replication") == "sync" { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try primary.query("SELECT sync_state FROM pg_stat_replication") == "sync")
        let hosts = "host=\(primary.directory),\(standby.directory) user=relay dbname=postgres"
        let relays = try (0..<2).map { _ in try PostgresRelay.start([hosts], .init()) }
        let ports = relays.map(\.port)
        let ledger = Ledger()
        let (logs, before, after) = try await withThrowingTaskGroup(of: (UInt8, TestLog).self) {
            group in
            for number in 1...Self.deviceCount {
                group.addTask {
                    (number, try await Self.work(number, ports: ports, ledger: ledger))
                }
            }
            while ledger.total < 500 { try await Task.sleep(for: .milliseconds(10)) }
            primary.kill()
            let before = ledger.total
            try standby.promote()
            let promoted = ledger.total
            while ledger.total < promoted + 500 { try await Task.sleep(for: .milliseconds(10)) }
            ledger.finish()
            var logs: [UInt8: TestLog] = [:]
            for try await (number, log) in group { logs[number] = log }
            return (logs, before, ledger.total)
        }
        #expect(before >= 500)
        #expect(after >= before + 500)
        for relay in relays { try relay.stop() }
        // Read by another process than those that acked, from the server that is left.
        let storage = try PostgresStorage([standby.address()])
        for (number, end) in ledger.ends {
            let log = try #require(logs[number])
            let record = try #require(try storage.log(log.id))
            #expect(record.end.value >= UInt64(end))
            var next = Offset.zero
            while next < record.end {
                let range = try #require(
                    try storage.range(of: log.id, descriptor: log.descriptor, from: next)
                )
                #expect(range == log.range(Int(next.value), Int(range.head.end.value)))
                next = range.head.end
            }
        }
        #expect(try StorageCheck.run(on: storage).damages == [])
        try storage.close()
    }
}
#endif
