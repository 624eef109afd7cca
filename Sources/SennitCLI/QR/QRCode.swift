// A QR code (ISO/IEC 18004) for an invite link.
//
// Idea. The text becomes a string of bits, the bits become codewords, Reed–Solomon adds codewords
// that repair others, and everything is laid as dark and light modules around the fixed patterns by
// which a camera finds the code. One of eight masks is laid over the data, the one that leaves the
// fewest shapes that could confuse a reader.
//
//     text ─► 0100 | count | bytes | 0000 | padding      QRCodewords.swift
//          ─► blocks + repair, interleaved               QRCodewords.swift
//          ─► modules in columns of two, from the right  QRLayout.swift
//          ─► mask 0...7, format and version bits        QRLayout.swift, QRMask.swift
//
// Example. "hello" has 5 bytes: version 1, 21 by 21 modules.
//
// Left out: modes other than bytes, repair levels other than L (7 percent; a screen has no dirt),
// versions above 15 (77 by 77 modules, more than a terminal shows).

/// A square of dark and light modules that cameras read as a text.
struct QRCode: Equatable {
    /// From 1 to 15; a version has `17 + 4 * version` modules a side.
    let version: Int
    /// Which of the eight masks lies over the data.
    let mask: Int
    /// Modules a side.
    var sideCount: Int { modules.sideCount }

    private let modules: QRModules

    /// The smallest code that holds these bytes; `nil` if they are more than `byteCountLimit`.
    /// - Parameters:
    ///   - mask: the mask to use, 0...7; `nil` for the one that reads best.
    init?(_ bytes: [UInt8], mask: Int? = nil) {
        guard let version = QRVersion.smallest(holding: bytes.count) else { return nil }
        let codewords = QRCodewords.all(for: bytes, version)
        let candidates = (mask.map { $0...$0 } ?? 0...7).map { mask in
            (mask: mask, modules: QRModules(codewords, version: version, mask: mask))
        }
        let scored = candidates.map { ($0, penalty: candidates.count > 1 ? $0.modules.penalty : 0) }
        guard let best = scored.min(by: { $0.penalty < $1.penalty })?.0 else { return nil }
        self.version = version.number
        self.mask = best.mask
        modules = best.modules
    }

    /// The most bytes a code holds.
    static var byteCountLimit: Int { QRVersion.all.last?.byteCapacity ?? 0 }

    /// Whether the module is dark. Outside of the square all is light.
    subscript(row: Int, column: Int) -> Bool {
        let side = 0..<sideCount
        return side.contains(row) && side.contains(column) && modules[row, column]
    }
}

/// One size of code at repair level L: how many codewords it has, and in how many blocks.
struct QRVersion: Equatable {
    let number: Int
    /// Codewords in all, repair included (table 1 of the standard).
    let codewordCount: Int
    /// Blocks that are repaired each by itself (table 9).
    let blockCount: Int
    /// Repair codewords of each block (table 9).
    let repairCount: Int
    /// Rows and columns whose crossings are centres of alignment patterns (annex E).
    let alignment: [Int]

    var sideCount: Int { 17 + 4 * number }
    var dataCodewordCount: Int { codewordCount - blockCount * repairCount }
    /// Bits that tell how many bytes follow (table 3).
    var lengthBitCount: Int { number < 10 ? 8 : 16 }
    /// Bytes of text that fit behind the mode and the length.
    var byteCapacity: Int { (dataCodewordCount * 8 - 4 - lengthBitCount) / 8 }

    static func smallest(holding byteCount: Int) -> QRVersion? {
        all.first { $0.byteCapacity >= byteCount }
    }

    static let all: [QRVersion] = [
        (26, 1, 7, []), (44, 1, 10, [6, 18]), (70, 1, 15, [6, 22]), (100, 1, 20, [6, 26]),
        (134, 1, 26, [6, 30]), (172, 2, 18, [6, 34]), (196, 2, 20, [6, 22, 38]),
        (242, 2, 24, [6, 24, 42]), (292, 2, 30, [6, 26, 46]), (346, 4, 18, [6, 28, 50]),
        (404, 4, 20, [6, 30, 54]), (466, 4, 24, [6, 32, 58]), (532, 4, 26, [6, 34, 62]),
        (581, 4, 30, [6, 26, 46, 66]), (655, 6, 22, [6, 26, 48, 70]),
    ].enumerated().map { index, row in
        QRVersion(
            number: index + 1,
            codewordCount: row.0,
            blockCount: row.1,
            repairCount: row.2,
            alignment: row.3
        )
    }
}
