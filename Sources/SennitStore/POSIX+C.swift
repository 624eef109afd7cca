import Glibc

// The only file of this module that calls the C library: the lock of a profile, and the few things
// that SQLite leaves to others when a database is made.

/// A file that is open, and closed when its holder lets go.
struct OpenFile: ~Copyable {
    private let descriptor: Int32
    private let path: String

    /// Opens for reading and writing; makes the file with mode 0600 if there is none.
    static func creating(_ path: String) throws(StoreError) -> OpenFile {
        try OpenFile(path, flags: O_RDWR | O_CREAT)
    }

    /// Opens a file or a directory for reading.
    static func reading(_ path: String) throws(StoreError) -> OpenFile {
        try OpenFile(path, flags: O_RDONLY)
    }

    private init(_ path: String, flags: Int32) throws(StoreError) {
        descriptor = unsafe open(path, flags | O_CLOEXEC, 0o600)
        self.path = path
        guard descriptor >= 0 else { throw StoreError(errno: errno, path: path) }
    }

    deinit {
        // A child that is just being spawned shares the open file until it executes, and would keep
        // the lock alive. Unlocking frees it for all who share it.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Takes the lock that the system frees when its holder closes the file or dies in whatever
    /// way; `false` if it is taken.
    func tryLock() throws(StoreError) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw StoreError(errno: errno, path: path) }
        return false
    }

    /// The first `count` bytes, or as many as there are.
    func read(_ count: Int) throws(StoreError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let readCount = unsafe pread(descriptor, &bytes, count, 0)
        guard readCount >= 0 else { throw StoreError(errno: errno, path: path) }
        return Array(bytes.prefix(readCount))
    }

    /// Makes `bytes` the content.
    func replaceContent(by bytes: [UInt8]) throws(StoreError) {
        guard ftruncate(descriptor, 0) == 0,
            unsafe pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
        else { throw StoreError(errno: errno, path: path) }
    }

    /// Returns when everything is on the disk.
    func synchronise() throws(StoreError) {
        guard fsync(descriptor) == 0 else { throw StoreError(errno: errno, path: path) }
    }
}

/// What lies at a path.
enum FileKind: Hashable {
    case nothing, file, directory, other

    /// Looks, following links.
    init(of path: String) throws(StoreError) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw StoreError(errno: errno, path: path) }
            self = .nothing
            return
        }
        self =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            default: .other
            }
    }
}

/// Names of the file system.
enum FileSystem {
    /// Makes a directory for its owner alone, with those above it, unless it is there.
    static func makeDirectory(_ path: String) throws(StoreError) {
        switch try FileKind(of: path) {
        case .directory: return
        case .file, .other: throw .notADirectory(path: path)
        case .nothing: break
        }
        if let slash = path.dropLast().lastIndex(of: "/"), slash > path.startIndex {
            try makeDirectory(String(path[..<slash]))
        }
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw StoreError(errno: errno, path: path)
        }
    }

    /// Whether this process may read, write and search a directory.
    static func isUsable(_ path: String) -> Bool { unsafe access(path, R_OK | W_OK | X_OK) == 0 }

    /// Gives a file its name for good, in the place of what had it.
    static func move(_ path: String, to newPath: String) throws(StoreError) {
        guard unsafe rename(path, newPath) == 0 else {
            throw StoreError(errno: errno, path: newPath)
        }
    }

    /// Removes a file if it is there.
    static func remove(_ path: String) throws(StoreError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw StoreError(errno: errno, path: path)
        }
    }

    /// The number of this process.
    static var process: Int32 { getpid() }
}

extension StoreError {
    /// The system's number for an error, as one of ours.
    init(errno number: Int32, path: String) {
        self =
            switch number {
            case EACCES, EPERM, EROFS: .notPermitted(path: path)
            case ENOTDIR: .notADirectory(path: path)
            case ENOSPC, EDQUOT: .diskFull(path: path)
            default: .io(path: path, reason: unsafe String(cString: strerror(number)))
            }
    }
}
