// WebSocket messages as a server writes them: one frame, not masked. RFC 6455, section 5.2.
//
//     0x80 | opcode, then    length:u8                below 126
//                            126 length:u16           up to 65,535
//                            127 length:u64           above; both in network order
//
// NIO's encoder makes a buffer for each header and a write for each part. Here small frames that
// are sent together share one buffer, and a frame that many connections are sent carries its
// header with it, so that for each of them it is one write of bytes that are already there.

import NIOCore
import NIOWebSocket
import SennitWire

extension ByteBuffer {
    /// Appends the header of a message that fills one frame.
    mutating func writeMessageHeader(_ opcode: WebSocketOpcode, byteCount: Int) {
        writeInteger(0x80 | UInt8(webSocketOpcode: opcode))
        switch byteCount {
        case ..<126: writeInteger(UInt8(byteCount))
        case ...0xFFFF: writeMultipleIntegers(126 as UInt8, UInt16(byteCount))
        default: writeMultipleIntegers(127 as UInt8, UInt64(byteCount))
        }
    }

    /// The bytes of a frame that many connections are sent, readable as always; before them lies
    /// the header of the message.
    init(sharedFrame frame: RelayFrame) { self.init(sharedBytes: frame.bytes) }

    /// The same for an `entries` frame, from what storage or an append has of it.
    init(
        entriesOf descriptor: LogDescriptor,
        from: Offset,
        _ pieces: [PackedEntries],
        head: Head
    ) {
        self.init(
            sharedBytes: RelayFrame.entriesBytes(descriptor, from: from, pieces, head: head)
        )
    }

    private init(sharedBytes bytes: [UInt8]) {
        self.init()
        reserveCapacity(bytes.count + 10)
        writeMessageHeader(.binary, byteCount: bytes.count)
        moveReaderIndex(to: writerIndex)
        writeBytes(bytes)
    }

    /// The whole message with its header; `nil` of a buffer that was made without one.
    var sharedMessage: ByteBuffer? {
        guard readerIndex > 0 else { return nil }
        var message = self
        message.moveReaderIndex(to: 0)
        return message
    }
}
