/// What the process tells its parent. The numbers are those of `sysexits.h`, which the argument
/// parser's 64 comes from; `sennit help exit-codes` lists them, and they don't change.
enum ExitStatus: Int32, CaseIterable {
    case success = 0
    case failure = 1
    case usage = 64
    case damaged = 65
    case noDocument = 66
    case noRelay = 69
    case softwareFault = 70
    case notSaved = 74
    case inUse = 75
    case notAllowed = 77
    case noSpace = 78
    case locked = 79

    /// What it means, for the help page.
    var meaning: String {
        switch self {
        case .success: "done"
        case .failure: "failed for a reason that no other code names"
        case .usage: "the command line can't be understood"
        case .damaged: "a link or the profile is damaged"
        case .noDocument: "no document has this path"
        case .noRelay: "the relay can't be reached, or refuses"
        case .softwareFault: "a fault in Sennit itself"
        case .notSaved: "the disk is full or fails"
        case .inUse: "another process has the profile open: try later"
        case .notAllowed: "your role, or the invite, doesn't allow this"
        case .locked: "the profile's passphrase is missing, or is another one"
        case .noSpace: "there is no such profile or space"
        }
    }
}

/// Why a verb ends without having done its work.
struct Failure: Error, Equatable {
    let status: ExitStatus
    /// One sentence, lower case, without a full stop.
    let message: String
    /// What to do about it, if anything.
    let hint: String?

    init(_ status: ExitStatus, _ message: String, hint: String? = nil) {
        self.status = status
        self.message = message
        self.hint = hint
    }
}
