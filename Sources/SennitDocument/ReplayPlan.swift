// In which order concurrent history is replayed, and what has to be undone and redone between.
//
// Any order that has ancestors first gives the same text (Eg-walker, 3.2), but not at the same
// cost: before an operation is applied, the tracker must be moved to the version that its author
// saw, and each move undoes and redoes every operation in which the two versions differ. The
// history of a file with many long branches, walked in the order in which it arrived, moves seven
// times as much as walked well.
//
// History is cut into pieces, chains of events that no version divides, so that every version is a
// set of whole pieces. A set is a row of bits:
//
//     G(0) -> A(1) -> A(2) -> A(3)        pieces   0: 0..<2     history 0001
//                 \                                1: 2..<4             0011
//                  -> B(4) -> B(5)                 2: 4..<6             0101
//     C(6) after both                              3: 6..<7             1111
//
// What lies between two versions is the exclusive or of their rows. The walk is greedy: of all
// pieces whose parents have been replayed, the one whose parents' version differs least from where
// the tracker stands is next; a chain therefore goes on by itself. On the history of git's Makefile
// (2,430 runs of events, never fewer than two branches) this moves 53,000 operations, where the
// order of arrival moves 348,000 and depth-first orders 147,000 to 197,000.
//
// Rows cost the square of the number of pieces, so a stretch is planned only up to a limit; longer
// ones are replayed in the order of arrival (Branch.swift).
//
// Source: Eg-walker, 3.7, says that the order matters and walks depth-first, cheap branches first.
// Planning by exact distance is ours.

/// The pieces of a stretch of history after a base, and their ancestry.
struct ReplayPlan: ~Copyable {
    /// Consecutive events, each but the first with the one before it as its only parent. They end
    /// where the next piece starts.
    private var starts = Slab<LocalEvent>()
    private var end: LocalEvent = 0
    /// For each piece where its parents begin in `parents`; one more at the end.
    private var firstParents = Slab<Int32>()
    /// Pieces that come right before. Those before the base are left out.
    private var parents = Slab<Int32>()
    /// For each piece the row of its history, itself included. A piece has none after it in its
    /// history, so its row ends with the word that holds it.
    private var histories = Slab<UInt64>()
    private var wordCount = 0

    /// The pieces that the tracker's version consists of.
    private var current = Slab<UInt64>()
    /// How many parents of each piece are still to be replayed; -1 once it has been itself.
    private var waiting = Slab<Int32>()
    /// For each piece where the pieces after it begin in `children`; one more at the end.
    private var firstChildren = Slab<Int32>()
    private var children = Slab<Int32>()
    /// Pieces whose parents have all been replayed.
    private var ready = Slab<Int32>()
    /// The piece that was replayed last.
    private var lastPiece = -1
    /// The event that was replayed last.
    private(set) var last: LocalEvent = -1

    /// Pieces that a plan may have; the rows then take 1 MB.
    static let maximumPieceCount = 4096

    /// Begins without pieces.
    init() {}

    /// Cuts `events`, all of which descend from the event before them, or from nothing if they
    /// start at 0, and from nothing else outside.
    /// - Parameter cut: A place where no piece goes across.
    /// - Returns: Whether there are few enough pieces.
    mutating func prepare(
        of graph: EventGraph,
        events: Range<LocalEvent>,
        cut: LocalEvent
    ) -> Bool {
        end = events.upperBound
        starts.removeAll()
        let firstRun = graph.runIndex(of: events.lowerBound)
        let lastRun = graph.runIndex(of: events.upperBound - 1)
        if lastRun - firstRun >= ReplayPlan.maximumPieceCount { return false }
        let parentRange =
            graph.parentRange(ofRun: firstRun)
            .lowerBound..<graph.parentRange(ofRun: lastRun).upperBound
        var cuts = [cut]
        cuts.reserveCapacity(min(parentRange.count + 1, 4 * ReplayPlan.maximumPieceCount + 1))
        for index in parentRange {
            let parent = graph.parentPool[index]
            if parent >= events.lowerBound { cuts.append(parent + 1) }
        }
        if cuts.count > 4 * ReplayPlan.maximumPieceCount { return false }
        cuts.sort()
        var nextCut = 0
        for run in firstRun...lastRun {
            let whole = graph.events(ofRun: run)
            var start = max(whole.lowerBound, events.lowerBound)
            let runEnd = min(whole.upperBound, events.upperBound)
            starts.append(start)
            while nextCut < cuts.count, cuts[nextCut] < runEnd {
                if cuts[nextCut] > start {
                    start = cuts[nextCut]
                    starts.append(start)
                }
                nextCut += 1
            }
        }
        guard starts.count <= ReplayPlan.maximumPieceCount else { return false }
        connect(graph, firstRun: firstRun, base: events.lowerBound - 1)
        layOutChildren()
        return true
    }

