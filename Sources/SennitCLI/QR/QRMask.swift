/// The eight patterns that may be laid over the data (table 10 of the standard).
enum QRMask {
    /// Whether the mask inverts this module.
    static func flips(_ row: Int, _ column: Int, _ mask: Int) -> Bool {
        let zero =
            switch mask {
            case 0: (row + column) % 2
            case 1: row % 2
            case 2: column % 3
            case 3: (row + column) % 3
            case 4: (row / 2 + column / 3) % 2
            case 5: row * column % 2 + row * column % 3
            case 6: (row * column % 2 + row * column % 3) % 2
            default: ((row + column) % 2 + row * column % 3) % 2
            }
        return zero == 0
    }
}

extension QRModules {
    /// How hard the code is to read, by the four rules of the standard (section 7.8.3): less is
    /// better.
    var penalty: Int {
        let rows = (0..<sideCount).map { row in (0..<sideCount).map { self[row, $0] } }
        let columns = (0..<sideCount).map { column in (0..<sideCount).map { self[$0, column] } }
        let lines = (rows + columns).map { runPenalty($0) + finderPenalty($0) }.reduce(0, +)
        return lines + blockPenalty + balancePenalty
    }

    /// Five or more of a colour in a line: 3, and 1 for each more.
    private func runPenalty(_ line: [Bool]) -> Int {
        var result = 0
        var length = 0
        for index in line.indices {
            length = index > 0 && line[index] == line[index - 1] ? length + 1 : 1
            if length == 5 { result += 3 }
            if length > 5 { result += 1 }
        }
        return result
    }

    /// What looks like a cut through a finder, with four light modules at one side: 40.
    private func finderPenalty(_ line: [Bool]) -> Int {
        let core = [true, false, true, true, true, false, true]
        let light = [false, false, false, false]
        return (0...(line.count - 11)).count { start in
            let window = Array(line[start..<(start + 11)])
            return window == core + light || window == light + core
        } * 40
    }

    /// Each square of two by two in one colour: 3.
    private var blockPenalty: Int {
        var count = 0
        for row in 1..<sideCount {
            for column in 1..<sideCount {
                let color = self[row, column]
                if color == self[row - 1, column], color == self[row, column - 1],
                    color == self[row - 1, column - 1]
                {
                    count += 1
                }
            }
        }
        return count * 3
    }

    /// For each five percent away from half dark: 10.
    private var balancePenalty: Int {
        var darkCount = 0
        for row in 0..<sideCount { darkCount += (0..<sideCount).count { self[row, $0] } }
        let total = sideCount * sideCount
        return abs(darkCount * 20 - total * 10) / total * 10
    }
}
