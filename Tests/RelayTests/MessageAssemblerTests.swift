import NIOCore
import NIOWebSocket
import SennitWire
import Testing

@testable import RelayCore

struct MessageAssemblerTests {
    static let mask: WebSocketMaskingKey = [1, 0x80, 0xFF, 7]
    private var assembler = MessageAssembler(maximumFragmentCount: 4)

    private static func frame(
        _ opcode: WebSocketOpcode,
        _ bytes: [UInt8],
        fin: Bool = true,
        mask: WebSocketMaskingKey? = mask
    ) -> WebSocketFrame {
        var data = ByteBuffer(bytes: bytes)
        if let mask { data.webSocketMask(mask) }
        return WebSocketFrame(fin: fin, opcode: opcode, maskKey: mask, data: data)
    }

    @Test func `unmasking agrees with the byte-wise one at every length and alignment`() {
        for start in 0..<16 {
            for count in Array(0...80) + [125, 126, 127, 4095, 4096, 4099, 65_537] {
                let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ start) }
                // What is before and behind the payload must not matter.
                var masked = ByteBuffer(repeating: 0xEE, count: start)
                masked.moveReaderIndex(forwardBy: start)
                masked.writeBytes(bytes)
                masked.webSocketMask(MessageAssemblerTests.mask)
                let end = masked.writerIndex
                masked.writeBytes([0xEE, 0xEE, 0xEE])
                masked.moveWriterIndex(to: end)
                let isSame = masked.unmasked(with: MessageAssemblerTests.mask) == bytes
                #expect(isSame, "start \(start), count \(count)")
            }
        }
    }

    @Test(arguments: [[0, 0, 0, 0], [1, 2, 3, 4], [255, 0, 128, 7]] as [WebSocketMaskingKey])
    func `each byte gets the mask's byte whose turn it is`(mask: WebSocketMaskingKey) {
        let wire = (0..<19).map { UInt8(200 + $0) }
        let expected = wire.enumerated().map { $1 ^ mask[$0 % 4] }
        #expect(ByteBuffer(bytes: wire).unmasked(with: mask) == expected)
    }

    @Test mutating func `fragments make one message and control frames may come between`() {
        #expect(assembler.receive(Self.frame(.binary, [1, 2], fin: false)) == .none)
        #expect(assembler.receive(Self.frame(.ping, [9])) == .ping([9]))
        #expect(assembler.receive(Self.frame(.continuation, [], fin: false)) == .none)
        #expect(assembler.receive(Self.frame(.continuation, [3])) == .message([1, 2, 3]))
        #expect(assembler.receive(Self.frame(.binary, [4])) == .message([4]))
    }

    @Test mutating func `text and close are told apart`() {
        #expect(assembler.receive(Self.frame(.text, [65])) == .text)
        #expect(assembler.receive(Self.frame(.connectionClose, [])) == .close)
    }

    @Test mutating func `what breaks the framing is malformed`() {
        func isMalformed(_ output: MessageAssembler.Output) -> Bool {
            if case .malformed = output { true } else { false }
        }
        #expect(isMalformed(assembler.receive(Self.frame(.binary, [1], mask: nil))))
        #expect(isMalformed(assembler.receive(Self.frame(.continuation, [1]))))
        var extended = Self.frame(.binary, [1])
        extended.rsv1 = true
        #expect(isMalformed(assembler.receive(extended)))
        #expect(assembler.receive(Self.frame(.binary, [1], fin: false)) == .none)
        #expect(isMalformed(assembler.receive(Self.frame(.binary, [2]))))
    }

    @Test mutating func `a message of too many fragments or bytes is refused`() {
        _ = assembler.receive(Self.frame(.binary, [1], fin: false))
        for _ in 0..<3 { _ = assembler.receive(Self.frame(.continuation, [1], fin: false)) }
        let output = assembler.receive(Self.frame(.continuation, [1], fin: true))
        #expect(output == .malformed("the message has too many fragments"))
        var other = MessageAssembler(maximumFragmentCount: 4)
        let half = [UInt8](repeating: 0, count: Limits.maximumFrameByteCount / 2 + 1)
        #expect(other.receive(Self.frame(.binary, half, fin: false)) == .none)
        #expect(other.receive(Self.frame(.continuation, half)) == .tooLarge)
    }
}
