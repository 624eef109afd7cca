// WebSocket frames to messages: RFC 6455, sections 5.2 to 5.5, as a server reads them.
//
// Frames from a device are masked; the mask comes off in the one copy that takes them out of the
// socket's buffer (`ByteBuffer.unmasked`).

import NIOCore
import NIOWebSocket
import SennitWire

/// Puts the messages of one connection together.
struct MessageAssembler {
    /// What a frame came to.
    enum Output: Hashable {
        /// The message goes on in the next frame.
        case none
        case message([UInt8])
        case text
        case ping([UInt8])
        case close
        case tooLarge
        case malformed(String)
    }

    private let maximumFragmentCount: Int
    private var message: [UInt8] = []
    private var fragmentCount = 0

    init(maximumFragmentCount: Int) { self.maximumFragmentCount = maximumFragmentCount }

    /// Takes the next frame.
    mutating func receive(_ frame: WebSocketFrame) -> Output {
        guard let mask = frame.maskKey else { return .malformed("frames of a device are masked") }
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
            return .malformed("no WebSocket extension was agreed on")
        }
        switch frame.opcode {
        case .text: return .text
        case .connectionClose: return .close
        case .pong: return .none
        case .ping: return .ping(frame.data.unmasked(with: mask))
        case .binary:
            guard fragmentCount == 0 else {
                return .malformed("a message begins within another")
            }
            return add(frame, mask)
        case .continuation:
            guard fragmentCount > 0 else { return .malformed("a message has no beginning") }
            return add(frame, mask)
        default: return .malformed("the WebSocket opcode is unknown")
        }
    }

    private mutating func add(_ frame: WebSocketFrame, _ mask: WebSocketMaskingKey) -> Output {
        fragmentCount += 1
        guard fragmentCount <= maximumFragmentCount else {
            return .malformed("the message has too many fragments")
        }
        let byteCount = message.count + frame.data.readableBytes
        guard byteCount <= Limits.maximumFrameByteCount else { return .tooLarge }
        let part = frame.data.unmasked(with: mask)
        if message.isEmpty { message = part } else { message += part }
        guard frame.fin else { return .none }
        defer {
            message = []
            fragmentCount = 0
        }
        return .message(message)
    }
}
