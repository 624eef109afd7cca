import Testing

@testable import RelayCore

struct TOMLReaderTests {
    @Test func `keys stand in tables, values have types, and both have lines`() {
        let reader = TOMLReader(
            """
            # a comment
            listen = "0.0.0.0:7433" # behind a value too
            a.b-c = 'C:\\path'

            [ limits ]
            connections = 5_000
            rate = 0.5\r
            quick=true
            [proxy.of_all]
            trusted = [ "10.0.0.0/8", # over
              '::1',
            ]
            empty = []
            """
        )
        #expect(reader.mistakes == [])
        #expect(
            reader.entries == [
                .init(key: "listen", value: .string("0.0.0.0:7433"), line: 2),
                .init(key: "a.b-c", value: .string("C:\\path"), line: 3),
                .init(key: "limits.connections", value: .integer(5000), line: 6),
                .init(key: "limits.rate", value: .number(0.5), line: 7),
                .init(key: "limits.quick", value: .boolean(true), line: 8),
                .init(key: "proxy.of_all.trusted", value: .list(["10.0.0.0/8", "::1"]), line: 10),
                .init(key: "proxy.of_all.empty", value: .list([]), line: 13),
            ]
        )
    }

    @Test func `escapes mean what TOML says`() {
        let reader = TOMLReader(#"a = "q\" b\\ n\n t\t r\r \u00e9 \U0001F600""#)
        #expect(
            reader.entries.map(\.value) == [.string("q\" b\\ n\n t\t r\r \u{e9} \u{1F600}")]
        )
    }

    @Test func `what is written can be read`() {
        let values: [RawSetting] = [
            .string("a \"b\" \\ \n\t\u{1}\u{7f} é"), .integer(-3), .number(0.25), .boolean(false),
            .list(["x,y", "\""]), .list([]),
        ]
        for value in values {
            #expect(TOMLReader("k = \(value.literal)").entries.map(\.value) == [value])
        }
    }

    @Test(
        arguments: [
            ("a = b", "text stands in quotes: a = \"b\""),
            ("a =", "a has no value"),
            ("a", "after the key a comes = and a value"),
            ("= 1", "a key was expected: letters, digits, _ and -"),
            ("\"a\" = 1", "keys are written without quotes"),
            ("a = \"b", "the closing quote is missing"),
            ("a = \"b\\", "the closing quote is missing"),
            ("a = \"\\x\"", "\\x means nothing; a backslash is written \\\\, or use '…'"),
            ("a = \"\\ud800\"", "after \\u come four hexadecimal digits of a character"),
            ("a = 1 2", "there is more in the line than was expected"),
            ("a = {}", "inline tables, {…}, are not used in these settings"),
            ("[[a]]", "arrays of tables, [[…]], are not used in these settings"),
            ("[a", "the table's name must end with ]"),
            ("a = \"\"\"b\"\"\"", "texts over several lines are not used in these settings"),
            ("a = [1]", "the array of a holds texts in quotes"),
            ("a = [\"b\" 1]", "a comma or ] was expected in a"),
            ("a = 1979-05-27", "text stands in quotes: a = \"1979-05-27\""),
            ("a = 99999999999999999999", "text stands in quotes: a = \"99999999999999999999\""),
        ]
    )
    func `a mistake is named with its line`(line: String, reason: String) {
        let reader = TOMLReader("ok = 1\n\(line)\nlast = 2")
        #expect(reader.mistakes.first == .init(line: 2, reason: reason))
        #expect(reader.entries.first?.key == "ok")
    }

    @Test func `an array without an end is named with the line of its key`() {
        for text in ["a = [", "a = [\n\"b\",\n"] {
            let reader = TOMLReader(text)
            #expect(reader.mistakes == [.init(line: 1, reason: "the array of a has no end")])
        }
    }

    @Test func `reading goes on after a mistake`() {
        let reader = TOMLReader("a = b\nc = 1\nc = 2\nd = \"\nlast = true\n")
        #expect(reader.entries.map(\.key) == ["c", "last"])
        #expect(reader.mistakes.map(\.line) == [1, 3, 4])
        #expect(reader.mistakes[1].reason == "c is set in line 2 already")
    }

    @Test func `no bytes make it trap or run on`() {
        let pieces = [
            "a", "=", "\"", "'", "[", "]", "\n", "\r", "\\", "u", "#", ",", ".", "1", "_",
        ]
        for seed in UInt64(1)...400 {
            var random = SplitMix(seed)
            let text = (0..<40).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }
            _ = TOMLReader(text.joined())
        }
        let long = TOMLReader(String(repeating: "#", count: TOMLReader.maximumByteCount + 1))
        #expect(long.mistakes == [.init(line: 1, reason: "the file is larger than 1 MiB")])
    }

    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64
        init(_ seed: UInt64) { state = seed }
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }
}
