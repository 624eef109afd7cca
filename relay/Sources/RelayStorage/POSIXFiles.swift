import Foundation

// The wrapper around the system's calls for files: the only file of this module, with
// Checksum.swift and Bytes32+Words.swift, that has unsafe code.
//
// fdatasync(2): "does not flush modified metadata unless that metadata is needed in order to allow
// a subsequent data retrieval to be correctly handled", so a changed size is flushed and times
// aren't. https://man7.org/linux/man-pages/man2/fdatasync.2.html

/// A directory of the file system, locked for one process.
public final class POSIXFiles: StorageFiles {
    public let path: String
    private let lock: POSIXFile

    private static let lockName = "lock"

    /// Opens a directory and locks it.
    /// - Parameters:
    ///   - path: made with mode 0700 if it doesn't exist.
    /// - Throws: `directory`; `inUse` if another process, or this one, has it open.
    public init(_ path: String) throws(StorageError) {
        self.path = path
        if !FileManager.default.fileExists(atPath: path) {
            do {
                try FileManager.default.createDirectory(
                    atPath: path,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
            } catch {
                throw .directory(path: path, reason: "it can't be made")
            }
        }
        do throws(FileFailure) {
            let lockPath = path + "/" + POSIXFiles.lockName
            lock = try POSIXFile(lockPath, flags: O_RDWR | O_CREAT)
        } catch {
            throw .directory(path: path, reason: error.reason)
        }
        guard flock(lock.descriptor, LOCK_EX | LOCK_NB) == 0 else { throw .inUse(path: path) }
    }

    public func names() throws(FileFailure) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw FileFailure(name: path, reason: "it can't be listed")
        }
    }

    public func open(_ name: String) throws(FileFailure) -> any StorageFile {
        try POSIXFile(path + "/" + name, flags: O_RDWR)
    }

    public func create(_ name: String) throws(FileFailure) -> any StorageFile {
        try POSIXFile(path + "/" + name, flags: O_RDWR | O_CREAT | O_TRUNC)
    }

    public func rename(_ name: String, to newName: String) throws(FileFailure) {
        guard unsafe Foundation.rename(path + "/" + name, path + "/" + newName) == 0 else {
            throw FileFailure(call: "rename", path + "/" + name)
        }
    }

    public func remove(_ name: String) throws(FileFailure) {
        guard unsafe unlink(path + "/" + name) == 0 else {
            throw FileFailure(call: "unlink", path + "/" + name)
        }
    }

    public func synchronizeDirectory() throws(FileFailure) {
        let directory = try POSIXFile(path, flags: O_RDONLY | O_DIRECTORY)
        guard fsync(directory.descriptor) == 0 else { throw FileFailure(call: "fsync", path) }
    }

    public func close() { flock(lock.descriptor, LOCK_UN) }
}

/// A file descriptor.
final class POSIXFile: StorageFile {
    let descriptor: Int32
    private let path: String

    init(_ path: String, flags: Int32) throws(FileFailure) {
        self.path = path
        descriptor = unsafe open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure(call: "open", path) }
    }

    deinit { close(descriptor) }

    func size() throws(FileFailure) -> Int {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw FileFailure(call: "stat", path) }
        return Int(status.st_size)
    }

    func read(_ count: Int, at position: Int) throws(FileFailure) -> [UInt8] {
        var failure: FileFailure?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let got = unsafe pread(
                    descriptor,
                    buffer.baseAddress?.advanced(by: initialized),
                    count - initialized,
                    off_t(position + initialized)
                )
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = FileFailure(call: "read", path) }
                guard got > 0 else { return }
                initialized += got
            }
        }
        if let failure { throw failure }
        return bytes
    }

    func write(_ bytes: Span<UInt8>, at position: Int) throws(FileFailure) -> Int {
        while true {
            let written = unsafe bytes.withUnsafeBufferPointer { buffer in
                unsafe pwrite(descriptor, buffer.baseAddress, buffer.count, off_t(position))
            }
            if written > 0 || bytes.isEmpty { return max(written, 0) }
            guard written < 0, errno == EINTR else { throw FileFailure(call: "write", path) }
        }
    }

    func synchronize() throws(FileFailure) {
        guard fdatasync(descriptor) == 0 else { throw FileFailure(call: "fdatasync", path) }
    }

    /// On Linux POSIX_FADV_DONTNEED begins to write the dirty pages of a range (mm/fadvise.c), and
    /// waits for nothing. posix_fadvise(2) has it as: "The specified data will not be accessed in
    /// the near future."
    func startWriting(_ range: Range<Int>) {
        _ = posix_fadvise(
            descriptor,
            off_t(range.lowerBound),
            off_t(range.count),
            POSIX_FADV_DONTNEED
        )
    }

    func truncate(to size: Int) throws(FileFailure) {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw FileFailure(call: "truncate", path)
        }
    }
}

extension FileFailure {
    /// The failure that `errno` tells of.
    init(call: String, _ path: String) {
        let text = unsafe String(cString: strerror(errno))
        self.init(name: path, reason: "\(call): \(text)")
    }
}
