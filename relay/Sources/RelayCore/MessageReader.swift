// WebSocket frames to messages: RFC 6455, sections 5.2 to 5.5, as a server reads them.
//
//     byte 0   fin:1 rsv:3 opcode:4
//          1   masked:1 length:7       126: length:u16 follows; 127: length:u64; in network order
//              mask[4]                 a device's frames are always masked
//              payload
//
// All frames that stand in one piece of input are read in one go. Their payloads, unmasked, lie one
// behind the other in one array, so sixty-four appends that came together cost one allocation; an
// event through NIO's pipeline for each, and a buffer, cost more than all else done for them. A
// frame that isn't all there waits as it came, so nothing is set aside before its bytes are there,
// and what its header breaks is refused before its payload comes.
//
// Left out: extensions, since none is agreed on.

import NIOCore
import NIOWebSocket
import SennitWire

/// Takes messages out of the bytes of one connection.
struct MessageReader {
    /// What a frame came to.
    enum Output: Hashable {
        /// A binary message, and where in the bytes it is.
        case message(Range<Int>)
        case text
        case ping(Range<Int>)
        case close
        case tooLarge
        case malformed(String)
    }

    /// What a piece of input came to.
    struct Input {
        /// The payloads, unmasked.
        var bytes: [UInt8] = []
        var outputs: [Output] = []
    }

    private enum Step {
        /// The frame has at least so many bytes, and not all of them are there.
        case needs(Int)
        /// So many bytes were a frame.
        case taken(Int, Output?)
        case broken(Output)
    }

    private let maximumFragmentCount: Int
    // A frame that isn't all there, as it came.
    private var partial: [UInt8] = []
    // The fragments so far.
    private var message: [UInt8] = []
    private var fragmentCount = 0
    private var isBroken = false

    private static let maximumControlByteCount = 125

    init(maximumFragmentCount: Int) { self.maximumFragmentCount = maximumFragmentCount }

    /// All that stands in the next bytes. After something that breaks the framing, which is the
    /// last output then, nothing more is read.
    mutating func read(_ bytes: consuming ByteBuffer) -> Input {
        var rest = bytes
        var input = Input()
        input.bytes.reserveCapacity(rest.readableBytes)
        while !isBroken {
            let isPartial = !partial.isEmpty
            var frame = partial
            partial = []
            let step =
                isPartial
                ? take(frame.span, &input) : take(rest.readableBytesUInt8Span, &input)
            switch step {
            case .needs(let byteCount):
                let missing = isPartial ? byteCount - frame.count : rest.readableBytes
                let part = rest.readableBytesView.prefix(missing)
                frame.append(contentsOf: part)
                rest.moveReaderIndex(forwardBy: part.count)
                partial = frame
                if !isPartial || part.isEmpty { return input }
            case .taken(let byteCount, let output):
                if !isPartial { rest.moveReaderIndex(forwardBy: byteCount) }
                if let output { input.outputs.append(output) }
            case .broken(let output):
                isBroken = true
                message = []
                input.outputs.append(output)
            }
        }
        return input
    }

    private mutating func take(_ bytes: Span<UInt8>, _ input: inout Input) -> Step {
        guard bytes.count >= 2 else { return .needs(2) }
        let lengthByteCount = bytes[1] & 0x7F == 126 ? 2 : bytes[1] & 0x7F == 127 ? 8 : 0
        let headerByteCount = 2 + lengthByteCount + 4
        if let reason = brokenRule(bytes[0], bytes[1]) { return .broken(.malformed(reason)) }
        guard bytes.count >= headerByteCount else { return .needs(headerByteCount) }
        var length = lengthByteCount == 0 ? UInt64(bytes[1] & 0x7F) : 0
        for index in 2..<(2 + lengthByteCount) { length = length << 8 | UInt64(bytes[index]) }
        // A control frame may come between the fragments of a message and isn't part of it.
        let isControl = bytes[0] & 0x08 != 0
        let room = Limits.maximumFrameByteCount - (isControl ? 0 : message.count)
        guard length <= UInt64(room) else { return .broken(.tooLarge) }
        let byteCount = headerByteCount + Int(length)
        guard bytes.count >= byteCount else { return .needs(byteCount) }
        var mask: UInt32 = 0
        for index in 1...4 { mask = mask << 8 | UInt32(bytes[headerByteCount - index]) }
        let payload = bytes.extracting(headerByteCount..<byteCount)
        return .taken(byteCount, takeFrame(bytes[0], payload, mask, &input))
    }

    /// What the first two bytes of a frame break, if anything.
    private func brokenRule(_ first: UInt8, _ second: UInt8) -> String? {
        let opcode = WebSocketOpcode(encodedWebSocketOpcode: first & 0x0F)
        if second & 0x80 == 0 { return "frames of a device are masked" }
        if first & 0x70 != 0 { return "no WebSocket extension was agreed on" }
        switch opcode {
        case .text: return nil
        case .connectionClose, .ping, .pong:
            if first & 0x80 == 0 { return "a WebSocket control frame is fragmented" }
            let isSmall = second & 0x7F <= MessageReader.maximumControlByteCount
            return isSmall ? nil : "a WebSocket control frame is too large"
        case .binary: return fragmentCount == 0 ? nil : "a message begins within another"
        case .continuation:
            if fragmentCount == 0 { return "a message has no beginning" }
            let isBounded = fragmentCount < maximumFragmentCount
            return isBounded ? nil : "the message has too many fragments"
        default: return "the WebSocket opcode is unknown"
        }
    }

    private mutating func takeFrame(
        _ first: UInt8,
        _ payload: Span<UInt8>,
        _ mask: UInt32,
        _ input: inout Input
    ) -> Output? {
        let start = input.bytes.count
        switch WebSocketOpcode(encodedWebSocketOpcode: first & 0x0F) {
        case .text: return .text
        case .connectionClose: return .close
        case .ping:
            input.bytes.append(payload, unmaskedWith: mask)
            return .ping(start..<input.bytes.count)
        case .binary where first & 0x80 != 0:
            input.bytes.append(payload, unmaskedWith: mask)
            return .message(start..<input.bytes.count)
        case .binary, .continuation:
            fragmentCount += 1
            message.append(payload, unmaskedWith: mask)
            guard first & 0x80 != 0 else { return nil }
            input.bytes += message
            message = []
            fragmentCount = 0
            return .message(start..<input.bytes.count)
        default: return nil
        }
    }
}
