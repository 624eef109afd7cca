import SennitReference
import SennitWire

@testable import SennitDocument

/// Histories for the tests of what is stored.
enum HistoryFixture {
    /// A history out of runs, in that order.
    static func history(_ runs: [OperationRun]) throws -> History {
        var history = History()
        for run in runs {
            let mark = history.mark
            _ = try history.add(run)
            history.coalesce(since: mark)
        }
        return history
    }

    /// A random history with changes of the map, unknown kinds, and operations without effect.
    static func random(seed: UInt64, shape: RandomGraph.Shape) throws -> History {
        var random = Seeded(seed: seed &+ 0x5EED)
        var graph = RandomGraph(seed: seed, shape: shape)
        var runs = graph.shuffled(using: &random)
        for author in 20..<23 {
            for index in 0..<3 {
                runs.append(
                    OperationRun(
                        start: Fixture.event(author, UInt64(index * 10 + random.below(3))),
                        parents: random.below(4) == 0 ? [] : [graph.anyVersion()[0]],
                        content: otherContent(&random)
                    )
                )
            }
        }
        var history = try history(runs)
        for index in 0..<history.operations.operationCount where random.below(9) == 0 {
            switch history.operations[index].kind {
            case .insert, .deleteForward, .deleteBackward: history.markVoid(operationIndex: index)
            default: break
            }
        }
        return history
    }

    private static func otherContent(_ random: inout Seeded) -> OperationRun.Content {
        let bytes = Array(random.text(limit: 9).utf8)
        let kinds: [UInt64] = [7, 8, 1 << 40, (1 << 62) - 1, 1 << 62, .max]
        return switch random.below(5) {
        case 0: .mapSet(key: .init(random.text(limit: 5)), value: bytes)
        case 1: .mapRemove(key: .init(random.text(limit: 5)))
        case 2: .gather
        case 3: .insert(position: (1 << 53) - 1 - random.below(3), text: "far")
        default:
            .unknown(
                kind: kinds[random.below(kinds.count)],
                container: random.below(2) == 0 ? 0 : random.next() >> UInt64(random.below(64)),
                eventCount: 1 + random.below(5),
                bytes: bytes
            )
        }
    }

    /// Every event on a line: its name, its parents, and what it does.
    static func lines(_ history: History) -> [String] {
        var lines: [String] = []
        for event in 0..<history.count {
            let index = history.operations.operationIndex(of: event)
            let whole = history.operations[index]
            let one = history.operations.piece(of: whole, event..<(event + 1))
            let parents = history.graph.parents(of: event).map { text(history.names.name(of: $0)) }
            let name = text(history.names.name(of: event))
            let void = one.isVoid ? "void " : ""
            let what = text(one, of: history)
            lines.append("\(name) after \(parents.joined(separator: ", ")): \(void)\(what)")
        }
        return lines
    }

    private static func text(_ name: EventID) -> String {
        "\(name.log.hex.suffix(4))/\(name.number)"
    }

    private static func text(_ one: OperationLog.Operation, of history: History) -> String {
        switch one.kind {
        case .insert:
            return
                "insert \(Hex.encode(Array(history.operations.pool[one.text]))) at \(one.position)"
        case .deleteForward, .deleteBackward:
            return "delete at \(one.position)"
        case .map:
            let change = history.operations.mapChanges[one.position]
            let value = change.value.map { "to " + Hex.encode($0) } ?? "to nothing"
            return "set \(Hex.encode(change.key)) \(value)"
        case .unknown:
            let unknown = history.operations.unknowns[one.position]
            return "kind \(unknown.kind) of \(unknown.container): \(Hex.encode(unknown.bytes))"
        case .gather:
            return "gather"
        }
    }

    /// The same chunk with nothing packed, so that changes of bytes reach the parser.
    static func unpacked(_ file: [UInt8]) throws -> [UInt8] {
        let start = 1 + Checksum.byteCount
        var headEnd = try ColumnSet.start(of: file, version: 1)
        _ = try HistoryChunk.Head(of: file, &headEnd)
        let cursor = ColumnCursor(headEnd.index..<file.count)
        let set = try ColumnSet(file, from: cursor, knownIDs: 0...63)
        return ColumnSet.file(
            version: file[0],
            head: Array(file[start..<headEnd.index]),
            columns: set.columns.map {
                .init(id: $0.id, isNeeded: $0.isNeeded, bytes: Array(set.bytes[$0.range]))
            },
            level: nil
        )
    }

    /// The bytes with the checksum that they should have.
    static func sealed(_ file: [UInt8]) -> [UInt8] {
        var file = file
        guard file.count >= 1 + Checksum.byteCount else { return file }
        let checksum = Checksum.of(file, from: 1 + Checksum.byteCount)
        for index in 0..<Checksum.byteCount {
            file[1 + index] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * index))
        }
        return file
    }

    /// Each byte changed in several ways, and each prefix, all with the right checksum.
    static func damaged(_ file: [UInt8], using random: inout Seeded) -> [[UInt8]] {
        var result: [[UInt8]] = []
        for index in file.indices {
            for change in [1, 2, 0x80, 0xFF, UInt8(random.below(255) + 1)] {
                var copy = file
                copy[index] ^= change
                result.append(sealed(copy))
            }
            result.append(sealed(Array(file[..<index])))
        }
        return result
    }
}
