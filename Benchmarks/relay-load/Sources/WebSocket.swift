// WebSocket as a client needs it: RFC 6455 sections 4.1 and 5.2.

import SennitWire

enum WebSocket {
    static let upgrade = Array(
        """
        GET / HTTP/1.1\r
        Host: relay\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: c2Vubml0IHJlbGF5IGxvYWQ=\r
        \r

        """.utf8
    )

    /// Appends one binary message, masked as a client's must be.
    static func append(_ message: [UInt8], mask: UInt32, to stream: inout [UInt8]) {
        stream.append(0x82)
        switch message.count {
        case ..<126: stream.append(0x80 | UInt8(message.count))
        case ...0xFFFF:
            stream.append(0x80 | 126)
            stream.append(UInt8(message.count >> 8))
            stream.append(UInt8(message.count & 0xFF))
        default:
            stream.append(0x80 | 127)
            for shift in stride(from: 56, through: 0, by: -8) {
                stream.append(UInt8(truncatingIfNeeded: message.count >> shift))
            }
        }
        let key = (0..<4).map { UInt8(truncatingIfNeeded: mask >> (24 - 8 * $0)) }
        stream += key
        for (index, byte) in message.enumerated() { stream.append(byte ^ key[index & 3]) }
    }
}

/// Finds the relay's frames in what a socket gives, and looks only at how they begin.
struct FrameScanner {
    /// How a frame begins: its opcode, its payload's length and where the first bytes of it lie.
    struct Found {
        let opcode: UInt8
        let payloadByteCount: Int
        let start: Int
    }

    /// As many bytes of each payload are in the buffer when it is found, unless it has fewer.
    static let prefixByteCount = 400

    private var skipByteCount = 0
    private(set) var rest: [UInt8] = []

    /// Puts what is left of the last time before what comes now.
    /// - Returns: how many bytes of the buffer are taken.
    func begin(_ buffer: inout [UInt8]) -> Int {
        buffer.replaceSubrange(0..<rest.count, with: rest)
        return rest.count
    }

    /// Goes through the first `count` bytes of the buffer.
    mutating func scan(_ buffer: [UInt8], count: Int, _ body: (Found) throws -> Void) rethrows {
        var at = min(skipByteCount, count)
        skipByteCount -= at
        while count - at >= 2 {
            let short = Int(buffer[at + 1] & 0x7F)
            let headerByteCount = short < 126 ? 2 : short == 126 ? 4 : 10
            guard count - at >= headerByteCount else { break }
            var length = short
            if headerByteCount > 2 {
                length = buffer[(at + 2)..<(at + headerByteCount)].reduce(0) {
                    $0 << 8 | Int($1)
                }
            }
            let start = at + headerByteCount
            guard count - start >= min(length, FrameScanner.prefixByteCount) else { break }
            try body(
                Found(opcode: buffer[at] & 0x0F, payloadByteCount: length, start: start)
            )
            let end = start + length
            at = min(end, count)
            skipByteCount = end - at
        }
        rest = Array(buffer[at..<count])
    }
}
