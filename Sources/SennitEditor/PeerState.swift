import SennitDocument

/// Somebody else, and what the screen remembers about them.
struct PeerState: Sendable {
    var peer: Peer
    /// Index of the colour.
    var slot: Int
    /// When the cursor last moved; the name beside it fades after a while.
    var movedAt: Duration

    mutating func move(over patch: Patch, gravity: Gravity) {
        peer.cursor = patch.moved(peer.cursor, gravity: gravity)
        peer.selection = peer.selection.map { patch.moved($0) }
    }

    /// The same with positions that a text of `count` scalars has.
    func clamped(to count: Int) -> PeerState {
        var copy = self
        copy.peer.cursor = min(max(peer.cursor, 0), count)
        copy.peer.selection = peer.selection.map { $0.clamped(to: 0..<count) }
        return copy
    }

    func isAway(at now: Duration) -> Bool { now - peer.lastSeen >= Limits.absenceDuration }

    func showsLabel(at now: Duration) -> Bool { now - movedAt < Limits.labelDuration }
}

extension EditorModel {
    /// Takes in who is here. Names come from outside and are cut and cleaned.
    mutating func meet(_ everybody: [Peer]) {
        let before = Dictionary(peers.map { ($0.peer.id, $0) }, uniquingKeysWith: { $1 })
        peers = everybody.prefix(Limits.peerCount).map { peer in
            let slot = colorSlot(of: peer.id)
            var state = PeerState(peer: peer, slot: slot, movedAt: now)
            state.peer.name = EditorModel.displayName(peer.name)
            state = state.clamped(to: text.scalarCount)
            if let old = before[peer.id], old.peer.cursor == state.peer.cursor {
                state.movedAt = old.movedAt
            }
            return state
        }
    }

    /// The colour that the id hashes to, or the next that nobody has.
    private mutating func colorSlot(of id: String) -> Int {
        if let slot = colorSlots[id] { return slot }
        // FNV-1a: the same on every machine, which Hasher is not.
        let hash = id.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        let count = Theme.peerColorCount
        let first = Int(truncatingIfNeeded: hash >> 33) % count
        let taken = Set(colorSlots.values)
        let slot = (0..<count).lazy.map { (first + $0) % count }.first { !taken.contains($0) }
        if colorSlots.count < Limits.rememberedColorCount { colorSlots[id] = slot ?? first }
        return slot ?? first
    }

    private static func displayName(_ name: String) -> String {
        let shown = String(name.unicodeScalars.prefix(Limits.nameScalarCount))
        let clean = shown.map { Glyph($0).text }.joined()
        return clean.allSatisfy(\.isWhitespace) ? "somebody" : clean
    }
}
