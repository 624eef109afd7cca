import SennitWire
import Testing

@testable import SennitDocument

@Suite struct PackedEventsTests {
    @Test(arguments: UInt64(1)...20)
    func `packed events are those that were given`(seed: UInt64) {
        var random = Seeded(seed: seed)
        let known = (0..<random.below(6)).map { log in
            var numbers: [Range<Int>] = []
            var end = random.below(3)
            for _ in 0...random.below(random.below(2) == 0 ? 3 : 300) {
                let start = end + (numbers.isEmpty ? 0 : 1 + random.below(200))
                end = start + 1 + random.below(20)
                numbers.append(start..<end)
            }
            return DocumentHead.KnownEvents(log: Fixture.log(2 * log), numbers: numbers)
        }
        let packed = PackedEvents(known)
        #expect(packed.unpacked == known, "seed \(seed)")
        for log in 0...12 {
            let numbers = known.first { $0.log == Fixture.log(log) }?.numbers ?? []
            for _ in 0..<200 {
                let start = random.below((numbers.last?.upperBound ?? 10) + 5)
                let wanted = start..<(start + 1 + random.below(30))
                let isHere = numbers.contains { $0.overlaps(wanted) }
                #expect(
                    packed.contains(anyOf: wanted, of: Fixture.log(log)) == isHere,
                    "seed \(seed), log \(log), \(wanted)"
                )
            }
            #expect(packed.contains(anyOf: 0..<Int.max, of: Fixture.log(log)) == !numbers.isEmpty)
        }
    }

    @Test func `many authors take little more than their names`() {
        let known = (0..<400).map {
            DocumentHead.KnownEvents(log: Fixture.log($0), numbers: [0..<9])
        }
        #expect(PackedEvents(known).byteCount < 400 * (Bytes32.byteCount + 8))
    }
}

@Suite struct FarKeyTests {
    @Test(arguments: UInt64(1)...20)
    func `keys are found however far apart they are`(seed: UInt64) {
        var random = Seeded(seed: seed)
        var index = KeyIndex(key: 0, handle: 0)
        var keys = [0]
        for handle in 1..<600 {
            let near = keys[random.below(keys.count)]
            let key: Int
            switch random.below(4) {
            case 0: key = near + 1
            case 1: key = near + random.below(1 << 20)
            case 2: key = random.below(1 << 47)
            default: key = (keys.max() ?? 0) + 1 + random.below(1 << 33)
            }
            if keys.contains(key) { continue }
            index.insert(key, Int32(handle))
            keys.append(key)
        }
        let sorted = keys.sorted()
        #expect(index.sequence.map(\.key) == sorted, "seed \(seed)")
        for (ordinal, key) in sorted.enumerated() {
            let place = index.place(of: key)
            let handle = index.handle(at: place)
            #expect(handle == index.sequence[ordinal].handle, "seed \(seed), key \(key)")
            let next = index.successor(of: place).map { index.handle(at: $0) }
            let expected = ordinal + 1 < sorted.count ? index.sequence[ordinal + 1].handle : nil
            #expect(next == expected, "seed \(seed), key \(key)")
            if ordinal + 1 < sorted.count, sorted[ordinal + 1] > key + 1 {
                #expect(index.handle(at: index.place(of: key + 1)) == handle, "seed \(seed)")
            }
        }
    }

    @Test func `an operation is found from any hint`() {
        var log = OperationLog()
        var starts: [Int] = []
        for length in [1, 7, 1, 1, 30, 2, 5, 1, 1, 90, 3] {
            starts.append(log.count)
            log.append(deleted: 5..<(5 + length), isBackward: length > 1)
        }
        for event in 0..<log.count {
            let expected = log.operationIndex(of: event)
            #expect(expected == starts.lastIndex { $0 <= event })
            for hint in -3..<20 { #expect(log.operationIndex(of: event, near: hint) == expected) }
        }
    }
}
