import Foundation

// What conductor and clients tell each other: lines of JSON over a socket in the run's directory.
//
// An order holds everything a client must know to reach its stage, so a client that was killed and
// calls again is sent the last order and goes on from there. It goes through the earlier stages by
// itself: what is done in them is seen from its profile.

/// How far the run has come.
enum Stage: Int, Codable, Comparable, CaseIterable, Sendable, CustomStringConvertible {
    /// The space is there, with the document, and this client is in it.
    case joined
    /// The trace is typed, and all of it has arrived.
    case replayed
    /// The same for the typing phase.
    case typed
    /// The own offline edits are made and saved.
    case edited
    /// All of everybody's has arrived and been acknowledged.
    case settled
    /// The profile is closed.
    case closed

    static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }

    var description: String {
        switch self {
        case .joined: "joined"
        case .replayed: "replayed"
        case .typed: "typed"
        case .edited: "edited"
        case .settled: "settled"
        case .closed: "closed"
        }
    }
}

/// Where a client's script begins in its log.
struct LogBase: Codable, Hashable, Sendable {
    /// The log's id, in hexadecimal digits.
    let log: String
    /// The number of the script's first event in that log.
    let firstEvent: UInt64
}

/// From conductor to client: the stage to reach, and all it takes.
struct StageOrder: Codable, Hashable, Sendable {
    var stage: Stage
    /// By which to join; `nil` for the founder.
    var link: String?
    /// By client; from `replayed` on.
    var bases: [LogBase] = []
    /// How many scalars the text has after the trace; from `typed` on.
    var scalarCount: Int?
    /// When the typing phase begins, in nanoseconds of the monotonic clock.
    var typingStart: UInt64?
}

/// From client to conductor.
struct ClientReport: Codable, Hashable, Sendable {
    enum Kind: String, Codable, Sendable {
        /// The client is here; comes first.
        case hello
        /// It types.
        case progress
        /// It has reached the stage.
        case reached
        /// It gives up.
        case failed
        /// Somebody pressed Ctrl-C in its pane.
        case interrupted
    }

    var kind: Kind
    var client: Int
    var processID: Int32 = 0
    var stage: Stage?
    /// With `joined`, from the founder: invites the others.
    var link: String?
    /// With `joined`.
    var base: LogBase?
    /// Events of the script that this client has typed.
    var typedCount: UInt64?
    /// Scalars in its text.
    var scalarCount: Int?
    /// With `settled`: its version of the space, a line for each log.
    var version: [String]?
    /// With `failed`.
    var reason: String?
}

/// Messages as lines of JSON.
enum ControlLine {
    /// The longest line: versions of spaces with thousands of logs fit.
    static let maximumByteCount = 1 << 20

    static func encode(_ message: some Encodable) -> [UInt8] {
        // Encoding plain structs of strings and numbers to memory does not fail.
        guard let data = try? JSONEncoder().encode(message) else { return [] }
        return [UInt8](data) + [0x0A]
    }

    static func decode<Message: Decodable>(
        _ type: Message.Type,
        from line: [UInt8]
    ) throws(DemoError) -> Message {
        do {
            return try JSONDecoder().decode(type, from: Data(line))
        } catch {
            throw .badMessage(String(decoding: line.prefix(200), as: UTF8.self))
        }
    }
}

/// Cuts a stream of bytes into lines.
struct LineSplitter {
    private var rest: [UInt8] = []

    /// Takes bytes and gives back the lines they end.
    mutating func take(_ bytes: some Sequence<UInt8>) throws(DemoError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for byte in bytes {
            if byte == 0x0A {
                lines.append(rest)
                rest = []
            } else {
                rest.append(byte)
            }
        }
        guard rest.count <= ControlLine.maximumByteCount else {
            throw .badMessage("a line of more than \(ControlLine.maximumByteCount) bytes")
        }
        return lines
    }
}
