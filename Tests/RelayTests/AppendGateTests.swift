import SennitWire
import Testing

@testable import RelayCore

struct AppendGateTests {
    private let requests: [AppendRequest]
    private var gate = AppendGate()
    private let refusal = Refusal(code: .badHead, reason: "")

    init() {
        let founder = TestDevice(1)
        let space = founder.genesis().spaceID
        var log = TestLog(founder, space)
        requests = (0..<6).map { _ in
            let range = log.add(count: 1)
            return AppendRequest(
                space: space,
                device: founder.key,
                log: log.id,
                range: range,
                hashes: [],
                byteCount: 8
            )
        }
    }

    @Test mutating func `what needs no check passes at once`() {
        #expect(gate.take(requests[0], isToBeChecked: false) == [.submit(requests[0])])
        #expect(gate.take(requests[1], isToBeChecked: false) == [.submit(requests[1])])
    }

    @Test mutating func `an append waits for the one before it that is being checked`() {
        #expect(gate.take(requests[0], isToBeChecked: true) == [.check(requests[0], number: 0)])
        #expect(gate.take(requests[1], isToBeChecked: false) == [])
        let steps = gate.settle(0, refusal: nil)
        #expect(steps == [.submit(requests[0]), .submit(requests[1])])
        #expect(gate.take(requests[2], isToBeChecked: false) == [.submit(requests[2])])
    }

    @Test mutating func `a refused append lets those behind it pass`() {
        _ = gate.take(requests[0], isToBeChecked: true)
        _ = gate.take(requests[1], isToBeChecked: false)
        let steps = gate.settle(0, refusal: refusal)
        #expect(steps == [.refuse(requests[0], refusal), .submit(requests[1])])
    }

    @Test mutating func `verdicts may come in any order and each comes once`() {
        _ = gate.take(requests[0], isToBeChecked: true)
        #expect(gate.take(requests[1], isToBeChecked: true) == [.check(requests[1], number: 1)])
        #expect(gate.settle(1, refusal: refusal) == [])
        #expect(gate.settle(7, refusal: nil) == [])
        let steps = gate.settle(0, refusal: nil)
        #expect(steps == [.submit(requests[0]), .refuse(requests[1], refusal)])
        #expect(gate.settle(0, refusal: nil) == [])
        #expect(gate.settle(1, refusal: nil) == [])
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `everything leaves once and in order`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var gate = AppendGate()
        var open: [UInt64] = []
        var out: [AppendRequest] = []
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
                take(gate.settle(open.removeLast(), refusal: isGood ? nil : refusal))
            }
        }
        #expect(out == requests, "seed \(seed)")
    }
}
