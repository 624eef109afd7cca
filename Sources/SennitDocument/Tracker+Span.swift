extension Tracker {
    /// Consecutive keys that share everything.
    ///
    /// A document that many wrote has tens of thousands of them, so they are small: keys of 48 bits
    /// lie in two parts, which makes 28 bytes of 40. No document has as many events
    /// (`DocumentLimits.maximumDocumentEventCount`).
    struct Span {
        private var lowKey: UInt32
        private var lowLeft: UInt32
        private var lowRight: UInt32
        var count: Int32
        /// For characters: 0 not inserted yet, 1 there, 1 + n deleted n times.
        var state: Int32
        private var highKey: UInt16
        private var highLeft: UInt16
        private var highRight: UInt16
        private var flags: Flags

        private struct Flags: OptionSet, BitwiseCopyable {
            let rawValue: UInt8
            static let isDeletion = Flags(rawValue: 1)
            static let isBackward = Flags(rawValue: 2)
            static let wasDeleted = Flags(rawValue: 4)
            static let wasDeletedByBatch = Flags(rawValue: 8)
        }

        init(
            key: Int,
            left: Int,
            right: Int,
            count: Int32,
            state: Int32,
            isDeletion: Bool = false,
            isBackward: Bool = false
        ) {
            lowKey = UInt32(truncatingIfNeeded: key)
            highKey = UInt16(truncatingIfNeeded: key >> 32)
            lowLeft = UInt32(truncatingIfNeeded: left)
            highLeft = UInt16(truncatingIfNeeded: left >> 32)
            lowRight = UInt32(truncatingIfNeeded: right)
            highRight = UInt16(truncatingIfNeeded: right >> 32)
            self.count = count
            self.state = state
            flags = Flags(rawValue: (isDeletion ? 1 : 0) | (isBackward ? 2 : 0))
        }

        /// The first key.
        var key: Int { Int(highKey) << 32 | Int(lowKey) }

        /// For characters: the key of the character that was left of the first one when it was
        /// inserted, or `startKey`. For deletions: the lowest key of what was deleted.
        var left: Int {
            get {
                // The sign of the upper half makes -1 of what `startKey` was cut to.
                Int(Int16(bitPattern: highLeft)) << 32 | Int(lowLeft)
            }
            set {
                lowLeft = UInt32(truncatingIfNeeded: newValue)
                highLeft = UInt16(truncatingIfNeeded: newValue >> 32)
            }
        }

        /// For characters: the key of the character that was right of all of them then.
        var right: Int { Int(highRight) << 32 | Int(lowRight) }

        /// The key after the last.
        var end: Int { key + Int(count) }

        /// Whether the keys are events that deleted, instead of characters.
        var isDeletion: Bool { flags.contains(.isDeletion) }

        /// For deletions: whether the first event deleted the last of the target characters.
        var isBackward: Bool {
            get { flags.contains(.isBackward) }
            set { set(.isBackward, newValue) }
        }

        /// For characters: whether they are absent from the final text.
        var wasDeleted: Bool {
            get { flags.contains(.wasDeleted) }
            set { set(.wasDeleted, newValue) }
        }

        /// For characters: whether the batch that is being replayed made them absent.
        var wasDeletedByBatch: Bool {
            get { flags.contains(.wasDeletedByBatch) }
            set { set(.wasDeletedByBatch, newValue) }
        }

        private mutating func set(_ flag: Flags, _ isSet: Bool) {
            if isSet { flags.formUnion(flag) } else { flags.subtract(flag) }
        }

        /// Leaves the first keys to another span.
        mutating func dropFirst(_ dropped: Int) {
            let key = self.key + dropped
            lowKey = UInt32(truncatingIfNeeded: key)
            highKey = UInt16(truncatingIfNeeded: key >> 32)
            left = key - 1
            count -= Int32(dropped)
        }

        /// What characters weigh in the content.
        var weight: SpanTree.Weight {
            SpanTree.Weight(
                current: state == 1 ? UInt32(count) : 0,
                final: wasDeleted ? 0 : UInt32(count)
            )
        }
    }
}
