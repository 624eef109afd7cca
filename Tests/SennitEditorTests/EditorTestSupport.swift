import SennitDocument
import Testing

@testable import SennitEditor

/// Random numbers from one seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    mutating func range(in count: Int, atMost length: Int) -> Range<Int> {
        let start = below(count + 1)
        return start..<min(count, start + below(length + 1))
    }
}

/// A text as a plain array: the slow, obvious document.
struct PlainText: Hashable {
    var scalars: [Unicode.Scalar]

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    init(_ rope: Rope) { self.init(rope.string) }

    mutating func apply(_ patch: Patch) {
        scalars.replaceSubrange(patch.range, with: patch.text.unicodeScalars)
    }
}

/// A model with its document beside it. `|` in texts is the cursor.
struct Harness {
    var model: EditorModel
    var document: PlainText
    var now = Duration.zero
    var effects: [EditorEffect] = []

    init(_ text: String = "", size: ScreenSize = ScreenSize(rows: 12, columns: 40)) {
        model = EditorModel(title: "notes.txt", size: size)
        let cursor = text.unicodeScalars.split(separator: "|", omittingEmptySubsequences: false)
        let plain = text.filter { $0 != "|" }
        document = PlainText(plain)
        model.receive(.text(plain), at: now)
        if cursor.count == 2 { model.moveCursor(to: cursor[0].count) }
        _ = model.handle(.tick, at: now)
    }

    /// The text with `|` at the cursor and `[…]` around the selection.
    var shown: String {
        var result = ""
        let scalars = PlainText(model.text).scalars
        for index in 0...scalars.count {
            if let range = model.selection {
                if index == range.lowerBound { result += "[" }
                if index == range.upperBound { result += "]" }
            } else if index == model.cursor {
                result += "|"
            }
            if index < scalars.count { result.unicodeScalars.append(scalars[index]) }
        }
        return result
    }

    mutating func send(_ event: EditorEvent) {
        let made = model.handle(event, at: now)
        for case .edits(let patches) in made {
            for patch in patches { document.apply(patch) }
        }
        effects += made.filter { if case .edits = $0 { false } else { true } }
    }

    mutating func press(_ keys: Key...) {
        for key in keys { send(.key(key)) }
    }

    mutating func type(_ text: String) {
        for scalar in text.unicodeScalars { send(.key(.scalar(scalar))) }
    }

    mutating func remote(_ patches: Patch...) {
        for patch in patches { document.apply(patch) }
        receive(.remote(patches))
    }

    /// What a turn without events does.
    mutating func receive(_ change: DocumentChange) {
        model.receive(change, at: now)
        send(.tick)
    }

    mutating func remote(insert text: String, at index: Int) {
        remote(Patch(range: index..<index, text: text))
    }

    /// The screen without colours, without the rows of keys.
    var screen: String {
        let text = model.frame(Theme(depth: .none)).grid.text
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .dropLast(model.keyRowCount).joined(separator: "\n")
    }
}
