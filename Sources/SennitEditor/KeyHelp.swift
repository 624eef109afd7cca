/// A key and what it does, for the bar and the help screen.
struct KeyHelp: Sendable {
    let name: String
    let action: String

    private init(_ name: String, _ action: String) {
        self.name = name
        self.action = action
    }

    /// The bar at the bottom: upper and lower row in turn, the most wanted first.
    static let bar = [
        KeyHelp("^G", "Help"), KeyHelp("^X", "Exit"),
        KeyHelp("^F", "Find"), KeyHelp("^Z", "Undo mine"),
        KeyHelp("^K", "Cut line"), KeyHelp("^U", "Paste"),
        KeyHelp("^C", "Copy"), KeyHelp("^Y", "Redo"),
        KeyHelp("^A", "Line start"), KeyHelp("^E", "Line end"),
    ]

    /// The bar while searching.
    static let searchBar = [
        KeyHelp("Enter", "Next"), KeyHelp("Esc", "Leave"),
        KeyHelp("Up", "Previous"), KeyHelp("^F", "Next"),
    ]

    static let all = [
        KeyHelp("type", "write; no mode"),
        KeyHelp("arrows", "move"),
        KeyHelp("Ctrl-Left/Right", "move by words"),
        KeyHelp("Home End ^A ^E", "start, end of line"),
        KeyHelp("Ctrl-Home/End", "start, end of text"),
        KeyHelp("PgUp PgDn", "move by screens"),
        KeyHelp("Shift + move", "select"),
        KeyHelp("^C ^X ^V", "copy, cut, paste"),
        KeyHelp("^K", "cut line; again adds"),
        KeyHelp("^U", "paste"),
        KeyHelp("^Z", "undo what you did"),
        KeyHelp("^Y", "redo"),
        KeyHelp("^F ^W", "find as you type"),
        KeyHelp("Ctrl-Backspace", "erase a word before"),
        KeyHelp("Ctrl-Delete", "erase a word behind"),
        KeyHelp("^L", "draw the screen again"),
        KeyHelp("^Q ^X", "exit (nothing selected)"),
        KeyHelp("● ○", "here, away"),
        KeyHelp("↑ ↓", "above, below the screen"),
    ]
}
