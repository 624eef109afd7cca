import SennitDocument

/// What one person did, to be undone and redone in groups, among the changes of others.
///
/// Invariant: applying all undo steps from the last to the first, group by group, fits the text as
/// it is; so does the redo side.
struct UndoHistory: Sendable {
    /// How an edit came about; only typing and erasing grow a group.
    enum Kind: Hashable, Sendable {
        case typing, erasingBackward, erasingForward, other
    }

    /// What is undone with one key. Its steps are applied from the last to the first.
    struct Group: Sendable {
        var steps: [UndoStep]
    }

    /// The group that may still grow.
    private struct Growing {
        var kind: Kind
        /// Where the next edit must be to belong to the group.
        var place: Int
        var lastTime: Duration
        var endsWord: Bool
    }

    private(set) var undoGroups: [Group] = []
    private(set) var redoGroups: [Group] = []
    private var growing: Growing?

    /// Takes down an edit of one's own before it is applied.
    ///
    /// Edits of one kind that follow each other in place, with no rest of `Limits.undoPause`, are
    /// one group; a word begins a new one.
    mutating func record(_ patch: Patch, in text: Rope, kind: Kind, at now: Duration) {
        var inverse: [UndoStep] = []
        let start = patch.range.lowerBound
        let count = patch.insertedCount
        if !patch.range.isEmpty {
            inverse.append(UndoStep.remove(patch.range).inverse(in: text))
        }
        if count > 0 { inverse.append(.remove(start..<(start + count))) }
        if inverse.isEmpty { return }
        redoGroups = []
        if continues(patch, kind: kind, at: now), !undoGroups.isEmpty {
            for step in inverse { undoGroups[undoGroups.count - 1].append(step) }
        } else {
            undoGroups.append(Group(steps: inverse))
            if undoGroups.count > Limits.undoGroupCount { undoGroups.removeFirst() }
        }
        growing = Growing(
            kind: kind,
            place: start + count,
            lastTime: now,
            endsWord: patch.text.unicodeScalars.last?.properties.isWhitespace ?? false
        )
    }

    private func continues(_ patch: Patch, kind: Kind, at now: Duration) -> Bool {
        guard let growing, growing.kind == kind, now - growing.lastTime < Limits.undoPause else {
            return false
        }
        switch kind {
        case .typing:
            let beginsWord = !(patch.text.unicodeScalars.first?.properties.isWhitespace ?? true)
            return patch.range.isEmpty && patch.range.lowerBound == growing.place
                && !(growing.endsWord && beginsWord)
        case .erasingBackward:
            return patch.range.upperBound == growing.place
        case .erasingForward:
            return patch.range.lowerBound == growing.place
        case .other:
            return false
        }
    }

    /// Ends the group: what follows is undone apart from it.
    mutating func close() { growing = nil }

    /// Undoes the last group that something is left of.
    /// - Returns: the patches, already applied to `text`; none when there is nothing to undo.
    mutating func undo(_ text: inout Rope) -> [Patch] {
        UndoHistory.apply(from: &undoGroups, to: &redoGroups, text: &text, growing: &growing)
    }

    /// Does again what `undo` took back.
    mutating func redo(_ text: inout Rope) -> [Patch] {
        UndoHistory.apply(from: &redoGroups, to: &undoGroups, text: &text, growing: &growing)
    }

    private static func apply(
        from source: inout [Group],
        to target: inout [Group],
        text: inout Rope,
        growing: inout Growing?
    ) -> [Patch] {
        growing = nil
        while let group = source.popLast() {
            if group.steps.isEmpty { continue }
            var inverse = Group(steps: [])
            var patches: [Patch] = []
            for step in group.steps.reversed() {
                inverse.append(step.inverse(in: text))
                text.apply(step.patch)
                patches.append(step.patch)
            }
            target.append(inverse)
            return patches
        }
        return []
    }

    /// Takes in changes by others, which are about to be or were applied to the text in this order.
    /// - Complexity: O(steps) for each run of typing in `patches`.
    mutating func receive(_ patches: [Patch]) {
        if let place = growing?.place {
            growing?.place = patches.reduce(place) { $1.moved($0, gravity: .left) }
        }
        for patch in UndoHistory.gathered(patches) {
            let theirs = UndoStep.steps(of: patch)
            UndoHistory.cross(&undoGroups, theirs)
            UndoHistory.cross(&redoGroups, theirs)
        }
    }

    /// The same change in fewer patches: insertions that follow each other become one.
    private static func gathered(_ patches: [Patch]) -> [Patch] {
        var result: [Patch] = []
        var end = -1
        for patch in patches {
            if patch.range.isEmpty, patch.range.lowerBound == end, !result.isEmpty {
                result[result.count - 1].text += patch.text
            } else {
                result.append(patch)
            }
            end = patch.range.lowerBound + patch.insertedCount
        }
        return result
    }

    private static func cross(_ groups: inout [Group], _ theirs: [UndoStep]) {
        var theirs = theirs
        for groupIndex in groups.indices.reversed() {
            for stepIndex in groups[groupIndex].steps.indices.reversed() {
                if theirs.isEmpty { return }
                if theirs.count == 1,
                    UndoStep.shift(&groups[groupIndex].steps[stepIndex], &theirs[0])
                {
                    continue
                }
                let pair = UndoStep.cross([groups[groupIndex].steps[stepIndex]], theirs)
                theirs = pair.theirs
                groups[groupIndex].steps.replaceSubrange(
                    stepIndex...stepIndex,
                    with: pair.ours.reversed()
                )
            }
        }
    }
}

extension UndoHistory.Group {
    /// Adds a step that is applied before those there are, and joins it to the next if it can.
    mutating func append(_ step: UndoStep) {
        guard let last = steps.last else {
            steps.append(step)
            return
        }
        switch (step, last) {
        case (.remove(let new), .remove(let old)) where new.lowerBound == old.upperBound:
            steps[steps.count - 1] = .remove(old.lowerBound..<new.upperBound)
        case (.insert(let new, let text, let count), .insert(let old, let oldText, let oldCount))
        where new + count == old:
            // The old text goes in behind the new.
            steps[steps.count - 1] = .insert(at: new, text: text + oldText, count: count + oldCount)
        case (.insert(let new, let text, let count), .insert(let old, let oldText, let oldCount))
        where new == old:
            // The old text goes in before the new.
            steps[steps.count - 1] = .insert(at: new, text: oldText + text, count: count + oldCount)
        default:
            steps.append(step)
        }
    }
}
