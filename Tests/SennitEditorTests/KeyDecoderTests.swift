import Testing

@testable import SennitEditor

struct KeyDecoderTests {
    /// What a terminal sends, and what it means.
    private static let samples: [(bytes: String, events: [EditorEvent])] = [
        ("a", [.key(.scalar("a"))]),
        ("é日👍", [.key(.scalar("é")), .key(.scalar("日")), .key(.scalar("👍"))]),
        ("\u{01}\u{1A}", [.key(.control("a")), .key(.control("z"))]),
        ("\t\r\u{7F}", [.key(Key(.tab)), .key(Key(.enter)), .key(Key(.backspace))]),
        ("\u{08}", [.key(Key(.backspace, .control))]),
        ("\u{1B}[A\u{1B}OB", [.key(Key(.up)), .key(Key(.down))]),
        ("\u{1B}[1;5C", [.key(Key(.right, .control))]),
        ("\u{1B}[1;6D", [.key(Key(.left, [.shift, .control]))]),
        ("\u{1B}[3~\u{1B}[3;5~", [.key(Key(.delete)), .key(Key(.delete, .control))]),
        ("\u{1B}[5~\u{1B}[6~", [.key(Key(.pageUp)), .key(Key(.pageDown))]),
        ("\u{1B}[H\u{1B}[4~\u{1B}[7~", [.key(Key(.home)), .key(Key(.end)), .key(Key(.home))]),
        ("\u{1B}OP\u{1B}[[B\u{1B}[15~", [1, 2, 5].map { .key(Key(.function($0))) }),
        ("\u{1B}[Z", [.key(Key(.tab, .shift))]),
        ("\u{1B}x\u{1B}é", [.key(Key(.scalar("x"), .alt)), .key(Key(.scalar("é"), .alt))]),
        ("\u{1B}[27;5;127~", [.key(Key(.backspace, .control))]),
        ("\u{1B}[122;5u", [.key(.control("z"))]),
        ("\u{1B}[3$\u{1B}[a", [.key(Key(.delete, .shift)), .key(Key(.up, .shift))]),
        ("\u{1B}[<0;5;3M", [.mouse(Mouse(.press, row: 2, column: 4))]),
        (
            "\u{1B}[<32;5;3M\u{1B}[<0;5;3m",
            [
                .mouse(Mouse(.drag, row: 2, column: 4)), .mouse(Mouse(.release, row: 2, column: 4)),
            ]
        ),
        ("\u{1B}[<65;1;1M", [.mouse(Mouse(.wheelDown, row: 0, column: 0))]),
        (
            "\u{1B}[200~x\u{1B}[A\r\n日\u{1B}[201~y",
            [
                .paste("x\u{1B}[A\r\n日"), .key(.scalar("y")),
            ]
        ),
        ("\u{1B}[?1;2c\u{1B}[999999999;1Hz", [.key(.scalar("z"))]),
        ("\u{1B}\u{1B}[A", [.key(Key(.escape)), .key(Key(.up))]),
    ]

    @Test(arguments: 0..<samples.count)
    func `a key is the same wherever a read cuts its bytes`(index: Int) {
        let (text, events) = KeyDecoderTests.samples[index]
        let bytes = Array(text.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var decoder = KeyDecoder()
                let parts = [bytes[..<first], bytes[first..<second], bytes[second...]]
                let decoded = parts.flatMap { decoder.decode($0) }
                #expect(decoded == events)
                #expect(!decoder.isWaiting)
            }
        }
    }

    @Test func `a lone escape is a key once nothing follows`() {
        var decoder = KeyDecoder()
        #expect(decoder.decode([0x1B]).isEmpty)
        #expect(decoder.isWaiting)
        #expect(decoder.flush() == [.key(Key(.escape))])
        #expect(!decoder.isWaiting)
        #expect(decoder.flush().isEmpty)
        _ = decoder.decode(Array("\u{1B}[".utf8))
        #expect(decoder.flush() == [.key(Key(.scalar("["), .alt))])
        _ = decoder.decode(Array("\u{1B}[1;".utf8))
        #expect(decoder.flush().isEmpty)
        #expect(decoder.decode(Array("a".utf8)) == [.key(.scalar("a"))])
    }

    @Test func `flush leaves a scalar and a paste that are not yet whole`() {
        var decoder = KeyDecoder()
        _ = decoder.decode([0xE6, 0x97])
        #expect(decoder.flush().isEmpty)
        #expect(decoder.decode([0xA5]) == [.key(.scalar("日"))])
        _ = decoder.decode(Array("\u{1B}[200~ab".utf8))
        #expect(decoder.flush().isEmpty)
        #expect(decoder.decode(Array("c\u{1B}[201~".utf8)) == [.paste("abc")])
    }

    @Test func `bytes that are not UTF-8 become replacement characters`() {
        var decoder = KeyDecoder()
        let events = decoder.decode([0xFF, 0xE6, 0x41, 0x80, 0xC0, 0x42])
        let scalars: [Unicode.Scalar] = ["\u{FFFD}", "\u{FFFD}", "A", "\u{FFFD}", "\u{FFFD}", "B"]
        #expect(events == scalars.map { .key(.scalar($0)) })
    }

    @Test func `an endless sequence is swallowed and ends at its final byte`() {
        var decoder = KeyDecoder()
        let bytes = Array("\u{1B}[".utf8) + [UInt8](repeating: 0x30, count: 5000)
        #expect(decoder.decode(bytes).isEmpty)
        #expect(decoder.decode(Array("5~q".utf8)) == [.key(.scalar("q"))])
    }

    @Test func `a long paste arrives in whole pieces`() {
        var decoder = KeyDecoder()
        let text = String(repeating: "日本", count: 400_000) + "\r\n"
        let events = decoder.decode(Array("\u{1B}[200~\(text)\u{1B}[201~".utf8))
        #expect(events.count == 3)
        let pasted = events.map { if case .paste(let part) = $0 { part } else { "?" } }.joined()
        #expect(pasted.utf8.elementsEqual(text.utf8))
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `no bytes stop the decoder for good`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("\u{1B}[[O<;~M012Aé\u{7F}u$^".utf8) + [0xFF, 0x00]
        var decoder = KeyDecoder()
        for _ in 0..<2000 {
            _ = decoder.decode([alphabet[random.below(alphabet.count)]])
            if random.below(50) == 0 { _ = decoder.flush() }
        }
        _ = decoder.decode(Array("\u{1B}[201~".utf8))
        _ = decoder.flush()
        #expect(decoder.decode([0x71]).last == .key(.scalar("q")), "seed \(seed)")
    }
}
