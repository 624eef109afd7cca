// Bytes of a terminal, turned into keys.
//
// A state machine over bytes: nothing depends on how the bytes were cut into reads. What it knows:
//
//   text            UTF-8; what isn't becomes U+FFFD
//   ^A … ^Z, DEL    control keys, tab, enter, backspace; ^H is Ctrl-Backspace
//   ESC x           alt and the key x
//   ESC [ … final   CSI: arrows and the like, with "1;5" for modifiers; "27;5;x~" and "x;5u" for
//                   keys that terminals only tell in that form
//   ESC O final     SS3: arrows and F1 to F4
//   ESC [ < …  M m  the mouse (SGR)
//   ESC [ 200 ~ … ESC [ 201 ~   a paste
//
// A lone ESC is the one thing that time decides: after `Limits.escapePause` without another byte
// the caller calls `flush`. A sequence that is too long or unknown is swallowed whole. The buffers
// are bounded; a paste longer than `Limits.pasteByteCount` is handed on in pieces.
//
// Source: "XTerm Control Sequences", https://invisible-island.net/xterm/ctlseqs/ctlseqs.html,
// sections "PC-Style Function Keys", "Bracketed Paste Mode" and "Extended coordinates".

/// Turns what a terminal sends into what a person did.
struct KeyDecoder: Sendable {
    private enum State: Sendable {
        case ground
        /// Behind ESC.
        case escape
        /// Behind ESC [, with what followed.
        case sequence
        /// Behind ESC O.
        case function
        /// Inside a sequence that grew too long.
        case overlong
        /// Inside a paste.
        case paste
    }

    private var state = State.ground
    /// The bytes of a sequence, or of a paste, or of one scalar.
    private var buffer: [UInt8] = []
    /// How many bytes the scalar that was begun still needs.
    private var scalarRest = 0
    /// Whether ESC was before the scalar.
    private var isAlt = false

    init() {}

    /// Whether what is left may be a key of its own once no more bytes come.
    var isWaiting: Bool {
        switch state {
        case .escape, .sequence, .function, .overlong: true
        case .ground, .paste: false
        }
    }

    /// Takes in bytes and returns what they complete.
    mutating func decode(_ bytes: some Sequence<UInt8>) -> [EditorEvent] {
        var events: [EditorEvent] = []
        for byte in bytes { take(byte, into: &events) }
        return events
    }

    /// Takes what is left for whole, since nothing followed it in time.
    mutating func flush() -> [EditorEvent] {
        defer { if isWaiting { reset() } }
        switch state {
        case .escape: return [.key(Key(.escape, isAlt ? .alt : []))]
        case .sequence where buffer.isEmpty: return [.key(Key(.scalar("["), .alt))]
        case .function: return [.key(Key(.scalar("O"), .alt))]
        default: return []
        }
    }

    private mutating func reset() {
        state = .ground
        buffer = []
        scalarRest = 0
        isAlt = false
    }

    private mutating func take(_ byte: UInt8, into events: inout [EditorEvent]) {
        switch state {
        case .ground: takeGround(byte, into: &events)
        case .escape: takeEscape(byte, into: &events)
        case .sequence: takeSequence(byte, into: &events)
        case .function:
            reset()
            if let key = KeyDecoder.finalKey(byte) { events.append(.key(key)) }
        case .overlong:
            if byte == 0x1B {
                reset()
                state = .escape
            } else if (0x40...0x7E).contains(byte) {
                reset()
            }
        case .paste: takePaste(byte, into: &events)
        }
    }

    private mutating func takeGround(_ byte: UInt8, into events: inout [EditorEvent]) {
        if scalarRest > 0 {
            if byte & 0xC0 == 0x80 {
                buffer.append(byte)
                scalarRest -= 1
                if scalarRest == 0 { finishScalar(into: &events) }
                return
            }
            finishScalar(into: &events)
        }
        switch byte {
        case 0x1B: state = .escape
        case 0x00..<0x20, 0x7F: emit(KeyDecoder.controlKey(byte), into: &events)
        case 0x20..<0x7F: emit(.scalar(Unicode.Scalar(byte)), into: &events)
        default:
            buffer = [byte]
            scalarRest = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : byte >= 0xC2 ? 1 : 0
            if scalarRest == 0 || byte > 0xF4 { finishScalar(into: &events) }
        }
    }

    private mutating func emit(_ key: Key, into events: inout [EditorEvent]) {
        var key = key
        if isAlt { key.modifiers.insert(.alt) }
        isAlt = false
        events.append(.key(key))
    }

