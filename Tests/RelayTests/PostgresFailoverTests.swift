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

/// The servers that commit are killed, standbys take over.
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

    /// A primary and two standbys, of which either one has to confirm each commit.
    private struct Cluster {
        let primary: PostgresServer
        let standbys: [String: PostgresServer]

        var hosts: String {
            let all = [primary] + standbys.values
            return "host=\(all.map(\.directory).joined(separator: ",")) user=relay dbname=postgres"
        }

        init() async throws {
            primary = try PostgresServer(settings: ["wal_keep_size = 256MB"])
            var standbys: [String: PostgresServer] = [:]
            for name in ["one", "two"] {
                standbys[name] = try PostgresServer(
                    standbyOf: primary,
                    settings: ["cluster_name = '\(name)'", "wal_keep_size = 256MB"]
                )
            }
            self.standbys = standbys
            try await Cluster.require("ANY 1 (one, two)", of: primary, count: 2)
        }

        /// Has each commit wait for standbys, and waits until these are there.
        static func require(
            _ names: String,
            of server: PostgresServer,
            count: Int
        ) async throws {
            try server.query("ALTER SYSTEM SET synchronous_standby_names = '\(names)'")
            try server.query("SELECT pg_reload_conf()")
            let states = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'"
            while try server.query(states) != "\(count)" {
                try await Task.sleep(for: .milliseconds(20))
            }
        }

        /// Makes the standby the primary that has most of the one that is gone. With a quorum of
        /// one of two it is the only one that is sure to have all.
        func promote() async throws -> (
            leader: PostgresServer, rest: (name: String, server: PostgresServer)
        ) {
            var places: [(place: Int, name: String, server: PostgresServer)] = []
            for (name, server) in standbys {
                // What was on its way to it when the primary died is still taken in.
                while try server.query("SELECT count(*) FROM pg_stat_wal_receiver") != "0" {
                    try await Task.sleep(for: .milliseconds(20))
                }
                let place = try server.query("SELECT pg_last_wal_receive_lsn() - '0/0'")
                places.append((Int(place) ?? 0, name, server))
            }
            places.sort { $0.place > $1.place }
            try places[0].server.promote()
            return (places[0].server, (places[1].name, places[1].server))
        }
    }

    /// Devices that append by way of several relays, until the body is done.
    private static func work(
        on relays: [PostgresRelay],
        _ ledger: Ledger,
        _ body: () async throws -> Void
    ) async throws -> [UInt8: TestLog] {
        let ports = relays.map(\.port)
        return try await withThrowingTaskGroup(of: (UInt8, TestLog).self) { group in
            for number in 1...deviceCount {
                group.addTask { (number, try await work(number, ports: ports, ledger: ledger)) }
            }
            defer { ledger.finish() }
            try await body()
            ledger.finish()
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    @Test func `two primaries are lost one after the other, and nothing that was acked`()
        async throws
    {
        let cluster = try await Cluster()
        let relays = try (0..<2).map { _ in try PostgresRelay([cluster.hosts]) }
        let ledger = Ledger()
        func ack(_ count: Int) async throws {
            let wanted = ledger.total + count
            while ledger.total < wanted { try await Task.sleep(for: .milliseconds(10)) }
        }
        var last: PostgresServer?
        let logs = try await Self.work(on: relays, ledger) {
            try await ack(300)
            // One standby stands still: the other confirms.
            try cluster.standbys["two"]?.setStill(true)
            try await ack(300)
            cluster.primary.kill()
            try cluster.standbys["two"]?.setStill(false)
            let (leader, rest) = try await cluster.promote()
            try rest.server.query(
                "ALTER SYSTEM SET primary_conninfo = 'host=\(leader.directory) user=relay'"
            )
            try rest.server.query("SELECT pg_reload_conf()")
            try await ack(100)
            try await Cluster.require("ANY 1 (\(rest.name))", of: leader, count: 1)
            try await ack(300)
            leader.kill()
            try rest.server.promote()
            try await ack(300)
            last = rest.server
        }
        for relay in relays { try relay.server.stop() }
        // Read by another process than those that acked, from the server that is left.
        let storage = try PostgresStorage([try #require(last).address()])
        #expect(ledger.ends.count == Int(Self.deviceCount))
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
        #expect(try storage.verify().damages == [])
        try storage.close()
    }
}
#endif
