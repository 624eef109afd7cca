import SennitSeal
import SennitWire

/// What went wrong between this program and a relay.
enum LoadFailure: Error, CustomStringConvertible {
    case system(SystemFailure)
    case closed(during: String)
    case notUpgraded(answer: String)
    case unexpected(frame: String)
    case refused(code: UInt64, reason: String)
    case unreadable(what: String)

    var description: String {
        switch self {
        case .system(let failure): "\(failure)"
        case .closed(let phase): "the relay closed the connection during \(phase)"
        case .notUpgraded(let answer): "the relay did not upgrade to WebSocket: \(answer)"
        case .unexpected(let frame): "the relay sent something out of turn: \(frame)"
        case .refused(let code, let reason): "the relay refused (\(code)): \(reason)"
        case .unreadable(let what): "the relay's answer does not parse: \(what)"
        }
    }
}

/// One device's connection. It waits during the handshake; after that the scenario drives it.
struct LoadConnection {
    let socket: Socket
    var scanner = FrameScanner()
    private var input: [UInt8] = []

    /// Connects, proves the key and waits for the welcome, founding the space where need be.
    init(port: Int, founder device: LoadDevice) throws {
        try self.init(port: port)
        try greet(as: device)
        var frame = try next("the handshake")
        if case .refused(let refusal) = frame, refusal.code == .unknownSpace {
            try send(.found(device.genesis))
            frame = try next("the founding")
        }
        guard case .welcome = frame else { throw LoadConnection.failure(frame) }
    }

    /// Connects as a device that some access list names, or not at all.
    init(port: Int) throws {
        socket = try Socket(port: port)
        try send(raw: WebSocket.upgrade)
        var answer: [UInt8] = []
        // An answer of more than a few hundred bytes is none that we wait for.
        while !answer.ends(with: [13, 10, 13, 10]), answer.count < 4096 {
            if input.isEmpty { try receive("the upgrade") }
            answer.append(input.removeFirst())
        }
        guard answer.starts(with: Array("HTTP/1.1 101".utf8)) else {
            let line = answer.prefix { $0 != 13 }
            throw LoadFailure.notUpgraded(answer: String(decoding: line, as: UTF8.self))
        }
    }

    /// Answers the challenge for the space of `device`.
    mutating func greet(as device: LoadDevice) throws {
        let frame = try next("the challenge")
        guard case .challenge(let challenge) = frame else { throw LoadConnection.failure(frame) }
        try send(.hello(device.identity.hello(to: challenge, space: device.space)))
    }

    /// Sends one frame and waits until the kernel has it.
    func send(_ frame: RelayFrame) throws {
        var bytes: [UInt8] = []
        WebSocket.append(frame.bytes, mask: 0x5E4417, to: &bytes)
        try send(raw: bytes)
    }

    /// The next frame, waited for.
    mutating func next(_ phase: String) throws -> RelayFrame {
        while true {
            if let message = takeMessage() {
                do { return try RelayFrame(decoding: message) } catch {
                    throw LoadFailure.unreadable(what: "\(error)")
                }
            }
            try receive(phase)
        }
    }

    /// What a frame that ends the conversation says.
    static func failure(_ frame: RelayFrame) -> LoadFailure {
        if case .refused(let refusal) = frame {
            return .refused(code: refusal.code.rawValue, reason: refusal.reason)
        }
        return .unexpected(frame: "\(frame)".prefix(80).description)
    }

    private func send(raw bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            sent += try socket.send(bytes, from: sent, count: bytes.count - sent)
        }
    }

    private mutating func receive(_ phase: String) throws {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        guard let count = try socket.receive(&buffer, at: 0) else {
            throw LoadFailure.closed(during: phase)
        }
        input += buffer[..<count]
    }

    /// Takes a whole message out of what was received; the handshake's messages are small.
    private mutating func takeMessage() -> [UInt8]? {
        guard input.count >= 2 else { return nil }
        var start = 2
        var length = Int(input[1] & 0x7F)
        if length >= 126 {
            start = length == 126 ? 4 : 10
            guard input.count >= start else { return nil }
            length = input[2..<start].reduce(0) { $0 << 8 | Int($1) }
        }
        guard input.count >= start + length else { return nil }
        let message = Array(input[start..<(start + length)])
        input.removeFirst(start + length)
        return message
    }
}

extension Array where Element: Equatable {
    func ends(with end: [Element]) -> Bool { suffix(end.count).elementsEqual(end) }
}
