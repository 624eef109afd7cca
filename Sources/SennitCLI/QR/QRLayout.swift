/// The modules of a code: fixed patterns, data under a mask, format and version bits.
struct QRModules: Equatable {
    let sideCount: Int
    private var dark: [Bool]
    /// Modules of the fixed patterns and of the format, which carry no data and are never masked.
    private var fixed: [Bool]

    /// Lays out the codewords of a version under a mask.
    init(_ codewords: [UInt8], version: QRVersion, mask: Int) {
        sideCount = version.sideCount
        dark = Array(repeating: false, count: sideCount * sideCount)
        fixed = dark
        drawTiming()
        drawFinders()
        drawAlignment(version.alignment)
        drawFormat(mask: mask)
        drawVersion(version.number)
        lay(codewords, mask: mask)
    }

    subscript(row: Int, column: Int) -> Bool { dark[row * sideCount + column] }

    private mutating func fix(_ row: Int, _ column: Int, _ isDark: Bool) {
        dark[row * sideCount + column] = isDark
        fixed[row * sideCount + column] = true
    }

    // MARK: Fixed patterns

    /// Row 6 and column 6 alternate, so that a reader can count modules.
    private mutating func drawTiming() {
        for index in 0..<sideCount {
            fix(6, index, index % 2 == 0)
            fix(index, 6, index % 2 == 0)
        }
    }

    /// The squares in three corners, with the light border that sets them off.
    private mutating func drawFinders() {
        for (row, column) in [(3, 3), (3, sideCount - 4), (sideCount - 4, 3)] {
            for y in -4...4 {
                for x in -4...4 where isInside(row + y, column + x) {
                    let ring = max(abs(y), abs(x))
                    fix(row + y, column + x, ring != 2 && ring != 4)
                }
            }
        }
    }

    private func isInside(_ row: Int, _ column: Int) -> Bool {
        (0..<sideCount).contains(row) && (0..<sideCount).contains(column)
    }

    /// Small squares at all crossings but the three that the finders cover.
    private mutating func drawAlignment(_ places: [Int]) {
        guard let first = places.first, let last = places.last else { return }
        for row in places {
            for column in places {
                let corner = [(first, first), (first, last), (last, first)]
                if corner.contains(where: { $0 == (row, column) }) { continue }
                for y in -2...2 {
                    for x in -2...2 { fix(row + y, column + x, max(abs(y), abs(x)) != 1) }
                }
            }
        }
    }

    // MARK: Format and version

    /// The repair level and the mask, in 15 bits with a BCH code, twice.
    private mutating func drawFormat(mask: Int) {
        let levelL = 0b01
        let bits = QRModules.withBCH(levelL << 3 | mask, length: 10, generator: 0x537) ^ 0x5412
        func bit(_ index: Int) -> Bool { bits >> index & 1 == 1 }
        // Around the finder at the top left, past the timing patterns.
        for index in 0...5 { fix(index, 8, bit(index)) }
        fix(7, 8, bit(6))
        fix(8, 8, bit(7))
        fix(8, 7, bit(8))
        for index in 9..<15 { fix(8, 14 - index, bit(index)) }
        // Beside the other two, and the one module that is always dark.
        for index in 0..<8 { fix(8, sideCount - 1 - index, bit(index)) }
        for index in 8..<15 { fix(sideCount - 15 + index, 8, bit(index)) }
        fix(sideCount - 8, 8, true)
    }

    /// The version in 18 bits with a BCH code, twice, from version 7 on.
    private mutating func drawVersion(_ number: Int) {
        guard number >= 7 else { return }
        let bits = QRModules.withBCH(number, length: 12, generator: 0x1F25)
        for index in 0..<18 {
            let isDark = bits >> index & 1 == 1
            let along = index / 3
            let across = sideCount - 11 + index % 3
            fix(along, across, isDark)
            fix(across, along, isDark)
        }
    }

    /// The value, followed by the remainder of its division by the generator.
    static func withBCH(_ value: Int, length: Int, generator: Int) -> Int {
        var remainder = value
        for _ in 0..<length {
            remainder = (remainder << 1) ^ ((remainder >> (length - 1)) * generator)
        }
        return value << length | remainder
    }

    // MARK: Data

    /// Fills pairs of columns from the right, up and down in turns, and masks as it goes.
    private mutating func lay(_ codewords: [UInt8], mask: Int) {
        var index = 0
        var isUpward = true
        var right = sideCount - 1
        while right > 0 {
            // The column of the timing pattern belongs to no pair.
            if right == 6 { right = 5 }
            for step in 0..<sideCount {
                let row = isUpward ? sideCount - 1 - step : step
                for column in [right, right - 1] where !fixed[row * sideCount + column] {
                    // A few modules may be left over; they count as zero bits.
                    let bit =
                        index / 8 < codewords.count
                        ? codewords[index / 8] >> (7 - index % 8) & 1 : 0
                    index += 1
                    dark[row * sideCount + column] = (bit == 1) != QRMask.flips(row, column, mask)
                }
            }
            isUpward.toggle()
            right -= 2
        }
    }
}
