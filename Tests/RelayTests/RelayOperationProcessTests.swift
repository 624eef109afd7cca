import Foundation
import SennitWire
import Testing

@testable import RelayCore

/// The command as whoever runs it meets it: settings, signals, readiness, metrics.
@Suite(.timeLimit(.minutes(3)))
struct RelayOperationProcessTests {
    let directory = TestDirectory()
    let founder = TestDevice(1)

    private func write(_ name: String, _ text: String) throws -> String {
        try FileManager.default.createDirectory(
            atPath: directory.path,
            withIntermediateDirectories: true
        )
        let path = directory.path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        return path
    }

    private func serve(
        _ flags: [String] = [],
        file: String? = nil,
        needsMetrics: Bool = true
    ) throws -> ServingRelay {
        try ServingRelay(
            (file.map { ["--config", $0] } ?? [])
                + ["--data", directory.path + "/data", "--listen", "127.0.0.1:0"]
                + ["--metrics-listen", "127.0.0.1:0"] + flags,
            needsMetrics: needsMetrics
        )
    }

    @Test func `mistakes in the settings keep it from starting, with code 78`() throws {
        let file = try write("r.toml", "listn = \"x\"\n[log]\nlevel = 1\n")
        for verb in [["serve"], ["config", "check"]] {
            let run = try RelayProcess.run(verb + ["--config", file])
            #expect(run.status == 78)
            #expect(run.errors.contains("\(file):1: listn is no setting; did you mean listen?"))
            #expect(run.errors.contains("\(file):3: log.level: it is 1"))
        }
        let missing = try RelayProcess.run(["serve", "--config", directory.path + "/none.toml"])
        #expect(missing.status == 78)
        #expect(missing.errors.hasSuffix("/none.toml: there is no such file\n"))
        let flag = try RelayProcess.run(["serve", "--lisen", "x"])
        #expect(flag.status == 64)
        #expect(
            flag.errors
                == "sennit-relay: error: --lisen: there is no such option; did you mean --listen?\n"
        )
    }

    @Test func `good settings are called good, and shown with where they are from`() throws {
        let file = try write("r.toml", "listen = \"127.0.0.1:1\"\n")
        let checked = try RelayProcess.run(["config", "check", "--config", file])
        #expect(checked.status == 0)
        #expect(checked.output == "sennit-relay: the settings are good (\(file))\n")
        let shown = try RelayProcess.run(["config", "show", "--config", file, "--log-level=error"])
        #expect(shown.output.contains("# \(file):1\n"))
        #expect(shown.output.contains("# --log-level\n"))
        let json = try RelayProcess.run(["config", "show", "--json", "--config", file])
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
        #expect((object as? [String: Any])?.count == RelaySettings.table.count)
    }

    @Test func `a certificate that can't be used is found before the start`() throws {
        let file = try write("r.toml", "[tls]\ncertificate = \"/none.pem\"\nkey = \"/none.key\"\n")
        let checked = try RelayProcess.run(["config", "check", "--config", file])
        #expect(checked.status == 78)
        #expect(checked.errors.contains("\(file):2: can't use the certificate /none.pem"))
    }

    @Test func `health says whether it is ready`() async throws {
        let relay = try serve()
        let url = "http://127.0.0.1:\(relay.metricsPort)"
        let healthy = try RelayProcess.run(["health", "--url", url])
        #expect(healthy.status == 0)
        #expect(healthy.output == "sennit-relay: ready\n")
        #expect(try relay.get("/metrics").body.contains("\nsennit_relay_ready 1\n"))
        #expect(relay.end(with: SIGTERM).status == 0)
        let gone = try RelayProcess.run(["health", "--url", url])
        #expect(gone.status == 1)
        #expect(gone.errors.hasPrefix("sennit-relay: error: nobody answers at \(url)/readyz"))
    }

    @Test func `top prints once for scripts`() async throws {
        let relay = try serve()
        let url = "http://127.0.0.1:\(relay.metricsPort)"
        let json = try RelayProcess.run(["top", "--once", "--json", "--url", url])
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
        let figures = try #require(object as? [String: Any])
        #expect(figures["ready"] as? Bool == true)
        #expect(figures["appendsPerSecond"] as? Double == 0)
        #expect(figures["syncSecondsP99"] is NSNull)
        let text = try RelayProcess.run(["top", "--once", "--url", url])
        #expect(text.output.hasPrefix("sennit-relay \(RelayVersion.text)  ready  up "))
        #expect(!text.output.contains("q quits"))
        let screen = try RelayProcess.run(["top", "--url", url])
        #expect(screen.status == 1)
        #expect(
            screen.errors == "sennit-relay: error: top needs a terminal; without one, use --once\n"
        )
        let devices = "http://127.0.0.1:\(relay.port)"
        let wrong = try RelayProcess.run(["top", "--once", "--url", devices])
        #expect(wrong.errors.contains("/metrics isn't where a relay tells its metrics"))
        #expect(relay.end(with: SIGTERM).status == 0)
    }

    @Test func `SIGHUP takes over what can be, and says what needs a restart`() async throws {
        let file = try write("r.toml", "[log]\nlevel = \"warning\"\n")
        let relay = try serve(file: file, needsMetrics: false)
        _ = try write("r.toml", "[log]\nlevel = \"info\"\nconnections = true\nformat = \"json\"\n")
        relay.send(SIGHUP)
        try await relay.logs("settings reloaded changed=log.level,log.format,log.connections")
        try await relay.logs("settings need a restart settings=log.format")
        _ = try relay.get("/healthz", port: relay.port)
        try await relay.logs("connection opened address=127.0.0.1")
        try await relay.logs("connection closed address=127.0.0.1")
        // A file with a mistake changes nothing.
        _ = try write("r.toml", "[log]\nlevel = \"lots\"\n")
        relay.send(SIGHUP)
        try await relay.logs("settings not reloaded reason=\"\(file):2: log.level")
        #expect(relay.end(with: SIGTERM).status == 0)
    }

    @Test func `it drains: not ready, nobody new, everybody told, code 0`() async throws {
        let relay = try serve(["--stop-timeout", "20s"])
        let genesis = founder.genesis()
        let (client, _) = try await RelayClient.enter(
            genesis.spaceID,
            as: founder,
            port: relay.port,
            founding: genesis
        )
        var log = TestLog(founder, genesis.spaceID)
        #expect(try await client.append(log.add(count: 1)) == .ack(log.ack(1)))
        // Who isn't a device yet isn't waited for.
        let silent = try await RawSocket(port: relay.port)
        relay.send(SIGTERM)
        guard case .refused(let refusal) = await client.rest().last else {
            Issue.record("no goodbye")
            return
        }
        #expect(refusal.code == .shuttingDown)
        #expect(relay.wait().status == 0)
        #expect(try await silent.untilClosed().isEmpty)
        #expect(relay.log.contains("stopping connections="))
        #expect(relay.log.contains("info stopped"))
    }

    @Test func `a second signal ends it at once`() async throws {
        let relay = try serve(["--stop-timeout", "600s", "--limits-linger-timeout", "60s"])
        // Takes no notice of the goodbye, so stopping waits for it.
        let deaf = try await RawSocket(port: relay.port)
        try await deaf.upgrade()
        try await relay.isUpgraded(1)
        relay.send(SIGTERM)
        try await relay.logs("stopping")
        #expect(try relay.get("/readyz").status == 503)
        let start = ContinuousClock.now
        relay.send(SIGTERM)
        let ending = relay.wait()
        let isSignal = ending.reason == .uncaughtSignal && ending.status == SIGTERM
        #expect(isSignal || ending.status == 128 + SIGTERM)
        #expect(start.duration(to: .now) < .seconds(30))
        #expect(!relay.log.contains("info stopped"))
        try? await deaf.close()
    }

    @Test func `stopping ends in time, whoever stays`() async throws {
        let relay = try serve(["--stop-timeout", "1s", "--limits-linger-timeout", "60s"])
        let deaf = try await RawSocket(port: relay.port)
        try await deaf.upgrade()
        try await relay.isUpgraded(1)
        relay.send(SIGTERM)
        #expect(relay.wait().status == 0)
        #expect(relay.log.contains("notice connections are cut connections=1"))
        try? await deaf.close()
    }

    @Test func `two relays on one machine need no settings for their metrics`() async throws {
        // Whoever has the port: this test, or something else that runs here.
        let holder = try? TelemetryServer(
            ListenAddress(host: "127.0.0.1", port: 7434),
            Telemetry()
        )
        defer { holder?.stop() }
        let relay = try ServingRelay(
            ["--data", directory.path + "/data", "--listen", "127.0.0.1:0"],
            needsMetrics: false
        )
        try await relay.logs("warning no metrics reason=\"can't listen on 127.0.0.1:7434")
        #expect(relay.end(with: SIGTERM).status == 0)
    }

    @Test func `systemd is told that it is ready, alive and stopping`() async throws {
        let socket = try DatagramReader(path: "/tmp/\(UUID().uuidString.prefix(8)).notify")
        let relay = try ServingRelay(
            ["--data", directory.path + "/data", "--listen", "127.0.0.1:0"]
                + ["--metrics-listen", "off"],
            environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "200000"],
            needsMetrics: false
        )
        var seen: [String] = []
        while !seen.contains("WATCHDOG=1") { seen.append(try #require(socket.next())) }
        let ready = try #require(
            seen.firstIndex { $0.hasPrefix("READY=1\nSTATUS=Listening on ws") }
        )
        #expect(seen.firstIndex(of: "STATUS=Opening the storage.") == 0)
        #expect(try ready < #require(seen.firstIndex(of: "WATCHDOG=1")))
        #expect(relay.end(with: SIGTERM).status == 0)
        var last = ""
        while !last.hasPrefix("STOPPING=1") { last = try #require(socket.next()) }
    }
}
