import RelayStorage
import SennitWire

/// A log whose entries follow from their offsets, so that a test needs no memory of them. Its heads
/// are not signed, which storage doesn't look at.
struct FakeLog {
    let genesis: Genesis
    let descriptor: LogDescriptor
    let maximumEntryByteCount: Int

    var space: SpaceID { genesis.spaceID }
    var id: LogID { descriptor.logID(in: space) }

    init(_ number: Int, space spaceNumber: Int = 0, maximumEntryByteCount: Int = 200) {
        let key = DeviceKey(value: FakeLog.bytes(UInt64(number), 1))
        genesis = FakeLog.genesis(spaceNumber)
        guard let incarnation = Incarnation(Array(FakeLog.bytes(UInt64(number), 2).bytes[..<16]))
        else { preconditionFailure("An incarnation has 16 bytes.") }
        descriptor = LogDescriptor(device: key, incarnation: incarnation)
        self.maximumEntryByteCount = maximumEntryByteCount
    }

    static func genesis(_ number: Int) -> Genesis {
        Genesis(
            nonce: bytes(UInt64(number), 3),
            founder: DeviceKey(value: bytes(UInt64(number), 4)),
            founderAgreement: AgreementKey(value: bytes(UInt64(number), 5))
        )
    }

    static func bytes(_ number: UInt64, _ kind: UInt64) -> Bytes32 {
        var random = SeededGenerator(seed: number &* 31 &+ kind)
        let bytes = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        return Bytes32(bytes) ?? .zero
    }

    func byteCount(_ offset: UInt64) -> Int {
        Int(offset * 7919 % UInt64(maximumEntryByteCount)) + 1
    }

    func entry(_ offset: UInt64) -> [UInt8] {
        (0..<byteCount(offset)).map { UInt8(truncatingIfNeeded: offset &* 13 &+ UInt64($0)) }
    }

    func head(_ end: UInt64) -> Head {
        Head(
            end: Offset(end),
            chain: ChainHash(value: FakeLog.bytes(end, 6)),
            byteCount: (0..<end).reduce(0) { $0 + UInt64(byteCount($1)) },
            membership: FakeLog.bytes(end, 7),
            epoch: EpochKeyID(value: FakeLog.bytes(end, 8)),
            signature: [UInt8](repeating: UInt8(truncatingIfNeeded: end), count: 64)
        )
    }

    func batch(_ from: UInt64, _ end: UInt64) -> Batch {
        Batch(first: Offset(from), entries: (from..<end).map(entry), head: head(end))
    }

    /// What is stored of the log, all of it, checked against what it must be.
    /// - Returns: where it starts and ends; `nil` if it isn't there.
    func read(
        from storage: any StorageReading
    ) throws(StorageError) -> (start: UInt64, end: UInt64, ends: [UInt64])? {
        guard let record = try storage.log(id) else { return nil }
        guard record.descriptor == descriptor, record.space == space,
            record.head == record.head.map({ head($0.end.value) }),
            record.start == record.start.map({ head($0.end.value) }),
            record.end == record.head?.end ?? .zero
        else { throw .unfit(reason: "the record is another's") }
        let start = record.start?.end.value ?? 0
        var next = start
        var ends: [UInt64] = []
        while next < record.end.value {
            let batches = try storage.batches(
                of: id,
                from: Offset(next),
                maximumCount: 7,
                maximumByteCount: 1500
            )
            for batch in batches {
                guard batch == self.batch(batch.first.value, batch.end.value),
                    batch.first.value == next
                else { throw .damagedLog(log: id, offset: Offset(next), reason: "other bytes") }
                next = batch.end.value
                ends.append(next)
            }
            guard !batches.isEmpty else { throw .unfit(reason: "nothing at \(next)") }
        }
        return (start, next, ends)
    }
}
