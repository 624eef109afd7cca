/// A key as pressed, with the modifiers that the terminal told.
public struct Key: Hashable, Sendable {
    /// Which key.
    public enum Code: Hashable, Sendable {
        /// A key that types this scalar. With control it is the lower-case letter.
        case scalar(Unicode.Scalar)
        /// Keys that edit.
        case enter, tab, backspace, delete, escape, insert
        /// Keys that move.
        case up, down, left, right, home, end, pageUp, pageDown
        /// F1 is `function(1)`.
        case function(Int)
    }

    /// What was held down.
    public struct Modifiers: OptionSet, Hashable, Sendable {
        /// One bit for each modifier.
        public let rawValue: UInt8

        /// The modifiers whose bits are set.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Told only for keys that don't type, whose scalars show it themselves.
        public static let shift = Modifiers(rawValue: 1)
        /// Also a terminal's meta.
        public static let alt = Modifiers(rawValue: 2)
        /// As in ^C.
        public static let control = Modifiers(rawValue: 4)
    }

    /// Which key was pressed.
    public var code: Code
    /// What was held down with it.
    public var modifiers: Modifiers

    /// A key with its modifiers.
    public init(_ code: Code, _ modifiers: Modifiers = []) {
        self.code = code
        self.modifiers = modifiers
    }

    /// The key that types `scalar`.
    public static func scalar(_ scalar: Unicode.Scalar) -> Key { Key(.scalar(scalar)) }

    /// Control and a letter.
    public static func control(_ letter: Unicode.Scalar) -> Key { Key(.scalar(letter), .control) }
}

/// What the mouse did, at a cell counted from 0.
public struct Mouse: Hashable, Sendable {
    /// The left button, or a step of the wheel.
    public enum Action: Hashable, Sendable {
        case press, drag, release, wheelUp, wheelDown
    }

    /// What was done.
    public var action: Action
    /// Rows above the cell.
    public var row: Int
    /// Columns left of the cell.
    public var column: Int

    /// An action of the left button or the wheel at a cell.
    public init(_ action: Action, row: Int, column: Int) {
        self.action = action
        self.row = row
        self.column = column
    }
}
