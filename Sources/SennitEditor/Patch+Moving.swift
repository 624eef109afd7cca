import SennitDocument

/// To which side a position goes that text is put at.
enum Gravity {
    /// Stays before the new text.
    case left
    /// Goes behind it.
    case right
}

extension Patch {
    /// How many scalars the patch puts in.
    var insertedCount: Int { text.unicodeScalars.count }

    /// Where a position of the text before the patch lies in the text after it.
    func moved(_ index: Int, gravity: Gravity) -> Int {
        if index < range.lowerBound { return index }
        if index > range.upperBound { return index - range.count + insertedCount }
        if range.isEmpty {
            return gravity == .left ? index : index + insertedCount
        }
        if index == range.lowerBound { return index }
        if index == range.upperBound || gravity == .right {
            return range.lowerBound + insertedCount
        }
        return range.lowerBound
    }

    /// Where a range lies after the patch: text put at its ends stays out of it.
    func moved(_ span: Range<Int>) -> Range<Int> {
        let lower = moved(span.lowerBound, gravity: .right)
        return lower..<max(lower, moved(span.upperBound, gravity: .left))
    }
}
