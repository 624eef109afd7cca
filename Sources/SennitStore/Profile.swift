public import SennitSeal
import Synchronization

// A profile is a directory of three files: the journal (truth), the index (derived from it) and the
// lock. One process owns it; others ask that process, or read the index.
//
//     ~/.local/share/sennit/         0700
//     ├ lock                         0600   who owns the profile
//     ├ journal.sqlite  (-wal)       0600   the truth, with the device's secret
//     └ index.sqlite    (-wal -shm)  0600   what can be rebuilt; others may read it

/// A profile that this process owns until `close` or until nobody holds it.
public final class Profile: Sendable {
    // A class: it stands for a lock and two open files.

    /// Where the profile lies.
    public let directory: String
    /// The truth.
    public let journal: Journal
    /// The view of it that others may read.
    public let index: Index
    private let lock: Mutex<ProfileLock?>

    /// Opens the profile in `directory` and owns it, or makes it if there is none.
    ///
    /// - Parameters:
    ///   - directory: Made for its owner alone if it is missing, with those above it.
    ///   - command: What a second process is told about this one, such as `sennit edit`.
    ///   - new: What a profile is made from if there is none. Draw fresh random bytes each time.
    ///   - passphrase: What its keys are under, if they are.
    /// - Throws: `inUse`, `notADirectory`, `notPermitted`, `newerVersion`, `notOurs`,
    ///   `journalMissing`, `locked`, `wrongPassphrase`, `corrupt`, `diskFull`, `io`. Then nothing
    ///   was changed.
    public init(
        directory: String,
        command: String,
        new: NewProfile,
        passphrase: SecretBytes? = nil
    ) throws(StoreError) {
        let directory = directory.withoutTrailingSlash
        try FileSystem.makeDirectory(directory)
        guard FileSystem.isUsable(directory) else { throw .notPermitted(path: directory) }
        let lock = try ProfileLock(directory: directory, command: command)
        let journalPath = Profile.journalPath(in: directory)
        let indexPath = Profile.indexPath(in: directory)
        if try FileKind(of: journalPath) == .nothing, try FileKind(of: indexPath) != .nothing {
            throw .journalMissing(path: journalPath)
        }
        journal = try Journal(path: journalPath, new: new, passphrase: passphrase)
        index = try Index(path: indexPath)
        self.lock = Mutex(consume lock)
        self.directory = directory
    }

    deinit { try? close() }

    /// Lets go of the files, then of the lock. Later calls to the journal or the index throw
    /// `closed`.
    /// - Throws: `io` if SQLite can't close; what was committed is safe regardless.
    public func close() throws(StoreError) {
        try index.close()
        try journal.close()
        lock.withLock { $0 = nil }
    }

    /// Whether a directory holds a profile, or what is left of one. Where that can't be seen it
    /// counts as held, so that opening says why.
    public static func isMade(in directory: String) -> Bool {
        [journalPath(in: directory), indexPath(in: directory)].contains { path in
            (try? FileKind(of: path)) != .some(.nothing)
        }
    }

    /// Where the journal of a profile lies.
    public static func journalPath(in directory: String) -> String {
        directory.withoutTrailingSlash + "/journal.sqlite"
    }

    /// Where the index of a profile lies, for `Index.init(readOnly:)`.
    public static func indexPath(in directory: String) -> String {
        directory.withoutTrailingSlash + "/index.sqlite"
    }
}

extension String {
    fileprivate var withoutTrailingSlash: String {
        var path = self[...]
        while path.count > 1, path.last == "/" { path.removeLast() }
        return String(path)
    }
}
