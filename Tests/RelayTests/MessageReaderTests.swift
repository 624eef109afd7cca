import NIOCore
import NIOWebSocket
import SennitWire
import Testing

@testable import RelayCore

struct MessageReaderTests {
    private var reader = MessageReader(maximumFragmentCount: 4)

    /// A frame as a device sends it.
    private static func frame(
        _ opcode: UInt8,
        _ bytes: [UInt8] = [],
        fin: Bool = true,
        reserved: UInt8 = 0,
        mask: WebSocketMaskingKey? = [1, 0x80, 0xFF, 7]
    ) -> [UInt8] {
        var frame: [UInt8] = [(fin ? 0x80 : 0) | reserved | opcode]
        let isMasked: UInt8 = mask == nil ? 0 : 0x80
        switch bytes.count {
        case ..<126: frame.append(isMasked | UInt8(bytes.count))
        case ...0xFFFF:
            frame += [isMasked | 126, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)]
        default:
            frame.append(isMasked | 127)
            frame += (0..<8).reversed().map { UInt8(bytes.count >> (8 * $0) & 255) }
        }
        frame += mask.map { Array($0) } ?? []
        return frame + bytes.enumerated().map { $1 ^ (mask?[$0 % 4] ?? 0) }
    }

    /// What a test compares.
    private static func texts(_ input: MessageReader.Input) -> [String] {
        input.outputs.map { output in
            switch output {
            case .message(let range): "\(Array(input.bytes[range]))"
            case .ping(let range): "ping \(Array(input.bytes[range]))"
            case .text: "text"
            case .close: "close"
            case .tooLarge: "too large"
            case .malformed: "malformed"
            }
        }
    }

    private mutating func read(_ bytes: [UInt8]...) -> [String] {
        Self.texts(reader.read(ByteBuffer(bytes: Array(bytes.joined()))))
    }

    @Test func `unmasking agrees with NIO's at every length, alignment and place`() {
        let mask: WebSocketMaskingKey = [1, 0x80, 0xFF, 7]
        for start in 0..<16 {
            for count in Array(0...80) + [125, 126, 127, 4095, 4096, 4099, 65_537] {
                let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ start) }
                var masked = ByteBuffer(bytes: bytes)
                masked.webSocketMask(mask)
                var target = [UInt8](repeating: 0xEE, count: start)
                target.append(masked.readableBytesUInt8Span, unmaskedWith: 0x07FF_8001)
                let isSame = target == [UInt8](repeating: 0xEE, count: start) + bytes
                #expect(isSame, "start \(start), count \(count)")
            }
        }
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
    mutating func `a message of any length is read`(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let input = reader.read(ByteBuffer(bytes: Self.frame(2, bytes)))
        #expect(input.outputs == [.message(0..<count)])
        let isSame = input.bytes == bytes
        #expect(isSame)
    }

    @Test mutating func `all that stands there is read in one go`() {
        let texts = read(
            Self.frame(2, [1, 2]),
            Self.frame(9, [3]),
            Self.frame(10, [4]),
            Self.frame(2),
            Self.frame(2, [5])
        )
        #expect(texts == ["[1, 2]", "ping [3]", "[]", "[5]"])
    }

    @Test mutating func `fragments make one message and control frames may come between`() {
        #expect(read(Self.frame(2, [1, 2], fin: false)) == [])
        #expect(read(Self.frame(9, [9])) == ["ping [9]"])
        #expect(read(Self.frame(0, [], fin: false)) == [])
        #expect(read(Self.frame(0, [3]), Self.frame(2, [4])) == ["[1, 2, 3]", "[4]"])
    }

    @Test(arguments: 1..<40 as Range<Int>)
    func `however the bytes are cut, the same is read`(size: Int) {
        let long = [UInt8](repeating: 6, count: 300)
        let stream = [
            Self.frame(2, [1]), Self.frame(2, long, fin: false), Self.frame(9, [2, 3]),
            Self.frame(0, long), Self.frame(2), Self.frame(2, [9, 9, 9]), Self.frame(8),
        ].flatMap(\.self)
        var whole = MessageReader(maximumFragmentCount: 4)
        let expected = Self.texts(whole.read(ByteBuffer(bytes: stream)))
        #expect(expected.count == 6)
        var reader = reader
        var found: [String] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            let part = stream[start..<min(start + size, stream.count)]
            found += Self.texts(reader.read(ByteBuffer(bytes: part)))
        }
        #expect(found == expected)
    }

    @Test mutating func `text and close are told apart`() {
        #expect(read(Self.frame(1, [65]), Self.frame(8)) == ["text", "close"])
    }

    @Test(
        arguments: [
            frame(2, [1], mask: nil), frame(0, [1]), frame(2, [1], reserved: 0x40),
            frame(2, [1], reserved: 0x10), frame(3), frame(11), frame(9, [1], fin: false),
            frame(9, [UInt8](repeating: 0, count: 126)), frame(2, fin: false) + frame(2),
        ]
    )
    func `what breaks the framing ends the reading`(bytes: [UInt8]) {
        var (whole, cut) = (reader, reader)
        let after = Self.frame(2, [1])
        #expect(Self.texts(whole.read(ByteBuffer(bytes: bytes + after))) == ["malformed"])
        #expect(whole.read(ByteBuffer(bytes: after)).outputs == [])
        let texts = bytes.flatMap { Self.texts(cut.read(ByteBuffer(bytes: [$0]))) }
        #expect(texts == ["malformed"])
    }

    @Test mutating func `a message of too many fragments or bytes is refused`() {
        _ = read(Self.frame(2, [1], fin: false))
        for _ in 0..<3 { #expect(read(Self.frame(0, [1], fin: false)) == []) }
        #expect(read(Self.frame(0, [1])) == ["malformed"])
        reader = MessageReader(maximumFragmentCount: 4)
        let half = [UInt8](repeating: 0, count: Limits.maximumFrameByteCount / 2 + 1)
        #expect(read(Self.frame(2, half, fin: false)) == [])
        let rest = [UInt8](repeating: 0, count: Limits.maximumFrameByteCount - half.count)
        #expect(read(Self.frame(0, rest, fin: false)) == [])
        #expect(read(Self.frame(9, [1, 2])) == ["ping [1, 2]"])
        #expect(read(Self.frame(0, [1])) == ["too large"])
        reader = MessageReader(maximumFragmentCount: 4)
        #expect(read(Self.frame(2, half, fin: false)) == [])
        // Its header is enough.
        #expect(read(Array(Self.frame(0, half).prefix(14))) == ["too large"])
        reader = MessageReader(maximumFragmentCount: 4)
        let header = [0x82, 0xFF] + [UInt8](repeating: 0xFF, count: 8) + [0, 0, 0, 0]
        #expect(read(header) == ["too large"])
    }
}
