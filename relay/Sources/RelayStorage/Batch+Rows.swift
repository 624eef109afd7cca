package import SennitWire

// Batches and heads as they stand in the rows of a database. What is read is checked as if it came
// from outside.

extension Batch {
    /// Reads a row.
    /// - Parameters:
    ///   - entries: each after a varint of its length.
    /// - Throws: `damagedLog`.
    package init(
        first: Int64,
        end: Int64,
        entries: [UInt8],
        head: [UInt8],
        of log: LogID
    ) throws(StorageError) {
        let firstOffset = Offset(UInt64(clamping: first))
        guard 0 <= first, first < end, end - first <= Limits.maximumBatchCount else {
            throw .damagedLog(log: log, offset: firstOffset, reason: "a batch has no such bounds")
        }
        let head = try Head(row: head, of: log, at: Offset(UInt64(end)))
        let packed = try StorageError.decoding(log, at: firstOffset.value) {
            () throws(WireError) in
            try PackedEntries(count: Int(end - first), in: entries, entries.indices)
        }
        self.init(first: firstOffset, packed: packed, head: head)
    }

    /// The entries as they stand in a row.
    package var rowEntries: [UInt8] { Array(packed.bytes[packed.range]) }
}

extension Head {
    /// Reads a row.
    /// - Parameter end: where it must end; `nil` if that isn't known.
    /// - Throws: `damagedLog`.
    package init(row: [UInt8], of log: LogID, at end: Offset?) throws(StorageError) {
        self = try StorageError.decoding(log, at: (end ?? .zero).value) { () throws(WireError) in
            var reader = ByteReader(row)
            let head = try Head(from: &reader)
            try reader.finish()
            guard end == nil || head.end == end else {
                throw WireError.invalid(reason: "the head is another's", byteOffset: 0)
            }
            return head
        }
    }

    /// As it stands in a row.
    package var rowBytes: [UInt8] {
        var writer = ByteWriter(capacity: Head.byteCount)
        write(to: &writer)
        return writer.bytes
    }
}
