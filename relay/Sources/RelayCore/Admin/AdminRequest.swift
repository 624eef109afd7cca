public import Foundation

// What an operator asks of a relay, a line of JSON each, over the socket that only the operator can
// open:
//
//     → {"verb":"spaces.freeze","arguments":{"space":"1f00c0de"}}
//     ← {"progress":{"done":3,"total":12,"unit":"segments"}}         any number of them
//     ← {"result":{…}}    or    {"error":{"message":"…","hint":"…"}}  one, the last
//
// One connection carries any number of requests, one after the other. The same requests are carried
// out on a closed directory, without a socket.

/// One thing that an operator asks for.
public struct AdminRequest: Hashable, Sendable, Codable {
    /// What to do, such as `spaces.freeze`.
    public let verb: String
    /// With what; all values are text.
    public let arguments: [String: String]

    /// Puts a request together.
    public init(_ verb: String, _ arguments: [String: String?] = [:]) {
        self.verb = verb
        self.arguments = arguments.compactMapValues { $0 }
    }
}

/// How far something that takes long is.
public struct AdminProgress: Hashable, Sendable, Codable {
    /// What is done of it.
    public let done: UInt64
    /// All of it; 0 if that isn't known.
    public let total: UInt64
    /// What is counted.
    public let unit: String

    /// Puts a step together.
    public init(done: UInt64, total: UInt64, unit: String) {
        self.done = done
        self.total = total
        self.unit = unit
    }
}

/// Why nothing came of a request.
public struct AdminError: Error, Hashable, Sendable, Codable, CustomStringConvertible {
    /// One sentence, lower case, without a full stop.
    public let message: String
    /// What to do, if anything.
    public let hint: String?

    /// Puts an error together.
    public init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    public var description: String { message }
}

/// One line of the answer.
enum AdminAnswer {
    case progress(AdminProgress)
    case result(Data)
    case error(AdminError)

    private struct Line: Codable {
        var progress: AdminProgress?
        var error: AdminError?
    }

    /// The line, with its end.
    var bytes: Data {
        let encoder = AdminCoding.encoder()
        switch self {
        case .progress(let progress):
            return ((try? encoder.encode(Line(progress: progress))) ?? Data()) + Data("\n".utf8)
        case .error(let error):
            return ((try? encoder.encode(Line(error: error))) ?? Data()) + Data("\n".utf8)
        case .result(let json):
            return Data("{\"result\":".utf8) + json + Data("}\n".utf8)
        }
    }

    /// Reads a line; `nil` if it is none.
    init?(_ line: Data) {
        let prefix = Data("{\"result\":".utf8)
        if line.starts(with: prefix), line.last == UInt8(ascii: "}") {
            self = .result(Data(line.dropFirst(prefix.count).dropLast()))
            return
        }
        guard let line = try? AdminCoding.decoder().decode(Line.self, from: line) else {
            return nil
        }
        if let progress = line.progress {
            self = .progress(progress)
        } else if let error = line.error {
            self = .error(error)
        } else {
            return nil
        }
    }

    /// The line that says what a request came to.
    init(_ result: any Encodable) {
        do {
            self = .result(try AdminCoding.encoder().encode(result))
        } catch {
            self = .error(AdminError("the answer can't be written as JSON"))
        }
    }
}

/// JSON as the socket and `--json` have it.
public enum AdminCoding {
    /// Keys in order, times as ISO 8601.
    public static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return encoder
    }

    /// The reverse.
    public static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }
}
