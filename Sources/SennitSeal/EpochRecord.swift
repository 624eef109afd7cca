public import SennitWire

// A new epoch's key, sealed to each member. SPEC.md section 7.2; the clear part of an epoch entry.
//
//     version:u8(1)  epoch key id[32]
//     parents:varint  (epoch key id[32])*
//     recipients:varint  (kind:u8  suite:u8(1)  agreement key[32]  box[80])*
//     olderKeys:blob
//     olderKeys = nonce[24]  XChaCha20-Poly1305(wrap key, nonce, all before olderKeys, secrets)
//
// The secret is fresh, never derived from an older one. Older ones are wrapped under it, so that
// whoever is given the newest epoch can read the history.

/// The clear part of an epoch entry.
public struct EpochRecord: Hashable, Sendable {
    /// What kind of key a recipient has.
    public enum RecipientKind: UInt8, Hashable, Sendable {
        case device = 1
        case invite = 2
    }

    /// One key to which an epoch is sealed.
    public struct Recipient: Hashable, Comparable, Sendable {
        /// Whose key it is.
        public let kind: RecipientKind
        /// The key.
        public let agreement: AgreementKey

        /// Puts a recipient together.
        public init(kind: RecipientKind, agreement: AgreementKey) {
            self.kind = kind
            self.agreement = agreement
        }

        public static func < (left: Recipient, right: Recipient) -> Bool {
            left.kind != right.kind
                ? left.kind.rawValue < right.kind.rawValue : left.agreement < right.agreement
        }
    }

    /// The epoch.
    public let epoch: EpochKeyID
    /// The epochs it follows, strictly ascending; none for the first.
    public let parents: [EpochKeyID]
    /// Strictly ascending.
    public let recipients: [Recipient]
    /// The secret, sealed to each recipient in the order of `recipients`.
    public let boxes: [[UInt8]]
    /// The wrapped secrets of older epochs, or nothing.
    public let olderKeys: [UInt8]

    private static let version: UInt8 = 1
    private static let suite: UInt8 = 1

    /// Stands for a record that isn't made yet, while it is asked to whom it is to be sealed.
    static let unsealed = EpochRecord(unsealed: EpochKeyID(value: .zero))

    private init(unsealed epoch: EpochKeyID) {
        self.epoch = epoch
        parents = []
        recipients = []
        boxes = []
        olderKeys = []
    }

    /// Seals `key` to `recipients`, and wraps `older` keys under it.
    ///
    /// - Parameters:
    ///   - recipients: in any order; each with 32 random bytes, used once, for its box.
    ///   - random: 32 random bytes for the wrapping.
    /// - Throws: `unusableKey`; `tooLarge` for too many recipients, parents or older keys.
    /// - Complexity: two scalar multiplications a recipient, about 200 µs.
    public init(
        key: EpochKey,
        parents: [EpochKeyID],
        recipients: [Recipient: Bytes32],
        older: [EpochKey] = [],
        random: Bytes32
    ) throws(SealError) {
        guard recipients.count <= Limits.maximumRecipientCount else {
            throw .tooLarge(byteCount: recipients.count, limit: Limits.maximumRecipientCount)
        }
        guard parents.count <= Limits.maximumEpochParentCount else {
            throw .tooLarge(byteCount: parents.count, limit: Limits.maximumEpochParentCount)
        }
        epoch = key.id
        self.parents = Set(parents).sorted()
        var ascending: [Recipient] = []
        var boxes: [[UInt8]] = []
        for (recipient, ephemeral) in recipients.sorted(by: { $0.key < $1.key }) {
            ascending.append(recipient)
            boxes.append(try key.sealed(to: recipient.agreement, ephemeral: ephemeral))
        }
        self.recipients = ascending
        self.boxes = boxes
        if older.isEmpty {
            olderKeys = []
        } else {
            let associatedData = EpochRecord.prefix(
                epoch: key.id,
                parents: self.parents,
                recipients: ascending,
                boxes: boxes
            )
            olderKeys = EpochRecord.wrap(
                older,
                under: key,
                associatedData: associatedData,
                random: random
            )
        }
        guard bytes.count <= Limits.maximumClearByteCount else {
            throw .tooLarge(byteCount: bytes.count, limit: Limits.maximumClearByteCount)
        }
    }

