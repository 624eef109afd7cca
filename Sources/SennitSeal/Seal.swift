public import SennitWire

// Sealing and opening one entry. SPEC.md sections 3 and 5.
//
//     associated data = "sennit/entry/1\n" | suite | type | space | log | offset:u64 | h[offset] |
//                       epoch key id | length of sealed:u32 | length of clear:u32 | clear
//     sealed          = XChaCha20-Poly1305(entry key (type, log), nonce, associated data, padded)
//
// The associated data names the entry's place and all that comes before it, so an entry that is
// served at another place, after other entries or with another clear part doesn't open.
// A body is padded after it is framed (SPEC.md section 6), so its length tells where padding
// starts.

/// Where an entry stands, which its seal is bound to.
public struct EntryPlace: Hashable, Sendable {
    /// The space.
    public let space: SpaceID
    /// The log.
    public let log: LogID
    /// The offset in the log.
    public let offset: Offset
    /// h[offset]: the chain over all entries before.
    public let chain: ChainHash

    /// Puts a place together.
    public init(space: SpaceID, log: LogID, offset: Offset, chain: ChainHash) {
        self.space = space
        self.log = log
        self.offset = offset
        self.chain = chain
    }

    /// The first place of a log.
    public init(startOf descriptor: LogDescriptor, in space: SpaceID) {
        self.init(
            space: space,
            log: descriptor.logID(in: space),
            offset: .zero,
            chain: descriptor.chainStart(in: space)
        )
    }

    /// The place after an entry with `hash` here.
    public func next(after hash: EntryHash) -> EntryPlace {
        EntryPlace(
            space: space,
            log: log,
            offset: offset.next,
            chain: chain.extended(by: hash)
        )
    }
}

/// Seals and opens entries.
public enum Seal {
    /// Bytes of the longest body whose sealed part stays within `Limits.maximumSealedByteCount`:
    /// the greatest padded length under it.
    public static let maximumBodyByteCount = 1_032_192

    /// Seals `body`, as `BodyWriter` makes it, at `place`.
    ///
    /// - Parameters:
    ///   - clear: what anybody may read; bound to the entry by the seal.
    ///   - random: 32 fresh random bytes. The nonce comes from them and from everything sealed.
    /// - Throws: `tooLarge`; `poison` if `body` isn't framed as SPEC.md section 6 says.
    /// - Complexity: O(bytes).
    public static func seal(
        _ body: [UInt8],
        type: EntryType,
        clear: [UInt8] = [],
        at place: EntryPlace,
        under epoch: EpochKey,
        random: Bytes32
    ) throws(SealError) -> Entry {
        guard body.count <= maximumBodyByteCount else {
            throw .tooLarge(byteCount: body.count, limit: maximumBodyByteCount)
        }
        guard clear.count <= Limits.maximumClearByteCount else {
            throw .tooLarge(byteCount: clear.count, limit: Limits.maximumClearByteCount)
        }
        guard try bodyByteCount(of: body) == body.count else {
            throw .poison(.invalid(reason: "a body has the length it says", byteOffset: 0))
        }
        let padded = Padding.padded(body)
        let associatedData = associatedData(
            type: type,
            place: place,
            epoch: epoch.id,
            sealedByteCount: padded.count + Sodium.tagByteCount,
            clear: clear
        )
        let nonce = EpochKey.nonce(
            random: random,
            associatedData: associatedData,
            plaintext: padded,
            key: epoch.nonceKey(type, place.log)
        )
        let sealed = Sodium.seal(
            padded,
            nonce: nonce,
            associatedData: associatedData,
            key: epoch.entryKey(type, place.log)
        )
        return Entry(
            type: type,
            keyHint: epoch.hint,
            nonce: nonce,
            clear: clear,
            sealed: sealed
        )
    }

    /// The body of an entry that was sealed at `place` under `epoch`.
    ///
    /// - Throws: `notAuthentic` if anything differs; `poison` for wrong framing or padding;
    ///   `needsUpdate` for a body of another version.
    /// - Complexity: O(bytes).
    public static func open(
        _ entry: Entry,
        at place: EntryPlace,
        under epoch: EpochKey
    ) throws(SealError) -> [UInt8] {
        guard entry.keyHint == epoch.hint else { throw .notAuthentic }
        let padded = Sodium.open(
            entry.sealed,
            nonce: entry.nonce,
            associatedData: associatedData(
                type: entry.type,
                place: place,
                epoch: epoch.id,
                sealedByteCount: entry.sealed.count,
                clear: entry.clear
            ),
            key: epoch.entryKey(entry.type, place.log)
        )
        guard let padded else { throw .notAuthentic }
        return try unpadded(padded)
    }

    /// The entry that founds a space. Nothing in it is sealed.
    public static func entry(founding genesis: Genesis) -> Entry {
        Entry(
            type: .genesis,
            keyHint: [UInt8](repeating: 0, count: Entry.keyHintByteCount),
            nonce: [UInt8](repeating: 0, count: Entry.nonceByteCount),
            clear: genesis.bytes,
            sealed: []
        )
    }

    /// The genesis in an entry of that type.
    /// - Throws: `notAuthentic` unless it is the space's own, at the start of a log; `poison` or
    ///   `needsUpdate` if it doesn't parse.
    public static func genesis(
        in entry: Entry,
        at place: EntryPlace
    ) throws(SealError) -> Genesis {
        let genesis: Genesis
        do { genesis = try Genesis(decoding: entry.clear) } catch { throw SealError(error) }
        guard entry == Seal.entry(founding: genesis), genesis.spaceID == place.space,
            place.offset == .zero
        else { throw .notAuthentic }
        return genesis
    }

    private static func unpadded(_ padded: [UInt8]) throws(SealError) -> [UInt8] {
        let byteCount = try bodyByteCount(of: padded)
        do {
            try Padding.check(padded, after: byteCount)
        } catch {
            throw SealError(error)
        }
        return Array(padded.prefix(byteCount))
    }

    private static func bodyByteCount(of bytes: [UInt8]) throws(SealError) -> Int {
        do {
            return try BodyFrame.byteCount(of: bytes)
        } catch {
            throw SealError(error)
        }
    }

    private static func associatedData(
        type: EntryType,
        place: EntryPlace,
        epoch: EpochKeyID,
        sealedByteCount: Int,
        clear: [UInt8]
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: clear.count + 192)
        writer.write(Domain.entry.bytes)
        writer.write(Entry.suite)
        writer.write(type.rawValue)
        writer.write(place.space)
        writer.write(place.log)
        writer.write(place.offset.value)
        writer.write(place.chain)
        writer.write(epoch)
        writer.write(UInt32(sealedByteCount))
        writer.write(UInt32(clear.count))
        writer.write(clear)
        return writer.bytes
    }
}
