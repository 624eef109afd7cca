/// Counts durations in buckets that are at most 1.6 percent wide, so that millions of them cost
/// nothing and the slowest are kept.
///
///     value 0…63         a bucket each
///     then               64 buckets for each doubling
///
/// The layout is that of HdrHistogram with six bits: http://hdrhistogram.org.
struct Histogram {
    private var counts = [UInt64](repeating: 0, count: 64 * 40)
    private(set) var count: UInt64 = 0
    private(set) var maximum: UInt64 = 0

    /// Takes a duration in nanoseconds.
    mutating func add(_ nanoseconds: UInt64) {
        counts[min(Histogram.bucket(of: nanoseconds), counts.count - 1)] += 1
        count += 1
        maximum = max(maximum, nanoseconds)
    }

    /// The microseconds that a share of all durations doesn't exceed; 0 without any.
    func microseconds(at share: Double) -> Double {
        let rank = UInt64((Double(count) * share).rounded(.up))
        var seen: UInt64 = 0
        for (bucket, count) in counts.enumerated() where count > 0 {
            seen += count
            if seen >= rank { return Double(min(Histogram.end(of: bucket), maximum)) / 1000 }
        }
        return 0
    }

    private static func bucket(of value: UInt64) -> Int {
        guard value >= 64 else { return Int(value) }
        let shift = 57 - value.leadingZeroBitCount
        return 64 * shift + Int(value >> UInt64(shift))
    }

    /// The largest value of a bucket.
    private static func end(of bucket: Int) -> UInt64 {
        guard bucket >= 128 else { return UInt64(bucket) }
        let shift = UInt64(bucket / 64 - 1)
        return (UInt64(bucket % 64 + 64) + 1) << shift - 1
    }
}
