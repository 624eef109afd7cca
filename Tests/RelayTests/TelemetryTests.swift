import Foundation
import Logging
import SennitWire
import Synchronization
import Testing

@testable import RelayCore
@testable import RelayStorage

@Suite(.timeLimit(.minutes(2)))
struct TelemetryTests {
    let directory = TestDirectory()
    let founder = TestDevice(1)

    /// A figure of a text in Prometheus' format.
    private func figure(_ name: String, in text: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix("sennit_relay_\(name) ") }
            .flatMap { $0.split(separator: " ").last.flatMap { Double($0) } }
    }

    private func get(_ path: String, _ port: Int) throws -> HTTPProbe.Answer {
        let address = ListenAddress(host: "127.0.0.1", port: port)
        return try HTTPProbe.get(.init(address, path: path), within: .seconds(10))
    }

    @Test func `what is counted is what happened`() async throws {
        let telemetry = Telemetry()
        let server = try RelayServer(
            RelayServer.Configuration(directory: directory.path),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            telemetry: telemetry
        )
        let genesis = founder.genesis()
        let (client, _) = try await RelayClient.enter(
            genesis.spaceID,
            as: founder,
            port: server.port,
            founding: genesis
        )
        let (reader, _) = try await RelayClient.enter(
            genesis.spaceID,
            as: founder,
            port: server.port
        )
        reader.send(.subscribe([]))
        #expect(try await reader.next() == .caughtUp)
        var log = TestLog(founder, genesis.spaceID)
        for count in 1...3 {
            #expect(
                try await client.append(log.add(count: count)) == .ack(log.ack(log.entries.count))
            )
            _ = try await reader.next()
        }
        _ = log.add(count: 1)
        guard case .refused(let refusal) = try await client.append(log.add(count: 1)) else {
            Issue.record("a gap was taken")
            return
        }
        #expect(refusal.code == .gap)
        let text = telemetry.metricsText()
        #expect(figure("connections", in: text) == 2)
        #expect(figure("connections_total", in: text) == 2)
        #expect(figure("appends_total", in: text) == 3)
        #expect(figure("entries_total", in: text) == 6)
        #expect(figure("deliveries_total", in: text) == 3)
        #expect(figure("heads_checked_total", in: text) == 4)
        #expect(figure("refusals_total{code=\"gap\"}", in: text) == 1)
        #expect(figure("refusals_total{code=\"conflict\"}", in: text) == 0)
        #expect(figure("logs", in: text) == 1)
        #expect(figure("spaces", in: text) == 1)
        #expect(figure("entries", in: text) == 6)
        #expect(try #require(figure("received_bytes_total", in: text)) > 400)
        #expect(try #require(figure("sent_bytes_total", in: text)) > 400)
        #expect(try #require(figure("sync_seconds_count", in: text)) >= 4)
        #expect(
            figure("sync_seconds_bucket{le=\"+Inf\"}", in: text)
                == figure("sync_seconds_count", in: text)
        )
        #expect(
            try #require(figure("storage_bytes", in: text)) >= #require(
                figure("live_bytes", in: text)
            )
        )
        #expect(!text.contains("\(genesis.spaceID)"))
        #expect(!text.contains("\(log.id)"))
        try server.stop()
        #expect(telemetry.phase == .draining)
    }

    @Test func `every refusal has a name of its own`() {
        let counters = LoopCounters()
        for code in 1...14 as ClosedRange<UInt64> { counters.refuse(.init(rawValue: code)) }
        counters.refuse(.init(rawValue: 99))
        let counts = LoopCounters.refusalNames.indices.map(counters.refusalCount)
        #expect(counts == [UInt64](repeating: 1, count: 15))
        #expect(LoopCounters.refusalNames.last == "not_hosted")
        #expect(Refusal.Code.notHosted.rawValue == 14)
    }

    @Test func `the text is what Prometheus reads`() throws {
        var text = MetricsText()
        var times = StorageFigures().syncTimes
        for value in [0.00005, 0.0003, 0.0003, 60] { times.add(value) }
        text.add("sync_seconds", "Time.", times)
        let lines = text.text.split(separator: "\n")
        #expect(lines[0] == "# HELP sennit_relay_sync_seconds Time.")
        #expect(lines[1] == "# TYPE sennit_relay_sync_seconds histogram")
        #expect(lines.contains("sennit_relay_sync_seconds_bucket{le=\"0.00025\"} 1"))
        #expect(lines.contains("sennit_relay_sync_seconds_bucket{le=\"0.0005\"} 3"))
        #expect(lines.contains("sennit_relay_sync_seconds_bucket{le=\"5\"} 3"))
        #expect(lines.contains("sennit_relay_sync_seconds_bucket{le=\"+Inf\"} 4"))
        #expect(lines.last == "sennit_relay_sync_seconds_count 4")
        // Every line is a comment or a name, a value and nothing else.
        let whole = Telemetry().metricsText()
        for line in whole.split(separator: "\n") where !line.hasPrefix("# ") {
            let parts = line.split(separator: " ")
            #expect(parts.count == 2 && Double(parts[1]) != nil, "\(line)")
            #expect(parts[0].hasPrefix("sennit_relay_"), "\(line)")
        }
    }

    @Test func `the listener says whether the relay is ready`() async throws {
        let telemetry = Telemetry()
        let listener = try TelemetryServer(ListenAddress(host: "127.0.0.1", port: 0), telemetry)
        defer { listener.stop() }
        #expect(try get("/healthz", listener.port) == .init(status: 200, body: "ok\n"))
        let recovering = try get("/readyz", listener.port)
        #expect(recovering.status == 503)
        #expect(recovering.body.hasPrefix("recovering"))
        let failedAt = Figures()
        telemetry.serve(
            Telemetry.Source(
                connectionCount: { 7 },
                doorFigures: { Doorman.Figures(addressCount: 3, fullCount: 2, evictedCount: 1) },
                figures: { failedAt.value },
                sizes: { nil },
                certificate: { nil }
            )
        )
        #expect(try get("/readyz", listener.port) == .init(status: 200, body: "ready\n"))
        let metrics = try get("/metrics", listener.port).body
        #expect(figure("connections", in: metrics) == 7)
        #expect(figure("turned_away_total{reason=\"address\"}", in: metrics) == 3)
        #expect(figure("turned_away_total{reason=\"full\"}", in: metrics) == 2)
        #expect(figure("strangers_evicted_total", in: metrics) == 1)
        failedAt.set(.now)
        #expect(try get("/readyz", listener.port).body.hasPrefix("failing"))
        failedAt.set(.now - .seconds(61))
        #expect(try get("/readyz", listener.port).status == 200)
        telemetry.drain()
        #expect(try get("/readyz", listener.port).body.hasPrefix("draining"))
        #expect(try get("/elsewhere", listener.port).status == 404)
    }

    @Test func `what devices connect to answers no metrics`() throws {
        let server = try RelayServer(
            RelayServer.Configuration(directory: directory.path),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        #expect(try get("/healthz", server.port).status == 200)
        for path in ["/metrics", "/readyz"] {
            #expect(try get(path, server.port).status == 404)
        }
        try server.stop()
    }

    @Test(arguments: ["", "http://", "https://a", "ftp://a", "http://a:b"])
    func `a target that isn't one is refused`(url: String) {
        #expect(HTTPProbe.Target(url, path: "/x") == nil)
    }

    @Test func `a target has a path, and everywhere is here`() {
        #expect(HTTPProbe.Target("http://[::1]:1", path: "/x")?.description == "http://[::1]:1/x")
        #expect(HTTPProbe.Target("http://a/b", path: "/x")?.description == "http://a:80/b")
        let everywhere = ListenAddress(host: "0.0.0.0", port: 5)
        #expect(HTTPProbe.Target(everywhere, path: "/").address.host == "127.0.0.1")
    }

    /// Figures that a test changes. A class: the source's closure shares it.
    private final class Figures: Sendable {
        private let failedAt = Mutex<ContinuousClock.Instant?>(nil)
        var value: StorageFigures {
            var figures = StorageFigures()
            figures.failedAt = failedAt.withLock { $0 }
            return figures
        }
        func set(_ instant: ContinuousClock.Instant) { failedAt.withLock { $0 = instant } }
    }
}
