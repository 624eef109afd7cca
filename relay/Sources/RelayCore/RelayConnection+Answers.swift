import RelayStorage
import SennitWire

extension RelayConnection.Action {
    init(_ step: Subscription.Step) {
        switch step {
        case .sendShared(let frame): self = .sendShared(frame)
        case .read(let log, let descriptor, let from):
            self = .submit(.read(log: log, descriptor: descriptor, from: from))
        case .caughtUp: self = .send(.caughtUp)
        }
    }
}

extension Refusal {
    /// What a device is told of storage that doesn't do what it should.
    init(_ error: StorageError) {
        guard case .unavailable = error else {
            self = .storageFull
            return
        }
        self.init(code: .storageFull, reason: "the relay's database is away; try again later")
    }

    static let storageFull = Refusal(
        code: .storageFull,
        reason: "the relay's disk is full or failing"
    )

    static let badHeadReason = "the head's signature is wrong"

    /// The one answer to a wrong signature and to a key that isn't let in.
    static func notMember(_ reason: String = "the key isn't let in") -> Refusal {
        Refusal(code: .notMember, reason: reason)
    }
}
