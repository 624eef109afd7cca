import SennitDocument

extension Patch {
    /// The same change as patches that insert at most `count` scalars each, so that each fits into
    /// an entry.
    /// - Complexity: O(length of the text).
    func cut(toScalarCount count: Int) -> [Patch] {
        guard text.utf8.count > count, text.unicodeScalars.count > count else { return [self] }
        var patches: [Patch] = []
        var rest = text.unicodeScalars[...]
        var start = range.lowerBound
        var replaced = range.count
        while !rest.isEmpty {
            let piece = rest.prefix(count)
            patches.append(
                Patch(
                    range: start..<(start + replaced),
                    text: String(String.UnicodeScalarView(piece))
                )
            )
            start += piece.count
            replaced = 0
            rest = rest.dropFirst(count)
        }
        return patches
    }
}
