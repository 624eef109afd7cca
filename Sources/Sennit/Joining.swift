import SennitSync
import SennitWire

/// How far joining a space has come.
public enum JoinProgress: Hashable, Sendable {
    /// A relay is dialled.
    case connecting(relay: String)
    /// Entries come in.
    case receiving(entryCount: UInt64, of: UInt64)
    /// The invite holds; this device's own log begins.
    case joining
}

/// A join that isn't confirmed by the relay yet.
final class Joining {
    // A class: it stands for a call that waits.

    private let progress: (@Sendable (JoinProgress) -> Void)?
    private var complete: ((SennitError?) -> Void)?
    private var untriedRelayCount: Int
    private var receivedCount: UInt64 = 0
    private var expectedCount: UInt64 = 0
    /// Whether everything the relay had has come in, over this connection.
    var isCaughtUp = false
    /// Whether time for the invite's record is running.
    var isPatient = false

    /// A join that goes on from an earlier run, or that nobody waits for.
    init() {
        progress = nil
        untriedRelayCount = .max
    }

    /// A join that somebody waits for: `complete` is called once.
    init(
        relayCount: Int,
        progress: (@Sendable (JoinProgress) -> Void)?,
        complete: @escaping (SennitError?) -> Void
    ) {
        self.progress = progress
        self.complete = complete
        untriedRelayCount = relayCount
    }

    func report(_ progress: JoinProgress) { self.progress?(progress) }

    func welcomed(_ welcome: Welcome, known: Version, in space: SpaceID) {
        isCaughtUp = false
        receivedCount = 0
        expectedCount = welcome.logs.reduce(0) { sum, log in
            let have = known[log.descriptor.logID(in: space)].value
            // A relay may claim anything.
            let (total, isTooMuch) = sum.addingReportingOverflow(
                log.end.value > have ? log.end.value - have : 0
            )
            return isTooMuch ? .max : total
        }
        report(.receiving(entryCount: 0, of: expectedCount))
    }

    func received(_ count: Int) {
        receivedCount += UInt64(count)
        report(.receiving(entryCount: receivedCount, of: max(receivedCount, expectedCount)))
    }

    /// A relay could not be used. That is the end once none is left.
    func lost(_ error: SennitError) {
        untriedRelayCount -= 1
        if untriedRelayCount <= 0 { finish(error) }
    }

    /// It is over; `nil` for well.
    func finish(_ error: SennitError?) {
        complete?(error)
        complete = nil
    }
}
