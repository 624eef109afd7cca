// Columns: the bytes of one field of many operations side by side, where each byte resembles its
// neighbours, and zstd makes little of them.
//
//     file    = version:u8 | checksum:u64 of all that follows | head | frame*     head: the owner's
//     frame   = method:u8 | columns:varint | column* | (byteCount:varint if 1) | bytes
//     column  = tag:varint | byteCount:varint                       tag = 2 * id, plus 1 if needed
//     method  0: the bytes are the columns, one after another
//             1: the bytes are a zstd frame of that, and `byteCount` says how many they are
//
// Example: 00 01 17 02 68 69 is column 11, which is needed, with the bytes "hi".
//
// Each id occurs once; an empty column is not written. Ids are those of the owner. A reader refuses
// a file with a needed column that it doesn't know, and carries along the others.
//
// What a reader allocates is bounded before it allocates: all columns together have at most
// `maximumColumnByteCount` bytes, and at most `maximumExpansion` for each byte of the file, so a
// writer whose columns are smaller than that appends a column of zeros.
//
// The checksum is over the bytes as they are stored, so damage is found before zstd sees it, and
// it is computed over fewer bytes.
//
// Small columns share a frame, because a frame has some ten bytes of its own and its own tables;
// large ones have one each, because no table suits two kinds of bytes.

import SennitWire

/// The columns of one file, as they were read.
struct ColumnSet {
    /// One column.
    struct Column {
        var id: Int
        var isNeeded: Bool
        /// Where in `bytes` it lies.
        var range: Range<Int>
        /// Where in the file the frame begins that holds it.
        var byteOffset: Int
    }

    /// All columns, unpacked; the file itself if nothing in it was packed.
    let bytes: [UInt8]
    let columns: [Column]

    /// The column whose id, all zeros, is passed over.
    static let paddingID = 0
    /// Columns that are shorter share a frame.
    private static let smallByteCount = 512

    /// Where a column lies; empty if there is none.
    func range(of id: Int) -> Range<Int> { columns.first { $0.id == id }?.range ?? 0..<0 }
}

// MARK: - Writing

extension ColumnSet {
    /// A column to be written.
    struct NewColumn {
        var id: Int
        var isNeeded = true
        var bytes: [UInt8]
    }

    /// A file.
    /// - Parameters:
    ///   - level: Of zstd; `nil` leaves everything as it is.
    static func file(
        version: UInt8,
        head: [UInt8],
        columns: [NewColumn],
        level: Int32?
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: columns.reduce(64) { $0 + $1.bytes.count / 2 + 16 })
        writer.write(version)
        writer.write(UInt64(0))
        writer.write(head)
        let filled = columns.filter { !$0.bytes.isEmpty }
        let total = filled.reduce(0) { $0 + $1.bytes.count }
        precondition(
            total <= DocumentLimits.maximumColumnByteCount,
            "Whoever has more writes several files."
        )
        let small = level == nil ? [] : filled.filter { $0.bytes.count < smallByteCount }
        if !small.isEmpty { write(small, level: level, to: &writer) }
        for column in filled where level == nil || column.bytes.count >= smallByteCount {
            write([column], level: level, to: &writer)
        }
        let expansion = DocumentLimits.maximumColumnExpansion
        if writer.bytes.count < total / expansion + 1, level != nil {
            let zeros = [UInt8](repeating: 0, count: total / (expansion - 1) + 1)
            write(
                [NewColumn(id: paddingID, isNeeded: false, bytes: zeros)],
                level: nil,
                to: &writer
            )
        }
        let checksum = Checksum.of(writer.bytes, from: 1 + Checksum.byteCount)
        for index in 0..<Checksum.byteCount {
            writer.bytes[1 + index] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * index))
        }
        return writer.bytes
    }

    /// Writes a frame, packed if that is shorter.
    private static func write(
        _ columns: [NewColumn],
        level: Int32?,
        to writer: inout ByteWriter
    ) {
        let bytes = columns.count == 1 ? columns[0].bytes : Array(columns.map(\.bytes).joined())
        let packed = level.map { Zstd.compress(bytes, level: $0) } ?? []
        let isPacked = level != nil && packed.count + 2 < bytes.count
        writer.write(UInt8(isPacked ? 1 : 0))
        writer.writeVarint(columns.count)
        for column in columns {
            writer.writeVarint(column.id << 1 | (column.isNeeded ? 1 : 0))
            writer.writeVarint(column.bytes.count)
        }
        if isPacked { writer.writeVarint(packed.count) }
        writer.write(isPacked ? packed : bytes)
    }
}

// MARK: - Reading

extension ColumnSet {
    /// A frame whose place is known.
    private struct Frame {
        var isPacked: Bool
        var source: Range<Int>
        var target: Range<Int>
    }

