import Foundation
import SennitWire
import Testing

@testable import SennitDocument

/// The current state of a document as bytes.
@Suite struct DocumentHeadTests {
    static func head(seed: UInt64) -> DocumentHead {
        var random = Seeded(seed: seed)
        let known = (0..<(1 + random.below(4))).map { log in
            var numbers: [Range<Int>] = []
            var end = random.below(3)
            for _ in 0..<(1 + random.below(3)) {
                let start = end + (numbers.isEmpty ? 0 : 1 + random.below(300))
                end = start + 1 + random.below(40)
                numbers.append(start..<end)
            }
            return DocumentHead.KnownEvents(log: Fixture.log(log), numbers: numbers)
        }
        let count = known.reduce(0) { $0 + $1.numbers.reduce(0) { $0 + $1.count } }
        func event(_ local: LocalEvent) -> DocumentHead.Event {
            let events = known[random.below(known.count)]
            let number = events.numbers[random.below(events.numbers.count)].lowerBound
            return .init(local: local, name: EventID(log: events.log, number: UInt64(number)))
        }
        let locals = Set((0..<random.below(3)).map { _ in random.below(count) } + [count - 1])
        let keys = Set((0..<random.below(6)).map { _ in Array(random.text(limit: 6).utf8) })
        let frontier = locals.sorted().map(event)
        let entries = keys.sorted { $0.lexicographicallyPrecedes($1) }.map { key in
            let events = Set((0...random.below(2)).map { _ in random.below(count) }).sorted()
            return DocumentHead.Entry(
                key: key,
                values: events.map {
                    .init(event: event($0), bytes: Array(random.text(limit: 9).utf8))
                }
            )
        }
        let containers: Set<UInt64> =
            random.below(2) == 0 ? [] : [0, random.next(), .max, UInt64(random.below(99))]
        return DocumentHead(
            eventCount: count,
            frontier: frontier,
            known: known,
            entries: entries,
            containersNeedingUpdate: containers.sorted(),
            text: Array(random.text(limit: 200).utf8)[...]
        )
    }

    private func expectSame(_ left: DocumentHead, _ right: DocumentHead, _ seed: UInt64) {
        #expect(left.eventCount == right.eventCount && left.text == right.text, "seed \(seed)")
        #expect(left.frontier == right.frontier && left.known == right.known, "seed \(seed)")
        #expect(left.entries == right.entries, "seed \(seed)")
        #expect(left.containersNeedingUpdate == right.containersNeedingUpdate, "seed \(seed)")
    }

    @Test func `a head is read as it was written`() throws {
        for seed in 0..<300 as Range<UInt64> {
            let head = Self.head(seed: seed)
            let bytes = head.encode()
            let read = try DocumentHead(decoding: bytes)
            expectSame(read, head, seed)
            #expect(read.encode() == bytes, "seed \(seed)")
        }
        let empty = DocumentHead(
            eventCount: 0,
            frontier: [],
            known: [],
            entries: [],
            containersNeedingUpdate: [],
            text: []
        )
        expectSame(try DocumentHead(decoding: empty.encode()), empty, 0)
    }

    @Test func `the example of the format is what is written`() {
        let log = Fixture.log(4)
        let head = DocumentHead(
            eventCount: 1,
            frontier: [.init(local: 0, name: EventID(log: log, number: 0))],
            known: [.init(log: log, numbers: [0..<1])],
            entries: [],
            containersNeedingUpdate: [],
            text: [0x61]
        )
        var expected: [UInt8] = [1, 0, 1, 3, 32] + log.bytes
        expected += [0, 1, 5, 3, 1, 0, 0] + [0, 1, 7, 3, 0, 0, 0] + [0, 1, 13, 1, 0x61]
        #expect(Array(head.encode().dropFirst(9)) == expected)
    }

    @Test func `a text is not copied`() throws {
        var head = Self.head(seed: 1)
        head.text = Array(repeating: 0x61, count: 100_000)[...]
        let bytes = head.encode()
        let text = try DocumentHead(decoding: bytes).text
        #expect(text.count == 100_000 && text.endIndex == bytes.count && text.startIndex > 0)
    }

