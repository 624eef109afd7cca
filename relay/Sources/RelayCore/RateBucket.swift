/// Appends and bytes a second, both with bursts of ten seconds' worth. Time is an argument.
struct RateBucket: Hashable, Sendable {
    private var appends: DebtBucket?
    private var bytes: DebtBucket?

    private static let burstSeconds = 10.0

    /// Starts full.
    init(_ rate: RelayPolicy.Rate, now: Duration) {
        func bucket(_ perSecond: Double?) -> DebtBucket? {
            perSecond.map {
                DebtBucket(perSecond: $0, burst: $0 * RateBucket.burstSeconds, now: now)
            }
        }
        appends = bucket(rate.appendsPerSecond)
        bytes = bucket(rate.bytesPerSecond)
    }

    /// Takes one append.
    /// - Returns: `nil` if it may pass; else how long to wait, and nothing was taken.
    mutating func take(byteCount: UInt64, now: Duration) -> Duration? {
        if appends == nil, bytes == nil { return nil }
        let pauses = [appends?.pause(now: now), bytes?.pause(now: now)].compactMap { $0 ?? nil }
        if let pause = pauses.max() { return pause }
        appends?.take(1, now: now)
        bytes?.take(Double(byteCount), now: now)
        return nil
    }
}

/// A bucket that lets anything pass while there is something in it, be that less than what passes:
/// so what is larger than a burst passes too, and has to be waited for afterwards.
struct DebtBucket: Hashable, Sendable {
    private let perSecond: Double
    private let burst: Double
    // Invariant: at most `burst`; below zero while a debt is paid off.
    private var content: Double
    private var filledAt: Duration

    /// Starts full.
    /// - Parameters:
    ///   - perSecond: above 0.
    init(perSecond: Double, burst: Double, now: Duration) {
        self.perSecond = perSecond
        self.burst = burst
        content = burst
        filledAt = now
    }

    /// How long until something may pass; `nil` for now.
    func pause(now: Duration) -> Duration? {
        let content = content(at: now)
        return content > 0 ? nil : .seconds((1 - content) / perSecond)
    }

    /// Lets an amount pass.
    mutating func take(_ amount: Double, now: Duration) {
        content = content(at: now) - amount
        filledAt = max(filledAt, now)
    }

    private func content(at now: Duration) -> Double {
        min(burst, content + max(0, (now - filledAt) / .seconds(1)) * perSecond)
    }
}
