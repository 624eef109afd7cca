public import SennitWire

// Who a device belongs to. SPEC.md section 7.2; payload kind 2.
//
//     version:u8(1)  person[32]  name:text  certificate:blob

/// Names a person within a space: random, and the same for all devices of the person.
public struct PersonID: Identifier {
    public let value: Bytes32
    public init(value: Bytes32) { self.value = value }
}

/// What a device says about the person behind it.
public struct MemberRecord: Hashable, Sendable {
    /// The person.
    public let person: PersonID
    /// The person's name; at most `Limits.maximumNameByteCount` bytes.
    public let name: String
    /// Reserved for the person's word for the device; at most
    /// `Limits.maximumCertificateByteCount` bytes.
    public let certificate: [UInt8]

    private static let version: UInt8 = 1

    /// Puts a record together.
    /// - Throws: `tooLarge` for a long name or certificate.
    public init(
        person: PersonID,
        name: String,
        certificate: [UInt8] = []
    ) throws(SealError) {
        guard name.utf8.count <= Limits.maximumNameByteCount else {
            throw .tooLarge(byteCount: name.utf8.count, limit: Limits.maximumNameByteCount)
        }
        guard certificate.count <= Limits.maximumCertificateByteCount else {
            throw .tooLarge(
                byteCount: certificate.count,
                limit: Limits.maximumCertificateByteCount
            )
        }
        self.person = person
        self.name = name
        self.certificate = certificate
    }

    /// Parses exactly one record.
    /// - Throws: `poison`, `needsUpdate`.
    public init(decoding bytes: [UInt8]) throws(SealError) {
        self = try SealError.reading(bytes) { (reader) throws(WireError) in
            try MemberRecord(from: &reader)
        }
    }

    private init(from reader: inout ByteReader) throws(WireError) {
        try reader.readVersion(MemberRecord.version, of: "member record version")
        person = try reader.readIdentifier()
        name = try reader.readText(limit: Limits.maximumNameByteCount)
        certificate = try reader.readBlob(limit: Limits.maximumCertificateByteCount)
    }

    /// The canonical bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 64 + name.utf8.count + certificate.count)
        writer.write(MemberRecord.version)
        writer.write(person)
        writer.writeBlob(Array(name.utf8))
        writer.writeBlob(certificate)
        return writer.bytes
    }
}

extension ByteReader {
    /// The byte that a record begins with.
    mutating func readVersion(_ known: UInt8, of field: String) throws(WireError) {
        let start = byteOffset
        let version = try readByte()
        guard version == known else {
            throw .unknown(field: field, value: UInt64(version), byteOffset: start)
        }
    }
}
