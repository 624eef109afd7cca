import Foundation

/// What one run came to.
struct Outcome {
    let scenario: String
    let connections: Int
    let window: Int
    let payload: Int
    var operations = 0
    var seconds = 0.0
    /// Bytes of entries that were stored or delivered.
    var byteCount = 0
    var latencies = Histogram()
    var relaySeconds = 0.0
    var ownSeconds = 0.0
    var residentByteCount = 0
    var residentByteCountBefore = 0
    var note = ""

    var perSecond: Double { seconds > 0 ? Double(operations) / seconds : 0 }
    private var megabytesPerSecond: Double { seconds > 0 ? Double(byteCount) / seconds / 1e6 : 0 }

    static let header =
        "scenario   conns window  bytes       ops/s     MB/s    p50 µs    p99 µs  p99.9 µs"
        + "  relay µs/op  client µs/op   RSS MB"

    var row: String {
        let perOperation = 1e6 / Double(max(operations, 1))
        let name = scenario.padding(toLength: 9, withPad: " ", startingAt: 0)
        return name
            + String(
                format: " %6d %6d %6d %11.0f %8.1f %9.0f %9.0f %9.0f %12.2f %13.2f %8.1f",
                connections,
                window,
                payload,
                perSecond,
                megabytesPerSecond,
                latencies.microseconds(at: 0.5),
                latencies.microseconds(at: 0.99),
                latencies.microseconds(at: 0.999),
                relaySeconds * perOperation,
                ownSeconds * perOperation,
                Double(residentByteCount) / 1e6
            )
            + (note.isEmpty ? "" : "\n          " + note)
    }

    var json: String {
        String(
            format: """
                {"scenario":"\(scenario)","connections":%d,"window":%d,"payload":%d,\
                "operations":%d,"seconds":%.3f,"per_second":%.0f,"mb_per_second":%.1f,\
                "p50_us":%.0f,"p99_us":%.0f,"p999_us":%.0f,"max_us":%.0f,"relay_cpu_s":%.3f,\
                "client_cpu_s":%.3f,"rss_bytes":%d,"rss_bytes_before":%d,"note":"\(note)"}
                """,
            connections,
            window,
            payload,
            operations,
            seconds,
            perSecond,
            megabytesPerSecond,
            latencies.microseconds(at: 0.5),
            latencies.microseconds(at: 0.99),
            latencies.microseconds(at: 0.999),
            Double(latencies.maximum) / 1000,
            relaySeconds,
            ownSeconds,
            residentByteCount,
            residentByteCountBefore
        )
    }
}

/// Reads the clocks of both sides before and after.
struct Stopwatch {
    private let relay: RelayProcess
    private let startedAt = System.now
    private let relaySeconds: Double
    private let ownSeconds = System.ownProcessorSeconds

    init(_ relay: RelayProcess) {
        self.relay = relay
        relaySeconds = relay.processorSeconds
    }

    var elapsed: Double { Double(System.now - startedAt) / 1e9 }

    /// Writes what passed since the start.
    func stop(_ outcome: inout Outcome) {
        outcome.seconds = elapsed
        outcome.relaySeconds = relay.processorSeconds - relaySeconds
        outcome.ownSeconds = System.ownProcessorSeconds - ownSeconds
        outcome.residentByteCount = relay.memory.resident
    }
}