    private mutating func connect(_ graph: EventGraph, firstRun: Int, base: LocalEvent) {
        let count = starts.count
        wordCount = (count + 63) / 64
        current.removeAll()
        current.append(repeating: 0, count: wordCount)
        histories.removeAll()
        histories.append(repeating: 0, count: rowStart(of: count))
        lastPiece = -1
        firstParents.removeAll()
        parents.removeAll()
        waiting.removeAll()
        ready.removeAll()
        var run = firstRun
        var runEvents = graph.events(ofRun: run)
        for piece in 0..<count {
            firstParents.append(Int32(parents.count))
            let first = parents.count
            while runEvents.upperBound <= starts[piece] {
                run += 1
                runEvents = graph.events(ofRun: run)
            }
            if starts[piece] > runEvents.lowerBound {
                if piece > 0 { parents.append(Int32(piece - 1)) }
            } else {
                for index in graph.parentRange(ofRun: run) {
                    let parent = graph.parentPool[index]
                    if parent > base {
                        parents.append(Int32(pieceIndex(holding: parent, before: piece)))
                    }
                }
            }
            let row = rowStart(of: piece)
            for index in first..<parents.count {
                let parentRow = rowStart(of: Int(parents[index]))
                for word in 0...(Int(parents[index]) >> 6) {
                    histories[row + word] |= histories[parentRow + word]
                }
            }
            histories[row + piece >> 6] |= 1 << UInt64(piece & 63)
            waiting.append(Int32(parents.count - first))
        }
        firstParents.append(Int32(parents.count))
    }

    /// Turns `parents` round.
    private mutating func layOutChildren() {
        firstChildren.removeAll()
        firstChildren.append(repeating: 0, count: starts.count + 1)
        for index in 0..<parents.count { firstChildren[Int(parents[index]) + 1] += 1 }
        for piece in 0..<starts.count { firstChildren[piece + 1] += firstChildren[piece] }
        children.removeAll()
        children.append(repeating: 0, count: parents.count)
        for piece in stride(from: starts.count - 1, through: 0, by: -1) {
            for index in firstParents[piece]..<firstParents[piece + 1] {
                // Filled from the back, which leaves each beginning where it belongs.
                let parent = Int(parents[index]) + 1
                firstChildren[parent] -= 1
                children[firstChildren[parent]] = Int32(piece)
            }
        }
    }

    /// Most parents are close, so the nearest pieces are looked at first.
    @inline(__always)
    private func pieceIndex(holding event: LocalEvent, before piece: Int) -> Int {
        var high = piece - 1
        for _ in 0..<min(8, piece) {
            if starts[high] <= event { return high }
            high -= 1
        }
        var low = 0
        while low < high {
            let middle = (low + high + 1) / 2
            if starts[middle] <= event { low = middle } else { high = middle - 1 }
        }
        return low
    }

    private func events(of piece: Int) -> Range<LocalEvent> {
        starts[piece]..<(piece + 1 < starts.count ? starts[piece + 1] : end)
    }
}

// MARK: - Walking

extension ReplayPlan {
    /// A step of a replay.
    enum Step {
        /// The events have no effect on the tracker's version any more.
        case retreat(Range<LocalEvent>)
        /// They have it again.
        case advance(Range<LocalEvent>)
        /// The version is at the parents of the first of these new events: apply them.
        case apply(Range<LocalEvent>)
    }

