import SennitWire
import Testing

/// A decoder of the wire with what it decodes and how its values are written again.
struct Decoder: Sendable, CustomTestStringConvertible {
    let name: String
    let sample: [UInt8]
    let rewritten: @Sendable ([UInt8]) throws -> [UInt8]

    var testDescription: String { name }

    static let all: [Decoder] =
        [
            Decoder(name: "entry", sample: Sample.entry.bytes) { try Entry(decoding: $0).bytes },
            Decoder(name: "genesis", sample: Sample.genesis.bytes) {
                try Genesis(decoding: $0).bytes
            },
            Decoder(name: "access list", sample: Sample.accessList.bytes) {
                try AccessList(decoding: $0).bytes
            },
            Decoder(name: "head", sample: written(Sample.head.write)) { bytes in
                var reader = ByteReader(bytes)
                let head = try Head(from: &reader)
                try reader.finish()
                return written(head.write)
            },
            Decoder(name: "log descriptor", sample: written(Sample.descriptor.write)) { bytes in
                var reader = ByteReader(bytes)
                let descriptor = try LogDescriptor(from: &reader)
                try reader.finish()
                return written(descriptor.write)
            },
            Decoder(name: "log table", sample: [0] + Sample.log.bytes + [1, 1]) { bytes in
                var reader = ByteReader(bytes)
                var table = LogTable()
                var logs: [LogID] = []
                for _ in 0..<3 { logs.append(try table.read(from: &reader)) }
                try reader.finish()
                return written { writer in
                    var table = LogTable()
                    for log in logs { table.write(log, to: &writer) }
                }
            },
        ]
        + Sample.frames.map { frame in
            Decoder(name: "frame " + "\(frame)".prefix { $0 != "(" }, sample: frame.bytes) {
                try RelayFrame(decoding: $0).bytes
            }
        }
}

func written(_ write: (inout ByteWriter) -> Void) -> [UInt8] {
    var writer = ByteWriter()
    write(&writer)
    return writer.bytes
}

/// One value of each kind.
enum Sample {
    static let space = random(1, SpaceID.self)
    static let log = random(2, LogID.self)
    static let device = random(3, DeviceKey.self)
    static let signature = bytes(4, Signature.byteCount)

    static let descriptor = LogDescriptor(device: device, incarnation: incarnation)
    static let genesis = Genesis(
        nonce: random(5, SpaceID.self).value,
        founder: device,
        founderAgreement: random(6, AgreementKey.self)
    )
    static let entry = Entry(
        type: .edit,
        keyHint: bytes(7, Entry.keyHintByteCount),
        nonce: bytes(8, Entry.nonceByteCount),
        clear: bytes(9, 5),
        sealed: bytes(10, 80)
    )
    static let head = Head(
        end: Offset(9),
        chain: random(11, ChainHash.self),
        byteCount: 1234,
        membership: random(12, SpaceID.self).value,
        epoch: random(13, EpochKeyID.self),
        signature: signature
    )
    static let accessList = AccessList(
        space: space,
        version: 2,
        previous: random(14, SpaceID.self).value,
        signer: device,
        members: [
            .init(kind: .invite, key: random(15, DeviceKey.self), rights: [.read, .append]),
            .init(kind: .device, key: device, rights: .all),
            .init(kind: .device, key: random(16, DeviceKey.self), rights: .read),
        ],
        signature: signature
    )
    static let range = EntryRange(
        descriptor: descriptor,
        from: Offset(7),
        entries: [entry.bytes, entry.bytes],
        head: head
    )

    static let frames: [RelayFrame] = [
        .challenge(.init(relay: random(17, SpaceID.self).value, nonce: .zero)),
        .welcome(.init(access: accessList, logs: [welcomeLog, welcomeLog])),
        .welcome(.init(access: nil, logs: [])),
        .entries(range),
        .caughtUp,
        .ack(.init(log: log, end: Offset(3), chain: random(18, ChainHash.self))),
        .refused(.init(code: .gap, position: .init(log: log, offset: Offset(4)), reason: "Lücke")),
        .refused(.init(code: .malformed, reason: "")),
        .refused(.init(code: .rateLimited, retryAfter: .seconds(300), reason: "slowly")),
        .refused(
            .init(
                code: .quotaExceeded,
                position: .init(log: log, offset: Offset(4)),
                retryAfter: .seconds(1),
                reason: ""
            )
        ),
        .access(accessList),
        .hello(.init(space: space, device: device, signature: signature, admission: nil)),
        .hello(
            .init(
                space: space,
                device: device,
                signature: signature,
                admission: .init(invite: random(19, DeviceKey.self), signature: signature)
            )
        ),
        .found(genesis),
        .found(genesis, token: RelayToken(secret: random(24, SpaceID.self).value)),
        .subscribe([
            .init(log: LogID(value: .zero), offset: Offset(1)), .init(log: log, offset: .zero),
        ]),
        .append(range),
        .putAccess(accessList),
        .presence(bytes(20, 100)),
        .ping(21),
        .pong(.max),
    ]

    private static let welcomeLog = Welcome.Log(
        descriptor: descriptor,
        start: Offset(1),
        startChain: random(22, ChainHash.self),
        end: Offset(5)
    )

    private static var incarnation: Incarnation {
        var random = Seeded(seed: 23)
        return random.incarnation()
    }

    private static func random<Name: Identifier>(_ seed: UInt64, _: Name.Type) -> Name {
        var random = Seeded(seed: seed)
        return random.name()
    }

    private static func bytes(_ seed: UInt64, _ count: Int) -> [UInt8] {
        var random = Seeded(seed: seed)
        return random.bytes(count)
    }
}