    /// Ends a scalar, whole or not.
    private mutating func finishScalar(into events: inout [EditorEvent]) {
        let text = String(decoding: buffer, as: UTF8.self)
        buffer = []
        scalarRest = 0
        if let scalar = text.unicodeScalars.first { emit(.scalar(scalar), into: &events) }
    }

    private mutating func takeEscape(_ byte: UInt8, into events: inout [EditorEvent]) {
        switch byte {
        case UInt8(ascii: "["):
            buffer = []
            state = .sequence
        case UInt8(ascii: "O"):
            state = .function
        case 0x1B:
            // The first was the key ESC, or stands before a sequence with alt.
            events.append(.key(Key(.escape)))
        default:
            state = .ground
            isAlt = true
            takeGround(byte, into: &events)
        }
    }

    private mutating func takeSequence(_ byte: UInt8, into events: inout [EditorEvent]) {
        if byte == 0x1B {
            reset()
            state = .escape
            return
        }
        let isLinuxFunction = buffer == [UInt8(ascii: "[")]
        let isFinal = (0x40...0x7E).contains(byte) && !(buffer.isEmpty && byte == 0x5B)
        // rxvt ends keys with $, which is no final byte elsewhere.
        guard isFinal || byte == UInt8(ascii: "$") || isLinuxFunction else {
            buffer.append(byte)
            if buffer.count > Limits.escapeByteCount { state = .overlong }
            return
        }
        let parameters = buffer
        reset()
        if parameters.first == UInt8(ascii: "<") {
            if let mouse = KeyDecoder.mouse(parameters.dropFirst(), final: byte) {
                events.append(.mouse(mouse))
            }
        } else if isLinuxFunction {
            if (0x41...0x45).contains(byte) {
                events.append(.key(Key(.function(Int(byte) - 0x40))))
            }
        } else if let key = KeyDecoder.sequenceKey(parameters, final: byte) {
            events.append(.key(key))
        } else if byte == UInt8(ascii: "~"), KeyDecoder.numbers(parameters[...]) == [200] {
            state = .paste
        }
    }

    private static let pasteEnd = Array("\u{1B}[201~".utf8)

    private mutating func takePaste(_ byte: UInt8, into events: inout [EditorEvent]) {
        let end = KeyDecoder.pasteEnd
        // Where a scalar begins, nothing is torn but a line end or the end mark.
        let isWhole =
            byte & 0xC0 != 0x80 && buffer.last != 0x0D && !buffer.suffix(end.count).contains(0x1B)
        let limit = Limits.pasteByteCount
        if buffer.count >= 2 * limit || (buffer.count >= limit && isWhole) {
            events.append(.paste(String(decoding: buffer, as: UTF8.self)))
            buffer = []
        }
        buffer.append(byte)
        if byte == end[end.count - 1], buffer.suffix(end.count).elementsEqual(end) {
            buffer.removeLast(end.count)
            if !buffer.isEmpty { events.append(.paste(String(decoding: buffer, as: UTF8.self))) }
            reset()
        }
    }
}

extension KeyDecoder {
    private static func controlKey(_ byte: UInt8) -> Key {
        switch byte {
        case 0x00: Key(.scalar(" "), .control)
        case 0x08: Key(.backspace, .control)
        case 0x09: Key(.tab)
        case 0x0A, 0x0D: Key(.enter)
        case 0x7F: Key(.backspace)
        case 0x01...0x1A: .control(Unicode.Scalar(byte + 0x60))
        default: .control(Unicode.Scalar(byte + 0x40))
        }
    }

    private static func finalKey(_ final: UInt8) -> Key? {
        switch final {
        case UInt8(ascii: "A"): Key(.up)
        case UInt8(ascii: "B"): Key(.down)
        case UInt8(ascii: "C"): Key(.right)
        case UInt8(ascii: "D"): Key(.left)
        case UInt8(ascii: "H"): Key(.home)
        case UInt8(ascii: "F"): Key(.end)
        case UInt8(ascii: "M"): Key(.enter)
        case UInt8(ascii: "P")...UInt8(ascii: "S"): Key(.function(Int(final) - 0x4F))
        case UInt8(ascii: "Z"): Key(.tab, .shift)
        // rxvt: lower case with shift behind CSI, with control behind SS3; both mean a word here.
        case UInt8(ascii: "a"): Key(.up, .shift)
        case UInt8(ascii: "b"): Key(.down, .shift)
        case UInt8(ascii: "c"): Key(.right, .shift)
        case UInt8(ascii: "d"): Key(.left, .shift)
        default: nil
        }
    }

