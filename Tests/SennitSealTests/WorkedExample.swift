import SennitSeal
import SennitWire

/// Section 16 of SPEC.md, computed: from fixed seeds to a signed head.
struct WorkedExample {
    /// What is shown, in order.
    private(set) var values: [(name: String, bytes: [UInt8])] = []

    init() throws {
        let deviceSeed = WorkedExample.bytes(from: 0x00, count: 32)
        let nonce = WorkedExample.bytes32(from: 0x20)
        let device = DeviceIdentity(deviceSeed: SecretBytes(deviceSeed), spaceNonce: nonce)
        let genesis = device.genesis(nonce: nonce)
        let space = genesis.spaceID
        guard let incarnation = Incarnation(WorkedExample.bytes(from: 0x40, count: 16)) else {
            preconditionFailure("There are 16 bytes.")
        }
        let log = LogDescriptor(device: device.device, incarnation: incarnation)
        let epoch = EpochKey(
            secret: SecretBytes(WorkedExample.bytes(from: 0x50, count: 32)),
            space: space
        )
        add("device seed", deviceSeed)
        add("space nonce", nonce.bytes)
        add("space seed", KeySchedule.derive("space seed", nonce.bytes, key: deviceSeed))
        add("device key", device.device.bytes)
        add("agreement key", device.agreement.bytes)
        add("genesis", genesis.bytes)
        add("space id", space.bytes)
        add("incarnation", incarnation.bytes)
        add("log id", log.logID(in: space).bytes)
        add("epoch secret", epoch.secret.bytes)
        add("epoch key id", epoch.id.bytes)

        var place = EntryPlace(startOf: log, in: space)
        add("h[0]", place.chain.bytes)
        let founding = Seal.entry(founding: genesis)
        place = append(founding, at: place)

        let epochRecord = try EpochRecord(
            key: epoch,
            parents: [],
            recipients: [
                .init(kind: .device, agreement: device.agreement): WorkedExample.bytes32(from: 0x70)
            ],
            random: .zero
        )
        add("box ephemeral secret", WorkedExample.bytes(from: 0x70, count: 32))
        add("entry 1 clear part", epochRecord.bytes)
        var writer = BodyWriter(
            authorTime: 1_700_000_000_000,
            context: CausalContext(isFull: false),
            logs: LogTable()
        )
        let person = PersonID(value: WorkedExample.bytes32(from: 0xD0))
        writer.append(try MemberRecord(person: person, name: "Ada"))
        let announcing = try seal(
            writer.bytes,
            type: .epoch,
            clear: epochRecord.bytes,
            at: place,
            under: epoch,
            randomFrom: 0x90
        )
        let afterEpoch = append(announcing, at: place)

        writer = BodyWriter(
            authorTime: 1_700_000_060_000,
            context: CausalContext(isFull: false),
            logs: writer.logs
        )
        writer.append(try MemberRecord(person: person, name: "Ada Lovelace"))
        let renaming = try seal(
            writer.bytes,
            type: .edit,
            at: afterEpoch,
            under: epoch,
            randomFrom: 0xB0
        )
        let end = append(renaming, at: afterEpoch)
        addHead(by: device, genesis, [founding, announcing, renaming], end, epochRecord, log)
    }

    /// The values as they are printed: a name, then its digits on indented lines.
    var text: String {
        var lines: [String] = []
        for (name, bytes) in values {
            lines.append(name)
            var digits = Substring(Hex.encode(bytes))
            while !digits.isEmpty {
                lines.append("  " + digits.prefix(96))
                digits = digits.dropFirst(96)
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private mutating func add(_ name: String, _ bytes: [UInt8]) {
        values.append((name, bytes))
    }

    private mutating func append(_ entry: Entry, at place: EntryPlace) -> EntryPlace {
        let hash = EntryHash(of: entry.bytes)
        let next = place.next(after: hash)
        add("entry \(place.offset)", entry.bytes)
        add("entry \(place.offset) hash", hash.bytes)
        add("h[\(next.offset)]", next.chain.bytes)
        return next
    }

    private mutating func seal(
        _ body: [UInt8],
        type: EntryType,
        clear: [UInt8] = [],
        at place: EntryPlace,
        under epoch: EpochKey,
        randomFrom first: UInt8
    ) throws -> Entry {
        let entry = try Seal.seal(
            body,
            type: type,
            clear: clear,
            at: place,
            under: epoch,
            random: WorkedExample.bytes32(from: first)
        )
        let name = "entry \(place.offset)"
        add("\(name) body", body)
        add("\(name) random", WorkedExample.bytes(from: first, count: 32))
        add("\(name) key", KeySchedule.entryKey(epoch, type, place.log))
        add("\(name) nonce key", KeySchedule.nonceKey(epoch, type, place.log))
        add(
            "\(name) associated data",
            KeySchedule.associatedData(
                type,
                place,
                epoch.id,
                clear: clear,
                sealedByteCount: entry.sealed.count
            )
        )
        return entry
    }

    private mutating func addHead(
        by device: DeviceIdentity,
        _ genesis: Genesis,
        _ entries: [Entry],
        _ end: EntryPlace,
        _ epoch: EpochRecord,
        _ log: LogDescriptor
    ) {
        var membership = Membership(
            genesis: genesis,
            hash: EntryHash(of: entries[0].bytes),
            log: end.log
        )
        membership.apply(
            epoch,
            from: Membership.Source(
                author: log,
                log: end.log,
                offset: Offset(1),
                hash: EntryHash(of: entries[1].bytes),
                seen: Version()
            )
        )
        let head = device.head(
            space: end.space,
            log: end.log,
            end: end.offset,
            chain: end.chain,
            byteCount: entries.reduce(0) { $0 + UInt64($1.bytes.count) },
            membership: membership.hash,
            epoch: epoch.epoch
        )
        add("membership", membership.hash.bytes)
        var writer = ByteWriter()
        head.write(to: &writer)
        add("head", writer.bytes)
    }

    private static func bytes(from first: UInt8, count: Int) -> [UInt8] {
        (0..<count).map { first + UInt8($0) }
    }

    private static func bytes32(from first: UInt8) -> Bytes32 {
        guard let value = Bytes32(bytes(from: first, count: 32)) else {
            preconditionFailure("There are 32 bytes.")
        }
        return value
    }
}
