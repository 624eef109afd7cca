import SennitSeal
import SennitWire

// What the journal keeps of a control record, so that membership can be folded again without
// opening the entry: what its author had seen, and the records in its body. It stands alone; it
// never leaves the device.
//
//     seen:varint (log[32] end:varint)*  payloads:varint (kind:varint bytes:blob)*

/// The opened part of a control record.
struct ControlNote: Hashable {
    let seen: Version
    let payloads: [Payload]

    init(seen: Version, payloads: [Payload]) {
        self.seen = seen
        self.payloads = payloads
    }

    init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        var seen = Version()
        for _ in 0..<(try reader.readCount(limit: Limits.maximumLogCount)) {
            let log: LogID = try reader.readIdentifier()
            seen[log] = Offset(try reader.readVarint())
        }
        self.seen = seen
        var payloads: [Payload] = []
        for _ in 0..<(try reader.readCount(limit: Limits.maximumPayloadCount)) {
            let kind = PayloadKind(rawValue: try reader.readVarint())
            payloads.append(
                Payload(
                    kind: kind,
                    bytes: try reader.readBlob(limit: Limits.maximumSealedByteCount)
                )
            )
        }
        self.payloads = payloads
        try reader.finish()
    }

    var bytes: [UInt8] {
        var writer = ByteWriter()
        let logs = seen.sorted
        writer.writeVarint(logs.count)
        for (log, end) in logs {
            writer.write(log)
            writer.writeVarint(end.value)
        }
        writer.writeVarint(payloads.count)
        for payload in payloads {
            writer.writeVarint(payload.kind.rawValue)
            writer.writeBlob(payload.bytes)
        }
        return writer.bytes
    }
}
