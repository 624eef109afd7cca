import ArgumentParser
import Foundation
import RelayCore

/// `sennit-relay top`
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows what a running relay does: connections, appends, fsync times, bytes.",
        usage: """
            sennit-relay top
            sennit-relay top --url http://127.0.0.1:7434
            sennit-relay top --once --json
            """,
        discussion: "q quits. NO_COLOR is respected."
    )

    @Option(help: "Where the relay's metrics are; without it, as the settings say.")
    var url: String?

    @Flag(help: "Looks for one second, prints and ends.")
    var once = false

    @Flag(help: "With --once: as JSON, for programs.")
    var json = false

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if json, !once { throw ValidationError("--json goes with --once") }
    }

    func run() throws {
        let target = try MetricsTarget.find(url, options, path: "/metrics")
        let start = ContinuousClock.now
        let first = try sample(target)
        if once { return try printOnce(first, start, target) }
        guard let terminal = TopTerminal() else {
            Complaint.write("top needs a terminal; without one, use --once")
            throw ExitCode(1)
        }
        defer { terminal.restore() }
        try watch(first, start, target, terminal)
    }

    private func sample(_ target: HTTPProbe.Target) throws -> MetricsSample {
        do throws(HTTPProbe.Failure) {
            let answer = try HTTPProbe.get(target, within: .seconds(5))
            let sample = MetricsSample(answer.body)
            guard answer.status == 200, sample.isRelay else {
                throw HTTPProbe.Failure("\(target) isn't where a relay tells its metrics")
            }
            return sample
        } catch {
            Complaint.write("\(error)")
            throw ExitCode(1)
        }
    }

    private func printOnce(
        _ first: MetricsSample,
        _ start: ContinuousClock.Instant,
        _ target: HTTPProbe.Target
    ) throws {
        Thread.sleep(forTimeInterval: 1)
        let now = try sample(target)
        let seconds = start.duration(to: .now) / .seconds(1)
        let interval = MetricsInterval(from: first, to: now, seconds: seconds)
        if json { return print(TopScreen.json(interval, url: "\(target)")) }
        var screen = TopScreen()
        screen.add(interval)
        let lines = screen.lines(
            interval,
            url: "\(target)",
            width: 100,
            height: 100,
            isColored: false
        )
        // Without the line about keys.
        print(lines.dropLast(2).joined(separator: "\n"))
    }

    private func watch(
        _ first: MetricsSample,
        _ start: ContinuousClock.Instant,
        _ target: HTTPProbe.Target,
        _ terminal: TopTerminal
    ) throws {
        let isColored = (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
        var (screen, last, lastAt) = (TopScreen(), first, start)
        var interval = MetricsInterval(from: first, to: first, seconds: 1)
        var trouble: String?
        var shownSize = (width: 0, height: 0)
        while true {
            let now = ContinuousClock.now
            if lastAt.duration(to: now) >= .seconds(1) {
                do throws(HTTPProbe.Failure) {
                    let next = MetricsSample(try HTTPProbe.get(target, within: .seconds(2)).body)
                    let seconds = lastAt.duration(to: now) / .seconds(1)
                    interval = MetricsInterval(from: last, to: next, seconds: seconds)
                    screen.add(interval)
                    (last, lastAt, trouble) = (next, now, nil)
                } catch {
                    (trouble, lastAt) = ("\(error)", now)
                }
                shownSize = (0, 0)
            }
            let size = TopTerminal.size()
            if size != shownSize {
                let lines = screen.lines(
                    interval,
                    url: "\(target)",
                    width: size.width,
                    height: size.height - (trouble == nil ? 0 : 1),
                    isColored: isColored
                )
                let told = trouble.map { [String($0.prefix(size.width))] } ?? []
                terminal.draw(told + lines)
                shownSize = size
            }
            switch terminal.key(within: 200) {
            case UInt8(ascii: "q"), 3, 4: return
            default: break
            }
        }
    }
}