    /// Walks the pieces that lie in `events`; those before them have been walked.
    @inline(__always)
    mutating func walk(_ events: Range<LocalEvent>, _ perform: (Step) -> Void) {
        if events.isEmpty { return }
        for piece in 0..<starts.count
        where waiting[piece] == 0 && events.contains(starts[piece]) {
            ready.append(Int32(piece))
        }
        while let next = takeNearest() {
            move(to: next, perform)
            let chain = self.events(of: next)
            perform(.apply(chain))
            current[next >> 6] |= 1 << UInt64(next & 63)
            waiting[next] = -1
            lastPiece = next
            last = chain.upperBound - 1
            // The children of a piece begin where those of the next one begin, one back.
            for index in firstChildren[next + 1]..<endOfChildren(next) {
                let child = Int(children[index])
                waiting[child] -= 1
                if waiting[child] == 0 && starts[child] < events.upperBound {
                    ready.append(Int32(child))
                }
            }
        }
    }

    private func endOfChildren(_ piece: Int) -> Int32 {
        piece + 2 < firstChildren.count ? firstChildren[piece + 2] : Int32(children.count)
    }

    /// Takes the ready piece whose parents' version differs in the fewest pieces from the current
    /// one; of equals the one that came first.
    private mutating func takeNearest() -> Int? {
        if ready.count == 0 { return nil }
        var best = 0
        if ready.count > 1 {
            var least = Int.max
            for index in 0..<ready.count where follows(Int(ready[index])) {
                least = 0
                best = index
                break
            }
            for index in 0..<ready.count where least > 0 {
                let distance = distance(to: Int(ready[index]), limit: least)
                if distance < least || (distance == least && ready[index] < ready[best]) {
                    least = distance
                    best = index
                }
            }
        }
        let piece = Int(ready[best])
        ready.swapRemove(at: best)
        return piece
    }

    /// Whether a piece comes right after the last one that was replayed, and nothing else.
    @inline(__always)
    private func follows(_ piece: Int) -> Bool {
        let first = firstParents[piece]
        return firstParents[piece + 1] == first + 1 && Int(parents[first]) == lastPiece
    }

    /// Where in `histories` the row of a piece begins: 64 rows of each length come before those of
    /// the next.
    @inline(__always)
    private func rowStart(of piece: Int) -> Int {
        let word = piece >> 6
        return 32 * word * (word + 1) + (piece & 63) * (word + 1)
    }

    /// A word of the row of the version that a piece was made at.
    @inline(__always)
    private func target(of piece: Int, word: Int) -> UInt64 {
        var bits: UInt64 = 0
        for index in firstParents[piece]..<firstParents[piece + 1] {
            let parent = Int(parents[index])
            if word <= parent >> 6 { bits |= histories[rowStart(of: parent) + word] }
        }
        return bits
    }

    private func distance(to piece: Int, limit: Int) -> Int {
        var distance = 0
        for word in 0..<wordCount {
            distance += (target(of: piece, word: word) ^ current[word]).nonzeroBitCount
            if distance > limit { return distance }
        }
        return distance
    }

    @inline(__always)
    private mutating func move(to piece: Int, _ perform: (Step) -> Void) {
        // States are sums, so what is undone and redone may alternate.
        var retreat = OpenRange()
        var advance = OpenRange()
        for word in 0..<wordCount {
            let before = current[word]
            let row = target(of: piece, word: word)
            if row == before { continue }
            var bits = before & ~row
            while bits != 0 {
                let next = events(of: word << 6 + bits.trailingZeroBitCount)
                bits &= bits - 1
                if let done = retreat.extend(with: next) { perform(.retreat(done)) }
            }
            bits = row & ~before
            while bits != 0 {
                let next = events(of: word << 6 + bits.trailingZeroBitCount)
                bits &= bits - 1
                if let done = advance.extend(with: next) { perform(.advance(done)) }
            }
            current[word] = row
        }
        if let done = retreat.range { perform(.retreat(done)) }
        if let done = advance.range { perform(.advance(done)) }
    }

    /// Joins neighbours.
    private struct OpenRange {
        var range: Range<LocalEvent>?

        /// Adds a range after all others; returns what is finished by it.
        @inline(__always)
        mutating func extend(with next: Range<LocalEvent>) -> Range<LocalEvent>? {
            guard let before = range else {
                range = next
                return nil
            }
            if before.upperBound == next.lowerBound {
                range = before.lowerBound..<next.upperBound
                return nil
            }
            range = next
            return before
        }
    }
}