    @Test func `any changed byte is an error or another head`() throws {
        for seed in 0..<6 as Range<UInt64> {
            var random = Seeded(seed: seed)
            let bytes = Self.head(seed: seed).encode()
            var (refusedCount, count) = (0, 0)
            for damaged in HistoryFixture.damaged(bytes, using: &random) {
                count += 1
                do throws(DocumentError) {
                    let read = try DocumentHead(decoding: damaged)
                    // Whatever is read is a head, so it can be written and read again.
                    expectSame(try DocumentHead(decoding: read.encode()), read, seed)
                } catch {
                    refusedCount += 1
                }
            }
            #expect(refusedCount > count / 4 && refusedCount < count, "seed \(seed)")
            for index in bytes.indices {
                var copy = bytes
                copy[index] ^= 0x10
                #expect(throws: DocumentError.self) { try DocumentHead(decoding: copy) }
            }
        }
    }

    @Test func `what does not fit together is refused`() throws {
        let fine = Self.head(seed: 2)
        func error(_ change: (inout DocumentHead) -> Void) -> Bool {
            var head = fine
            change(&head)
            do {
                _ = try DocumentHead(decoding: head.encode())
                return false
            } catch {
                return true
            }
        }
        let log = fine.known[0].log
        let strange = DocumentHead.Event(local: 0, name: EventID(log: log, number: 1 << 50))
        let value = DocumentHead.Value(event: fine.frontier[0], bytes: [])
        #expect(!error { _ in })
        #expect(error { $0.eventCount += 1 })
        #expect(error { $0.eventCount -= 1 })
        #expect(error { $0.frontier = [] })
        #expect(error { $0.frontier[$0.frontier.count - 1].local += 1 })
        #expect(error { $0.frontier.insert(strange, at: 0) })
        #expect(error { $0.known.reverse() } || fine.known.count == 1)
        #expect(error { $0.known[0].numbers = [0..<(1 << 60)] })
        #expect(error { $0.entries = [.init(key: [0xFF], values: [value])] })
        #expect(error { $0.entries = [.init(key: [1], values: [])] })
        #expect(error { $0.entries = [.init(key: [1], values: [value, value])] })
        #expect(
            error { $0.entries = [[2], [1]].map { .init(key: $0, values: [value]) } }
        )
        let long = [UInt8](repeating: 0x61, count: DocumentLimits.maximumKeyByteCount + 1)
        #expect(error { $0.entries = [.init(key: long, values: [value])] })
        #expect(error { $0.text = [0x61, 0xC3][...] })
        for (gap, isFine) in [(0, false), (1, true)] {
            let last = EventID(log: log, number: UInt64(1 + gap))
            let isRefused = error {
                $0.eventCount = 2
                $0.known = [.init(log: log, numbers: [0..<1, (1 + gap)..<(2 + gap)])]
                $0.frontier = [.init(local: 1, name: last)]
                $0.entries = []
            }
            #expect(isRefused != isFine, "two ranges of numbers \(gap) apart")
        }
    }

    @Test func `heads of this version are read for ever`() throws {
        let folder = URL(fileURLWithPath: Fixture.path("Vectors/documents"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        var count = 0
        for name in names where name.hasPrefix("head") {
            let vector = try StoredVector(path: folder.appendingPathComponent(name).path)
            let head = try DocumentHead(decoding: try #require(vector.files.first))
            #expect(Self.lines(head) == vector.lines, "\(name)")
            count += 1
        }
        #expect(count >= 2)
    }

    /// Everything in a head, on lines.
    static func lines(_ head: DocumentHead) -> [String] {
        func text(_ event: DocumentHead.Event) -> String {
            "\(event.local) = \(event.name.log.hex.suffix(4))/\(event.name.number)"
        }
        var lines = ["events \(head.eventCount)"]
        lines += head.frontier.map { "frontier \(text($0))" }
        for known in head.known {
            lines += known.numbers.map { "known \(known.log.hex.suffix(4))/\($0)" }
        }
        for entry in head.entries {
            for value in entry.values {
                let bytes = Hex.encode(value.bytes)
                lines.append("key \(Hex.encode(entry.key)) is \(bytes) by \(text(value.event))")
            }
        }
        lines += head.containersNeedingUpdate.map { "update \($0)" }
        lines.append("text \(Hex.encode(Array(head.text)))")
        return lines
    }
}
