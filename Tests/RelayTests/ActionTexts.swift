import NIOCore
import SennitWire

@testable import RelayCore

extension TestLog {
    /// The log as a welcome describes it.
    var state: Welcome.Log {
        Welcome.Log(
            descriptor: descriptor,
            start: .zero,
            startChain: descriptor.chainStart(in: space),
            end: end
        )
    }
}

extension [RelayConnection.Action] {
    var frames: [RelayFrame] {
        compactMap { if case .send(let frame) = $0 { frame } else { nil } }
    }
}

extension RelayConnection.Action {
    /// What a test compares.
    var text: String {
        switch self {
        case .send(let frame): frame.text
        case .sendShared(let buffer):
            "shared " + ((try? RelayFrame(decoding: Array(buffer.readableBytesView)))?.text ?? "?")
        case .submit(.enter): "enter"
        case .submit(.append): "append"
        case .submit(.putAccess): "putAccess"
        case .submit(.read(let log, _, let from)): "read \(log.short) \(from)"
        case .fanOut: "fanOut"
        case .close(let reason): "close \(reason)"
        case .cut: "cut"
        }
    }
}

extension RelayFrame {
    var text: String {
        switch self {
        case .refused(let refusal): "refused \(refusal.code.rawValue)"
        case .entries(let range): "entries \(range.from)..<\(range.head.end)"
        case .challenge: "challenge"
        case .welcome: "welcome"
        case .caughtUp: "caughtUp"
        case .ack: "ack"
        case .access: "access"
        case .presence: "presence"
        case .pong: "pong"
        default: "other"
        }
    }
}
