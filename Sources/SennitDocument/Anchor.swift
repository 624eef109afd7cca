public import SennitWire

/// A place in a text that stays where it is while the text around it changes.
///
/// It holds on to a scalar, not to a number. If the scalar is deleted, the anchor is where it was;
/// the scalar is still known to the history. Equal on all devices, whatever each has received.
///
///     var document = …                                        // "one two"
///     let anchor = try document.anchor(at: 4)                 // before "two"
///     _ = try document.edit([Patch(range: 0..<3, text: "three")], …)
///     try document.position(of: anchor)                       // 6
public enum Anchor: Hashable, Sendable {
    /// Before all text.
    case start
    /// Before a scalar: what is inserted right before it comes before the anchor.
    case before(EventID)
    /// After a scalar: what is inserted right behind it comes behind the anchor.
    case after(EventID)
    /// Behind all text.
    case end
}

extension Anchor {
    /// Which neighbour an anchor holds on to.
    public enum Side: Hashable, Sendable {
        /// The scalar before it: it doesn't move when somebody types right there.
        case left
        /// The scalar after it: it moves on when somebody types right there, as a cursor does.
        case right
    }

    /// As bytes, to be kept.
    ///
    ///     anchor = 0:u8 | 1:u8 | (2:u8 | 3:u8) log[32] number:varint     start, end, before, after
    public func encode() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .start: writer.write(UInt8(0))
        case .end: writer.write(UInt8(1))
        case .before(let event):
            writer.write(UInt8(2))
            writer.writeEvent(event)
        case .after(let event):
            writer.write(UInt8(3))
            writer.writeEvent(event)
        }
        return writer.bytes
    }

    /// Reads what `encode` wrote.
    /// - Throws: `malformed`.
    public init(decoding bytes: [UInt8]) throws(DocumentError) {
        do throws(WireError) {
            var reader = ByteReader(bytes)
            switch try reader.readByte() {
            case 0: self = .start
            case 1: self = .end
            case 2: self = .before(try reader.readEvent())
            case 3: self = .after(try reader.readEvent())
            case let kind:
                throw WireError.unknown(field: "anchor", value: UInt64(kind), byteOffset: 0)
            }
            try reader.finish()
        } catch {
            throw .malformed(error)
        }
    }
}
