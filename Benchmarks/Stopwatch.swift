import Foundation

// Times are CPU time of the measuring thread, because machines are shared: what another process
// does meanwhile is not counted. Still caches and clock rates are shared too, so a measurement is
// repeated, and the least and the median are told with the number of runs.

/// CPU milliseconds that this thread has used.
func threadMilliseconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
}

/// CPU milliseconds of several runs of one thing.
struct Timing {
    let least: Double
    let median: Double
    let runCount: Int

    init(_ samples: [Double]) {
        precondition(!samples.isEmpty, "A timing has at least one run.")
        let sorted = samples.sorted()
        least = sorted[0]
        median = sorted[sorted.count / 2]
        runCount = sorted.count
    }
}

/// How often a measurement is repeated.
enum Repetition {
    /// More runs than these show nothing new.
    static let most = 15
    /// Fewer show no median.
    static let fewest = 3
    /// After so long no further run begins, once there are `fewest`.
    static let patience = 1500.0
    /// A run that takes as long as this is not repeated.
    static let long = 15_000.0
}

/// Runs something several times, each time from a fresh state, and times only `body`.
/// - Parameters:
///   - prepare: Makes the state. Not timed.
///   - body: What is measured.
///   - check: Looks at the state afterwards, so that nothing wrong is counted. Not timed.
func timed<State>(
    prepare: () throws -> State,
    _ body: (inout State) throws -> Void,
    check: (State) throws -> Void
) throws -> Timing {
    var samples: [Double] = []
    var total = 0.0
    while samples.count < Repetition.most {
        var state = try prepare()
        let start = threadMilliseconds()
        try body(&state)
        let time = threadMilliseconds() - start
        try check(state)
        samples.append(time)
        total += time
        if time > Repetition.long { break }
        if total > Repetition.patience, samples.count >= Repetition.fewest { break }
    }
    return Timing(samples)
}
