/// A change of text: the scalars of `range` are replaced by `text`.
///
/// In a sequence of patches each applies to the text that the one before it left. Two patches are
/// equal when their scalars are; canonically equivalent texts of different scalars are not.
public struct Patch: Hashable, Sendable {
    /// What is replaced, in Unicode scalars. Empty for a pure insertion.
    public var range: Range<Int>

    /// What takes its place. Empty for a pure deletion.
    public var text: String

    /// Replaces the scalars of `range` by `text`.
    public init(range: Range<Int>, text: String) {
        self.range = range
        self.text = text
    }

    public static func == (left: Patch, right: Patch) -> Bool {
        left.range == right.range && left.text.utf8.elementsEqual(right.text.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(range)
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(text.utf8.count)
    }
}
