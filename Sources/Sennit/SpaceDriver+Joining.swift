import NIOCore
import SennitSeal
import SennitStore
import SennitSync

// Joining by an invite: read everything with the invite's key, then begin an own log with the join
// record. Nothing is on the disk before that record is made, so a join that fails leaves nothing
// behind; from then on the space is kept and the join goes on by itself, over restarts too, until
// the relay has confirmed it.

extension SpaceDriver {
    /// Begins the own log, if this device reads by an invite that is open, and has read everything.
    func joinIfReady() {
        guard let joining, joining.isCaughtUp, !replica.isMember, let member else { return }
        do {
            if let change = try replica.joinIfReady(member, ports.surroundings) {
                joining.report(.joining)
                if !outbox.isStored {
                    outbox.creation = record
                    outbox.isStored = true
                }
                absorb(change, isOwn: true)
                proceed()
            } else if replica.isInviteUsedUp {
                joining.finish(.inviteUsedUp)
            } else {
                waitForInvite()
            }
        } catch {
            joining.finish(SennitError(error))
        }
    }

    /// The relay has confirmed an own entry; the first is the join.
    func finishJoining() {
        guard replica.isMember, let joining else { return }
        self.joining = nil
        joining.finish(nil)
    }

    /// What a join's caller is told when a relay can't be used.
    func joinError(_ error: SennitError) -> SennitError {
        if outbox.isStored {
            return SennitError(
                error.code,
                error.message,
                hint: "the space is kept; joining goes on when the relay can be reached",
                cause: error
            )
        }
        // A relay gives who it doesn't let in the answer that it gives of a space it doesn't have.
        return [.notMember, .unknownSpace].contains(error.code) ? .inviteNotTaken : error
    }

    /// The invite's record may be a moment behind the relay's list that names it.
    private func waitForInvite() {
        guard let joining, !joining.isPatient else { return }
        joining.isPatient = true
        _ = ports.schedule(in: EngineLimits.joinPatience, space) { driver in
            guard let joining = driver.joining, !driver.replica.isMember else { return }
            joining.finish(.inviteMissing)
        }
    }
}

extension SennitError {
    static var inviteUsedUp: SennitError {
        SennitError(
            .inviteRefused,
            "the invite is used up: somebody has joined by it",
            hint: "ask for another invite"
        )
    }

    static var inviteNotTaken: SennitError {
        SennitError(
            .inviteRefused,
            "the relay does not take this invite: it is used up or was revoked, or the relay "
                + "does not have the space",
            hint: "ask for another invite"
        )
    }

    static var inviteMissing: SennitError {
        SennitError(
            .inviteRefused,
            "the relay does not have the record of this invite yet",
            hint: "whoever made the invite must connect once: `sennit status`"
        )
    }
}
