/// What the editor accepts at most. All are of this implementation; none is in SPEC.md.
enum Limits {
    /// Groups that one can undo. A remote change costs a pass over them: about 0.1 ms when full.
    static let undoGroupCount = 1000

    /// Bytes of one escape sequence. The longest that any terminal sends us has about 20.
    static let escapeByteCount = 64

    /// Bytes of a paste held before they are handed on; a longer paste arrives in pieces.
    static let pasteByteCount = 1 << 20

    /// Bytes read from the terminal in one go.
    static let readByteCount = 1 << 16

    /// Scalars in a search.
    static let queryScalarCount = 200

    /// Scalars that a search looks at in one piece, so that a long text is never copied whole.
    static let searchWindowScalarCount = 1 << 14

    /// Bytes of text that are offered to the terminal's clipboard. xterm and tmux drop more.
    static let clipboardByteCount = 74_000

    /// People shown at once; of more, the first ones given.
    static let peerCount = 32

    /// People whose colour is remembered after they left.
    static let rememberedColorCount = 256

    /// Scalars of a name that are shown.
    static let nameScalarCount = 24

    /// Rows and columns that are drawn. A terminal that claims more is drawn in part.
    static let sideCellCount = 1000

    /// Characters with one scalar after another, as in "Zalgo" text, that one cell sends.
    static let cellScalarCount = 32

    /// How long typing may rest and still be undone as one.
    static let undoPause = Duration.seconds(1)

    /// How long the name stands beside a cursor that doesn't move.
    static let labelDuration = Duration.seconds(5)

    /// How long a person counts as here without being heard of.
    static let absenceDuration = Duration.seconds(60)

    /// How often a port tells of people who don't move. Well below `absenceDuration`.
    static let reminderPause = Duration.seconds(15)

    /// How long a message stands in the status line.
    static let noteDuration = Duration.seconds(4)

    /// How long a lone ESC may be the beginning of a longer key.
    static let escapePause = Duration.milliseconds(40)
}
