import SennitReference
import SennitWire
import Testing

@testable import SennitDocument

/// Bytes that are no chunk are refused with an error, and change nothing.
@Suite struct HistoryChunkRefusalTests {
    private typealias ID = HistoryChunk.ColumnID

    /// Small histories with everything in them.
    private static func files(seed: UInt64) throws -> [(before: History, bytes: [UInt8])] {
        let shape = RandomGraph.Shape.all[Int(seed) % 3]
        let history = try HistoryFixture.random(seed: seed, shape: shape)
        let middle = history.count / 2
        var before = History()
        try HistoryChunk.append(HistoryChunk.encode(history, events: 0..<middle), to: &before)
        var files: [(History, [UInt8])] = []
        for (start, events) in [
            (History(), 0..<history.count), (before, middle..<history.count),
        ] {
            let bytes = HistoryChunk.encode(history, events: events)
            files.append((start, bytes))
            files.append((start, try HistoryFixture.unpacked(bytes)))
        }
        return files
    }

    /// Reads bytes; they make a sound history or leave the one before.
    private static func read(_ bytes: [UInt8], after before: History) -> DocumentError? {
        var history = before
        do {
            try HistoryChunk.append(bytes, to: &history)
            history.checkInvariants()
            #expect(history.count > before.count)
            let again = HistoryChunk.encode(history, events: before.count..<history.count)
            var copy = before
            #expect(throws: Never.self) { try HistoryChunk.append(again, to: &copy) }
            #expect(copy.count == history.count)
            return nil
        } catch {
            history.checkInvariants()
            #expect(history.count == before.count && history.names.logs == before.names.logs)
            #expect(history.operations.pool.count == before.operations.pool.count)
            #expect(history.operations.mapChanges.count == before.operations.mapChanges.count)
            #expect(history.graph.frontier == before.graph.frontier)
            return error
        }
    }

    @Test(arguments: [0, 1, 2, 3] as [UInt64])
    func `any changed byte is an error or another history`(seed: UInt64) throws {
        var random = Seeded(seed: seed)
        var (refusedCount, count) = (0, 0)
        for (before, bytes) in try Self.files(seed: seed) {
            #expect(Self.read(bytes, after: before) == nil)
            for damaged in HistoryFixture.damaged(bytes, using: &random) {
                count += 1
                refusedCount += Self.read(damaged, after: before) == nil ? 0 : 1
            }
        }
        // Other texts and other positions are histories too; most else is not.
        #expect(refusedCount > count / 3 && refusedCount < count, "\(refusedCount) of \(count)")
    }

    @Test func `damage is found by the checksum`() throws {
        for (before, bytes) in try Self.files(seed: 4) {
            for index in bytes.indices {
                var copy = bytes
                copy[index] ^= 1
                #expect(Self.read(copy, after: before) != nil, "byte \(index)")
            }
            #expect(Self.read(bytes + [0], after: before) != nil)
        }
    }

    @Test func `a chunk follows the one before it`() throws {
        let history = try HistoryFixture.random(seed: 1, shape: RandomGraph.Shape.all[0])
        let bytes = HistoryChunk.encode(history, events: 3..<history.count)
        let error = try #require(Self.read(bytes, after: History()))
        let reason = "a chunk from event 3 on, where 0 comes next"
        #expect(error == .malformed(.invalid(reason: reason, byteOffset: 9)))
        var twice = history
        let whole = HistoryChunk.encode(history, events: 0..<history.count)
        #expect(throws: DocumentError.self) { try HistoryChunk.append(whole, to: &twice) }
    }

    // MARK: Written by hand

    /// One author inserts "hi": columns that can be replaced.
    private static func columns(
        replacing other: [Int: [UInt8]] = [:]
    ) -> [ColumnSet.NewColumn] {
        var columns: [Int: [UInt8]] = [
            ID.logs: Fixture.log(0).bytes, ID.nameLogs: [1], ID.nameNumbers: [0],
            ID.parentCounts: [0], ID.heads: [1 << 3], ID.text: Array("hi".utf8),
        ]
        columns.merge(other) { $1 }
        return columns.sorted { $0.key < $1.key }.map { .init(id: $0.key, bytes: $0.value) }
    }

    private static func error(
        _ columns: [ColumnSet.NewColumn],
        head: [UInt8] = [0, 2, 0]
    ) -> DocumentError? {
        let file = ColumnSet.file(version: 1, head: head, columns: columns, level: nil)
        return read(file, after: History())
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        writer.writeVarint(value)
        return writer.bytes
    }

