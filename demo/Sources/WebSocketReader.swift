// Recorded WebSocket traffic, in one direction, as the bytes of its messages.
//
// A device masks its frames: each byte is XORed with one of four that stand before the payload (RFC
// 6455, section 5.3). A leak would hide behind them, and behind the frame headers in the middle of
// a fragmented message, so the reader takes headers off, masks away, and passes only payload on:
//
//     request line and headers, empty line, then frames:
//     FIN/RSV/opcode:1 | MASK/length:1 | length:0, 2 or 8 | mask:0 or 4 | payload
//
// What precedes the first frame is passed on as well. A stream may stop anywhere. One that
// was compressed, or is no WebSocket at all, can't be read, and says so.

/// Takes the bytes of one direction and gives back what was in the messages.
struct WebSocketReader {
    private enum State {
        /// The header of the handshake; how much of CR LF CR LF was just seen.
        case handshake(matched: Int)
        case header
        case payload(rest: UInt64, mask: [UInt8], place: Int)
    }

    private let isFromClient: Bool
    private var state = State.handshake(matched: 0)
    private var header: [UInt8] = []
    private var handshake: [UInt8] = []
    /// Why the rest can't be read; `nil` while it can.
    private(set) var failure: String?

    private static let maximumHandshakeByteCount = 1 << 14

    init(isFromClient: Bool) { self.isFromClient = isFromClient }

    /// Takes the next bytes of the connection.
    /// - Returns: payload, without headers and masks. Nothing once the stream can't be read.
    mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        var payload: [UInt8] = []
        payload.reserveCapacity(bytes.count)
        for byte in bytes {
            if failure != nil { return payload }
            switch state {
            case .handshake(let matched):
                payload.append(byte)
                takeHandshake(byte, matched: matched)
            case .header:
                header.append(byte)
                takeHeader()
            case .payload(let rest, let mask, let place):
                payload.append(mask.isEmpty ? byte : byte ^ mask[place])
                state =
                    rest == 1
                    ? .header : .payload(rest: rest - 1, mask: mask, place: (place + 1) & 3)
            }
        }
        return payload
    }

    private mutating func takeHandshake(_ byte: UInt8, matched: Int) {
        handshake.append(byte)
        let end: [UInt8] = [13, 10, 13, 10]
        let now = byte == end[matched] ? matched + 1 : (byte == 13 ? 1 : 0)
        guard now == end.count else {
            state = .handshake(matched: now)
            if handshake.count > WebSocketReader.maximumHandshakeByteCount {
                failure = "no WebSocket handshake"
            }
            return
        }
        let text = String(decoding: handshake, as: UTF8.self).lowercased()
        if !text.contains("upgrade: websocket") {
            failure = "no WebSocket handshake"
        } else if !isFromClient && text.contains("sec-websocket-extensions") {
            failure = "an extension was agreed on, so messages may be compressed"
        }
        handshake = []
        state = .header
    }

    private mutating func takeHeader() {
        guard header.count >= 2 else { return }
        let isMasked = header[1] & 0x80 != 0
        let short = header[1] & 0x7F
        let lengthByteCount = short == 126 ? 2 : short == 127 ? 8 : 0
        let byteCount = 2 + lengthByteCount + (isMasked ? 4 : 0)
        guard header.count == byteCount else { return }
        guard header[0] & 0x70 == 0, isMasked == isFromClient else {
            failure = "a frame breaks RFC 6455"
            return
        }
        let length =
            lengthByteCount == 0
            ? UInt64(short)
            : header[2..<2 + lengthByteCount].reduce(0) { $0 << 8 | UInt64($1) }
        let mask = isMasked ? Array(header.suffix(4)) : []
        header = []
        state = length == 0 ? .header : .payload(rest: length, mask: mask, place: 0)
    }
}
