import SennitSync
import SennitWire

// The words for each status. They say what is so, then what a person can do; never more than is
// known.

extension StatusFinding {
    /// What is known against a log.
    init(_ status: LogStatus, log: LogSummary) {
        let whose = log.whose
        switch status {
        case .rolledBack(let have, let offered):
            self.init(
                .rolledBack,
                log,
                offered,
                "the relay holds \(offered) entries of \(whose) and had shown \(have)",
                hint: log.isOwn
                    ? "they are sent again; ask the relay's operator what happened"
                    : "nothing is lost here; \(whose) is whole again when its device connects"
            )
        case .corrupt(let offset):
            self.init(
                .corrupt,
                log,
                offset,
                "the relay gives bytes of \(whose) that its device did not sign",
                hint: "nothing of them was taken; tell the relay's operator"
            )
        case .forked(let offset):
            self.init(
                .forked,
                log,
                offset,
                "\(whose) has two histories from entry \(offset) on, both signed by its device",
                hint: "a profile was copied or restored from a backup; use one copy only"
            )
        case .relayForked(let offset):
            self.init(
                .relayForked,
                log,
                offset,
                "the relay says that it has other entries of \(whose) from \(offset) on",
                hint: "is a copy of this profile in use? use one copy only; nothing is lost here"
            )
        case .unprovenContext(let offset):
            self.init(
                .unprovenContext,
                log,
                offset,
                "entry \(offset) of \(whose) was written over other bytes than are here",
                hint: "the relay may show people different histories; compare with others"
            )
        case .poison(let offset):
            self.init(
                .poison,
                log,
                offset,
                "entry \(offset) of \(whose) breaks the rules; what is wrong in it has no effect, "
                    + "here or elsewhere",
                hint: "its writer's software is at fault"
            )
        case .copied(let offset):
            self.init(.copied, log, offset, .copied(from: offset), hint: .useOneCopy)
        case .leftOut(let offset):
            self = .leftOut(at: offset, log)
        case .needsUpdate(let offset):
            self.init(
                .needsUpdate,
                log,
                offset,
                "entry \(offset) of \(whose) was written by a newer Sennit",
                hint: "update Sennit; the entry is kept and takes effect then"
            )
        }
    }

    private static func leftOut(at offset: Offset, _ log: LogSummary) -> StatusFinding {
        StatusFinding(
            .leftOut,
            log,
            offset,
            "\(log.whose) changed the key of the space and did not give it to this device",
            hint: "this device was probably removed; ask an owner. All that came before is here"
        )
    }

    /// Why the next entry of a log waits; `nil` if it is only a matter of time.
    init?(_ log: LogSummary, isUpToDate: Bool, author: (LogID) -> String?) {
        switch log.hold {
        case .awaits(let other, let end) where isUpToDate:
            let whose = author(other).map { "\($0)'s log" } ?? "log \(other.short)"
            self.init(
                kind: .withheld,
                log: other.hex,
                author: author(other),
                offset: end.value,
                message: "\(log.whose) builds on entries of \(whose) before \(end) that the relay "
                    + "does not give",
                hint: "they come when that device connects; if it has, the relay withholds them"
            )
        case .unauthorised:
            self.init(
                .unauthorised,
                log,
                log.applied,
                "\(log.whose) is of a device that is not a member",
                hint: "it is kept and has no effect"
            )
        case .setAside:
            let count = log.end.value - log.applied.value
            self.init(
                .setAside,
                log,
                log.applied,
                "\(count) entries of \(log.whose) came after its device lost the right to write",
                hint: log.isOwn
                    ? "an owner removed this device or made it a reader"
                    : "they are kept and have no effect; `sennit members` shows who is in the space"
            )
        case .keyMissing:
            self.init(
                .keyMissing,
                log,
                log.applied,
                "\(log.whose) is sealed with a key that this device was not given",
                hint: "ask an owner of the space"
            )
        case .needsUpdate:
            self.init(
                .needsUpdate,
                log,
                log.applied,
                "\(log.whose) goes on with an entry that a newer Sennit wrote",
                hint: "update Sennit; it is kept and takes effect then"
            )
        // What is said of the other log is the reason.
        case .awaits, .awaitsHeld, .unsealed, .historyNeeded, nil:
            return nil
        }
    }

    /// Others write, and have not seen what this device wrote.
    static func unseenByPeers(_ log: LogSummary, seen: Offset) -> StatusFinding {
        StatusFinding(
            .unseenByPeers,
            log,
            seen,
            "others write, and none of them has seen this device's entries from \(seen) on",
            hint: "the relay may keep them from the others; ask them over another way"
        )
    }

    /// Entries that are still to be read.
    static let behind = StatusFinding(
        kind: .behind,
        message: "the relay has entries that are still coming in"
    )

    /// Nothing was heard for long.
    static func stale(seconds: Int64) -> StatusFinding {
        StatusFinding(
            kind: .stale,
            message: "no news from the relay for \(seconds) seconds",
            hint: "what others do meanwhile comes in when the relay can be reached"
        )
    }

    private init(
        _ kind: Kind,
        _ log: LogSummary,
        _ offset: Offset,
        _ message: String,
        hint: String?
    ) {
        self.init(
            kind: kind,
            log: log.log.hex,
            author: log.author,
            offset: offset.value,
            message: message,
            hint: hint
        )
    }
}

extension LogSummary {
    fileprivate var whose: String {
        isOwn ? "this device's log" : author.map { "\($0)'s log" } ?? "log \(log.short)"
    }
}

extension String {
    fileprivate static func copied(from offset: Offset) -> String {
        "a copy of this profile, or this profile before it was restored, wrote entries of this "
            + "device from \(offset) on"
    }

    fileprivate static let useOneCopy =
        "nothing is lost: this device goes on in a new log; use one copy only"
}
