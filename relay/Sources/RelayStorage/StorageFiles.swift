// The file layer: every byte that storage writes, syncs or reads passes through here.
//
// It exists for the tests, which put a disk in its place that is full, that fails, that writes half
// of what it is given, and that loses any unsynced sector when its power is cut. So it promises no
// more than POSIX does: a write may be short, and nothing is on disk before `synchronize`.

/// A directory with files.
public protocol StorageFiles: AnyObject, Sendable {
    /// Where the directory is, for messages.
    var path: String { get }

    /// The names of all files.
    func names() throws(FileFailure) -> [String]

    /// Opens a file for reading and writing.
    func open(_ name: String) throws(FileFailure) -> any StorageFile

    /// Makes an empty file; one of that name is emptied.
    func create(_ name: String) throws(FileFailure) -> any StorageFile

    /// Gives a file another name; a file that had it is gone.
    func rename(_ name: String, to newName: String) throws(FileFailure)

    /// Takes a name away. Who has the file open goes on reading it.
    func remove(_ name: String) throws(FileFailure)

    /// Makes names durable.
    func synchronizeDirectory() throws(FileFailure)

    /// Lets go of the directory's lock.
    func close()
}

/// An open file. Any thread may call it; it is closed with the last reference.
public protocol StorageFile: AnyObject, Sendable {
    /// How many bytes the file has.
    func size() throws(FileFailure) -> Int

    /// Bytes from `position` on: as many as there are, up to `count`.
    func read(_ count: Int, at position: Int) throws(FileFailure) -> [UInt8]

    /// Writes as many bytes as it can.
    /// - Returns: how many, at least one.
    func write(_ bytes: Span<UInt8>, at position: Int) throws(FileFailure) -> Int

    /// Makes the bytes durable, and the size if it grew: fdatasync.
    func synchronize() throws(FileFailure)

    /// Lets bytes that were written go to the disk soon, without waiting for it. It promises
    /// nothing.
    func startWriting(_ range: Range<Int>)

    /// Sets the size.
    func truncate(to size: Int) throws(FileFailure)
}

/// What the system said when a file couldn't be used.
public struct FileFailure: Error, Hashable, Sendable {
    /// The file.
    public let name: String
    /// What was being done and what the system answered.
    public let reason: String

    /// Puts a failure together.
    public init(name: String, reason: String) {
        self.name = name
        self.reason = reason
    }
}

extension StorageFile {
    /// Nothing, where a file has no way to do it.
    public func startWriting(_ range: Range<Int>) {}

    /// Writes all bytes, however many calls it takes.
    func writeAll(_ bytes: [UInt8], at position: Int) throws(FileFailure) {
        var done = 0
        while done < bytes.count {
            done += try write(bytes.span.extracting(done..<bytes.count), at: position + done)
        }
    }
}
