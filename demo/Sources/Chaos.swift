/// What is killed when, during the replay. A seed decides.
struct ChaosSchedule: Hashable, Sendable {
    /// Who is killed.
    enum Victim: Hashable, Sendable {
        case client(Int)
        case relay
    }

    /// One SIGKILL.
    struct Kill: Hashable, Sendable {
        let victim: Victim
        /// How many events all clients together have typed when it happens.
        let eventCount: UInt64
        /// How long the victim stays dead.
        let pause: Duration
    }

    /// Ascending by `eventCount`.
    let kills: [Kill]

    /// Ten kills, every third of the relay, spread over a replay of `eventCount` events.
    init(seed: UInt64, clientCount: Int, eventCount: UInt64) {
        var random = SplitMix(seed: seed, stream: 0xC4A05)
        let count = 10
        // Not at the very end, where the replay may be over before the next look at it.
        let end = eventCount / 10 * 9
        let moments = (0..<count).map { _ in UInt64.random(in: 0...end, using: &random) }
        kills = moments.sorted().enumerated().map { index, moment in
            Kill(
                victim: index % 3 == 1
                    ? .relay : .client(Int.random(in: 0..<clientCount, using: &random)),
                eventCount: moment,
                pause: .milliseconds(Int.random(in: 20...600, using: &random))
            )
        }
    }
}
