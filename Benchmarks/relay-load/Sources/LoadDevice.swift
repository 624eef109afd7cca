import SennitSeal
import SennitWire

/// A device with keys, and the appends it will make, signed and laid out before the clock starts.
struct LoadDevice: Sendable {
    let identity: DeviceIdentity
    let genesis: Genesis

    var space: SpaceID { genesis.spaceID }

    /// The founder of a space of its own.
    init(founder number: UInt64) {
        let seed = LoadDevice.seed(number)
        guard let nonce = Bytes32(seed) else { preconditionFailure("A nonce has 32 bytes.") }
        identity = DeviceIdentity(deviceSeed: SecretBytes(seed), spaceNonce: nonce)
        genesis = identity.genesis(nonce: nonce)
    }

    /// Another device in the space of `founder`.
    init(member number: UInt64, of founder: LoadDevice) {
        let seed = SecretBytes(LoadDevice.seed(number))
        identity = DeviceIdentity(deviceSeed: seed, spaceNonce: founder.genesis.nonce)
        genesis = founder.genesis
    }

    private static func seed(_ number: UInt64) -> [UInt8] {
        var seed = [UInt8](repeating: 0x5E, count: Bytes32.byteCount)
        for byte in 0..<8 { seed[byte] = UInt8(truncatingIfNeeded: number >> UInt64(8 * byte)) }
        return seed
    }

    /// The log that the device writes.
    func makeLog() -> LoadLog {
        guard let incarnation = Incarnation([UInt8](repeating: 1, count: 16)) else {
            preconditionFailure("An incarnation has 16 bytes.")
        }
        return LoadLog(
            identity: identity,
            space: space,
            descriptor: LogDescriptor(device: identity.device, incarnation: incarnation)
        )
    }
}

/// A log as its author makes it.
struct LoadLog {
    let identity: DeviceIdentity
    let space: SpaceID
    let descriptor: LogDescriptor
    let id: LogID
    private(set) var end: UInt64 = 0
    private var chain: ChainHash
    private var byteCount: UInt64 = 0
    private var noise: UInt64 = 0x9E37_79B9_7F4A_7C15

    init(identity: DeviceIdentity, space: SpaceID, descriptor: LogDescriptor) {
        self.identity = identity
        self.space = space
        self.descriptor = descriptor
        id = descriptor.logID(in: space)
        chain = descriptor.chainStart(in: space)
    }

    /// The append of the next `count` entries, with a good head.
    mutating func nextAppend(count: Int, entryByteCount: Int) -> RelayFrame {
        let from = end
        var entries: [[UInt8]] = []
        for _ in 0..<count {
            let entry = nextEntry(byteCount: entryByteCount)
            chain = chain.extended(by: EntryHash(of: entry))
            byteCount += UInt64(entry.count)
            end += 1
            entries.append(entry)
        }
        let head = identity.head(
            space: space,
            log: id,
            end: Offset(end),
            chain: chain,
            byteCount: byteCount,
            membership: .zero,
            epoch: EpochKeyID(value: .zero)
        )
        return .append(
            EntryRange(descriptor: descriptor, from: Offset(from), entries: entries, head: head)
        )
    }

    /// Bytes that look like ciphertext: nothing on the way may gain by compressing them.
    private mutating func nextEntry(byteCount: Int) -> [UInt8] {
        var entry: [UInt8] = []
        entry.reserveCapacity(byteCount + 8)
        while entry.count < byteCount {
            noise ^= noise << 13
            noise ^= noise >> 7
            noise ^= noise << 17
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                entry.append(UInt8(truncatingIfNeeded: noise >> shift))
            }
        }
        entry.removeLast(entry.count - byteCount)
        return entry
    }
}

/// Appends one after another as they go through the socket.
struct AppendStream: Sendable {
    let log: LogID
    /// All frames, one behind the other.
    let bytes: [UInt8]
    /// Where each frame ends in `bytes`.
    let ends: [Int]
    /// The log's end after each append.
    let offsets: [UInt64]

    /// Signs `count` appends of `entryCount` entries each.
    init(_ log: inout LoadLog, count: Int, entryCount: Int, entryByteCount: Int) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * (entryCount * (entryByteCount + 3) + 260))
        var ends: [Int] = []
        var offsets: [UInt64] = []
        for number in 0..<count {
            let frame = log.nextAppend(count: entryCount, entryByteCount: entryByteCount)
            let mask = 0x9E37_79B9 &* UInt32(truncatingIfNeeded: number + 1)
            WebSocket.append(frame.bytes, mask: mask, to: &bytes)
            ends.append(bytes.count)
            offsets.append(log.end)
        }
        self.log = log.id
        self.bytes = bytes
        self.ends = ends
        self.offsets = offsets
    }
}
