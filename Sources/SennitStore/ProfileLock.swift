/// The right to own a profile, held by one process at a time until it lets go or dies.
///
/// The lock is `flock` on a file that also holds the owner's process number and command, only for
/// the message that a second process gets. What a dead owner left there locks nobody out.
struct ProfileLock: ~Copyable {
    private let file: OpenFile

    /// Takes the lock of the profile in `directory` for `command`.
    /// - Throws: `inUse`, `notPermitted`, `diskFull`, `io`.
    init(directory: String, command: String) throws(StoreError) {
        let file = try OpenFile.creating(directory + "/lock")
        guard try file.tryLock() else {
            let holder = ProfileLock.holder(try file.read(StoreLimits.lockByteCount))
            throw .inUse(path: directory, process: holder.process, command: holder.command)
        }
        try file.replaceContent(by: Array("\(FileSystem.process) \(command)\n".utf8))
        self.file = file
    }

    /// Reads `4711 sennit edit`; whatever else stands there says nothing.
    static func holder(_ bytes: [UInt8]) -> (process: Int32?, command: String?) {
        let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        let parts = line.split(separator: " ", maxSplits: 1)
        guard let first = parts.first, let process = Int32(first), process > 0 else {
            return (nil, nil)
        }
        let command = parts.count == 2 ? String(parts[1].filter { !$0.isControl }) : nil
        return (process, command)
    }
}

extension Character {
    /// Whether it could move a terminal's cursor instead of being seen.
    fileprivate var isControl: Bool {
        unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
}
