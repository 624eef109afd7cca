import SennitWire
import Testing

@testable import RelayCore

struct AppendGateTests {
    private let requests: [AppendRun]
    private var gate = AppendGate()
    private let refusal = Refusal(code: .badHead, reason: "")

    init() {
        let founder = TestDevice(1)
        let space = founder.genesis().spaceID
        var log = TestLog(founder, space)
        requests = (0..<6).map { _ in
            log.run(log.add(count: 1), of: founder)
        }
    }

    /// Settles a check of a run of one.
    private func settle(_ gate: inout AppendGate, _ number: UInt64, isGood: Bool = true)
        -> [AppendGate.Step]
    {
        gate.settle(number, refused: isGood ? [] : [0], refusal)
    }

    @Test mutating func `what needs no check passes at once`() {
        #expect(gate.take(requests[0], isToBeChecked: false) == [.submit(requests[0])])
        #expect(gate.take(requests[1], isToBeChecked: false) == [.submit(requests[1])])
    }

    @Test mutating func `an append waits for the one before it that is being checked`() {
        #expect(gate.take(requests[0], isToBeChecked: true) == [.check(requests[0], number: 0)])
        #expect(gate.take(requests[1], isToBeChecked: false) == [])
        let steps = settle(&gate, 0)
        #expect(steps == [.submit(requests[0]), .submit(requests[1])])
        #expect(gate.take(requests[2], isToBeChecked: false) == [.submit(requests[2])])
    }

    @Test mutating func `a refused append lets those behind it pass`() {
        _ = gate.take(requests[0], isToBeChecked: true)
        _ = gate.take(requests[1], isToBeChecked: false)
        let steps = settle(&gate, 0, isGood: false)
        #expect(steps == [.refuse(requests[0], refusal), .submit(requests[1])])
    }

    @Test mutating func `what is refused of a run leaves the rest of it in order`() {
        let founder = TestDevice(1)
        var log = TestLog(founder, founder.genesis().spaceID)
        var run = log.run(log.add(count: 1), of: founder)
        for _ in 1..<5 {
            let range = PackedRange(log.add(count: 1))
            let isTaken = run.extend(log.id, with: AppendRun.Append(range, after: run.head))
            #expect(isTaken)
        }
        _ = gate.take(run, isToBeChecked: true)
        #expect(
            gate.settle(0, refused: [1, 2], refusal) == [
                .submit(run.part(0..<1)), .refuse(run.part(1..<2), refusal),
                .refuse(run.part(2..<3), refusal), .submit(run.part(3..<5)),
            ]
        )
        #expect(run.part(1..<3).byteCount == 16)
    }

    @Test mutating func `verdicts may come in any order and each comes once`() {
        _ = gate.take(requests[0], isToBeChecked: true)
        #expect(gate.take(requests[1], isToBeChecked: true) == [.check(requests[1], number: 1)])
        let after1 = settle(&gate, 1, isGood: false)
        #expect(after1 == [])
        let after7 = settle(&gate, 7)
        #expect(after7 == [])
        let steps = settle(&gate, 0)
        #expect(steps == [.submit(requests[0]), .refuse(requests[1], refusal)])
        let after0 = settle(&gate, 0)
        #expect(after0 == [])
        let afterAll = settle(&gate, 1)
        #expect(afterAll == [])
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `everything leaves once and in order`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var gate = AppendGate()
        var open: [UInt64] = []
        var out: [AppendRun] = []
        var rest = requests[...]
        func take(_ steps: [AppendGate.Step]) {
            for step in steps {
                switch step {
                case .check(_, let number): open.append(number)
                case .submit(let request), .refuse(let request, _): out.append(request)
                }
            }
        }
        while !rest.isEmpty || !open.isEmpty {
            if !rest.isEmpty, open.isEmpty || Bool.random(using: &random) {
                let isToBeChecked = Bool.random(using: &random)
                take(gate.take(rest.removeFirst(), isToBeChecked: isToBeChecked))
            } else {
                open.shuffle(using: &random)
                let isGood = Bool.random(using: &random)
                take(settle(&gate, open.removeLast(), isGood: isGood))
            }
        }
        #expect(out == requests, "seed \(seed)")
    }
}
