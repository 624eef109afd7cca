/// A value as it was written, before anybody knows what it is meant to be.
public enum RawSetting: Hashable, Sendable {
    /// From the environment or the command line, where everything is text.
    case text(String)
    case string(String)
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    case list([String])
}

/// How the values of a setting are written, and which are accepted.
public struct SettingForm<Value: Hashable & Sendable>: Sendable {
    /// One or two words for tables: `duration`, `path or "off"`.
    public let name: String
    /// For messages, after "it takes": `a duration from 1s to 1h, such as 30s`.
    public let expectation: String
    /// The value, if it is one.
    let read: @Sendable (RawSetting) -> Value?
    /// The value as a file has it.
    let write: @Sendable (Value) -> RawSetting
}

extension SettingForm where Value == String {
    /// The path of a file or directory.
    static let path = SettingForm(
        name: "path",
        expectation: "a path",
        read: { $0.string.flatMap { $0.isEmpty ? nil : $0 } },
        write: { .string($0) }
    )

    /// One of a few words.
    static func choice(_ words: [String]) -> SettingForm {
        SettingForm(
            name: words.joined(separator: ", "),
            expectation: "one of " + words.map { "\"\($0)\"" }.joined(separator: ", "),
            read: { $0.string.flatMap { words.contains($0) ? $0 : nil } },
            write: { .string($0) }
        )
    }
}

extension SettingForm where Value == Bool {
    /// Yes or no.
    static let boolean = SettingForm(
        name: "true, false",
        expectation: "true or false",
        read: { raw in
            switch raw {
            case .boolean(let value): value
            case .text("true"): true
            case .text("false"): false
            default: nil
            }
        },
        write: { .boolean($0) }
    )
}

extension SettingForm where Value == Int {
    /// A whole number.
    static func integer(_ range: ClosedRange<Int>) -> SettingForm {
        SettingForm(
            name: "number",
            expectation: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            read: { raw in
                let value: Int? =
                    switch raw {
                    case .integer(let value): value
                    case .text(let text): Int(text)
                    default: nil
                    }
                return value.flatMap { range.contains($0) ? $0 : nil }
            },
            write: { .integer($0) }
        )
    }

    /// A number of bytes: a whole number, or text with a unit.
    static func bytes(_ range: ClosedRange<Int>) -> SettingForm {
        let (least, most) = (ByteText.write(range.lowerBound), ByteText.write(range.upperBound))
        return SettingForm(
            name: "size",
            expectation: "a size from \(least) to \(most), such as 64MiB",
            read: { raw in
                let value: Int? =
                    if case .integer(let value) = raw { value } else {
                        raw.string.flatMap(ByteText.read)
                    }
                return value.flatMap { range.contains($0) ? $0 : nil }
            },
            write: { .string(ByteText.write($0)) }
        )
    }
}

extension SettingForm where Value == Double {
    /// A number that needn't be whole.
    static func number(_ range: ClosedRange<Double>) -> SettingForm {
        SettingForm(
            name: "number",
            expectation: "a number from \(range.lowerBound) to \(range.upperBound)",
            read: { raw in
                let value: Double? =
                    switch raw {
                    case .number(let value): value
                    case .integer(let value): Double(value)
                    case .text(let text): Double(text)
                    default: nil
                    }
                return value.flatMap { range.contains($0) ? $0 : nil }
            },
            write: { .number($0) }
        )
    }
}

extension SettingForm where Value == Duration {
    /// A time span with its unit.
    static func duration(_ range: ClosedRange<Duration>) -> SettingForm {
        let least = DurationText.write(range.lowerBound)
        let most = DurationText.write(range.upperBound)
        return SettingForm(
            name: "duration",
            expectation: "a duration from \(least) to \(most), such as 30s",
            read: { raw in
                raw.string.flatMap(DurationText.read)
                    .flatMap { range.contains($0) ? $0 : nil }
            },
            write: { .string(DurationText.write($0)) }
        )
    }
}

extension SettingForm where Value == ListenAddress {
    /// Where to listen.
    static let address = SettingForm(
        name: "host:port",
        expectation: "HOST:PORT, such as 127.0.0.1:7433 or [::1]:7433",
        read: { $0.string.flatMap(ListenAddress.init) },
        write: { .string("\($0)") }
    )
}

extension SettingForm where Value == [String] {
    /// Any number of texts; separated by commas where everything is text.
    /// - Parameters:
    ///   - name: of one of them.
    ///   - isOne: whether a text is one.
    static func list(
        of name: String,
        expectation: String,
        where isOne: @escaping @Sendable (String) -> Bool
    ) -> SettingForm {
        SettingForm(
            name: "list of \(name)",
            expectation: expectation,
            read: { raw in
                let items: [String]? =
                    switch raw {
                    case .list(let items): items
                    case .text(let text):
                        text.split(separator: ",").map { String($0).trimmingSpaces }
                    default: nil
                    }
                return items.flatMap { $0.allSatisfy(isOne) ? $0 : nil }
            },
            write: { .list($0) }
        )
    }
}

extension SettingForm where Value == [String] {
    /// Addresses of databases. They may have commas and spaces in them, so where everything is text
    /// they are separated by semicolons.
    static var databases: SettingForm {
        let list = SettingForm.list(
            of: "addresses",
            expectation: "addresses as libpq takes them, such as \"host=db dbname=sennit\""
        ) { !$0.isEmpty }
        return SettingForm(name: list.name, expectation: list.expectation) { raw in
            guard case .text(let text) = raw else { return list.read(raw) }
            return list.read(.list(text.split(separator: ";").map { String($0).trimmingSpaces }))
        } write: {
            list.write($0)
        }
    }
}

extension SettingForm {
    /// The same, or a word for none at all.
    static func optional<Wrapped>(
        _ form: SettingForm<Wrapped>,
        none word: String
    ) -> SettingForm where Value == Wrapped? {
        SettingForm(
            name: "\(form.name) or \"\(word)\"",
            expectation: "\(form.expectation), or \"\(word)\"",
            read: { raw in
                if raw.string == word { return .some(nil) }
                return form.read(raw).map { .some($0) }
            },
            write: { $0.map(form.write) ?? .string(word) }
        )
    }
}

extension RawSetting {
    /// The text, if it is one.
    var string: String? {
        switch self {
        case .text(let text), .string(let text): text
        default: nil
        }
    }

    /// As a line of TOML has it; JSON writes these values the same.
    public var literal: String {
        switch self {
        case .text(let text), .string(let text): RawSetting.quoted(text)
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .boolean(let value): String(value)
        case .list(let items): "[" + items.map(RawSetting.quoted).joined(separator: ", ") + "]"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension String {
    /// Without spaces and tabs at both ends.
    var trimmingSpaces: String {
        func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" }
        guard let last = lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(self[...last].drop(while: isSpace))
    }
}
