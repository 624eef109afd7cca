public import SennitWire

/// Why something could not be sealed, opened or read. Nothing was changed by it.
public enum SealError: Error, Hashable, Sendable {
    /// A seal or a signature doesn't fit: another key, another place or other bytes. No more is
    /// told.
    case notAuthentic
    /// Authentic, but it breaks SPEC.md at the byte that the cause names. The entry counts as
    /// applied and has no effect.
    case poison(WireError)
    /// A version, kind or mode that only a newer Sennit knows.
    case needsUpdate(field: String, value: UInt64)
    /// What was to be sealed is over a limit.
    case tooLarge(byteCount: Int, limit: Int)
    /// A key of small order, to which nothing can be sealed.
    case unusableKey(AgreementKey)
    /// The text isn't an invite link; `reason` says what is missing.
    case notALink(reason: String)
    /// The checksum of an invite link is wrong: some of it is missing or changed.
    case damagedLink
    /// The invite link was made by a newer Sennit.
    case newerLink(version: String)
}

extension SealError {
    /// What a decoder's refusal means for the entry that holds the bytes.
    init(_ error: WireError) {
        if case .unknown(let field, let value, _) = error {
            self = .needsUpdate(field: field, value: value)
        } else {
            self = .poison(error)
        }
    }

    /// Reads all of `bytes` with `read`, and refuses what is left over.
    static func reading<Value>(
        _ bytes: [UInt8],
        _ read: (inout ByteReader) throws(WireError) -> Value
    ) throws(SealError) -> Value {
        var reader = ByteReader(bytes)
        do {
            let value = try read(&reader)
            try reader.finish()
            return value
        } catch {
            throw SealError(error)
        }
    }
}
