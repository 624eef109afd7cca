// The tree of FugueMax, written down as the paper has it.
//
// The idea: every scalar that was ever inserted is a node. It hangs on another node, its parent, on
// the left or on the right side, and stays there for ever. The document is the in-order traversal:
// a node's left children with all below them, the node, its right children with all below them.
// The root stands for the start of the document and has no scalar.
//
// Where a new scalar hangs is decided by its author, who sees the document at the parents of the
// event. Its left origin is the visible scalar before the cursor (or the root); its right origin is
// the node that follows the left origin in the author's traversal, tombstones included (or the
// end). If the author knows no right child of the left origin, the scalar becomes one. Otherwise
// the right origin lies below the left origin and has no left child, and the scalar becomes one.
//
// Siblings on one side were always inserted concurrently. Left siblings ascend by identifier. Right
// siblings descend by right origin: the one whose right origin lies further right comes first, and
// equal right origins ascend by identifier. Plain Fugue ignores the right origins.
//
//     "ac" by A; then B inserts "b" between them, C appends "d" to "ac", E appends "e" to "a":
//
//     root ─right─ a ─right─ c (left child: b) ─right─ d
//                    └right─ e
//
//     c and e are right siblings with the same right origin (the end), so c is first if A < E.
//     Traversal: a b c d e.
//
// Source: Matthew Weidner, Martin Kleppmann, "The Art of the Fugue: Minimizing Interleaving in
// Collaborative Text Editing": Fugue, and its variant FugueMax.

import SennitWire

/// All scalars that were ever inserted, as a tree whose traversal is the document.
struct FugueTree: Sendable {
    enum Side: Sendable { case left, right }

    /// What the author of a scalar said; never changes.
    struct Node: Sendable {
        let id: EventID
        let scalar: Unicode.Scalar
        let rightOrigin: Int
    }

    /// How a node's children hang: chains of siblings in document order.
    private struct Links: Sendable {
        var firstLeft = FugueTree.none
        var firstRight = FugueTree.none
        var nextSibling = FugueTree.none
    }

    /// The index of the root.
    static let root = 0

    /// Says "no node" in links and "the end" as right origin. The root is never a child and never a
    /// right origin, so its index is free for this.
    static let none = 0

    private let order: ReferenceOrder
    private var links = [Links()]

    // The root has no node: node i is nodes[i - 1].
    private var nodes: [Node] = []

    /// Whether any two nodes hang on one side of one parent.
    private(set) var hasSiblings = false

    init(order: ReferenceOrder) { self.order = order }

    /// One more than the largest index.
    var endIndex: Int { links.count }

    subscript(index: Int) -> Node { nodes[index - 1] }

    /// Hangs a new node below `parent` and returns its index.
    mutating func insert(_ node: Node, parent: Int, side: Side) -> Int {
        let index = links.count
        nodes.append(node)
        links.append(Links())
        var previous = FugueTree.none
        var next = firstChild(of: parent, side)
        if next != FugueTree.none { hasSiblings = true }
        while next != FugueTree.none, precedes(self[next], node, side: side) {
            previous = next
            next = links[next].nextSibling
        }
        links[index].nextSibling = next
        if previous != FugueTree.none {
            links[previous].nextSibling = index
        } else if side == .left {
            links[parent].firstLeft = index
        } else {
            links[parent].firstRight = index
        }
        return index
    }

    /// Whether `parent` has a right child for which `condition` holds.
    func hasRightChild(_ parent: Int, where condition: (Int) -> Bool) -> Bool {
        var child = links[parent].firstRight
        while child != FugueTree.none {
            if condition(child) { return true }
            child = links[child].nextSibling
        }
        return false
    }

    /// The nodes of `known` in document order, without the root. A node's parent is known if it is.
    /// - Complexity: O(nodes).
    func traversal(of known: [Bool]) -> [Int] {
        var nodes: [Int] = []
        nodes.reserveCapacity(known.count)
        // A positive index: the node's subtree is to do, and its later siblings' after it. A
        // negative one: its left children are done, the node and its right children are to do.
        var stack = [links[FugueTree.root].firstRight]
        while !stack.isEmpty {
            let top = stack.removeLast()
            if top > 0 {
                stack.append(links[top].nextSibling)
                if known[top] {
                    stack.append(-top)
                    stack.append(links[top].firstLeft)
                }
            } else if top < 0 {
                nodes.append(-top)
                stack.append(links[-top].firstRight)
            }
        }
        return nodes
    }

    private func firstChild(of parent: Int, _ side: Side) -> Int {
        side == .left ? links[parent].firstLeft : links[parent].firstRight
    }

    /// Whether `sibling` comes before `node`, both on `side` of one parent.
    private func precedes(_ sibling: Node, _ node: Node, side: Side) -> Bool {
        if side == .right, order == .fugueMax, sibling.rightOrigin != node.rightOrigin {
            return isBefore(node.rightOrigin, sibling.rightOrigin)
        }
        return sibling.id < node.id
    }

    /// Whether right origin `left` comes before right origin `right`, which is another one.
    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        if left == FugueTree.none { return false }
        if right == FugueTree.none { return true }
        let document = traversal(of: [Bool](repeating: true, count: endIndex))
        return document.first { $0 == left || $0 == right } == left
    }
}
