import SennitDocument

// One's own undo, among the changes of others.
//
// Idea: a step of undo is one primitive change, an insertion or a removal, that takes back a part
// of what its author did. It was written down for the text as it stood then. Each change by
// somebody else is *crossed* with it: both are changes of the same text, and crossing gives the
// step as it reads behind the other's change, and the other's change as it reads behind the step.
//
//          text ──── step ────▶ undone             Applying both ways round the square gives the
//            │                    │                same text. `theirs′` goes on to the next older
//          theirs              theirs′             step, whose text is "undone".
//            ▼                    ▼
//          text ──── step′ ───▶ text
//
// Three cases are more than a shift: a removal with the other's insertion in its middle falls in
// two, so that undo never takes another's text; text that both removed is removed once; and text
// that undo puts back within a removal of the other stands, with the removal around it.
//
// Example: "ab" was typed (its undo removes 0..<2); somebody writes X between. The undo becomes
// "remove 2..<3, then 0..<1" and leaves X; X's insertion, seen from the undone text, is at 0.
//
// The transformation is the classical one for characters (Ellis and Gibbs, 1989); since a step
// is crossed in the one order in which the document applied the changes, the square above (TP1)
// is all that is needed.

/// An insertion or a removal, in scalars.
enum UndoStep: Hashable, Sendable {
    /// `count` is the number of scalars of `text`, never 0.
    case insert(at: Int, text: String, count: Int)
    /// The range is never empty.
    case remove(Range<Int>)

    /// The steps that do what `patch` does.
    static func steps(of patch: Patch) -> [UndoStep] {
        var steps: [UndoStep] = []
        if !patch.range.isEmpty { steps.append(.remove(patch.range)) }
        let count = patch.insertedCount
        if count > 0 {
            steps.append(.insert(at: patch.range.lowerBound, text: patch.text, count: count))
        }
        return steps
    }

    /// The step as a patch.
    var patch: Patch {
        switch self {
        case .insert(let index, let text, _): Patch(range: index..<index, text: text)
        case .remove(let range): Patch(range: range, text: "")
        }
    }

    /// The step that takes this one back; `text` is what stands there before this one is applied.
    func inverse(in text: Rope) -> UndoStep {
        switch self {
        case .insert(let index, _, let count):
            .remove(index..<(index + count))
        case .remove(let range):
            .insert(at: range.lowerBound, text: text.slice(range), count: range.count)
        }
    }

    /// Crosses two steps that only shift each other; `false`, with nothing changed, for the rest.
    static func shift(_ ours: inout UndoStep, _ theirs: inout UndoStep) -> Bool {
        switch (ours, theirs) {
        case (.insert(let index, let text, let count), .insert(let other, let otherText, let more)):
            if index <= other {
                theirs = .insert(at: other + count, text: otherText, count: more)
            } else {
                ours = .insert(at: index + more, text: text, count: count)
            }
        case (.insert(let index, let text, let count), .remove(let range)):
            if index <= range.lowerBound {
                theirs = .remove(range.shifted(by: count))
            } else if index >= range.upperBound {
                ours = .insert(at: index - range.count, text: text, count: count)
            } else {
                return false
            }
        case (.remove(let range), .insert(let other, let otherText, let more)):
            if other <= range.lowerBound {
                ours = .remove(range.shifted(by: more))
            } else if other >= range.upperBound {
                theirs = .insert(at: other - range.count, text: otherText, count: more)
            } else {
                return false
            }
        case (.remove(let range), .remove(let other)):
            if range.upperBound <= other.lowerBound {
                theirs = .remove(other.shifted(by: -range.count))
            } else if other.upperBound <= range.lowerBound {
                ours = .remove(range.shifted(by: -other.count))
            } else {
                return false
            }
        }
        return true
    }

    /// Crosses two steps on the same text.
    static func cross(
        _ ours: UndoStep,
        _ theirs: UndoStep
    ) -> (ours: [UndoStep], theirs: [UndoStep]) {
        var ours = ours
        var theirs = theirs
        if shift(&ours, &theirs) { return ([ours], [theirs]) }
        switch (ours, theirs) {
        case (.remove(let range), .insert(let index, let text, let count)):
            return (
                range.split(at: index, gap: count),
                [.insert(at: range.lowerBound, text: text, count: count)]
            )
        case (.insert(let index, let text, let count), .remove(let range)):
            return (
                [.insert(at: range.lowerBound, text: text, count: count)],
                range.split(at: index, gap: count)
            )
        case (.remove(let range), .remove(let other)):
            return (range.without(other), other.without(range))
        case (.insert, .insert):
            preconditionFailure("Two insertions only shift each other.")
        }
    }

    /// Crosses two sequences of steps that begin on the same text.
    static func cross(
        _ ours: [UndoStep],
        _ theirs: [UndoStep]
    ) -> (ours: [UndoStep], theirs: [UndoStep]) {
        var crossedOurs: [UndoStep] = []
        var theirs = theirs
        for step in ours {
            var steps = [step]
            var crossedTheirs: [UndoStep] = []
            for other in theirs {
                let pair =
                    steps.count == 1 ? cross(steps[0], other) : cross(steps, [other])
                steps = pair.ours
                crossedTheirs += pair.theirs
            }
            crossedOurs += steps
            theirs = crossedTheirs
        }
        return (crossedOurs, theirs)
    }
}

extension Range<Int> {
    fileprivate func shifted(by distance: Int) -> Range<Int> {
        (lowerBound + distance)..<(upperBound + distance)
    }

    /// Removes both sides of `gap` scalars that were put in at `index`, the later side first.
    fileprivate func split(at index: Int, gap: Int) -> [UndoStep] {
        [.remove((index + gap)..<(upperBound + gap)), .remove(lowerBound..<index)]
    }

    /// Removes what is left of the range after `other`, which overlaps it, was removed.
    fileprivate func without(_ other: Range<Int>) -> [UndoStep] {
        let shared = clamped(to: other).count
        let lower = Swift.min(lowerBound, other.lowerBound)
        let left = count - shared
        return left == 0 ? [] : [.remove(lower..<(lower + left))]
    }
}
