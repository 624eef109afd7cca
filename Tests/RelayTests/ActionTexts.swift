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

extension TestLog {
    /// The entries as storage reads them.
    func read(_ from: Int, _ end: Int) -> ReadRange {
        let range = range(from, end)
        return ReadRange(
            end: range.head.end,
            frame: ByteBuffer(
                entriesOf: descriptor,
                from: range.from,
                [PackedEntries(range.entries)],
                head: range.head
            )
        )
    }

    /// An append as a run of one that isn't linked to another.
    func run(_ range: EntryRange, of device: TestDevice) -> AppendRun {
        AppendRun(
            space: space,
            device: device.key,
            log: range.descriptor.logID(in: space),
            descriptor: range.descriptor,
            AppendRun.Append(PackedRange(range), after: nil)
        )
    }
}

extension [RelayConnection.Action] {
    var frames: [RelayFrame] {
        flatMap { action -> [RelayFrame] in
            switch action {
            case .send(let frame): [frame]
            case .answer(let log, let answers): answers.map { $0.frame(of: log) }
            default: []
            }
        }
    }

    var runs: [AppendRun] {
        compactMap { if case .submit(.append(let run)) = $0 { run } else { nil } }
    }
}

extension RelayConnection.Action {
    /// What a test compares.
    var text: String {
        switch self {
        case .send(let frame): frame.text
        case .sendShared(let buffer):
            "shared " + ((try? RelayFrame(decoding: Array(buffer.readableBytesView)))?.text ?? "?")
        case .answer(let log, let answers):
            answers.map { $0.frame(of: log).text }.joined(separator: " ")
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
