import SennitDocument
import SennitSeal
import SennitStore
import SennitSync

// What an error of a lower layer means to a person.

extension SennitError {
    /// Something that the store refused.
    init(_ error: StoreError) {
        let code: Code =
            switch error {
            case .inUse: .profileInUse
            case .corrupt, .contradiction, .journalMissing: .profileDamaged
            case .diskFull, .io: .notSaved
            case .noSuchSpace: .noSuchSpace
            case .spaceExists: .spaceExists
            case .closed: .closed
            case .newerVersion: .needsUpdate
            case .locked: .profileLocked
            case .wrongPassphrase: .wrongPassphrase
            default: .profileUnusable
            }
        self.init(code, error.description, hint: error.hint, cause: error)
    }

    /// Something that the replica refused.
    init(_ error: SyncError) {
        switch error {
        case .document(let error): self.init(error)
        case .seal(let error): self.init(error)
        case .invalidPath(let path):
            self.init(.invalidPath, "\"\(path)\" is not a path of a document", cause: error)
        case .notJoined:
            self.init(.notOwner, "only an owner of the space may do this", cause: error)
        case .notPermitted:
            self.init(
                .notOwner,
                "this can't be changed so: only what is there can, and only by an owner",
                hint: "`sennit members` and `sennit invites` show what is there",
                cause: error
            )
        case .rebuilding:
            self.init(
                .notSaved,
                "changes of somebody who was removed are being taken back",
                hint: "try again in a moment",
                cause: error
            )
        case .ownEntriesWait, .ownLogTaken:
            self.init(
                .invalidEdit,
                "this device's own entries are coming back and wait for others",
                hint: "connect to a relay and try again: `sennit status`",
                cause: error
            )
        default:
            self.init(.internalFailure, "this is refused: \(error)", cause: error)
        }
    }

    /// Something that a document refused.
    init(_ error: DocumentError) {
        let message: String
        switch error {
        case .positionOutOfBounds(let position, let count):
            message = "there is no place \(position) in a text of \(count) characters"
        case .unknownEvents:
            message = "the version named isn't known here"
        case .overLimit(let what, let value, let limit):
            message = "\(value) \(what) are more than \(limit)"
        default:
            message = "the document refuses this change: \(error)"
        }
        self.init(.invalidEdit, message, cause: error)
    }

    /// Something that could not be read or sealed.
    init(_ error: SealError) {
        switch error {
        case .notALink(let reason):
            self.init(
                .invalidLink,
                "this is not an invite link: \(reason)",
                hint: "copy the whole line that `sennit invite` printed",
                cause: error
            )
        case .damagedLink:
            self.init(
                .invalidLink,
                "the invite link is damaged: some of it is missing or changed",
                hint: "copy the whole line that `sennit invite` printed",
                cause: error
            )
        case .newerLink(let version):
            self.init(
                .needsUpdate,
                "the invite link is of version \(version), which this Sennit doesn't know",
                hint: "update Sennit",
                cause: error
            )
        case .tooLarge(let byteCount, let limit):
            self.init(
                .invalidName,
                "\(byteCount) bytes are more than the \(limit) that are allowed",
                cause: error
            )
        default:
            self.init(
                .internalFailure,
                "this could not be sealed or opened: \(error)",
                cause: error
            )
        }
    }

    /// A connection that failed.
    init(_ error: ConnectionError) {
        let code: Code =
            switch error.kind {
            case .invalidAddress: .invalidAddress
            case .unreachable: .unreachable
            case .notARelay: .notARelay
            case .insecure: .insecure
            case .broken: .relayFailed
            }
        self.init(code, error.message, hint: error.hint, cause: error)
    }
}
