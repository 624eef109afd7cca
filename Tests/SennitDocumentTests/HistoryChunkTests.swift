import Foundation
import SennitReference
import SennitWire
import Testing

@testable import SennitDocument

/// What is written is read again, whatever the history and wherever it is cut.
@Suite struct HistoryChunkTests {
    @Test(arguments: RandomGraph.Shape.all)
    func `a random history is read as it was written`(_ shape: RandomGraph.Shape) throws {
        for seed in 0..<(shape.hugeTextLimit > 0 ? 4 : 30) as Range<UInt64> {
            let history = try HistoryFixture.random(seed: seed, shape: shape)
            let bytes = HistoryChunk.encode(history, events: 0..<history.count)
            var read = History()
            let kept = try HistoryChunk.append(bytes, to: &read)
            read.checkInvariants()
            #expect(kept.isEmpty, "seed \(seed)")
            #expect(
                HistoryFixture.lines(read) == HistoryFixture.lines(history),
                "seed \(seed)"
            )
            let again = HistoryChunk.encode(read, events: 0..<read.count)
            #expect(again == bytes, "seed \(seed)")
            #expect(try HistoryChunk.events(of: bytes) == 0..<history.count, "seed \(seed)")
        }
    }

    @Test(arguments: RandomGraph.Shape.all)
    func `chunks cut anywhere make the whole`(_ shape: RandomGraph.Shape) throws {
        for seed in 100..<(shape.hugeTextLimit > 0 ? 103 : 120) as Range<UInt64> {
            var random = Seeded(seed: seed)
            let history = try HistoryFixture.random(seed: seed, shape: shape)
            var read = History()
            while read.count < history.count {
                let limit = max(2, history.count / 4)
                let end = min(history.count, read.count + 1 + random.below(limit))
                let bytes = HistoryChunk.encode(
                    history,
                    events: read.count..<end,
                    effort: random.below(2) == 0 ? .quick : .thorough
                )
                try HistoryChunk.append(bytes, to: &read)
                read.checkInvariants()
            }
            #expect(
                HistoryFixture.lines(read) == HistoryFixture.lines(history),
                "seed \(seed)"
            )
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `what is new is written without what is old`(seed: UInt64) throws {
        var random = Seeded(seed: seed)
        let shape = RandomGraph.Shape.all[Int(seed) % RandomGraph.Shape.all.count]
        var whole = try HistoryFixture.random(seed: seed, shape: shape)
        let offset = whole.count
        let baseFrontier = whole.graph.frontier
        var recent = History()
        var tips: [[LocalEvent]] = [baseFrontier, baseFrontier]
        for number in 0..<12 {
            // Two people who go on from what is old, and now and then from each other.
            let author = random.below(2)
            var parents = tips[author]
            if random.below(3) == 0, tips[0] != baseFrontier, tips[1] != baseFrontier {
                parents = whole.graph.dominators(of: tips[0] + tips[1])
            }
            let event = whole.count
            let text = Array(random.text(limit: 2).utf8) + [0x61]
            let scalars = TextCounts(text[...]).scalars
            for (isWhole, shift) in [(true, 0), (false, offset)] {
                var history = isWhole ? whole : recent
                let local = parents == baseFrontier && !isWhole ? [] : parents.map { $0 - shift }
                history.appendNames(
                    log: Fixture.log(100 + author),
                    number: number * 10,
                    count: scalars
                )
                history.appendToGraph(count: scalars, parents: local)
                history.fill { (_, _, operations) throws(Never) in
                    operations.append(inserted: text[...], scalarCount: scalars, at: number)
                }
                if isWhole { whole = history } else { recent = history }
            }
            tips[author] = [event + scalars - 1]
        }
        let expected = HistoryChunk.encode(whole, events: offset..<whole.count)
        let bytes = HistoryChunk.encode(
            recent,
            events: 0..<recent.count,
            offset: offset,
            baseFrontier: baseFrontier
        )
        #expect(bytes == expected)
        var read = History()
        try HistoryChunk.append(HistoryChunk.encode(whole, events: 0..<offset), to: &read)
        try HistoryChunk.append(bytes, to: &read)
        read.checkInvariants()
        #expect(HistoryFixture.lines(read) == HistoryFixture.lines(whole))
    }

    @Test func `real histories take few bytes`() throws {
        let limits = [
            ("friendsforever", 18_600, 18_400), ("automerge-paper", 66_000, 63_500),
            ("git-makefile", 101_500, 96_500),
        ]
        for (name, quickLimit, thoroughLimit) in limits {
            guard let trace = try Fixture.trace(name) else { continue }
            let history = try HistoryFixture.history(trace.operations().map(Fixture.run))
            for (effort, limit) in [
                (HistoryChunk.Effort.quick, quickLimit), (.thorough, thoroughLimit),
            ] {
                let bytes = HistoryChunk.encode(
                    history,
                    events: 0..<history.count,
                    effort: effort
                )
                #expect(bytes.count < limit, "\(name)")
                var read = History()
                try HistoryChunk.append(bytes, to: &read)
                read.checkInvariants()
                #expect(read.operations.pool == history.operations.pool)
                #expect(read.graph.parentPool == history.graph.parentPool)
                #expect(HistoryChunk.encode(read, events: 0..<read.count, effort: effort) == bytes)
            }
        }
    }

    @Test func `text that is pasted again costs next to nothing`() throws {
        // A program of 60 kB that is cut and pasted elsewhere, whole or in part: 1 MB in all.
        var random = Seeded(seed: 3)
        let words = (0..<900).map { _ in
            String(
                (0..<(2 + random.below(8))).map { _ in
                    Character(["e", "t", "a", "o", "n", "_"][random.below(6)])
                }
            )
        }
        var program: [String] = []
        while program.reduce(0, { $0 + $1.utf8.count }) < 60_000 {
            program.append(
                (0..<8).map { _ in words[random.below(900)] }.joined(separator: " ") + "\n"
            )
        }
        var document = Document()
        var number: UInt64 = 0
        var insertedCount = 0
        func change(_ range: Range<Int>, _ text: String) throws {
            let patch = Patch(range: range, text: text)
            let runs = try document.edit([patch], author: Fixture.log(0), firstEvent: number)
            number += runs.reduce(0) { $0 + UInt64($1.eventCount) }
            insertedCount += text.utf8.count
        }
        try change(0..<0, program.joined())
        while insertedCount < 1_000_000 {
            let low = random.below(program.count)
            let high = min(program.count, low + 1 + random.below(400))
            let start = program[..<low].reduce(0) { $0 + $1.utf8.count }
            let cut = Array(program[low..<high])
            try change(start..<(start + cut.joined().utf8.count), "")
            program.removeSubrange(low..<high)
            let place = random.below(program.count + 1)
            let position = program[..<place].reduce(0) { $0 + $1.utf8.count }
            program.insert(contentsOf: cut, at: place)
            try change(position..<position, cut.joined())
        }
        let history = document.history
        #expect(history.operations.pool.count >= 1_000_000)
        let bytes = HistoryChunk.encode(history, events: 0..<history.count)
        let once = Zstd.compress(Array(history.operations.pool.prefix(60_000)), level: 9)
        #expect(bytes.count < once.count + 8_000, "\(bytes.count) for \(once.count)")
        #expect(bytes.count < 80_000)
    }

    @Test func `a column that only a newer version knows is carried along`() throws {
        let shape = RandomGraph.Shape.all[0]
        let history = try HistoryFixture.random(seed: 5, shape: shape)
        let middle = history.count / 2
        let first = HistoryChunk.KeptColumn(events: 0..<middle, id: 40, bytes: [1, 2, 3])
        let second = HistoryChunk.KeptColumn(
            events: middle..<history.count,
            id: 40,
            bytes: Array(repeating: 7, count: 3000)
        )
        let chunks = [
            HistoryChunk.encode(history, events: first.events, keeping: [first]),
            HistoryChunk.encode(history, events: second.events, keeping: [second]),
        ]
        var read = History()
        let kept = try chunks.flatMap { try HistoryChunk.append($0, to: &read) }
        #expect(kept == [first, second])
        #expect(HistoryChunk.encode(read, events: second.events, keeping: [second]) == chunks[1])
        let joined = HistoryChunk.encode(read, events: 0..<read.count, keeping: kept)
        var again = History()
        #expect(try HistoryChunk.append(joined, to: &again) == kept)
        #expect(HistoryChunk.encode(read, events: second.events, keeping: kept) == chunks[1])
    }

    @Test func `the example of the format is what is written`() throws {
        // Thirty-two bytes in which zstd finds nothing, as in those of real logs.
        let log = try #require(LogID((0..<32).map { UInt8($0 * 37 & 0xFF) }))
        let history = try HistoryFixture.history([
            Fixture.insert("hi", at: 0, EventID(log: log, number: 0)),
            Fixture.delete(
                1..<2,
                EventID(log: log, number: 2),
                after: [EventID(log: log, number: 1)]
            ),
        ])
        let file = HistoryChunk.encode(history, events: 0..<3)
        let columns: [UInt8] = [
            // Head; one frame, as it is, of six columns: tag and length of each; what they hold.
            0, 3, 0, 0, 6, 3, 32, 9, 1, 11, 1, 17, 1, 23, 2, 33, 2,
        ]
        #expect(Array(file.dropFirst(9)) == columns + log.bytes + [1, 0, 0, 8, 2, 0x68, 0x69])
    }

    @Test func `chunks of this version are read for ever`() throws {
        let folder = URL(fileURLWithPath: Fixture.path("Vectors/documents"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        var count = 0
        for name in names where name.hasPrefix("chunk") {
            let vector = try StoredVector(path: folder.appendingPathComponent(name).path)
            var history = History()
            for bytes in vector.files { try HistoryChunk.append(bytes, to: &history) }
            history.checkInvariants()
            #expect(HistoryFixture.lines(history) == vector.lines, "\(name)")
            count += 1
        }
        #expect(count >= 4)
    }
}

/// A file of Tests/Vectors/documents: `bytes: ` in hexadecimal, and `is: ` what must come out.
struct StoredVector {
    private(set) var files: [[UInt8]] = []
    private(set) var lines: [String] = []

    init(path: String) throws {
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            if line.hasPrefix("bytes: ") {
                files.append(try #require(Hex.decode(String(line.dropFirst(7)))))
            } else if line.hasPrefix("is: ") {
                lines.append(String(line.dropFirst(4)))
            } else {
                #expect(line.hasPrefix("#"), "\(line)")
            }
        }
    }
}
