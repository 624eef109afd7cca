/// Appends and bytes a second, both with bursts of ten seconds' worth. Time is an argument.
struct RateBucket: Hashable, Sendable {
    private var appends: TokenBucket?
    private var bytes: TokenBucket?

    private static let burstSeconds = 10.0

    /// Starts full.
    init(_ rate: RelayPolicy.Rate, now: Duration) {
        func bucket(_ perSecond: Double?) -> TokenBucket? {
            perSecond.map {
                TokenBucket(perSecond: $0, burst: $0 * RateBucket.burstSeconds, now: now)
            }
        }
        appends = bucket(rate.appendsPerSecond)
        bytes = bucket(rate.bytesPerSecond)
    }

    /// Takes appends with all their bytes.
    /// - Returns: `nil` if they may pass; else how long to wait, and nothing was taken.
    mutating func take(appendCount: Int = 1, byteCount: UInt64, now: Duration) -> Duration? {
        if appends == nil, bytes == nil { return nil }
        let pauses = [appends?.pause(now: now), bytes?.pause(now: now)].compactMap { $0 ?? nil }
        if let pause = pauses.max() { return pause }
        appends?.spend(Double(appendCount), now: now)
        bytes?.spend(Double(byteCount), now: now)
        return nil
    }
}
