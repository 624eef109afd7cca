// The part of TOML 1.0 that settings need, read strictly, with the line of everything.
//
//     # a comment
//     listen = "0.0.0.0:7433"          key = value
//     [limits]                         the keys below begin with "limits."
//     connections = 5_000
//     proxy.trusted = ["10.0.0.0/8",   an array may go on over lines
//                      '::1']
//
// Values are strings ("…" with escapes, '…' without), whole numbers, numbers with a point, true,
// false, and arrays of strings. What else TOML has (dates, inline tables, arrays of tables, strings
// over several lines, quoted keys) is refused by name. Every mistake is reported, not only the
// first: after one, reading goes on with the next line.
//
// Why not a library: the one that is there for Swift (TOMLKit) stops at the first mistake and tells
// no line of a key, so it can't say where the key is that nobody knows.

/// Reads a file of settings.
struct TOMLReader {
    /// A key with its value.
    struct Entry: Hashable {
        let key: String
        let value: RawSetting
        let line: Int
    }

    /// What can't be read.
    struct Mistake: Hashable, Error {
        let line: Int
        let reason: String
    }

    /// Longer files are refused.
    static let maximumByteCount = 1 << 20

    private(set) var entries: [Entry] = []
    private(set) var mistakes: [Mistake] = []

    private let text: [UInt8]
    private var at = 0
    private var line = 1
    private var table = ""
    private var lines: [String: Int] = [:]

    /// Reads the whole text.
    init(_ text: String) {
        self.text = Array(text.utf8)
        guard self.text.count <= TOMLReader.maximumByteCount else {
            mistakes = [Mistake(line: 1, reason: "the file is larger than 1 MiB")]
            return
        }
        while at < self.text.count {
            do throws(Mistake) {
                try readLine()
            } catch {
                mistakes.append(error)
                skipLine()
            }
        }
    }

    // MARK: Lines

