import NIOCore
import NIOWebSocket

// A client's WebSocket frame, RFC 6455 section 5.2:
//
//     fin:1 rsv:3 opcode:4 | mask:1 length:7 | length:u16 or u64, big-endian, if 126 or 127
//     key[4] | payload, byte i XOR key[i mod 4]
//
// The payload is masked eight bytes at a time: the key, twice, as one word.

enum MaskedFrame {
    /// The bytes of one whole message, or of a control frame.
    static func bytes(
        of payload: ByteBuffer,
        opcode: WebSocketOpcode,
        key: UInt32
    ) -> ByteBuffer {
        let count = payload.readableBytes
        var frame = ByteBuffer()
        frame.reserveCapacity(count + 14)
        frame.writeInteger(0x80 | UInt8(webSocketOpcode: opcode))
        if count < 126 {
            frame.writeInteger(0x80 | UInt8(count))
        } else if count <= Int(UInt16.max) {
            frame.writeInteger(0x80 | 126 as UInt8)
            frame.writeInteger(UInt16(count))
        } else {
            frame.writeInteger(0x80 | 127 as UInt8)
            frame.writeInteger(UInt64(count))
        }
        frame.writeInteger(key)
        let start = frame.writerIndex
        frame.writeImmutableBuffer(payload)
        mask(&frame, from: start, key)
        return frame
    }

    private static func mask(_ frame: inout ByteBuffer, from start: Int, _ key: UInt32) {
        let word = UInt64(key) << 32 | UInt64(key)
        let end = frame.writerIndex
        var index = start
        while index + 8 <= end, let plain = frame.getInteger(at: index, as: UInt64.self) {
            frame.setInteger(plain ^ word, at: index)
            index += 8
        }
        var rest = word
        while index < end, let plain = frame.getInteger(at: index, as: UInt8.self) {
            frame.setInteger(plain ^ UInt8(truncatingIfNeeded: rest >> 56), at: index)
            rest <<= 8
            index += 1
        }
    }
}
