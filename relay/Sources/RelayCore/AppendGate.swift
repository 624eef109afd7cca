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
        case check(AppendRequest, number: UInt64)
        case submit(AppendRequest)
        case refuse(AppendRequest, Refusal)
    }

    private enum Verdict {
        case awaited
        case good
        case refused(Refusal)
    }

    // Invariant: unless it is empty, the first one's verdict is awaited.
    // An array: it is short, and empty for nearly all connections nearly always.
    private var waiting: [(request: AppendRequest, verdict: Verdict)] = []
    private var firstNumber: UInt64 = 0

    /// The next append of the connection.
    mutating func take(_ request: AppendRequest, isToBeChecked: Bool) -> [Step] {
        guard isToBeChecked else {
            if waiting.isEmpty { return [.submit(request)] }
            waiting.append((request, .good))
            return []
        }
        waiting.append((request, .awaited))
        return [.check(request, number: firstNumber + UInt64(waiting.count - 1))]
    }

    /// The check with this number is made, or can't be.
    mutating func settle(_ number: UInt64, refusal: Refusal?) -> [Step] {
        guard number >= firstNumber, let distance = Int(exactly: number - firstNumber),
            distance < waiting.count
        else { return [] }
        waiting[distance].verdict = refusal.map { .refused($0) } ?? .good
        var steps: [Step] = []
        settled: for (request, verdict) in waiting {
            switch verdict {
            case .awaited: break settled
            case .good: steps.append(.submit(request))
            case .refused(let refusal): steps.append(.refuse(request, refusal))
            }
        }
        waiting.removeFirst(steps.count)
        firstNumber += UInt64(steps.count)
        return steps
    }
}