    private mutating func readLine() throws(Mistake) {
        skipSpaces()
        switch peek {
        case nil, UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "#"): break
        case UInt8(ascii: "["): try readTable()
        default: try readEntry()
        }
        try endLine()
    }

    private mutating func readTable() throws(Mistake) {
        at += 1
        guard peek != UInt8(ascii: "[") else {
            throw mistake("arrays of tables, [[…]], are not used in these settings")
        }
        skipSpaces()
        let name = try readKey()
        skipSpaces()
        guard take("]") else { throw mistake("the table's name must end with ]") }
        table = name
    }

    private mutating func readEntry() throws(Mistake) {
        let start = line
        let name = try readKey()
        let key = table.isEmpty ? name : "\(table).\(name)"
        skipSpaces()
        guard take("=") else { throw mistake("after the key \(key) comes = and a value") }
        skipSpaces()
        let value = try readValue(of: key)
        if let first = lines[key] {
            throw Mistake(line: start, reason: "\(key) is set in line \(first) already")
        }
        lines[key] = start
        entries.append(Entry(key: key, value: value, line: start))
    }

    private mutating func endLine() throws(Mistake) {
        skipSpaces()
        if peek == UInt8(ascii: "#") {
            while let byte = peek, byte != UInt8(ascii: "\n") { at += 1 }
        }
        _ = take("\r")
        guard peek != nil else { return }
        guard take("\n") else { throw mistake("there is more in the line than was expected") }
        line += 1
    }

    private mutating func skipLine() {
        while let byte = peek, byte != UInt8(ascii: "\n") { at += 1 }
        if take("\n") { line += 1 }
    }

    // MARK: Keys and values

    private mutating func readKey() throws(Mistake) -> String {
        var parts: [String] = []
        repeat {
            skipSpaces()
            if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") {
                throw mistake("keys are written without quotes")
            }
            let part = take(while: TOMLReader.isKeyByte)
            guard !part.isEmpty else {
                throw mistake("a key was expected: letters, digits, _ and -")
            }
            parts.append(part)
            skipSpaces()
        } while take(".")
        return parts.joined(separator: ".")
    }

    private mutating func readValue(of key: String) throws(Mistake) -> RawSetting {
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(try readString())
        case UInt8(ascii: "["): return .list(try readArray(of: key))
        case UInt8(ascii: "{"): throw mistake("inline tables, {…}, are not used in these settings")
        default: break
        }
        let word = take(while: TOMLReader.isWordByte)
        let digits = word.filter { $0 != "_" }
        switch word {
        case "": throw mistake("\(key) has no value")
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case _ where Int(digits) != nil: return .integer(Int(digits) ?? 0)
        case _ where digits.contains(".") && Double(digits)?.isFinite == true:
            return .number(Double(digits) ?? 0)
        default: throw mistake("text stands in quotes: \(key) = \"\(word)\"")
        }
    }

    private mutating func readArray(of key: String) throws(Mistake) -> [String] {
        at += 1
        let start = line
        var items: [String] = []
        while true {
            skipSpacesAndLines()
            if take("]") { return items }
            guard peek != nil else {
                throw Mistake(line: start, reason: "the array of \(key) has no end")
            }
            guard peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") else {
                throw mistake("the array of \(key) holds texts in quotes")
            }
            items.append(try readString())
            skipSpacesAndLines()
            if take("]") { return items }
            guard take(",") else { throw mistake("a comma or ] was expected in \(key)") }
        }
    }

    private mutating func readString() throws(Mistake) -> String {
        guard let quote = peek else { throw mistake("a text was expected") }
        at += 1
        if peek == quote, at + 1 < text.count, text[at + 1] == quote {
            throw mistake("texts over several lines are not used in these settings")
        }
        var bytes: [UInt8] = []
        while let byte = peek, byte != UInt8(ascii: "\n") {
            at += 1
            if byte == quote {
                guard let string = String(validating: bytes, as: UTF8.self) else {
                    throw mistake("the text is not UTF-8")
                }
                return string
            }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                bytes += try readEscape()
            } else {
                bytes.append(byte)
            }
        }
        throw mistake("the closing quote is missing")
    }

    private mutating func readEscape() throws(Mistake) -> [UInt8] {
        guard let byte = peek, byte != UInt8(ascii: "\n") else {
            throw mistake("the closing quote is missing")
        }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return [byte]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let count = byte == UInt8(ascii: "u") ? 4 : 8
            let digits = String(decoding: text[at...].prefix(count), as: UTF8.self)
            guard digits.utf8.count == count, let value = UInt32(digits, radix: 16),
                let scalar = Unicode.Scalar(value)
            else { throw mistake("after \\u come four hexadecimal digits of a character") }
            at += count
            return Array(String(Character(scalar)).utf8)
        default:
            let name = Character(Unicode.Scalar(byte))
            throw mistake("\\\(name) means nothing; a backslash is written \\\\, or use '…'")
        }
    }

    // MARK: Bytes

    private var peek: UInt8? { at < text.count ? text[at] : nil }

    private func mistake(_ reason: String) -> Mistake { Mistake(line: line, reason: reason) }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        !isSpace(byte) && byte != UInt8(ascii: "#") && byte != UInt8(ascii: "\n")
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: scalar) else { return false }
        at += 1
        return true
    }

    private mutating func take(while isTaken: (UInt8) -> Bool) -> String {
        let start = at
        while let byte = peek, isTaken(byte) { at += 1 }
        return String(decoding: text[start..<at], as: UTF8.self)
    }

    private mutating func skipSpaces() {
        while peek == UInt8(ascii: " ") || peek == UInt8(ascii: "\t") { at += 1 }
    }

    private mutating func skipSpacesAndLines() {
        while let byte = peek {
            if byte == UInt8(ascii: "#") {
                while let byte = peek, byte != UInt8(ascii: "\n") { at += 1 }
            } else if byte == UInt8(ascii: "\n") {
                line += 1
                at += 1
            } else if TOMLReader.isSpace(byte) {
                at += 1
            } else {
                return
            }
        }
    }
}
