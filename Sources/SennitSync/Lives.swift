import SennitWire

// Which life of a device typed what. SPEC.md section 6, payload kind 5:
//
//     lives = (events:varint life:u64)*       for all events of the entry's batches, in order
//
// A life is a random number that is drawn when a process begins, not 0. Two copies of a device that
// hold an event of the same number and life were copied after it was typed, so it is one event. For
// nobody else it means anything, and so nobody else reads it.

/// Tells one life of a process from another: not 0, unless it isn't known.
public typealias Life = UInt64

/// The lives of consecutive events.
struct Lives: Hashable, Sendable {
    private(set) var stretches: [(count: UInt64, life: Life)] = []

    static func == (left: Lives, right: Lives) -> Bool {
        left.stretches.elementsEqual(right.stretches) { $0 == $1 }
    }

    func hash(into hasher: inout Hasher) {
        for stretch in stretches {
            hasher.combine(stretch.count)
            hasher.combine(stretch.life)
        }
    }

    init() {}

    /// Reads a payload; what isn't well-formed says nothing.
    init(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        while let count = try? reader.readVarint(), let life = try? reader.readUInt64() {
            append(count, life)
        }
    }

    /// Whether any life is known.
    var isKnown: Bool { stretches.contains { $0.life != 0 } }

    var bytes: [UInt8] {
        var writer = ByteWriter()
        for stretch in stretches {
            writer.writeVarint(stretch.count)
            writer.write(stretch.life)
        }
        return writer.bytes
    }

    mutating func append(_ count: UInt64, _ life: Life) {
        guard count > 0 else { return }
        if let last = stretches.last, last.life == life {
            let (sum, overflow) = last.count.addingReportingOverflow(count)
            if !overflow { return stretches[stretches.count - 1].count = sum }
        }
        stretches.append((count, life))
    }

    mutating func append(_ other: Lives) {
        for stretch in other.stretches { append(stretch.count, stretch.life) }
    }

    /// Those of all but the first `count` events.
    func dropping(_ count: UInt64) -> Lives {
        var rest = Lives()
        var left = count
        for stretch in stretches {
            let dropped = min(left, stretch.count)
            left -= dropped
            rest.append(stretch.count - dropped, stretch.life)
        }
        return rest
    }

    /// The lives of exactly `count` events: cut, or with unknown ones behind.
    func covering(_ count: UInt64) -> Lives {
        var result = Lives()
        var left = count
        for stretch in stretches {
            result.append(min(left, stretch.count), stretch.life)
            left -= min(left, stretch.count)
        }
        result.append(left, 0)
        return result
    }
}
