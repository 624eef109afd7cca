import SennitWire

// The parts of a stored document, each checked by whoever reads them: see Document+Encoding.swift.

extension History {
    /// Reads all operations and the pool of their texts.
    mutating func readOperations(from reader: inout ByteReader) throws(WireError) {
        let start = reader.byteOffset
        var log = OperationLog()
        var byteCounts: [Int] = []
        for _ in 0..<(try reader.readCount(limit: reader.remaining)) {
            let at = reader.byteOffset
            guard let byteCount = try log.readOperation(from: &reader) else {
                throw .invalid(reason: "an operation that no run makes", byteOffset: at)
            }
            guard log.count <= count else {
                throw .invalid(reason: "operations without events", byteOffset: at)
            }
            byteCounts.append(byteCount)
        }
        guard log.count == count else {
            throw .invalid(reason: "events without operations", byteOffset: start)
        }
        let at = reader.byteOffset
        guard log.setTexts(byteCounts, pool: try reader.readBlob(limit: reader.remaining)) else {
            throw .invalid(reason: "texts that are not those of the inserts", byteOffset: at)
        }
        setOperations(log)
    }
}

extension OperationLog {
    /// Reads one operation and adds it, without its text.
    /// - Returns: How many bytes its text has; `nil` if there can be no such operation.
    fileprivate mutating func readOperation(
        from reader: inout ByteReader
    ) throws(WireError) -> Int? {
        let head = try reader.readVarint()
        let eventCount = try reader.readCount(limit: DocumentLimits.maximumDocumentEventCount)
        let isVoid = head & 1 == 1
        guard eventCount > 0, head >> 1 <= UInt64(Kind.gather.rawValue),
            let kind = Kind(rawValue: UInt8(head >> 1))
        else { return nil }
        var position = 0
        var byteCount = 0
        switch kind {
        case .insert:
            position = try reader.readCount(limit: DocumentLimits.endOfNumbers)
            byteCount = try reader.readCount(limit: 4 * DocumentLimits.maximumStoredScalarCount)
            guard eventCount <= DocumentLimits.maximumStoredScalarCount else { return nil }
        case .deleteForward, .deleteBackward:
            position = try reader.readCount(limit: DocumentLimits.endOfNumbers)
        case .map:
            let key = try reader.readText(limit: DocumentLimits.maximumKeyByteCount)
            let flag = try reader.readByte()
            guard eventCount == 1, !isVoid, flag <= 1 else { return nil }
            let value =
                flag == 1 ? try reader.readBlob(limit: DocumentLimits.maximumValueByteCount) : nil
            append(MapChange(key: Array(key.utf8), value: value))
            return 0
        case .unknown:
            let kind = try reader.readVarint()
            let container = try reader.readVarint()
            let bytes = try reader.readBlob(limit: DocumentLimits.maximumUnknownByteCount)
            guard !isVoid, kind > OperationBatch.lastKnownKind else { return nil }
            append(Unknown(kind: kind, container: container, bytes: bytes), count: eventCount)
            return 0
        case .gather:
            guard eventCount == 1, !isVoid else { return nil }
        }
        let start = count
        append(
            Operation(
                kind: kind,
                isVoid: isVoid,
                events: start..<(start + eventCount),
                position: position,
                text: 0..<0
            )
        )
        return byteCount
    }
}
