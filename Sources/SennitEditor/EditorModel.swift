public import SennitDocument

// The editor as a state machine.
//
// What the person does goes into `handle`, what the document says into `receive`. Neither reads a
// clock nor touches a document: time is an argument, what is to be done is returned.
//
// The contract with the driver, which keeps model and document the same text:
//   1. give the model all changes that the document has had since the last time (`receive`);
//   2. give it events (`handle`) and gather the patches of `.edits`;
//   3. hand those to the document before anything else changes it.
// The patches then fit the document as they fitted the model, which has applied them already.
// `Editor` does exactly this.

/// One person's view of one document: text, cursor, undo, search, and the others who are here.
///
/// All positions count Unicode scalars. Behind `handle` the cursor stands on an edge of a grapheme
/// cluster.
public struct EditorModel: Sendable {
    /// The document's text, as far as the model has been told.
    public internal(set) var text: Rope
    /// Scalars before the cursor.
    public internal(set) var cursor: Int
    /// The other end of the selection; `nil` for none.
    var anchor: Int?
    /// The screen column that up and down try to keep.
    var desiredColumn: Int?
    /// The first scalar of the first row on the screen. Moves with the text.
    var scrollTop: Int
    /// Whether the screen follows the cursor; off after the mouse wheel, till the next key.
    var followsCursor: Bool

    /// What the document is called on the screen.
    public let title: String
    /// The screen to draw on.
    public internal(set) var size: ScreenSize
    /// Whether changes are refused.
    public internal(set) var isReadOnly: Bool
    /// How the document stands with the relay.
    public internal(set) var status: ConnectionStatus

    var history: UndoHistory
    var clipboard: String
    /// Whether the key before cut a line, so that another one adds to the clipboard.
    var cutLineBefore: Bool
    var search: Search?
    /// The last query, for the next search.
    var lastQuery: String
    var showsHelp: Bool
    var note: Note?
    var peers: [PeerState]
    /// The colour of everybody who was ever here; a colour doesn't change while the editor runs.
    var colorSlots: [String: Int]
    /// The time of the last event.
    var now: Duration
    /// Own patches of the event being handled.
    var outbox: [Patch]

    /// A message in the status line.
    struct Note: Sendable {
        var text: String
        var until: Duration
    }

    /// An empty document; the text comes with the first change.
    public init(title: String, size: ScreenSize) {
        text = Rope()
        cursor = 0
        scrollTop = 0
        followsCursor = true
        self.title = title
        self.size = size
        isReadOnly = false
        status = ConnectionStatus(.connecting)
        history = UndoHistory()
        clipboard = ""
        cutLineBefore = false
        lastQuery = ""
        showsHelp = false
        peers = []
        colorSlots = [:]
        now = .zero
        outbox = []
    }

    /// The selected scalars; `nil` if nothing is.
    public var selection: Range<Int>? {
        guard let anchor, anchor != cursor else { return nil }
        return min(anchor, cursor)..<max(anchor, cursor)
    }

    /// Takes in what the person did.
    /// - Parameters:
    ///   - now: the time on any clock that never goes back, the same for all calls.
    /// - Returns: what the driver must do, in this order.
    /// - Complexity: O(text on the screen); O(text) for a search.
    public mutating func handle(_ event: EditorEvent, at now: Duration) -> [EditorEffect] {
        self.now = now
        if let until = note?.until, until <= now { note = nil }
        var effects: [EditorEffect] = []
        switch event {
        case .key(let key): effects = press(key)
        case .paste(let pasted): paste(pasted)
        case .mouse(let mouse): point(mouse)
        case .resize(let newSize):
            size = newSize
            followsCursor = true
            fillScreen()
        case .tick: break
        }
        settle()
        if !outbox.isEmpty {
            effects.insert(.edits(outbox), at: 0)
            outbox = []
        }
        return effects
    }

    /// Takes in what happened to the document. Cursor and screen are brought in order by the next
    /// `handle`, which for want of an event is a `tick`: many changes cost one layout.
    /// - Parameters:
    ///   - now: as for `handle`.
    public mutating func receive(_ change: DocumentChange, at now: Duration) {
        self.now = now
        switch change {
        case .text(let string):
            replaceAll(string)
        case .remote(let patches):
            history.receive(patches)
            for patch in patches {
                moveCursor(over: patch)
                text.apply(patch)
                moveMarks(over: patch, peerGravity: .right)
            }
        case .own(let patches, let place):
            for patch in patches {
                history.record(patch, in: text, kind: .typing, at: now)
                text.apply(patch)
                moveMarks(over: patch, peerGravity: .left)
                cursor = patch.range.lowerBound + patch.insertedCount
            }
            cursor = min(max(place ?? cursor, 0), text.scalarCount)
            anchor = nil
            desiredColumn = nil
            followsCursor = true
        case .peers(let everybody):
            meet(everybody)
        case .status(let newStatus):
            status = newStatus
        case .readOnly(let refusesEdits):
            isReadOnly = refusesEdits
        }
    }

    /// When the screen changes by itself, a message fading for one; `nil` for never.
    ///
    /// The driver sends `tick` then.
    public var deadline: Duration? {
        var times = peers.flatMap {
            [$0.movedAt + Limits.labelDuration, $0.peer.lastSeen + Limits.absenceDuration]
        }
        if let note { times.append(note.until) }
        return times.filter { $0 > now }.min()
    }

    /// Shows a message for a few seconds.
    public mutating func show(_ message: String) {
        note = Note(text: message, until: now + Limits.noteDuration)
    }

    private mutating func replaceAll(_ string: String) {
        text = Rope(string)
        cursor = min(cursor, text.scalarCount)
        scrollTop = min(scrollTop, text.scalarCount)
        anchor = nil
        desiredColumn = nil
        history = UndoHistory()
        search = nil
        peers = peers.map { $0.clamped(to: text.scalarCount) }
    }

    /// Moves the own cursor or selection over another's patch.
    private mutating func moveCursor(over patch: Patch) {
        guard let selection else {
            cursor = patch.moved(cursor, gravity: .left)
            anchor = nil
            return
        }
        let moved = patch.moved(selection)
        let isForward = cursor == selection.upperBound
        cursor = isForward ? moved.upperBound : moved.lowerBound
        anchor = isForward ? moved.lowerBound : moved.upperBound
    }

    /// Moves every other position that the model holds over a patch.
    mutating func moveMarks(over patch: Patch, peerGravity: Gravity) {
        scrollTop = patch.moved(scrollTop, gravity: .left)
        search?.move(over: patch)
        for index in peers.indices { peers[index].move(over: patch, gravity: peerGravity) }
    }

    /// Brings cursor and screen back into their invariants after any change.
    private mutating func settle() {
        cursor = snapped(cursor)
        if let end = anchor { anchor = snapped(end) }
        if followsCursor { scrollToCursor() }
    }

    /// The nearest edge of a cluster at or behind `index`.
    func snapped(_ index: Int) -> Int {
        if index <= 0 || index >= text.scalarCount { return min(max(index, 0), text.scalarCount) }
        let around = text.slice((index - 1)..<(index + 1)).unicodeScalars
        // No ASCII scalar joins another, but for the carriage return before a line feed.
        if around.elementsEqual("\r\n".unicodeScalars) { return index + 1 }
        if around.allSatisfy(\.isASCII) { return index }
        let line = TextLine(text.lineIndex(ofScalar: index), of: text)
        let offset = index - line.range.lowerBound
        let cluster = line.clusters.first { $0.end >= offset }
        guard let cluster, cluster.offset < offset else { return index }
        return line.range.lowerBound + cluster.end
    }
}
