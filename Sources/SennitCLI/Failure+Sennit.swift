import Sennit

extension Failure {
    /// The engine's error, with the code that the process ends with.
    init(_ error: SennitError) {
        let status: ExitStatus =
            switch error.code {
            case .profileInUse: .inUse
            case .profileDamaged, .invalidLink, .invalidToken: .damaged
            case .profileUnusable, .noSuchSpace, .ambiguousSpace: .noSpace
            case .notSaved: .notSaved
            case .noSuchDocument: .noDocument
            case .invalidPath, .invalidName, .invalidAddress: .usage
            case .noRelay, .unreachable, .notARelay, .insecure, .relayFailed, .unknownSpace,
                .timedOut:
                .noRelay
            case .notMember, .notHosted, .inviteRefused, .notOwner, .readOnly: .notAllowed
            case .profileLocked, .wrongPassphrase: .locked
            case .weakPassphrase: .usage
            case .closed, .internalFailure: .softwareFault
            case .spaceExists, .pathTaken, .invalidEdit, .needsUpdate: .failure
            }
        self.init(status, error.message, hint: error.hint)
    }
}
