extension QRCode {
    /// The light border, in modules. The standard asks for four; readers are content with two, and
    /// the code then stays within 80 columns.
    private static var borderCount: Int { 2 }

    /// The code for a terminal, two modules in each cell, a line for each two rows.
    ///
    /// With colours it is black on white whatever the terminal's own are. Without, light modules
    /// are drawn in the text colour: right on a dark background, and inverted on a light one, which
    /// most readers take as well.
    func terminalLines(isColored: Bool) -> [String] {
        let range = -QRCode.borderCount..<(sideCount + QRCode.borderCount)
        return stride(from: range.lowerBound, to: range.upperBound, by: 2).map { row in
            var line = ""
            for column in range {
                // The row below the border of an odd square is light as well.
                let upper = self[row, column] == isColored
                let lower = self[row + 1, column] == isColored && row + 1 < range.upperBound
                switch (upper, lower) {
                case (true, true): line += "█"
                case (true, false): line += "▀"
                case (false, true): line += "▄"
                case (false, false): line += " "
                }
            }
            return isColored ? "\u{1B}[38;5;16;48;5;231m\(line)\u{1B}[0m" : line
        }
    }
}
