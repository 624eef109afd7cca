// How an author names logs in a byte or two. SPEC.md section 6, logRef.
//
//     0:varint  log[32]      a log that this author names for the first time
//     index:varint           one named before, counted from 1 in the order of naming
//
// Each author has one table for each log it writes. It starts empty and grows by what the author's
// well-formed bodies name, field after field, so a reader that decodes those in order has the same
// table. Example: naming A, B, A in an empty table writes 0 A, 0 B, 1.

/// The logs that one author has named so far in one log of its own.
public struct LogTable: Hashable, Sendable {
    /// The logs in the order of naming; index 1 is the first.
    public private(set) var names: [LogID]

    // Invariant: takes each of `names` to its place there, from 1.
    private var indices: [LogID: Int]

    /// Nothing has been named.
    public init() {
        names = []
        indices = [:]
    }

    /// A table as it was stored: `names` of an earlier one.
    public init(names: [LogID]) {
        precondition(names.count <= Limits.maximumLogCount, "A table has at most 4096 logs.")
        self.init()
        for name in names { append(name) }
    }

    /// How many logs have been named.
    public var count: Int { names.count }

    /// Writes a reference to `log`, and names it if it is new.
    ///
    /// A space has at most `Limits.maximumLogCount` logs, so a table never has more.
    public mutating func write(_ log: LogID, to writer: inout ByteWriter) {
        if let index = indices[log] {
            writer.writeVarint(index)
        } else {
            precondition(count < Limits.maximumLogCount, "A table has at most 4096 logs.")
            writer.writeVarint(0)
            writer.write(log)
            append(log)
        }
    }

    /// Reads a reference, and names its log if it is new. A throw leaves the table as it was.
    /// - Throws: what `ByteReader` throws; `overLimit` for an index nobody assigned or a table that
    ///   is full; `invalid` for a log that is named as new and isn't.
    public mutating func read(from reader: inout ByteReader) throws(WireError) -> LogID {
        let start = reader.byteOffset
        let index = try reader.readCount(limit: count)
        if index > 0 { return names[index - 1] }
        let log: LogID = try reader.readIdentifier()
        guard indices[log] == nil else {
            throw .invalid(reason: "a log is named in full only once", byteOffset: start)
        }
        guard count < Limits.maximumLogCount else {
            throw .invalid(reason: "a table has at most 4096 logs", byteOffset: start)
        }
        append(log)
        return log
    }

    /// Forgets what was named after the first `count` logs: the way back from a body that turned
    /// out to be poison.
    /// - Complexity: O(logs forgotten).
    public mutating func truncate(to count: Int) {
        while names.count > count { indices[names.removeLast()] = nil }
    }

    private mutating func append(_ log: LogID) {
        names.append(log)
        indices[log] = names.count
    }
}