    private static func sequenceKey(_ parameters: [UInt8], final: UInt8) -> Key? {
        guard let numbers = numbers(parameters[...]) else { return nil }
        let modifiers = modifiers(numbers.count > 1 ? numbers[1] : 1)
        switch final {
        case UInt8(ascii: "~"), UInt8(ascii: "$"), UInt8(ascii: "^"), UInt8(ascii: "@"):
            if numbers.first == 27, numbers.count == 3 {
                return scalarKey(numbers[2], modifiers)
            }
            guard let first = numbers.first, var key = numberedKey(first) else { return nil }
            key.modifiers = modifiers
            if final != UInt8(ascii: "~"), final != UInt8(ascii: "^") {
                key.modifiers.insert(.shift)
            }
            if final == UInt8(ascii: "^") || final == UInt8(ascii: "@") {
                key.modifiers.insert(.control)
            }
            return key
        case UInt8(ascii: "u"):
            return numbers.first.flatMap { scalarKey($0, modifiers) }
        default:
            guard var key = finalKey(final) else { return nil }
            key.modifiers.formUnion(modifiers)
            return key
        }
    }

    private static func numberedKey(_ number: Int) -> Key? {
        switch number {
        case 1, 7: Key(.home)
        case 2: Key(.insert)
        case 3: Key(.delete)
        case 4, 8: Key(.end)
        case 5: Key(.pageUp)
        case 6: Key(.pageDown)
        case 11...15: Key(.function(number - 10))
        case 17...21: Key(.function(number - 11))
        case 23...24: Key(.function(number - 12))
        default: nil
        }
    }

    /// A key that was told by its code point.
    private static func scalarKey(_ value: Int, _ modifiers: Key.Modifiers) -> Key? {
        guard let value = UInt32(exactly: value), let scalar = Unicode.Scalar(value) else {
            return nil
        }
        if value < 0x20 || value == 0x7F {
            var key = value == 0x1B ? Key(.escape) : controlKey(UInt8(value))
            key.modifiers.formUnion(modifiers)
            return key
        }
        if modifiers.contains(.control), (0x41...0x5A).contains(value) {
            return Key(.scalar(Unicode.Scalar(UInt8(value) | 0x20)), modifiers)
        }
        return Key(.scalar(scalar), modifiers.subtracting(.shift))
    }

    /// xterm sends 1 plus the bits shift 1, alt 2, control 4; more bits are keys we don't use.
    private static func modifiers(_ parameter: Int) -> Key.Modifiers {
        parameter < 1 ? [] : Key.Modifiers(rawValue: UInt8((parameter - 1) & 7))
    }

    private static func mouse(_ parameters: ArraySlice<UInt8>, final: UInt8) -> Mouse? {
        guard let numbers = numbers(parameters), numbers.count == 3 else { return nil }
        let row = numbers[2] - 1
        let column = numbers[1] - 1
        guard row >= 0, column >= 0 else { return nil }
        // Shift 4, alt 8 and control 16 are added to the button.
        switch (numbers[0] & ~0x1C, final) {
        case (0, UInt8(ascii: "M")): return Mouse(.press, row: row, column: column)
        case (32, UInt8(ascii: "M")): return Mouse(.drag, row: row, column: column)
        case (0, UInt8(ascii: "m")), (32, UInt8(ascii: "m")):
            return Mouse(.release, row: row, column: column)
        case (64, UInt8(ascii: "M")): return Mouse(.wheelUp, row: row, column: column)
        case (65, UInt8(ascii: "M")): return Mouse(.wheelDown, row: row, column: column)
        default: return nil
        }
    }

    /// Decimal numbers between semicolons; `nil` for anything else. At most six digits each.
    ///
    /// What follows a colon refines a number and is left out.
    private static func numbers(_ bytes: ArraySlice<UInt8>) -> [Int]? {
        if bytes.isEmpty { return [] }
        var result: [Int] = []
        for part in bytes.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false) {
            var number = 0
            for byte in part.prefix(while: { $0 != UInt8(ascii: ":") }) {
                guard (0x30...0x39).contains(byte), number < 1_000_000 else { return nil }
                number = number * 10 + Int(byte - 0x30)
            }
            result.append(number)
        }
        return result
    }
}
