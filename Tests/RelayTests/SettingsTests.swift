import Foundation
import Testing

@testable import RelayCore

struct SettingsTests {
    private let defaults = RelaySettings(directory: "/var/lib/sennit-relay")

    private func effective(
        _ text: String? = nil,
        environment: [String: String] = [:],
        flags: [String] = []
    ) -> EffectiveSettings {
        EffectiveSettings(
            defaults: defaults,
            file: text.map { EffectiveSettings.File(path: "r.toml", text: $0) },
            environment: environment,
            flags: flags
        )
    }

    @Test func `options come before the environment, that before the file`() {
        let file = "listen = \"0.0.0.0:1\"\n[log]\nlevel = \"debug\"\nformat = \"json\""
        let environment = ["SENNIT_RELAY_LISTEN": "0.0.0.0:2", "SENNIT_RELAY_LOG_LEVEL": "error"]
        let result = effective(file, environment: environment, flags: ["--listen", "[::1]:3"])
        #expect(result.problems == [])
        #expect(result.settings.listen == ListenAddress(host: "::1", port: 3))
        #expect(result.settings.logLevel == "error")
        #expect(result.settings.logFormat == "json")
        #expect(result.source(of: "listen") == .flag("listen"))
        #expect(result.source(of: "log.level") == .variable("SENNIT_RELAY_LOG_LEVEL"))
        #expect(result.source(of: "log.format") == .file(path: "r.toml", line: 4))
        #expect(result.source(of: "data") == .standard)
    }

    @Test func `with nothing said, the defaults hold`() {
        let result = effective()
        #expect(result.settings == defaults)
        #expect(result.problems == [] && result.warnings == [])
        #expect(result.settings.listen.host == "127.0.0.1")
    }

    @Test func `every default is a value that its setting takes`() {
        for setting in RelaySettings.table {
            var settings = defaults
            let raw = setting.get(defaults)
            #expect(setting.set(&settings, raw), "\(setting.key)")
            #expect(settings == defaults, "\(setting.key)")
            // The environment says the same as text.
            if case .list = raw { continue }
            let text = raw.string ?? raw.literal
            #expect(setting.set(&settings, .text(text)), "\(setting.key)")
            #expect(settings == defaults, "\(setting.key)")
        }
    }

    @Test func `no two settings have one name`() {
        #expect(Set(RelaySettings.table.map(\.key)).count == RelaySettings.table.count)
        #expect(Set(RelaySettings.table.map(\.flag)).count == RelaySettings.table.count)
        #expect(Set(RelaySettings.table.map(\.variable)).count == RelaySettings.table.count)
    }

    @Test(
        arguments: [
            ("listn = 1", "1: listn is no setting; did you mean listen?"),
            (
                "\n[limits]\nlevel = \"x\"",
                "3: limits.level is no setting; did you mean log.level?"
            ),
            ("zebra.crossing = 1", "1: zebra.crossing is no setting; remove it"),
            (
                "listen = 80",
                "1: listen: it is 80; it takes HOST:PORT, such as 127.0.0.1:7433 or [::1]:7433"
            ),
            (
                "stop_timeout = \"0s\"",
                "1: stop_timeout: it is \"0s\"; it takes a duration from 1s to 10m, such as 30s"
            ),
            (
                "[log]\nconnections = \"true\"",
                "2: log.connections: it is \"true\"; it takes true or false"
            ),
            (
                "[tls]\nkey = \"k\"",
                "2: tls.key: it comes together with tls.certificate, which isn't set"
            ),
            (
                "metrics.listen = \"127.0.0.1:7433\"",
                "1: metrics.listen: listen has the same address; metrics need their own"
            ),
            (
                """
                storage.engine = "postgres"
                storage.databases = ["host=db"]
                retention.untouched_days = 90
                """,
                """
                3: retention.untouched_days: with storage.engine "postgres" a relay can't see who \
                is at the others
                """
            ),
        ]
    )
    func `a mistake in the file says where, what and what to do`(text: String, problem: String) {
        #expect(effective(text).problems.map(\.description) == ["r.toml:\(problem)"])
    }

    @Test func `every mistake is found at once`() {
        let result = effective(
            "listen = 1\nx\n[log]\nlevel = \"loud\"",
            environment: ["SENNIT_RELAY_LIMITS_CONNECTIONS": "0"],
            flags: ["--log-lvl", "debug", "--data=", "stray", "--listen"]
        )
        #expect(result.problems.count == 8)
        #expect(result.settings == defaults)
        let texts = result.problems.map(\.description)
        #expect(texts.contains("--log-lvl: there is no such option; did you mean --log-level?"))
        #expect(texts.contains("--data: it is \"\"; it takes a path"))
        #expect(texts.contains { $0.hasPrefix("--listen: its value is missing") })
        #expect(texts.contains { $0.hasPrefix("SENNIT_RELAY_LIMITS_CONNECTIONS: it is \"0\"") })
    }

    @Test func `a variable that nobody knows is no reason not to start`() {
        let environment = ["SENNIT_RELAY_PORT": "tcp://10.0.0.1:7433", "SENNIT_RELAY_CONFIG": "x"]
        let result = effective(environment: environment)
        #expect(result.problems == [])
        #expect(result.warnings.map(\.key) == ["SENNIT_RELAY_PORT"])
    }

