#if PostgreSQL
import Foundation
import SennitWire
import Testing

@testable import RelayPostgres

struct NodeMessageTests {
    private let node = [UInt8](repeating: 1, count: 16)
    private let other = [UInt8](repeating: 2, count: 16)

    private func messages(_ payload: String) -> [NodeMessage] {
        NodeMessage.messages(payload, for: other)
    }

    private func sample(_ number: Int) -> NodeMessage {
        let log = FakeLog(number)
        switch number % 3 {
        case 0: return .changed(log.space)
        case 1:
            return .said(log.space, [UInt8](repeating: UInt8(number % 251), count: number % 900))
        default:
            let first = UInt64(number) << 20
            return .grew(space: log.space, log: log.id, first: first, end: first + 3)
        }
    }

    @Test func `what is told is heard, in payloads that PostgreSQL takes`() {
        let messages = (0..<400).map(sample) + [.look]
        let payloads = NodeMessage.payloads(messages, from: node)
        #expect(payloads.allSatisfy { $0.utf8.count < 8000 })
        #expect(payloads.flatMap(self.messages) == messages)
        // A relay hears itself, and listens to the others.
        #expect(payloads.flatMap { NodeMessage.messages($0, for: node) } == [])
    }

    @Test func `what can't be read is left out and what came before it counts`() {
        #expect(messages("not base64 at all") == [])
        #expect(messages(String(repeating: "A", count: 9000)) == [])
        var bytes = [UInt8](
            Data(base64Encoded: NodeMessage.payloads([.look, sample(2)], from: node)[0]) ?? Data()
        )
        bytes.removeLast()
        #expect(messages(Data(bytes).base64EncodedString()) == [.look])
        #expect(messages(Data(node + [4, 9, 4]).base64EncodedString()) == [.look])
    }

    @Test func `random payloads are survived`() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<5000 {
            let count = Int(random.next() % 200)
            let kind = UInt8(random.next() % 6)
            let bytes =
                node + [kind] + (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            for message in messages(Data(bytes).base64EncodedString()) {
                if case .said(_, let said) = message {
                    #expect(said.count <= Limits.maximumPresenceByteCount)
                }
            }
        }
    }
}
#endif
