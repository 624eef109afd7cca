import Foundation

/// Where a verb prints: data and results go to standard output, everything about them to standard
/// error.
struct Console: Sendable {
    /// How standard output is dressed.
    let output: Dress
    /// How standard error is dressed.
    let error: Dress

    /// What a stream can show.
    struct Dress: Sendable, Equatable {
        /// Whether a person is looking, as far as one can tell.
        let isTerminal: Bool
        let isColored: Bool

        /// By the conventions: no colour into files, for dumb terminals, or against NO_COLOR
        /// (https://no-color.org: "when present and not an empty string").
        init(isTerminal: Bool, environment: [String: String], noColor: Bool) {
            self.isTerminal = isTerminal
            let isRefused = noColor || environment["NO_COLOR"].map { !$0.isEmpty } ?? false
            isColored = isTerminal && !isRefused && environment["TERM", default: "dumb"] != "dumb"
        }

        /// The text in a style, or plain.
        func styled(_ text: String, _ style: Style) -> String {
            isColored ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
        }

        /// A name or path with what could move a terminal's cursor made visible. In a pipe as well,
        /// since it may end on a terminal; JSON has them as they are.
        func safe(_ text: String) -> String { text.withVisibleControls }

        /// The text of a document: safe for a terminal, and into a pipe or file as it is.
        func contents(_ text: String) -> String { isTerminal ? text.withVisibleControls : text }
    }

    /// What little colour there is: the terminal's own, by number.
    enum Style: String {
        case strong = "1"
        case faint = "2"
        case bad = "1;31"
        case good = "32"
        case warning = "33"
        case accent = "36"
    }

    /// The console of this process.
    init(noColor: Bool, environment: [String: String] = ProcessInfo.processInfo.environment) {
        output = Dress(isTerminal: isatty(1) == 1, environment: environment, noColor: noColor)
        error = Dress(isTerminal: isatty(2) == 1, environment: environment, noColor: noColor)
    }

    /// Prints a line of data.
    func print(_ line: String) { write(line + "\n") }

    /// Prints data as they are.
    func write(_ text: String) { Console.send(text, to: .standardOutput) }

    /// Tells the person something beside the data: `sennit: …`.
    func note(_ message: String) {
        Console.send(
            error.styled("sennit: ", .faint) + error.safe(message) + "\n",
            to: .standardError
        )
    }

    /// Asks the person something; no line end follows.
    func ask(_ question: String) { Console.send(question, to: .standardError) }

    /// Tells why the verb failed.
    func report(_ failure: Failure) {
        var text =
            "sennit: " + error.styled("error:", .bad) + " " + error.safe(failure.message) + "\n"
        if let hint = failure.hint {
            text += error.styled("hint:", .accent) + " " + error.safe(hint) + "\n"
        }
        Console.send(text, to: .standardError)
    }

    /// When nobody reads any more, the process ends as one does that SIGPIPE ends.
    private static func send(_ text: String, to file: FileHandle) {
        do {
            try file.write(contentsOf: Data(text.utf8))
        } catch {
            exit(file === FileHandle.standardOutput ? 141 : ExitStatus.failure.rawValue)
        }
    }
}

extension String {
    /// Control characters as pictures and direction marks as `�`; line ends and tabs stay.
    ///
    /// Names, paths and texts are written by others, and a terminal obeys what is in them.
    var withVisibleControls: String {
        var scalars = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A: scalars.append(scalar)
            case 0x00..<0x20: scalars.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
            case 0x7F: scalars.append("\u{2421}")
            case 0x80..<0xA0, 0x202A...0x202E, 0x2066...0x2069: scalars.append("\u{FFFD}")
            default: scalars.append(scalar)
            }
        }
        return String(scalars)
    }

    /// As above, on one line.
    var onOneLine: String {
        withVisibleControls.replacing("\n", with: "␊").replacing("\t", with: " ")
    }
}
