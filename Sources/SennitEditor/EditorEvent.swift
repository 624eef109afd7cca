public import SennitDocument

/// What the person at this editor did.
public enum EditorEvent: Hashable, Sendable {
    /// A key was pressed.
    case key(Key)
    /// Text pasted in one piece; line ends of any kind.
    case paste(String)
    /// The mouse did something.
    case mouse(Mouse)
    /// The screen has another size.
    case resize(ScreenSize)
    /// Time has passed; see `EditorModel.deadline`.
    case tick
}

/// What the document tells the editor.
public enum DocumentChange: Hashable, Sendable {
    /// The whole text: the first change there is, and later only if the document was replaced.
    case text(String)
    /// Changes by others, each on the text that the one before left.
    case remote([Patch])
    /// Changes that are already in the document and count as this person's own, made by a script
    /// or another window. The cursor goes to `cursor`, or behind the last patch for `nil`.
    case own([Patch], cursor: Int?)
    /// Everybody else who is here, with positions in the text that the changes so far have left.
    case peers([Peer])
    /// How the document stands with the relay.
    case status(ConnectionStatus)
    /// Whether this person may only read.
    case readOnly(Bool)
}

/// What a driver must do after an event.
public enum EditorEffect: Hashable, Sendable {
    /// Hand these to the document. They apply one after the other to the text the model held.
    case edits([Patch])
    /// Put this into the clipboard of the terminal.
    case copy(String)
    /// Send the whole screen again.
    case redraw
    /// Leave the editor.
    case quit
}

/// Somebody else who has the document open.
public struct Peer: Hashable, Sendable {
    /// Names the session; the colour hangs on it.
    public var id: String
    /// For people; may be empty, may be shared by several.
    public var name: String
    /// Scalars before the cursor.
    public var cursor: Int
    /// The selected scalars; `nil` for none.
    public var selection: Range<Int>?
    /// When we last heard of this person, on the clock of the events.
    public var lastSeen: Duration

    /// Somebody at a place.
    public init(
        id: String,
        name: String,
        cursor: Int,
        selection: Range<Int>? = nil,
        lastSeen: Duration
    ) {
        self.id = id
        self.name = name
        self.cursor = cursor
        self.selection = selection
        self.lastSeen = lastSeen
    }
}

/// How the document stands with the relay.
public struct ConnectionStatus: Hashable, Sendable {
    /// Whether there is a relay.
    public enum State: Hashable, Sendable {
        case online, offline, connecting
    }

    /// Whether there is a relay now.
    public var state: State
    /// Own changes that the relay doesn't have yet.
    public var pendingCount: Int
    /// What else a person should know, in a few words.
    public var note: String?

    /// A state with what waits.
    public init(_ state: State, pendingCount: Int = 0, note: String? = nil) {
        self.state = state
        self.pendingCount = pendingCount
        self.note = note
    }
}

/// Rows and columns of a screen, each at least 1.
public struct ScreenSize: Hashable, Sendable {
    /// From top to bottom.
    public let rows: Int
    /// From left to right.
    public let columns: Int

    /// Sides out of 1...1000 are brought into that range.
    public init(rows: Int, columns: Int) {
        self.rows = min(max(rows, 1), Limits.sideCellCount)
        self.columns = min(max(columns, 1), Limits.sideCellCount)
    }

    /// What a terminal that doesn't tell its size is taken for.
    public static let standard = ScreenSize(rows: 24, columns: 80)
}
