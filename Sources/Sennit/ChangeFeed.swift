public import SennitDocument
public import SennitWire

// What happened to a text, for readers that come by now and then: each keeps a cursor and is told
// what came after it. One list serves all readers of a document; it forgets from the front, and a
// reader that is too slow is told of one change that replaces the whole text.

/// Where a reader stands in the changes of a document's text.
public struct ChangeCursor: Hashable, Sendable {
    /// The document.
    public let document: DocumentID
    let revision: UInt64
    /// How many scalars the text had there.
    let scalarCount: Int
}

/// A change of a text.
public struct TextChange: Hashable, Sendable {
    /// In order, each on the text that the one before it left; in scalars.
    public let patches: [Patch]
    /// Whether it was made on this device, through another handle or at an older version.
    public let isOwn: Bool

    /// Puts a change together.
    public init(patches: [Patch], isOwn: Bool) {
        self.patches = patches
        self.isOwn = isOwn
    }
}

/// The latest changes of one document's text.
struct ChangeFeed {
    // Invariant: steps[start...] are the changes from `revision - count` up to `revision`.
    private var steps: [TextChange] = []
    private var start = 0
    private var byteCount = 0
    private(set) var revision: UInt64 = 0

    /// Adds a change that was just made.
    mutating func append(_ change: TextChange) {
        guard !change.patches.isEmpty else { return }
        steps.append(change)
        byteCount += change.byteCount
        revision += 1
        while steps.count - start > EngineLimits.maximumFeedStepCount
            || byteCount > EngineLimits.maximumFeedByteCount && start < steps.count
        {
            byteCount -= steps[start].byteCount
            steps[start] = TextChange(patches: [], isOwn: false)
            start += 1
        }
        if start > steps.count / 2 {
            steps.removeFirst(start)
            start = 0
        }
    }

    /// What came after `cursor`. `text` is the text as it is now.
    func changes(since cursor: ChangeCursor, text: Rope) -> [TextChange] {
        guard cursor.revision < revision else { return [] }
        let missed = Int(clamping: revision - cursor.revision)
        guard missed <= steps.count - start else {
            let whole = Patch(range: 0..<cursor.scalarCount, text: text.string)
            return [TextChange(patches: [whole], isOwn: false)]
        }
        return Array(steps[(steps.count - missed)...])
    }

    /// The patches after `cursor`, without who made them; `nil` if they are forgotten.
    func patches(since cursor: ChangeCursor) -> [Patch]? {
        guard cursor.revision < revision else { return [] }
        let missed = Int(clamping: revision - cursor.revision)
        guard missed <= steps.count - start else { return nil }
        return steps[(steps.count - missed)...].flatMap(\.patches)
    }
}

extension TextChange {
    fileprivate var byteCount: Int { patches.reduce(64) { $0 + $1.text.utf8.count + 32 } }
}

extension Patch {
    /// Where a place before the patch is after it. A place at an insertion stays before it, as a
    /// person's cursor does when somebody else types there.
    func moved(_ place: Int) -> Int {
        if place <= range.lowerBound { return place }
        let inserted = text.unicodeScalars.count
        return place >= range.upperBound
            ? place - range.count + inserted : range.lowerBound + inserted
    }
}
