/// What merging needs beside history and text: a tracker and a plan, with their room.
///
/// A class, because its parts have one owner and documents are copied. Copies of a document share
/// it until one of them merges; that one begins anew (`Branch.ownState`).
final class MergeState: @unchecked Sendable {
    // Safe to share: it is changed only by a `Branch` that is found to be its only owner.

    /// Concurrent history, if `isCurrent`; else only room.
    var tracker = Tracker(base: -1)
    /// Whether the tracker belongs to the branch as it is.
    var isCurrent = false
    /// Room for the order of a batch.
    private var plan = ReplayPlan()
    /// Room for what a batch changes.
    private var difference = TextDifference()

    /// Lends all parts at once, so that no access inside has to be checked for overlap.
    @inline(__always)
    func withParts(
        _ body: (inout Tracker, inout ReplayPlan, inout TextDifference) -> Void
    ) {
        body(&tracker, &plan, &difference)
    }
}
