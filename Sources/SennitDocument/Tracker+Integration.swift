// Where an insertion goes among concurrent insertions at the same place: FugueMax.
//
// A new character remembers what was left and right of it in the text its author saw, deleted
// characters included: L and R. Between L and R lie only characters that its author had not seen.
// They are passed from left to right; for each, with its own l and r:
//
//     l before L                 stop: it belongs to something further left
//     l after L                  pass: it belongs to something that was already passed
//     l = L and r = R            stop if the new one's name is smaller, else pass it for good
//     l = L and r before R       pass, but if nothing that follows is passed for good, the new
//                                character goes before this one
//     l = L and r after R        pass it for good
//
// So among insertions after the same L those with the rightmost R come first, and for equal R
// those with the smallest name (log, then number). Runs that were typed in one go never
// interleave. The rule is normative (SPEC.md); any replica that differs diverges.
//
// Source: Weidner and Kleppmann, "The Art of the Fugue" (2023), section on FugueMax; as a scan in
// Gentle and Kleppmann (2025), 3.3. Fugue proper treats R as the end of the text unless R's own l
// is L, which orders some nested cases otherwise.

extension Tracker {
    /// Finds the span after which a concurrent insertion belongs.
    /// - Parameters:
    ///   - start: The span that ends with the left neighbour; `nil` at the beginning.
    ///   - left: The key of the left neighbour.
    ///   - right: The first span right of it that the author had seen.
    ///   - event: The first event of the insertion.
    ///   - names: Those of all events.
    /// - Complexity: O(k log n) for k spans in between.
    mutating func integrate(
        after start: Cursor?,
        left: Int,
        right: Cursor,
        of event: LocalEvent,
        names: EventNames
    ) -> Cursor? {
        let rightKey = spans[content.handle(at: right)].key
        var cursor = start
        var fallback = start
        var isTentative = false
        var next: Cursor? = cursor.map { content.successor(of: $0) } ?? content.first
        while let other = next, other != right {
            let span = spans[content.handle(at: other)]
            if span.left == left {
                if span.right == rightKey {
                    let other = self.event(ofKey: span.key)
                    if names.name(of: event) < names.name(of: other) { break }
                    isTentative = false
                } else if isKey(span.right, before: rightKey) {
                    if !isTentative { fallback = cursor }
                    isTentative = true
                } else {
                    isTentative = false
                }
            } else if isKey(span.left, before: left) {
                break
            }
            cursor = other
            next = content.successor(of: other)
        }
        return isTentative ? fallback : cursor
    }

    /// Whether one character comes before another in the document.
    private mutating func isKey(_ first: Int, before second: Int) -> Bool {
        if first == second || second == Tracker.startKey { return false }
        if first == Tracker.startKey { return true }
        let (firstHandle, firstOffset) = place(ofKey: first)
        let (secondHandle, secondOffset) = place(ofKey: second)
        if firstHandle == secondHandle { return firstOffset < secondOffset }
        return content.isBefore(
            content.cursor(of: firstHandle),
            content.cursor(of: secondHandle)
        )
    }
}
