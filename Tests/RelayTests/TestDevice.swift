import CSodium
import RelayStorage
import SennitWire

/// A device with a key, made from one number. The relay itself can't sign.
struct TestDevice {
    let key: DeviceKey
    private let secretKey: [UInt8]

    init(_ number: UInt8) {
        var publicKey = [UInt8](repeating: 0, count: 32)
        var secretKey = [UInt8](repeating: 0, count: 64)
        let seed = [UInt8](repeating: number, count: 32)
        _ = unsafe crypto_sign_seed_keypair(&publicKey, &secretKey, seed)
        guard let key = DeviceKey(publicKey) else { preconditionFailure("A key has 32 bytes.") }
        self.key = key
        self.secretKey = secretKey
    }

    func sign(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Signature.byteCount)
        _ = unsafe crypto_sign_detached(
            &signature,
            nil,
            message,
            UInt64(message.count),
            secretKey
        )
        return signature
    }

    /// A space that this device founds.
    func genesis(_ number: UInt8 = 0) -> Genesis {
        Genesis(
            nonce: .repeating(number),
            founder: key,
            founderAgreement: AgreementKey(value: .repeating(1))
        )
    }

    func hello(
        to challenge: Challenge,
        space: SpaceID,
        admittedBy invite: TestDevice? = nil
    ) -> Hello {
        Hello(
            space: space,
            device: key,
            signature: sign(challenge.signedBytes(space: space, device: key)),
            admission: invite.map { invite in
                Admission(
                    invite: invite.key,
                    signature: invite.sign(Admission.signedBytes(space: space, device: key))
                )
            }
        )
    }

    /// A list signed by this device.
    func accessList(
        _ space: SpaceID,
        version: UInt64 = 1,
        after previous: AccessList? = nil,
        devices: [(TestDevice, AccessList.Rights)],
        invites: [TestDevice] = []
    ) -> AccessList {
        func list(_ signature: [UInt8]) -> AccessList {
            AccessList(
                space: space,
                version: previous.map { $0.version + 1 } ?? version,
                previous: previous?.hash ?? .zero,
                signer: key,
                members: devices.map { .init(kind: .device, key: $0.0.key, rights: $0.1) }
                    + invites.map { .init(kind: .invite, key: $0.key, rights: []) },
                signature: signature
            )
        }
        return list(sign(list([UInt8](repeating: 0, count: Signature.byteCount)).signedBytes))
    }
}

extension Bytes32 {
    static func repeating(_ byte: UInt8) -> Bytes32 {
        guard let value = Bytes32([UInt8](repeating: byte, count: byteCount)) else {
            preconditionFailure("There are 32 bytes.")
        }
        return value
    }
}

/// A log as its author holds it: every entry, and the chain at each offset.
struct TestLog {
    let device: TestDevice
    let space: SpaceID
    let descriptor: LogDescriptor
    private(set) var entries: [[UInt8]] = []
    private var chains: [ChainHash]

    var id: LogID { descriptor.logID(in: space) }
    var end: Offset { Offset(UInt64(entries.count)) }

    init(_ device: TestDevice, _ space: SpaceID, incarnation: UInt8 = 0) {
        self.device = device
        self.space = space
        guard let incarnation = Incarnation([UInt8](repeating: incarnation, count: 16)) else {
            preconditionFailure("An incarnation has 16 bytes.")
        }
        descriptor = LogDescriptor(device: device.key, incarnation: incarnation)
        chains = [descriptor.chainStart(in: space)]
    }

    /// Adds entries and gives the append that carries them.
    mutating func add(_ new: [[UInt8]]) -> EntryRange {
        let from = entries.count
        for entry in new {
            entries.append(entry)
            chains.append(chains[chains.count - 1].extended(by: EntryHash(of: entry)))
        }
        return range(from, entries.count)
    }

    /// Adds `count` small entries that tell each other apart.
    mutating func add(count: Int, byteCount: Int = 8) -> EntryRange {
        add(
            (0..<count).map { index in
                let number = UInt64(entries.count + index)
                var entry = [UInt8](repeating: 0, count: byteCount)
                for byte in 0..<min(8, byteCount) {
                    entry[byte] = UInt8(truncatingIfNeeded: number >> UInt64(8 * byte))
                }
                return entry
            }
        )
    }

    /// The append of the entries in `from..<end`.
    func range(_ from: Int, _ end: Int) -> EntryRange {
        EntryRange(
            descriptor: descriptor,
            from: Offset(UInt64(from)),
            entries: Array(entries[from..<end]),
            head: head(end)
        )
    }

    /// The head at `end`, with a byte count and chain that may be made wrong.
    func head(_ end: Int, byteCountError: UInt64 = 0, chain: ChainHash? = nil) -> Head {
        let byteCount = entries[..<end].reduce(0) { $0 + UInt64($1.count) } + byteCountError
        let chain = chain ?? chains[end]
        let signature = device.sign(
            Head.signedBytes(
                space: space,
                log: id,
                end: Offset(UInt64(end)),
                chain: chain,
                byteCount: byteCount,
                membership: .zero,
                epoch: EpochKeyID(value: .zero)
            )
        )
        return Head(
            end: Offset(UInt64(end)),
            chain: chain,
            byteCount: byteCount,
            membership: .zero,
            epoch: EpochKeyID(value: .zero),
            signature: signature
        )
    }

    /// The tail of the log as the relay knows it after `end` entries.
    func ack(_ end: Int) -> Ack { Ack(log: id, end: Offset(UInt64(end)), chain: chains[end]) }

    /// The range as a stored batch.
    func batch(_ from: Int, _ end: Int) -> Batch {
        let range = range(from, end)
        return Batch(first: range.from, entries: range.entries, head: range.head)
    }
}

extension EntryRange {
    func with(head: Head) -> EntryRange {
        EntryRange(descriptor: descriptor, from: from, entries: entries, head: head)
    }
}

/// A small generator for seeded tests: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
