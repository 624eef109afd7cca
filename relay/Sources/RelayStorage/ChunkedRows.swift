/// Rows by number, in chunks: a copy shares them all, and a change after it copies one chunk.
///
/// A checkpoint takes a copy of millions of rows while appends go on; with one array, the next
/// append would copy everything first.
struct ChunkedRows<Row: Sendable>: Sendable {
    private var chunks: [[Row]] = []
    private(set) var count = 0

    private static var chunkCount: Int { 4096 }

    subscript(number: UInt32) -> Row {
        get { chunks[Int(number) / Self.chunkCount][Int(number) % Self.chunkCount] }
        _modify { yield &chunks[Int(number) / Self.chunkCount][Int(number) % Self.chunkCount] }
    }

    mutating func append(_ row: Row) {
        if count % Self.chunkCount == 0 {
            chunks.append([])
            chunks[chunks.count - 1].reserveCapacity(Self.chunkCount)
        }
        chunks[chunks.count - 1].append(row)
        count += 1
    }
}

/// Finds rows by the two first words of their names: open addressing over row numbers.
///
/// A slot costs 4 bytes, and between half and a quarter of them are free. The hash is seeded, since
/// strangers choose the names.
struct NameSlots {
    // Invariant: a power of two; 0 is free, n + 1 is row n.
    private var slots = [UInt32](repeating: 0, count: 16)
    private var count = 0
    private let seed: (UInt64, UInt64)

    init(seed: (UInt64, UInt64)) { self.seed = seed }

    typealias Words = (UInt64, UInt64)

    /// The row of a name.
    func find(_ words: Words, wordsOf: (UInt32) -> Words) -> UInt32? {
        var slot = home(of: words)
        // At least a quarter of the slots are free, so this ends.
        while slots[slot] != 0 {
            let number = slots[slot] - 1
            if wordsOf(number) == words { return number }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds a row whose name isn't there.
    mutating func insert(_ number: UInt32, _ words: Words, wordsOf: (UInt32) -> Words) {
        if (count + 1) * 4 > slots.count * 3 {
            let old = slots
            slots = [UInt32](repeating: 0, count: old.count * 2)
            for value in old where value != 0 { place(value, wordsOf(value - 1)) }
        }
        place(number + 1, words)
        count += 1
    }

    /// Takes a name out and closes the gap, so that no search stops too early.
    mutating func remove(_ words: Words, wordsOf: (UInt32) -> Words) {
        var slot = home(of: words)
        while slots[slot] != 0, wordsOf(slots[slot] - 1) != words {
            slot = (slot + 1) & (slots.count - 1)
        }
        guard slots[slot] != 0 else { return }
        count -= 1
        var free = slot
        slots[free] = 0
        var next = (free + 1) & (slots.count - 1)
        while slots[next] != 0 {
            let wanted = home(of: wordsOf(slots[next] - 1))
            let distance = (next - wanted) & (slots.count - 1)
            if distance >= (next - free) & (slots.count - 1) {
                slots[free] = slots[next]
                slots[next] = 0
                free = next
            }
            next = (next + 1) & (slots.count - 1)
        }
    }

    private mutating func place(_ value: UInt32, _ words: Words) {
        var slot = home(of: words)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = value
    }

    private func home(of words: Words) -> Int {
        let product = (words.0 ^ seed.0).multipliedFullWidth(by: words.1 ^ seed.1)
        return Int(truncatingIfNeeded: product.high ^ product.low) & (slots.count - 1)
    }
}
