// The running hash of a log. SPEC.md section 4.
//
//     h[0]   = H(chainStart, space | log | device | incarnation)
//     h[n+1] = H(chain, h[n] | H(entry, bytes of entry n))

/// Names a log's author and life, from which its id and the start of its chain follow.
public struct LogDescriptor: Hashable, Sendable {
    /// The device that alone appends.
    public let device: DeviceKey
    /// Which life of the device in this space.
    public let incarnation: Incarnation

    /// Describes the log of `device` in `incarnation`.
    public init(device: DeviceKey, incarnation: Incarnation) {
        self.device = device
        self.incarnation = incarnation
    }

    /// The log's id in `space`.
    public func logID(in space: SpaceID) -> LogID {
        LogID(space: space, device: device, incarnation: incarnation)
    }

    /// h[0] of the log in `space`.
    public func chainStart(in space: SpaceID) -> ChainHash {
        ChainHash(
            value: Hash.digest(
                .chainStart,
                [space.bytes, logID(in: space).bytes, device.bytes, incarnation.bytes]
            )
        )
    }

    /// Reads 48 bytes.
    public init(from reader: inout ByteReader) throws(WireError) {
        device = try reader.readIdentifier()
        let start = reader.byteOffset
        guard let incarnation = Incarnation(try reader.readBytes(Incarnation.byteCount)) else {
            throw .truncated(byteOffset: start)
        }
        self.incarnation = incarnation
    }

    /// Writes 48 bytes.
    public func write(to writer: inout ByteWriter) {
        writer.write(device)
        writer.write(incarnation.bytes)
    }
}

extension EntryHash {
    /// The hash of an entry's canonical bytes.
    public init(of entryBytes: [UInt8]) {
        self.init(of: entryBytes, in: entryBytes.indices)
    }

    /// The hash of an entry whose canonical bytes lie within others.
    public init(of bytes: [UInt8], in range: Range<Int>) {
        self.init(value: Hash.entry(bytes, range))
    }
}

extension ChainHash {
    /// The chain after one more entry.
    public func extended(by entry: EntryHash) -> ChainHash {
        ChainHash(value: Hash.chain(value, entry.value))
    }
}
