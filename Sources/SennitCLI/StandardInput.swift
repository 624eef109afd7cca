import Foundation

/// What is piped or typed into a verb.
enum StandardInput {
    /// Bytes of text that a verb takes. A document of this size is still opened in a second.
    static let byteCountLimit = 64 << 20

    static var isTerminal: Bool { isatty(0) == 1 }

    /// Everything up to the end of the input, which must be UTF-8.
    static func text(_ console: Console) throws(Failure) -> String {
        if isTerminal { console.note("type the text; Ctrl-D on an empty line ends it") }
        return try text(of: .standardInput, named: "standard input", limit: byteCountLimit)
    }

    /// Everything in a file, which must be UTF-8 and no more than `limit` bytes.
    static func text(
        of file: FileHandle,
        named name: String,
        limit: Int
    ) throws(Failure) -> String {
        var data = Data()
        do {
            while let piece = try file.read(upToCount: 1 << 16), !piece.isEmpty {
                data += piece
                if data.count > limit {
                    throw Failure(.failure, "\(name) has more than \(limit) bytes")
                }
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.failure, "\(name) can't be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw Failure(
                .failure,
                "\(name) isn't text in UTF-8",
                hint: "a file in another encoding goes through `iconv -t utf-8` first"
            )
        }
        return text
    }
}
