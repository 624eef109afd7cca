import SennitWire

/// Keeps the appends of one connection in order while the heads of some are checked elsewhere.
///
///     take a, to be checked     check a
///     take b, not checked       b waits for a
///     settle a, good            submit a, submit b
///
/// It holds no more than the connection lets wait for the disk.
struct AppendGate {
    /// What is to be done next.
    enum Step: Hashable {
        case check(AppendRun, number: UInt64)
        case submit(AppendRun)
        case refuse(AppendRun, Refusal)
    }

    private enum Verdict {
        case awaited
        /// With the indices of the appends that don't pass.
        case settled([Int], Refusal)
        case good
    }

    // Invariant: unless it is empty, the first one's verdict is awaited.
    // An array: it is short, and empty for nearly all connections nearly always.
    private var waiting: [(run: AppendRun, verdict: Verdict)] = []
    private var firstNumber: UInt64 = 0

    /// The next appends of the connection.
    mutating func take(_ run: AppendRun, isToBeChecked: Bool) -> [Step] {
        guard isToBeChecked else {
            if waiting.isEmpty { return [.submit(run)] }
            waiting.append((run, .good))
            return []
        }
        waiting.append((run, .awaited))
        return [.check(run, number: firstNumber + UInt64(waiting.count - 1))]
    }

    /// The check with this number is made, or can't be.
    /// - Parameters:
    ///   - refused: the indices of the appends that don't pass, ascending.
    mutating func settle(_ number: UInt64, refused: [Int], _ refusal: Refusal) -> [Step] {
        guard number >= firstNumber, let distance = Int(exactly: number - firstNumber),
            distance < waiting.count
        else { return [] }
        waiting[distance].verdict = .settled(refused, refusal)
        var steps: [Step] = []
        var count = 0
        settled: for (run, verdict) in waiting {
            switch verdict {
            case .awaited: break settled
            case .good: steps.append(.submit(run))
            case .settled(let refused, let refusal):
                steps += AppendGate.steps(run, without: refused, refusal)
            }
            count += 1
        }
        waiting.removeFirst(count)
        firstNumber += UInt64(count)
        return steps
    }

    private static func steps(
        _ run: AppendRun,
        without refused: [Int],
        _ refusal: Refusal
    ) -> [Step] {
        if refused.isEmpty { return [.submit(run)] }
        var steps: [Step] = []
        var next = 0
        for index in refused {
            if next < index { steps.append(.submit(run.part(next..<index))) }
            steps.append(.refuse(run.part(index..<(index + 1)), refusal))
            next = index + 1
        }
        if next < run.appends.count {
            steps.append(.submit(run.part(next..<run.appends.count)))
        }
        return steps
    }
}
