// The slow, obvious second implementation of the merge, against which the engine is checked.
//
// The idea: keep the tree of FugueTree.swift and the history of History.swift, and look at them
// through a view: the document as the author of an operation saw it. An operation's index means
// something only in the view at its parents, so before each operation that view is made anew from
// nothing: find the ancestors, mark what they inserted and deleted, traverse the tree.
//
// One shortcut makes long sequential histories bearable: after an operation the view is extended by
// it, and an operation whose only parent is the last event of the one added before uses that view.
// Tests compare extended views with new ones.
//
// There is no position arithmetic between branches, nothing is ever transformed, retreated or
// advanced, and nothing but scalars is stored: no runs. That is the point. It shares neither code
// nor method with SennitDocument.

public import SennitWire

/// How siblings on the right side of a node are ordered.
public enum ReferenceOrder: Hashable, Sendable {
    /// By right origin, then by identifier: the order of SPEC.md.
    case fugueMax
    /// By identifier alone. For tests that tell the two apart.
    case fugue
}

/// A change to a text. Positions count Unicode scalars at the version of the operation's parents.
public enum ReferenceOperation: Hashable, Sendable {
    /// Inserts `text` before the scalar at `position`. Event k inserts the k-th scalar.
    case insert(position: Int, text: String)
    /// Deletes the scalars in a range. Event k deletes the k-th of them: the one that stands at the
    /// range's lower bound when those before it are gone.
    case delete(Range<Int>)

    /// How many events the operation has: one for each scalar.
    public var eventCount: Int {
        switch self {
        case .insert(_, let text): text.unicodeScalars.count
        case .delete(let range): range.count
        }
    }
}

/// A text with its whole history, merged by the slow and obvious method.
///
/// ```swift
/// var document = ReferenceDocument()
/// let ab = ReferenceOperation.insert(position: 0, text: "ab")
/// document.add(author: alice, firstNumber: 0, parents: [], operation: ab)
/// let b = EventID(log: alice, number: 1)
/// document.add(author: alice, firstNumber: 2, parents: [b], operation: .delete(0..<1))
/// let c = ReferenceOperation.insert(position: 2, text: "c")
/// document.add(author: bob, firstNumber: 0, parents: [b], operation: c)
/// document.text  // "bc"
/// ```
public struct ReferenceDocument: Sendable {
    private var tree: FugueTree
    private var history = History()

    // Invariant: equal to the view that would be made from nothing at `view.version`.
    private var view = View()

    /// An empty document.
    public init(order: ReferenceOrder = .fugueMax) { tree = FugueTree(order: order) }

    /// Adds an operation whose n scalars are n events numbered from `firstNumber`.
    ///
    /// Operations may be added in any causal order: an event's parents first. The parents may be
    /// any events, also in the middle of an operation, and an author may write on several branches
    /// and leave numbers out. An operation whose position does not exist at its parents is void as
    /// a whole: its events exist, without effect. An operation without scalars is nothing at all.
    ///
    /// Unknown parents and a number used twice are errors of the caller and trap.
    /// - Complexity: O(document ever written) after a change of branch, else O(visible text).
    public mutating func add(
        author: LogID,
        firstNumber: UInt64,
        parents: [EventID],
        operation: ReferenceOperation
    ) {
        guard operation.eventCount > 0 else { return }
        let numbers = firstNumber..<firstNumber + UInt64(operation.eventCount)
        if parents != view.version { view = makeView(at: parents) }
        history.append(author: author, numbers: numbers, parents: parents)
        switch operation {
        case .insert(let position, let text):
            guard (0...view.visible.count).contains(position) else { break }
            let ids = numbers.map { EventID(log: author, number: $0) }
            let nodes = insert(Array(zip(ids, text.unicodeScalars)), at: position)
            history.setLastEffect(.inserted(nodes: nodes))
        case .delete(let range):
            guard range.lowerBound >= 0, range.upperBound <= view.visible.count else { break }
            history.setLastEffect(.deleted(targets: Array(view.visible[range])))
            view.visible.removeSubrange(range)
        }
        view.version = [EventID(log: author, number: numbers.upperBound - 1)]
    }