    @Test func `numbers that no history has are refused`() throws {
        #expect(Self.error(Self.columns()) == nil)
        let huge: [UInt64] = [
            .max, 1 << 63, (1 << 63) - 1, 1 << 62, (1 << 62) - 1, 1 << 53, 1 << 48,
        ]
        for number in huge {
            let value = Self.varint(number)
            #expect(Self.error(Self.columns(), head: value + [2, 0]) != nil)
            #expect(Self.error(Self.columns(), head: [0] + value + [0]) != nil)
            // Half of it is the number of an event, and there are numbers up to 2^53.
            let names = number > 1 << 53 ? [ID.nameNumbers] : []
            for id in [ID.nameLogs, ID.parentCounts] + names {
                #expect(Self.error(Self.columns(replacing: [id: value])) != nil)
            }
            for id in [ID.nameEnds, ID.graphEnds, ID.nameInsides, ID.parentRuns, ID.parentGaps] {
                let two = [ID.nameLogs: [1, 1] as [UInt8], ID.nameNumbers: [0, 0]]
                let columns = two.merging([ID.parentCounts: [0, 2], id: value]) { $1 }
                #expect(Self.error(Self.columns(replacing: columns)) != nil)
            }
            for head: UInt8 in [8 | 4, 8 | 5, 8 | 6] {
                let columns = Self.columns(replacing: [ID.heads: [head], ID.moves: value])
                #expect(Self.error(columns) != nil)
            }
            #expect(
                Self.error(Self.columns(replacing: [ID.heads: [31 << 3], ID.counts: value])) != nil
            )
        }
    }

    @Test func `names, parents and texts must fit`() throws {
        let cases: [(String, [Int: [UInt8]])] = [
            ("a log that is not used", [ID.logs: Fixture.log(0).bytes + Fixture.log(1).bytes]),
            ("half a log", [ID.logs: Array(Fixture.log(0).bytes.dropLast())]),
            ("no log", [ID.logs: []]),
            ("a text too long", [ID.text: Array("his".utf8)]),
            ("a text too short", [ID.text: Array("h".utf8)]),
            ("no UTF-8", [ID.text: [0x68, 0xC3]]),
            ("half a scalar for an event", [ID.text: [0xC3, 0xA9]]),
            ("an event before the first", [ID.parentCounts: [1]]),
            (
                "a parent before the first",
                [ID.parentCounts: [2], ID.parentRuns: [0], ID.parentGaps: [0]]
            ),
            ("more operations than events", [ID.heads: [8, 8]]),
            ("fewer operations than events", [ID.heads: [0]]),
            ("a kind that is none", [ID.heads: [8 | 3], ID.kinds: [0, 0]]),
            ("a kind that has a shape", [ID.heads: [8 | 3], ID.kinds: [2]]),
            (
                "two events in one set",
                [ID.heads: [8 | 3], ID.kinds: [8], ID.keys: [0], ID.values: [0]]
            ),
            ("a column too many", [ID.moves: [1]]),
            ("a varint that is not canonical", [ID.nameNumbers: [0x80, 0]]),
        ]
        for (what, columns) in cases {
            #expect(Self.error(Self.columns(replacing: columns)) != nil, "\(what)")
        }
        let twice: [Int: [UInt8]] = [
            ID.nameLogs: [1, 1], ID.nameNumbers: [0, 1], ID.heads: [0, 0], ID.nameEnds: [2],
        ]
        #expect(Self.error(Self.columns(replacing: twice)) != nil, "one name for two events")
        var logTwice = twice
        logTwice[ID.logs] = Fixture.log(0).bytes + Fixture.log(0).bytes
        logTwice[ID.nameLogs] = [1, 2]
        logTwice[ID.nameNumbers] = [0, 0]
        #expect(Self.error(Self.columns(replacing: logTwice)) != nil, "a log twice")
    }

    @Test func `a parent that is an ancestor of another is refused`() throws {
        // Three runs of one event; the last follows the second and, through it, the first.
        var columns: [Int: [UInt8]] = [
            ID.heads: [0, 0, 0], ID.text: Array("abc".utf8), ID.graphEnds: [2, 2],
            ID.parentCounts: [0, 2, 4], ID.parentRuns: [0, 1, 0], ID.parentGaps: [0, 0, 0],
        ]
        #expect(Self.error(Self.columns(replacing: columns), head: [0, 3, 0]) != nil)
        columns[ID.parentCounts] = [0, 0, 4]
        columns[ID.parentRuns] = [1, 0]
        columns[ID.parentGaps] = [0, 0]
        #expect(Self.error(Self.columns(replacing: columns), head: [0, 3, 0]) == nil)
    }

    @Test func `what an older version cannot read asks for an update`() throws {
        func field(_ error: DocumentError?) -> String? {
            guard case .malformed(.unknown(let field, _, _)) = error else { return nil }
            return field
        }
        let kept = ColumnSet.NewColumn(id: 41, isNeeded: false, bytes: [1])
        #expect(Self.error(Self.columns() + [kept]) == nil)
        let needed = ColumnSet.NewColumn(id: 41, bytes: [1])
        #expect(field(Self.error(Self.columns() + [needed])) == "column")
        #expect(field(Self.error(Self.columns(replacing: [ID.containers: [9, 1]]))) == "container")
        #expect(field(Self.error(Self.columns(), head: [0, 2, 2])) == "options")
        var file = ColumnSet.file(version: 2, head: [0, 2, 0], columns: Self.columns(), level: 3)
        #expect(field(Self.read(file, after: History())) == "version")
        file = ColumnSet.file(version: 1, head: [0, 2, 0, 2], columns: [], level: nil)
        #expect(field(Self.read(file, after: History())) == "method")
    }
}