    /// The canonical bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: olderKeys.count + 8)
        writer.write(prefix)
        writer.writeBlob(olderKeys)
        return writer.bytes
    }

    /// The box for one recipient, if it is one.
    public func box(for agreement: AgreementKey, kind: RecipientKind) -> [UInt8]? {
        let recipient = Recipient(kind: kind, agreement: agreement)
        return recipients.firstIndex(of: recipient).map { boxes[$0] }
    }

    /// The older epochs' keys that are wrapped under `key`, in the order of writing.
    /// - Throws: `notAuthentic` if `key` is another epoch's or the wrapping doesn't open.
    public func olderKeys(under key: EpochKey, in space: SpaceID) throws(SealError) -> [EpochKey] {
        guard key.id == epoch else { throw .notAuthentic }
        guard !olderKeys.isEmpty else { return [] }
        let secrets = Sodium.open(
            Array(olderKeys.dropFirst(Entry.nonceByteCount)),
            nonce: Array(olderKeys.prefix(Entry.nonceByteCount)),
            associatedData: prefix,
            key: key.wrapKey
        )
        guard let secrets else { throw .notAuthentic }
        return stride(from: 0, to: secrets.count, by: EpochKey.secretByteCount).map { start in
            let end = start + EpochKey.secretByteCount
            return EpochKey(secret: SecretBytes(secrets[start..<end]), space: space)
        }
    }

    private static func wrap(
        _ older: [EpochKey],
        under key: EpochKey,
        associatedData: [UInt8],
        random: Bytes32
    ) -> [UInt8] {
        let secrets = older.flatMap(\.secret.bytes)
        let nonce = EpochKey.nonce(
            random: random,
            associatedData: associatedData,
            plaintext: secrets,
            key: key.wrapNonceKey
        )
        return nonce
            + Sodium.seal(
                secrets,
                nonce: nonce,
                associatedData: associatedData,
                key: key.wrapKey
            )
    }

    /// All before `olderKeys`, which is also the associated data of its wrapping.
    private var prefix: [UInt8] {
        EpochRecord.prefix(epoch: epoch, parents: parents, recipients: recipients, boxes: boxes)
    }

    private static func prefix(
        epoch: EpochKeyID,
        parents: [EpochKeyID],
        recipients: [Recipient],
        boxes: [[UInt8]]
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: 64 + 32 * parents.count + 114 * recipients.count)
        writer.write(version)
        writer.write(epoch)
        writer.writeVarint(parents.count)
        for parent in parents { writer.write(parent) }
        writer.writeVarint(recipients.count)
        for (recipient, box) in zip(recipients, boxes) {
            writer.write(recipient.kind.rawValue)
            writer.write(suite)
            writer.write(recipient.agreement)
            writer.write(box)
        }
        return writer.bytes
    }
}

extension EpochRecord {
    /// Parses exactly one clear part; no box is opened here.
    /// - Throws: `poison`, `needsUpdate`.
    public init(decoding bytes: [UInt8]) throws(SealError) {
        self = try SealError.reading(bytes) { (reader) throws(WireError) in
            try EpochRecord(from: &reader)
        }
    }

    private init(from reader: inout ByteReader) throws(WireError) {
        try reader.readVersion(EpochRecord.version, of: "epoch version")
        epoch = try reader.readIdentifier()
        parents = try EpochRecord.readParents(from: &reader)
        let count = try reader.readCount(limit: Limits.maximumRecipientCount)
        var recipients: [Recipient] = []
        var boxes: [[UInt8]] = []
        for _ in 0..<count {
            let start = reader.byteOffset
            let recipient = try Recipient(from: &reader)
            if let last = recipients.last, !(last < recipient) {
                throw .invalid(reason: "recipients ascend", byteOffset: start)
            }
            recipients.append(recipient)
            boxes.append(try reader.readBytes(EpochKey.boxByteCount))
        }
        self.recipients = recipients
        self.boxes = boxes
        let olderStart = reader.byteOffset
        olderKeys = try reader.readBlob(limit: Limits.maximumClearByteCount)
        let secrets = olderKeys.count - Entry.nonceByteCount - Sodium.tagByteCount
        guard olderKeys.isEmpty || (secrets > 0 && secrets % EpochKey.secretByteCount == 0) else {
            throw .invalid(reason: "older keys have 32 bytes each", byteOffset: olderStart)
        }
    }

    private static func readParents(
        from reader: inout ByteReader
    ) throws(WireError) -> [EpochKeyID] {
        let count = try reader.readCount(limit: Limits.maximumEpochParentCount)
        var parents: [EpochKeyID] = []
        for _ in 0..<count {
            let start = reader.byteOffset
            let parent: EpochKeyID = try reader.readIdentifier()
            if let last = parents.last, last >= parent {
                throw .invalid(reason: "parents ascend", byteOffset: start)
            }
            parents.append(parent)
        }
        return parents
    }
}

extension EpochRecord.Recipient {
    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        let start = reader.byteOffset
        let rawKind = try reader.readByte()
        guard let kind = EpochRecord.RecipientKind(rawValue: rawKind) else {
            throw .unknown(field: "recipient kind", value: UInt64(rawKind), byteOffset: start)
        }
        try reader.readVersion(1, of: "recipient suite")
        self.init(kind: kind, agreement: try reader.readIdentifier())
    }
}
