/// Lets so much through a second, with a burst. Time is an argument.
///
/// It lets anything pass while there is one token in it, be that less than what passes: so what is
/// larger than a burst passes too, and has to be waited for afterwards.
///
///     10 a second, burst 20     25 pass: 5 below zero     the next in 0.6 s
struct TokenBucket: Hashable, Sendable {
    private let perSecond: Double
    private let burst: Double
    // Invariant: at most `burst`; below zero while a debt is paid off.
    private var content: Double
    private var filledAt: Duration

    /// A waited-for token may be short of 1 by what rounding takes.
    private static let leastContent = 1 - 1e-6

    /// Starts full.
    /// - Parameters:
    ///   - perSecond: above 0.
    ///   - burst: what may pass at once; at least 1 is let through.
    init(perSecond: Double, burst: Double, now: Duration) {
        self.perSecond = perSecond
        self.burst = max(1, burst)
        content = self.burst
        filledAt = now
    }

    /// How long until something may pass; `nil` for now.
    func pause(now: Duration) -> Duration? {
        let content = content(at: now)
        return content >= TokenBucket.leastContent ? nil : .seconds((1 - content) / perSecond)
    }

    /// Lets an amount pass, whatever there is.
    mutating func spend(_ amount: Double, now: Duration) {
        content = content(at: now) - amount
        filledAt = max(filledAt, now)
    }

    /// Lets one pass, if it may.
    mutating func take(now: Duration) -> Bool {
        guard pause(now: now) == nil else { return false }
        spend(1, now: now)
        return true
    }

    private func content(at now: Duration) -> Double {
        min(burst, content + max(0, (now - filledAt) / .seconds(1)) * perSecond)
    }
}
