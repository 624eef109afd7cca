// The 8-byte windows of a text: every run of eight bytes that stands in it, at any offset.
//
// Eight bytes are one UInt64, so a set of windows is exact, not a set of hashes. It is a table with
// open addressing, at most half full, behind a filter of single bits that answers "no" for nearly
// every window of ciphertext without touching the table.

/// A set of runs of eight bytes.
struct WindowSet: Sendable {
    /// How many bytes a window has.
    static let byteCount = 8

    // Invariant: `slots.count` is a power of two and at least twice `count`. A slot of 0 is free;
    // the window of eight zero bytes is remembered by `hasZero`.
    private var slots: [UInt64]
    private var filter: [UInt64]
    private var hasZero = false
    /// How many windows are in it.
    private(set) var count = 0

    private static let filterWordCount = 1 << 17  // 2^23 bits: 1 MiB.

    /// No windows.
    init() {
        slots = Array(repeating: 0, count: 1 << 12)
        filter = Array(repeating: 0, count: WindowSet.filterWordCount)
    }

    /// Adds a window.
    /// - Returns: Whether it is new.
    @discardableResult
    mutating func insert(_ window: UInt64) -> Bool {
        guard window != 0 else {
            if hasZero { return false }
            hasZero = true
            count += 1
            return true
        }
        if (count + 1) * 2 > slots.count { grow() }
        let slot = slot(of: window)
        guard slots[slot] == 0 else { return false }
        slots[slot] = window
        let bit = WindowSet.filterBit(window)
        filter[bit >> 6] |= 1 << UInt64(bit & 63)
        count += 1
        return true
    }

    /// Adds all windows of some bytes.
    mutating func insert(windowsOf bytes: some Sequence<UInt8>) {
        var rolling = RollingWindow()
        for byte in bytes {
            if let window = rolling.take(byte) { insert(window) }
        }
    }

    /// Whether a window is in it.
    func contains(_ window: UInt64) -> Bool {
        if window == 0 { return hasZero }
        let bit = WindowSet.filterBit(window)
        if filter[bit >> 6] & 1 << UInt64(bit & 63) == 0 { return false }
        return slots[slot(of: window)] != 0
    }

    private func slot(of window: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: WindowSet.mix(window) >> 20) & mask
        while slots[slot] != 0 && slots[slot] != window { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: 0, count: old.count * 2)
        for window in old where window != 0 { slots[slot(of: window)] = window }
    }

    private static func filterBit(_ window: UInt64) -> Int {
        Int(truncatingIfNeeded: mix(window) >> 41)
    }

    private static func mix(_ window: UInt64) -> UInt64 {
        let product = (window ^ (window >> 32)) &* 0x9E37_79B9_7F4A_7C15
        return product ^ (product >> 29)
    }
}

/// The last eight bytes of a stream.
struct RollingWindow: Sendable {
    private var value: UInt64 = 0
    private var byteCount = 0

    /// Takes the next byte.
    /// - Returns: the window that ends with it; `nil` for the first seven bytes.
    mutating func take(_ byte: UInt8) -> UInt64? {
        value = value << 8 | UInt64(byte)
        byteCount = min(byteCount + 1, WindowSet.byteCount)
        return byteCount == WindowSet.byteCount ? value : nil
    }

    /// Forgets the bytes: the next one doesn't follow them.
    mutating func reset() { byteCount = 0 }

    /// The bytes of a window, in order.
    static func bytes(of window: UInt64) -> [UInt8] {
        stride(from: UInt64(56), through: 0, by: -8).map { UInt8(truncatingIfNeeded: window >> $0) }
    }
}
