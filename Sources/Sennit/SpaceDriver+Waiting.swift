import NIOCore
import SennitSync

// Somebody who waits for a condition is asked about at the end of every turn that may have brought
// it about. Nobody polls.

/// Somebody who waits.
struct Waiter {
    let number: Int
    /// Whether it came about, or can't; `nil` while neither.
    let verdict: (SpaceDriver) -> Bool?
    let resume: (Bool) -> Void
}

extension SpaceDriver {
    /// Calls `resume` once: with what `verdict` says when it says something, or with false when
    /// time is up.
    func wait(
        for timeout: Duration?,
        until verdict: @escaping (SpaceDriver) -> Bool?,
        _ resume: @escaping (Bool) -> Void
    ) {
        if let answer = verdict(self) { return resume(answer) }
        if isClosed { return resume(false) }
        nextWaiter += 1
        let number = nextWaiter
        var timer: Scheduled<Void>?
        if let timeout {
            timer = ports.schedule(in: timeout, space) { driver in
                guard let index = driver.waiters.firstIndex(where: { $0.number == number }) else {
                    return
                }
                driver.waiters.remove(at: index).resume(false)
            }
        }
        waiters.append(
            Waiter(number: number, verdict: verdict) { answer in
                timer?.cancel()
                resume(answer)
            }
        )
    }

    /// Lets everybody go whose condition has come about.
    func resumeWaiters() {
        guard !waiters.isEmpty else { return }
        var rest: [Waiter] = []
        var ready: [(Waiter, Bool)] = []
        for waiter in waiters {
            guard let answer = waiter.verdict(self) else {
                rest.append(waiter)
                continue
            }
            ready.append((waiter, answer))
        }
        waiters = rest
        for (waiter, answer) in ready { waiter.resume(answer) }
    }

    /// Whether everything that was typed here up to now is on the disk; false once a commit fails.
    func waitUntilSaved(_ resume: @escaping (Bool) -> Void) {
        let target = outbox.addedCount
        wait(
            for: nil,
            until: { driver in
                if driver.outbox.savedCount >= target { return true }
                guard driver.outbox.isStored else { return false }
                return driver.outbox.fault == nil || driver.outbox.isCommitting ? nil : false
            },
            resume
        )
    }

    /// Whether everything is saved, sent and received.
    var isSynced: Bool {
        guard let session, session.isUpToDate else { return false }
        return outbox.isEmpty && replica.pendingCount == 0 && session.unackedCount == 0
            && ownTail.end == ownTail.committedEnd && joining == nil
            && replica.wantedHistory.isEmpty
    }
}