    /// The text after everything that was added.
    /// - Complexity: O(document ever written).
    public var text: String {
        text(of: makeView(knownCounts: history.entries.map { $0.numbers.count }))
    }

    /// The text after the events of `version` and all their ancestors; empty for an empty version.
    /// Events that were never added trap.
    /// - Complexity: O(document ever written).
    public func text(at version: [EventID]) -> String { text(of: makeView(at: version)) }

    /// The events whose scalars make the text at `version`, in the order of the text.
    /// - Complexity: O(document ever written).
    public func names(at version: [EventID]) -> [EventID] {
        makeView(at: version).visible.map { tree[$0].id }
    }

    /// The events of all scalars that were ever inserted, in the order of the text.
    /// - Complexity: O(document ever written).
    public var allNames: [EventID] {
        tree.traversal(of: [Bool](repeating: true, count: tree.endIndex)).map { tree[$0].id }
    }

    /// Whether two scalars were inserted at one place by events that did not know each other: their
    /// order is a matter of rules and identifiers, and another CRDT may order them otherwise.
    public var hasConcurrentInsertsAtOnePlace: Bool { tree.hasSiblings }

    /// Whether the extended view is the one that would be made from nothing. For tests.
    /// - Complexity: O(document ever written).
    public var isViewExact: Bool {
        let exact = makeView(at: view.version)
        return view.visible == exact.visible && view.isKnown == exact.isKnown
            && view.next == exact.next
    }
}

/// The document as it is at one version.
private struct View: Sendable {
    var version: [EventID] = []

    /// By node: whether it was inserted by an ancestor of the version, and so is known there.
    var isKnown = [true]

    /// By known node: the next known node in document order, visible or tombstone.
    var next = [FugueTree.none]

    /// The known nodes that are not deleted, in document order.
    var visible: [Int] = []
}

extension ReferenceDocument {
    /// Inserts scalars one by one, each after the one before, and extends the view by them.
    private mutating func insert(
        _ scalars: [(id: EventID, scalar: Unicode.Scalar)],
        at position: Int
    ) -> Range<Int> {
        let firstNode = tree.endIndex
        var leftOrigin = position == 0 ? FugueTree.root : view.visible[position - 1]
        for (id, scalar) in scalars {
            let rightOrigin = view.next[leftOrigin]
            let node = FugueTree.Node(id: id, scalar: scalar, rightOrigin: rightOrigin)
            let index =
                if tree.hasRightChild(leftOrigin, where: { view.isKnown[$0] }) {
                    tree.insert(node, parent: rightOrigin, side: .left)
                } else {
                    tree.insert(node, parent: leftOrigin, side: .right)
                }
            view.isKnown.append(true)
            view.next.append(rightOrigin)
            view.next[leftOrigin] = index
            leftOrigin = index
        }
        let nodes = firstNode..<tree.endIndex
        view.visible.insert(contentsOf: nodes, at: position)
        return nodes
    }

    private func makeView(at version: [EventID]) -> View {
        var view = makeView(knownCounts: history.knownCounts(at: version))
        view.version = version
        return view
    }

    /// The view in which the first `knownCounts[i]` events of operation i are known.
    private func makeView(knownCounts: [Int]) -> View {
        var isKnown = [Bool](repeating: false, count: tree.endIndex)
        var isDeleted = isKnown
        isKnown[FugueTree.root] = true
        for index in knownCounts.indices where knownCounts[index] > 0 {
            let count = knownCounts[index]
            switch history.entries[index].effect {
            case .inserted(let nodes):
                for offset in 0..<count { isKnown[nodes.lowerBound + offset] = true }
            case .deleted(let targets):
                for offset in 0..<count { isDeleted[targets[offset]] = true }
            case .void: break
            }
        }
        var visible: [Int] = []
        var next = [Int](repeating: FugueTree.none, count: tree.endIndex)
        var last = FugueTree.root
        for node in tree.traversal(of: isKnown) {
            next[last] = node
            last = node
            if !isDeleted[node] { visible.append(node) }
        }
        return View(isKnown: isKnown, next: next, visible: visible)
    }

    private func text(of view: View) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: view.visible.map { tree[$0].scalar })
        return String(text)
    }
}