    @Test(
        arguments: [
            (["--log-connections"], true), (["--log-connections", "false"], false),
            (["--log-connections=true"], true), (["--log-connections", "--data", "/d"], true),
        ]
    )
    func `a switch needs no value`(flags: [String], value: Bool) {
        let result = effective(flags: flags)
        #expect(result.problems == [])
        #expect(result.settings.logsConnections == value)
    }

    @Test(
        arguments: [
            ("1024", 1024), ("64KiB", 65536), ("1 GiB", 1 << 30), ("10MB", 10_000_000),
            ("1.5MiB", nil), ("MiB", nil), ("-1", nil), ("9999999TiB", nil), ("1mib", nil),
        ]
    )
    func `sizes have units`(text: String, count: Int?) {
        #expect(ByteText.read(text) == count)
        if let count { #expect(ByteText.read(ByteText.write(count)) == count) }
    }

    @Test(
        arguments: [
            ("250ms", Duration.milliseconds(250)), ("90s", .seconds(90)), ("2m", .seconds(120)),
            ("1h", .seconds(3600)), ("7 d", .seconds(604_800)), ("30", nil), ("s", nil),
            ("1w", nil),
        ]
    )
    func `durations have units`(text: String, duration: Duration?) {
        #expect(DurationText.read(text) == duration)
        if let duration { #expect(DurationText.read(DurationText.write(duration)) == duration) }
    }

    @Test(
        arguments: [
            ("localhost:1", "localhost:1"), ("[::]:7433", "[::]:7433"), (":1", nil), ("a", nil),
            ("a:70000", nil), ("::1:80", nil), ("a b:1", nil), ("[]:1", nil),
        ]
    )
    func `addresses have a host and a port`(text: String, written: String?) {
        #expect(ListenAddress(text)?.description == written)
    }

    @Test func `what is shown can be read again and says where it is from`() {
        let shown = effective("[log]\nlevel = \"debug\"", flags: ["--stop-timeout", "90s"])
        let text = SettingsText.toml(shown)
        #expect(effective(text).settings == shown.settings)
        #expect(effective(text).problems == [])
        let line = text.split(separator: "\n").first { $0.hasPrefix("level = ") }
        #expect(line?.hasPrefix("level = \"debug\" ") == true)
        #expect(line?.hasSuffix(" # r.toml:2") == true)
        let json = try? JSONSerialization.jsonObject(with: Data(SettingsText.json(shown).utf8))
        let row = (json as? [String: [String: Any]])?["stop_timeout"]
        #expect(row?["value"] as? String == "90s")
        #expect(row?["source"] as? String == "--stop-timeout")
    }

    @Test func `the example file changes nothing, and says every default if it is uncommented`() {
        let example = SettingsText.example(defaults)
        #expect(effective(example).settings == defaults)
        #expect(TOMLReader(example).entries == [])
        let lines = example.split(separator: "\n").map { line in
            line.hasPrefix("#") && !line.hasPrefix("# ") ? line.dropFirst() : line
        }
        let uncommented = lines.joined(separator: "\n")
        #expect(TOMLReader(uncommented).entries.map(\.key) == RelaySettings.table.map(\.key))
        #expect(effective(uncommented).settings == defaults)
        #expect(effective(uncommented).problems == [])
    }

    @Test func `the manual page has every verb and setting, and troff reads it`() throws {
        let run = try RelayProcess.run(["config", "manual"])
        #expect(run.status == 0)
        let lines = Set(run.output.split(separator: "\n").map(String.init))
        for verb in ["serve", "admin spaces freeze", "verify", "token create"] {
            #expect(lines.contains("\\fB\(verb)\\fR"), "\(verb)")
        }
        for setting in RelaySettings.table {
            #expect(lines.contains { $0.hasPrefix("\\fB\(setting.key) (") }, "\(setting.key)")
        }
        // What begins a line with a point is a macro that man(7) has.
        for line in lines where line.hasPrefix(".") {
            let macro = line.prefix { $0 != " " }
            #expect([".TH", ".SH", ".TP", ".B", ".RI", ".br"].contains(macro), "\(line)")
        }
    }

    @Test func `the pages in the repository are those that the table makes`() throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appending(path: "relay/SETTINGS.md"),
            encoding: .utf8
        )
        #expect(page == SettingsText.markdown(defaults), "run `make relay-pages`")
        let file = root.appending(path: "relay/deploy/sennit-relay.toml")
        #expect(try String(contentsOf: file, encoding: .utf8) == SettingsText.example(defaults))
    }

    @Test func `the directory suits who runs it`() {
        func directory(_ environment: [String: String], isRoot: Bool = false) -> String {
            RelaySettings.defaultDirectory(environment: environment, isRoot: isRoot)
        }
        #expect(directory(["STATE_DIRECTORY": "/s/a:/s/b", "HOME": "/h"]) == "/s/a")
        #expect(directory(["HOME": "/h"], isRoot: true) == "/var/lib/sennit-relay")
        #expect(directory(["XDG_STATE_HOME": "/x", "HOME": "/h"]) == "/x/sennit-relay")
        #expect(directory(["XDG_STATE_HOME": "x", "HOME": "/h"]) == "/h/.local/state/sennit-relay")
    }
}
