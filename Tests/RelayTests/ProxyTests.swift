import Foundation
import NIOCore
import NIOSSL
import NIOWebSocket
import SennitWire
import Testing

@testable import RelayCore

/// The snippets in relay/deploy, run by the real programs in front of the real relay.
@Suite(.timeLimit(.minutes(3)))
struct ProxyTests {
    let directory = TestDirectory()
    let founder = TestDevice(1)

    /// Whether a program is there. Under CI it has to be, so its test runs and fails.
    static func isNeeded(_ program: String) -> Bool {
        ProcessInfo.processInfo.environment["CI"] == "true"
            || FileManager.default.isExecutableFile(atPath: program)
    }

    private static let nginx = "/usr/sbin/nginx"
    private static let caddy = "/usr/bin/caddy"

    private static func snippet(_ name: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "relay/deploy/\(name)"), encoding: .utf8)
    }

    /// Changes a text that has to be there.
    private func replace(_ old: String, _ new: String, in text: inout String) throws {
        try #require(text.contains(old), "the snippet doesn't have '\(old)'")
        text = text.replacingOccurrences(of: old, with: new)
    }

    private func nginxConfiguration(
        relay: Int,
        port: Int,
        files: (chainPath: String, keyPath: String),
        readTimeout: String,
        more: String = ""
    ) throws -> String {
        var server = try ProxyTests.snippet("nginx.conf")
        let certificates = "/etc/letsencrypt/live/relay.example.org"
        try replace("listen 443 ssl;", "listen 127.0.0.1:\(port) ssl;", in: &server)
        try replace("    listen [::]:443 ssl;\n", "", in: &server)
        try replace("\(certificates)/fullchain.pem", files.chainPath, in: &server)
        try replace("\(certificates)/privkey.pem", files.keyPath, in: &server)
        try replace("127.0.0.1:7433", "127.0.0.1:\(relay)", in: &server)
        try replace("proxy_read_timeout 90s", "proxy_read_timeout \(readTimeout)", in: &server)
        let folder = directory.path
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
            "    \($0)_temp_path \(folder)/\($0);\n"
        }
        return """
            daemon off;
            master_process off;
            pid \(folder)/nginx.pid;
            error_log \(folder)/nginx.log info;
            events { worker_connections 64; }
            http {
                access_log off;
            \(paths.joined())\(more)
            \(server)
            }
            """
    }

    private func caddyConfiguration(
        relay: Int,
        port: Int,
        files: (chainPath: String, keyPath: String)
    ) throws -> String {
        var site = try ProxyTests.snippet("Caddyfile")
        let tls = "tls \(files.chainPath) \(files.keyPath)"
        // Whatever the name: the test's device doesn't say which it wants.
        try replace("relay.example.org {", ":\(port) {\n\t\(tls)", in: &site)
        try replace("127.0.0.1:7433", "127.0.0.1:\(relay)", in: &site)
        return "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + site
    }

    private func write(_ name: String, _ text: String) throws -> String {
        let path = directory.path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func connect(_ proxy: Proxy) async throws -> RelayClient {
        let client = try await proxy.connect()
        let genesis = founder.genesis()
        try await client.greet(genesis.spaceID, as: founder)
        var frame = try await client.next()
        if case .refused(let refusal) = frame, refusal.code == .unknownSpace {
            client.send(.found(genesis))
            frame = try await client.next()
        }
        guard case .welcome = frame else { throw RelayClient.Failure.unexpected(frame) }
        return client
    }

    /// Appends almost as much as a frame may have, and reads it back on another connection.
    private func exchangeLargeFrames(_ proxy: Proxy) async throws {
        let writer = try await connect(proxy)
        let reader = try await connect(proxy)
        reader.send(.subscribe([]))
        #expect(try await reader.next() == .caughtUp)
        var log = TestLog(founder, founder.genesis().spaceID)
        let range = log.add(count: 1, byteCount: Limits.maximumEntryByteCount)
        #expect(RelayFrame.append(range).bytes.count > 1 << 20)
        #expect(try await writer.append(range) == .ack(log.ack(1)))
        guard case .entries(let entries) = try await reader.next() else {
            Issue.record("no entries")
            return
        }
        #expect(entries.entries == range.entries)
    }

    @Test(.enabled(if: isNeeded(nginx), "nginx is missing; `make setup-tests` installs it"))
    func `nginx hands over upgrades and large frames`() async throws {
        let relay = try serve()
        let proxy = try await Proxy(ProxyTests.nginx) { port, files in
            let text = try nginxConfiguration(
                relay: relay.port,
                port: port,
                files: files,
                readTimeout: "60s"
            )
            return ["-p", directory.path, "-c", try write("nginx.conf", text)]
        }
        try await exchangeLargeFrames(proxy)
        #expect(relay.end(with: SIGTERM).status == 0)
    }

    @Test(.enabled(if: isNeeded(nginx), "nginx is missing; `make setup-tests` installs it"))
    func `pings keep a connection open that nginx would close`() async throws {
        let relay = try serve()
        let proxy = try await Proxy(ProxyTests.nginx) { port, files in
            let text = try nginxConfiguration(
                relay: relay.port,
                port: port,
                files: files,
                readTimeout: "2s"
            )
            return ["-p", directory.path, "-c", try write("nginx.conf", text)]
        }
        let pinging = try await connect(proxy)
        let silent = try await connect(proxy)
        // Three times what nginx waits for.
        for number in 1...12 as ClosedRange<UInt64> {
            pinging.send(.ping(number))
            #expect(try await pinging.next() == .pong(number))
            try await Task.sleep(for: .milliseconds(500))
        }
        // nginx has ended the silent one, so the timeout is real.
        #expect(await silent.rest() == [])
        var log = TestLog(founder, founder.genesis().spaceID)
        #expect(try await pinging.append(log.add(count: 1)) == .ack(log.ack(1)))
        #expect(relay.end(with: SIGTERM).status == 0)
    }

    @Test(.enabled(if: isNeeded(nginx), "nginx is missing; `make setup-tests` installs it"))
    func `behind nginx the limits of an address are those of who connects to it`() async throws {
        let relay = try serve(["--access-trusted-proxies", "127.0.0.1"], connections: 1)
        let proxy = try await Proxy(ProxyTests.nginx) { port, files in
            // Lets the test's devices come from anywhere: as nginx sees them, they do.
            let text = try nginxConfiguration(
                relay: relay.port,
                port: port,
                files: files,
                readTimeout: "60s",
                more: "    set_real_ip_from 127.0.0.1;\n    real_ip_header X-Test-Address;\n"
                    + "    keepalive_timeout 0;\n"
            )
            return ["-p", directory.path, "-c", try write("nginx.conf", text)]
        }
        let first = try await proxy.socket()
        try await first.upgrade(["X-Test-Address: 192.0.2.7"])
        try await relay.isUpgraded(1)
        // What a stranger says about itself is not what nginx passes on.
        let second = try await proxy.socket()
        try await second.upgrade(["X-Test-Address: 192.0.2.7", "X-Forwarded-For: 192.0.2.99"])
        let answer = String(decoding: try await second.untilClosed(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 429 "))
        #expect(answer.contains("\r\nRetry-After: 60\r\n"))
        let other = try await proxy.socket()
        try await other.upgrade(["X-Test-Address: 192.0.2.8"])
        try await relay.isUpgraded(2)
        let metrics = try relay.get("/metrics").body
        #expect(metrics.contains("\nsennit_relay_turned_away_total{reason=\"address\"} 1\n"))
        // nginx answers the end of TLS by hanging up.
        for socket in [first, other] { try? await socket.close() }
        #expect(relay.end(with: SIGTERM).status == 0)
    }

    @Test(.enabled(if: isNeeded(caddy), "caddy is missing; `make setup-tests` installs it"))
    func `caddy hands over upgrades and large frames`() async throws {
        let relay = try serve()
        let proxy = try await Proxy(ProxyTests.caddy) { port, files in
            let text = try caddyConfiguration(relay: relay.port, port: port, files: files)
            let path = try write("Caddyfile", text)
            return ["run", "--config", path, "--adapter", "caddyfile"]
        }
        try await exchangeLargeFrames(proxy)
        #expect(relay.end(with: SIGTERM).status == 0)
    }

    private func serve(_ flags: [String] = [], connections: Int = 64) throws -> ServingRelay {
        try ServingRelay(
            ["--data", directory.path + "/data", "--listen", "127.0.0.1:0"]
                + ["--metrics-listen", "127.0.0.1:0"]
                + ["--access-connections-per-address", "\(connections)"] + flags
        )
    }
}
