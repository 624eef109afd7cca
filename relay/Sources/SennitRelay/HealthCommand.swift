import ArgumentParser
import RelayCore

/// `sennit-relay health`
struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Asks a running relay whether it is ready; exit code 0 if it is, else 1.",
        usage: """
            sennit-relay health
            sennit-relay health --url http://127.0.0.1:7434
            """,
        discussion: """
            Without --url, the address is that of the settings: metrics.listen, or if that is off, \
            listen. Meant for HEALTHCHECK of a container and for scripts.
            """
    )

    @Option(help: "Where the relay's metrics are, or another address to ask with GET.")
    var url: String?

    @OptionGroup var options: SettingsOptions

    func run() throws {
        let target = try MetricsTarget.find(url, options, path: "/readyz")
        let answer: HTTPProbe.Answer
        do throws(HTTPProbe.Failure) {
            answer = try HTTPProbe.get(target, within: .seconds(5))
        } catch {
            Complaint.write("\(error)")
            throw ExitCode(1)
        }
        let said = answer.body.split(separator: "\n").first.map(String.init) ?? ""
        guard answer.status == 200 else {
            Complaint.write("\(target) answers \(answer.status): \(said)")
            throw ExitCode(1)
        }
        print("sennit-relay: \(said)")
    }
}

/// Where a running relay is asked.
enum MetricsTarget {
    /// - Parameters:
    ///   - url: what the command line says; `nil` to look at the settings.
    ///   - path: if the address has none.
    static func find(
        _ url: String?,
        _ options: SettingsOptions,
        path: String
    ) throws -> HTTPProbe.Target {
        if let url {
            guard let target = HTTPProbe.Target(url, path: path) else {
                throw ValidationError("--url takes http://HOST:PORT, such as http://127.0.0.1:7434")
            }
            return target
        }
        let settings = try options.readOrFail().settings
        if let address = settings.metricsListen { return HTTPProbe.Target(address, path: path) }
        guard path == "/readyz", settings.certificatePath == nil else {
            Complaint.write("metrics.listen is off, so there is nothing to ask; name it with --url")
            throw ExitCode(1)
        }
        return HTTPProbe.Target(settings.listen, path: "/healthz")
    }
}
