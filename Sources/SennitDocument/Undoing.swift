// Where in the text something is taken away, and where something comes back.
//
// What was deleted comes back behind the scalar that was before it when it was deleted. That one
// may itself have been deleted since and have come back as a copy, which stands at another place
// of the weave: a copy that is inserted into an empty text comes before all that is deleted there.
//
//     typed "one", then "-" before it; both undone, "one" done again (c is a copy)
//     weave      c o  c n  c e   -   o   n   e        only the copies are visible
//     "-" was deleted when "-one" was the text. Nothing was before it; behind it was o, which is
//     there as c o. So "-" comes back before c o.
//
// So the text at the version before the deletion is passed from left to right, each scalar at the
// place that it or its copy has now. What came in later is passed where it lies in the weave, if
// that is between what is passed before and after it.

/// What undoing a group changes.
struct Undoing {
    /// Scalars that go, as far as they are there.
    let inserted: EventRanges
    /// Scalars that come back, if nothing else has deleted them.
    let targets: EventRanges
    /// What was visible before the group was made.
    let before: EventRanges
    let copies: LocalCopies

    /// Something to be passed, in the order of the weave.
    private enum Item {
        /// Was there before the group was made, and has these places now.
        case known(Range<Int>)
        /// Came later, and has these places now.
        case later(Range<Int>)
        /// Comes back.
        case restored(Range<LocalEvent>)
    }

    private var items: [Item] = []
    private var scalarCount = 0
    /// Ranges of the text, ascending.
    private var deleted: [Range<Int>] = []

    init(inserted: EventRanges, targets: EventRanges, before: EventRanges, copies: LocalCopies) {
        self.inserted = inserted
        self.targets = targets
        self.before = before
        self.copies = copies
    }

    /// Takes the next stretch of the text as it is. All come in order.
    mutating func pass(_ stretch: Weave.Stretch, in weave: Weave) {
        if stretch.isVisible {
            let start = scalarCount
            scalarCount += stretch.events.count
            func places(_ events: Range<LocalEvent>) -> Range<Int> {
                let first = start + events.lowerBound - stretch.events.lowerBound
                return first..<(first + events.count)
            }
            inserted.split(stretch.events) { events, isOwn in
                if isOwn { deleted.append(places(events)) }
            }
            if targets.ranges.isEmpty { return }
            before.split(stretch.events) { events, isKnown in
                if isKnown {
                    items.append(.known(places(events)))
                } else {
                    passLater(events, places)
                }
            }
        } else if !targets.ranges.isEmpty {
            targets.split(stretch.events) { events, isTarget in
                // The one deletion of a target is that of the group.
                guard isTarget, stretch.deletionCount == 1 else {
                    return passAbsent(events, in: weave)
                }
                inserted.split(events) { events, isOwn in
                    if !isOwn { items.append(.restored(events)) }
                }
            }
        }
    }

    /// Passes what is visible and wasn't then, but for copies of what was.
    private mutating func passLater(
        _ events: Range<LocalEvent>,
        _ places: (Range<LocalEvent>) -> Range<Int>
    ) {
        copies.all.split(events) { part, mayBeCopy in
            guard mayBeCopy else { return items.append(.later(places(part))) }
            for event in part where !copies.family(of: event).contains(where: before.contains) {
                items.append(.later(places(event..<(event + 1))))
            }
        }
    }

    /// Passes what isn't visible, at the places of copies, if it was visible then.
    private mutating func passAbsent(_ events: Range<LocalEvent>, in weave: Weave) {
        copies.all.split(events) { part, mayHaveCopy in
            guard mayHaveCopy else { return }
            for event in part where before.contains(event) {
                for member in copies.family(of: event) {
                    guard let place = weave.place(of: member), place.isVisible else { continue }
                    items.append(.known(place.position..<(place.position + 1)))
                }
            }
        }
    }

    /// What comes back before which position, in the order in which it is passed.
    private func placeRestored() -> [(position: Int, events: Range<LocalEvent>)] {
        // For each item, where the next one begins that was known.
        var limits = [Int](repeating: scalarCount, count: items.count)
        var limit = scalarCount
        for index in items.indices.reversed() {
            limits[index] = limit
            if case .known(let places) = items[index] { limit = places.lowerBound }
        }
        // What comes back before all that is known comes back right before it.
        var position = 0
        var isAtStart = true
        var restored: [(position: Int, events: Range<LocalEvent>)] = []
        for (index, item) in items.enumerated() {
            switch item {
            case .known(let places):
                position = places.upperBound
                isAtStart = false
            case .later(let places):
                guard places.lowerBound >= position, places.upperBound <= limits[index] else {
                    continue
                }
                position = places.upperBound
                isAtStart = false
            case .restored(let events):
                restored.append((isAtStart ? limits[index] : position, events))
            }
        }
        return restored
    }

    /// The changes from left to right, and what comes back in that order.
    func patches(of history: History) -> (patches: [Patch], restored: [Range<LocalEvent>]) {
        let coming = placeRestored()
        // What comes back at one place is in order already.
        let order = coming.indices.sorted {
            (coming[$0].position, $0) < (coming[$1].position, $1)
        }
        var writer = PatchWriter()
        var position = 0
        var deletion = deleted[...]
        /// Passes the text up to a position.
        func advance(to end: Int) {
            while position < end {
                guard let range = deletion.first, range.lowerBound < end else {
                    writer.keep(end - position)
                    position = end
                    return
                }
                if position < range.lowerBound {
                    writer.keep(range.lowerBound - position)
                    position = range.lowerBound
                }
                let next = min(range.upperBound, end)
                writer.delete(next - position)
                position = next
                if next == range.upperBound { deletion = deletion.dropFirst() }
            }
        }
        for index in order {
            advance(to: coming[index].position)
            writer.insert(coming[index].events, of: history)
        }
        advance(to: scalarCount)
        return (writer.finish(), order.map { coming[$0].events })
    }
}

/// Which scalars were inserted again, by local events.
struct LocalCopies {
    /// Those that have copies, and those that are.
    let all: EventRanges
    private var copiesOf: [LocalEvent: [LocalEvent]] = [:]
    private var originalOf: [LocalEvent: LocalEvent] = [:]

    /// Copies whose scalars are here.
    /// - Complexity: O(scalars that were ever inserted again).
    init(_ copies: [UndoStack.Copy], in names: EventNames) {
        var all: [Range<LocalEvent>] = []
        for copy in copies {
            let old = names.events(named: copy.original, copy.count)
            let new = names.events(named: copy.copy, copy.count)
            all += old + new
            for (original, copy) in zip(old.joined(), new.joined()) {
                copiesOf[original, default: []].append(copy)
                originalOf[copy] = original
            }
        }
        self.all = EventRanges(all)
    }

    /// What a scalar is a copy of, or itself.
    func original(of event: LocalEvent) -> LocalEvent { originalOf[event] ?? event }

    /// A scalar's original and all copies of that.
    func family(of event: LocalEvent) -> [LocalEvent] {
        let original = original(of: event)
        return [original] + (copiesOf[original] ?? [])
    }

    /// The events with the families of all.
    func families(of events: EventRanges) -> EventRanges {
        var members = events.ranges
        for (original, copies) in copiesOf {
            let family = [original] + copies
            guard family.contains(where: events.contains) else { continue }
            for member in family { members.append(member..<(member + 1)) }
        }
        return EventRanges(members)
    }
}