    /// Reads version and checksum; the owner's head comes next.
    static func start(of file: [UInt8], version: UInt8) throws(WireError) -> ColumnCursor {
        let headOffset = 1 + Checksum.byteCount
        guard file.count >= headOffset else { throw .truncated(byteOffset: file.count) }
        guard file[0] == version else {
            throw .unknown(field: "version", value: UInt64(file[0]), byteOffset: 0)
        }
        var checksum: UInt64 = 0
        for index in 0..<Checksum.byteCount {
            checksum |= UInt64(file[1 + index]) << UInt64(8 * index)
        }
        guard checksum == Checksum.of(file, from: headOffset) else {
            throw .invalid(reason: "the bytes are damaged", byteOffset: 1)
        }
        return ColumnCursor(headOffset..<file.count)
    }

    /// Reads all frames.
    /// - Parameters:
    ///   - cursor: Behind the owner's head.
    ///   - knownIDs: Columns that may be needed.
    /// - Throws: among others `unknown` for a needed column that isn't known.
    init(
        _ file: [UInt8],
        from cursor: ColumnCursor,
        knownIDs: ClosedRange<Int>
    ) throws(WireError) {
        var cursor = cursor
        var columns: [Column] = []
        var frames: [Frame] = []
        var total = 0
        while !cursor.isAtEnd {
            let at = cursor.index
            let method = cursor.nextCount(file.span)
            guard method <= 1 else {
                throw .unknown(field: "method", value: UInt64(method), byteOffset: at)
            }
            let start = total
            let count = cursor.nextCount(file.span)
            guard count > 0, count <= DocumentLimits.maximumColumnCount - columns.count else {
                throw .invalid(reason: "no column, or too many", byteOffset: at)
            }
            for _ in 0..<count {
                let column = try ColumnSet.readColumn(&cursor, of: file, at: total)
                guard !columns.contains(where: { $0.id == column.id }) else {
                    throw .invalid(reason: "a column twice", byteOffset: column.byteOffset)
                }
                guard !column.isNeeded || knownIDs.contains(column.id) else {
                    let id = UInt64(column.id)
                    throw .unknown(field: "column", value: id, byteOffset: column.byteOffset)
                }
                columns.append(column)
                total = column.range.upperBound
            }
            let byteCount = method == 1 ? cursor.nextCount(file.span) : total - start
            let source = cursor.nextRange(byteCount: byteCount)
            guard !cursor.hasFailed else { throw .truncated(byteOffset: cursor.index) }
            frames.append(Frame(isPacked: method == 1, source: source, target: start..<total))
        }
        try self.init(file, columns: columns, frames: frames, total: total)
    }

    /// Reads what a frame says of a column.
    private static func readColumn(
        _ cursor: inout ColumnCursor,
        of file: [UInt8],
        at start: Int
    ) throws(WireError) -> Column {
        let at = cursor.index
        let tag = cursor.nextCount(file.span)
        let count = cursor.nextCount(file.span)
        let limit = min(
            DocumentLimits.maximumColumnByteCount,
            file.count * DocumentLimits.maximumColumnExpansion
        )
        guard !cursor.hasFailed else { throw .truncated(byteOffset: cursor.index) }
        guard count <= limit - start else {
            throw .overLimit(value: UInt64(count), limit: limit - start, byteOffset: at)
        }
        guard count > 0 else { throw .invalid(reason: "an empty column", byteOffset: at) }
        return Column(
            id: tag >> 1,
            isNeeded: tag & 1 == 1,
            range: start..<(start + count),
            byteOffset: at
        )
    }

    /// Unpacks what is packed.
    private init(
        _ file: [UInt8],
        columns: [Column],
        frames: [Frame],
        total: Int
    ) throws(WireError) {
        var columns = columns
        guard frames.contains(where: \.isPacked) else {
            var next = 0
            for frame in frames {
                let shift = frame.source.lowerBound - frame.target.lowerBound
                while next < columns.count, columns[next].range.lowerBound < frame.target.upperBound
                {
                    let range = columns[next].range
                    columns[next].range = (range.lowerBound + shift)..<(range.upperBound + shift)
                    next += 1
                }
            }
            self.init(bytes: file, columns: columns)
            return
        }
        var bytes = [UInt8](repeating: 0, count: total)
        let zstd = Zstd.Reader()
        for frame in frames {
            if !frame.isPacked {
                bytes.replaceSubrange(frame.target, with: file[frame.source])
            } else if !zstd.read(file, frame.source, into: &bytes, frame.target) {
                throw .invalid(
                    reason: "no zstd frame of that size",
                    byteOffset: frame.source.lowerBound
                )
            }
        }
        self.init(bytes: bytes, columns: columns)
    }
}

extension DocumentLimits {
    // Of this implementation: what a reader of columns allocates.

    /// Bytes of all columns of one file together.
    static let maximumColumnByteCount = 1 << 30
    /// Bytes of columns for each byte of the file.
    static let maximumColumnExpansion = 1024
    /// Columns of one file, each of which is looked up among the others.
    static let maximumColumnCount = 64
}
