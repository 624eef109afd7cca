/// Lets so many things through a second, with a burst. Time is an argument.
struct TokenBucket: Hashable, Sendable {
    private let perSecond: Double
    private let burst: Double
    // Invariant: 0...burst.
    private var tokens: Double
    private var filledAt: Duration

    /// Starts full.
    init(perSecond: Double, burst: Double, now: Duration) {
        self.perSecond = perSecond
        self.burst = burst
        tokens = burst
        filledAt = now
    }

    /// Whether one more may pass at `now`, which never goes back.
    mutating func take(now: Duration) -> Bool {
        let elapsed = (now - filledAt) / .seconds(1)
        tokens = min(burst, tokens + max(0, elapsed) * perSecond)
        filledAt = max(filledAt, now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
