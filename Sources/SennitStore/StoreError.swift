public import SennitSync
public import SennitWire

/// Why something could not be opened, stored or read. Nothing was changed by what threw it.
public enum StoreError: Error, Hashable, Sendable {
    /// Another process owns the profile; its number and command if it left them.
    case inUse(path: String, process: Int32?, command: String?)
    /// The path of a profile, or a part of it, is something else than a directory.
    case notADirectory(path: String)
    /// The system forbids to read or write here.
    case notPermitted(path: String)
    /// The file is no database of Sennit's, or not of this kind.
    case notOurs(path: String)
    /// The profile has a passphrase, and none was given.
    case locked(path: String)
    /// The profile has another passphrase.
    case wrongPassphrase(path: String)
    /// The profile has an index but no journal: somebody moved or removed the journal.
    case journalMissing(path: String)
    /// There is no file here yet: nothing has been indexed.
    case noIndex(path: String)
    /// The file was written by a newer Sennit, which has this version of the schema.
    case newerVersion(path: String, found: Int, known: Int)
    /// What was read can't be what was written.
    case corrupt(path: String, place: Place, reason: String)
    /// The disk or a quota is full. Free some space; nothing was written.
    case diskFull(path: String)
    /// The system failed to read or write; `reason` is its word.
    case io(path: String, reason: String)
    /// The profile has no such space.
    case noSuchSpace(SpaceID)
    /// The space has no such log.
    case noSuchLog(LogID)
    /// The profile has this space already.
    case spaceExists(SpaceID)
    /// What was to be stored contradicts what is stored.
    case contradiction(path: String, reason: String)
    /// The profile was closed.
    case closed(path: String)

    /// Where in a file something is wrong.
    public enum Place: Hashable, Sendable {
        /// The file as a whole, or a part of it that belongs to no space.
        case file
        /// The record of a space.
        case space(SpaceID)
        /// A log as a whole.
        case log(LogID)
        /// One entry.
        case entry(LogID, Offset)
        /// The entry that was applied as this number.
        case position(SpaceID, JournalPosition)
        /// The stored state of a document, or an operation on it.
        case document(SpaceID, DocumentID)
        /// Operations that wait for their entry.
        case pending(SpaceID, sequence: UInt64)
    }
}

extension StoreError: CustomStringConvertible {
    /// One sentence for a person, lower case, without a full stop.
    public var description: String {
        switch self {
        case .inUse(let path, let process, let command):
            let holder = process.map { "process \($0)" } ?? "another process"
            return "\(path) is in use by \(holder)\(command.map { " (\($0))" } ?? "")"
        case .notADirectory(let path): return "\(path) is not a directory"
        case .notPermitted(let path): return "no permission to read and write \(path)"
        case .notOurs(let path): return "\(path) is not a file of this kind that Sennit wrote"
        case .locked(let path): return "the keys in \(path) are under a passphrase"
        case .wrongPassphrase(let path): return "this is not the passphrase of \(path)"
        case .journalMissing(let path): return "\(path) is missing beside its index"
        case .noIndex(let path): return "\(path) does not exist yet"
        case .newerVersion(let path, let found, let known):
            return
                "\(path) was written by a newer Sennit (schema \(found), this one knows \(known))"
        case .corrupt(let path, let place, let reason):
            return "\(path) is damaged at \(place): \(reason)"
        case .diskFull(let path): return "no space left to write \(path)"
        case .io(let path, let reason): return "could not read or write \(path): \(reason)"
        case .noSuchSpace(let space): return "no space \(space.short) in this profile"
        case .noSuchLog(let log): return "no log \(log.short) in this space"
        case .spaceExists(let space): return "space \(space.short) is in this profile already"
        case .contradiction(let path, let reason):
            return "what was to be stored in \(path) contradicts it: \(reason)"
        case .closed(let path): return "\(path) was closed"
        }
    }

    /// What a person can do about it, if anything.
    public var hint: String? {
        switch self {
        case .inUse(_, let process, _):
            process.map { "end it first, for instance with `kill \($0)`; its data is safe" }
        case .notADirectory: "name another directory for the profile"
        case .notPermitted: "run as the owner of the profile, or give yourself the permission"
        case .notOurs: "nothing was changed; move the file away or name another profile"
        case .locked, .wrongPassphrase: "nothing was changed; try again"
        case .journalMissing:
            "restore it from a backup; to begin anew, remove the whole directory"
        case .noIndex: "start Sennit once with this profile"
        case .newerVersion: "nothing was changed; use the newer Sennit"
        case .corrupt: "run `sennit check`; nothing was deleted"
        case .diskFull: "free some space; nothing that was saved is lost"
        case .io, .noSuchSpace, .noSuchLog, .spaceExists, .contradiction, .closed: nil
        }
    }
}

extension StoreError.Place: CustomStringConvertible {
    public var description: String {
        switch self {
        case .file: "the file itself"
        case .space(let space): "space \(space.short)"
        case .log(let log): "log \(log.short)"
        case .entry(let log, let offset): "log \(log.short) offset \(offset)"
        case .position(let space, let position): "space \(space.short) position \(position)"
        case .document(let space, let document):
            "space \(space.short) document \(document.short)"
        case .pending(let space, let sequence): "space \(space.short) pending \(sequence)"
        }
    }
}
