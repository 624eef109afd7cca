/// The one error of the facade: what a person is told, and what a program can branch on.
public struct SennitError: Error, Sendable {
    /// What went wrong, for programs. The raw values are stable.
    public enum Code: String, Sendable, CaseIterable, Codable {
        /// Another process has the profile open.
        case profileInUse
        /// The profile can't be opened or read.
        case profileUnusable
        /// What the profile holds contradicts itself.
        case profileDamaged
        /// The profile's keys are under a passphrase, and none was given, or another one.
        case profileLocked, wrongPassphrase
        /// The passphrase is too short or too long.
        case weakPassphrase
        /// The disk is full or fails; what was typed is in memory and will be saved when it can.
        case notSaved
        /// No space goes by this name, or more than one does.
        case noSuchSpace, ambiguousSpace
        /// A space with this name, or this very space, is here already.
        case spaceExists
        /// No document has this path.
        case noSuchDocument
        /// Another document has this path.
        case pathTaken
        /// The path isn't one that a document can have.
        case invalidPath
        /// The name of a person or a space is empty or too long.
        case invalidName
        /// The change doesn't fit the text, or the version it names isn't known.
        case invalidEdit
        /// The address of a relay isn't one.
        case invalidAddress
        /// No relay is known for the space.
        case noRelay
        /// The relay can't be reached.
        case unreachable
        /// What answers there isn't a relay.
        case notARelay
        /// The relay can't prove who it is.
        case insecure
        /// The relay doesn't let this device in.
        case notMember
        /// The relay doesn't know the space.
        case unknownSpace
        /// The relay keeps only spaces that its operator lets in.
        case notHosted
        /// The text isn't a relay's token, or some of it is missing.
        case invalidToken
        /// The relay has refused, or has broken the protocol.
        case relayFailed
        /// The text isn't an invite link, or some of it is missing.
        case invalidLink
        /// The invite is used up, or was never opened.
        case inviteRefused
        /// Only an owner may do this.
        case notOwner
        /// This person may only read.
        case readOnly
        /// Something that only a newer Sennit knows.
        case needsUpdate
        /// It took too long.
        case timedOut
        /// The engine was closed.
        case closed
        /// A rule of Sennit's own was broken.
        case internalFailure
    }

    /// What went wrong, for programs.
    public let code: Code
    /// One sentence, lower case, without a full stop.
    public let message: String
    /// What to do about it, if anything.
    public let hint: String?
    /// What it came from.
    public let cause: (any Error)?

    /// Puts an error together.
    public init(
        _ code: Code,
        _ message: String,
        hint: String? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }
}

extension SennitError: CustomStringConvertible {
    public var description: String { hint.map { "\(message)\nhint: \($0)" } ?? message }
}
