// The merge once more, by the rule that Eg-walker and diamond-types use: no tree, but a list of all
// scalars into which each new one is put by scanning right from its left origin over scalars that
// its author did not know. FugueTree.swift must order like it; that the two agree on random graphs
// shows that the paper was read right.
//
// Source: Joseph Gentle, Martin Kleppmann, "Collaborative Text Editing with Eg-walker", EuroSys
// 2025, and the YjsMod rule of github.com/josephg/reference-crdts. Plain Fugue differs in the right
// origin that is compared: only one whose left origin equals the new scalar's counts.

import SennitReference
import SennitWire

struct IntegrateRule {
    private struct Item {
        let id: EventID
        let scalar: Unicode.Scalar
        let leftOrigin: EventID?
        let comparedRightOrigin: EventID?
    }

    private let order: ReferenceOrder
    private var items: [Item] = []
    private var ancestors: [EventID: Set<EventID>] = [:]
    private var deletions: [(event: EventID, target: EventID)] = []

    init(order: ReferenceOrder) { self.order = order }

    var text: String {
        let deleted = Set(deletions.map(\.target))
        var text = String.UnicodeScalarView()
        text.append(contentsOf: items.filter { !deleted.contains($0.id) }.map(\.scalar))
        return String(text)
    }

    mutating func add(_ added: GraphOperation) {
        var known = Set(added.parents)
        for parent in added.parents { known.formUnion(ancestors[parent, default: []]) }
        let deleted = Set(deletions.filter { known.contains($0.event) }.map(\.target))
        let visible = items.filter { known.contains($0.id) && !deleted.contains($0.id) }
        switch added.operation {
        case .insert(let position, let text) where position <= visible.count:
            var left = position == 0 ? nil : visible[position - 1].id
            for (id, scalar) in zip(added.events, text.unicodeScalars) {
                integrate(id, scalar, leftOrigin: left, known: known)
                ancestors[id] = known
                known.insert(id)
                left = id
            }
        case .delete(let range) where range.upperBound <= visible.count:
            deletions += zip(added.events, visible[range].map(\.id)).map { (event: $0, target: $1) }
            fallthrough
        default:
            for event in added.events {
                ancestors[event] = known
                known.insert(event)
            }
        }
    }

    /// Where an origin stands; -1 for the start.
    private func index(of id: EventID?) -> Int {
        items.firstIndex { $0.id == id } ?? -1
    }

    /// Where a right origin stands; the count for the end.
    private func rightIndex(of id: EventID?) -> Int {
        items.firstIndex { $0.id == id } ?? items.count
    }

    private mutating func integrate(
        _ id: EventID,
        _ scalar: Unicode.Scalar,
        leftOrigin: EventID?,
        known: Set<EventID>
    ) {
        let left = index(of: leftOrigin)
        let right = items[(left + 1)...].firstIndex { known.contains($0.id) } ?? items.count
        var compared = right < items.count ? items[right].id : nil
        if order == .fugue, right < items.count, items[right].leftOrigin != leftOrigin {
            compared = nil
        }
        let comparedIndex = rightIndex(of: compared)
        var destination = left + 1
        var isScanning = false
        for scan in left + 1...items.count {
            if !isScanning { destination = scan }
            if scan == right || scan == items.count { break }
            let other = items[scan]
            let otherLeft = index(of: other.leftOrigin)
            if otherLeft < left { break }
            if otherLeft > left { continue }
            let otherRight = rightIndex(of: other.comparedRightOrigin)
            if otherRight == comparedIndex {
                if id < other.id { break }
                isScanning = false
            } else {
                isScanning = otherRight < comparedIndex
            }
        }
        let item = Item(
            id: id,
            scalar: scalar,
            leftOrigin: leftOrigin,
            comparedRightOrigin: compared
        )
        items.insert(item, at: destination)
    }
}
