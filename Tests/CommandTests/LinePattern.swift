import Foundation

/// Compares what was printed with what a script expects.
enum LinePattern {
    /// Whether the lines are those expected, in which `…` alone stands for any number of lines.
    static func matches(_ expected: ArraySlice<String>, _ actual: ArraySlice<String>) -> Bool {
        guard let first = expected.first else { return actual.isEmpty }
        let rest = expected.dropFirst()
        if first == "…" {
            return (actual.startIndex...actual.endIndex).contains { matches(rest, actual[$0...]) }
        }
        guard let line = actual.first, matches(first, line) else { return false }
        return matches(rest, actual.dropFirst())
    }

    /// Whether the line is the one expected, in which `…` stands for anything.
    static func matches(_ expected: String, _ line: String) -> Bool {
        if expected.hasPrefix("json: ") {
            return keys(ofObject: line)
                == Set(expected.dropFirst(6).split(separator: " ").map(String.init))
        }
        let pieces = expected.components(separatedBy: "…")
        guard let first = pieces.first, let last = pieces.last, pieces.count > 1 else {
            return line == expected
        }
        guard line.hasPrefix(first) else { return false }
        var rest = line.dropFirst(first.count)
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let range = rest.range(of: piece) else { return false }
            rest = rest[range.upperBound...]
        }
        return rest.hasSuffix(last)
    }

    private static func keys(ofObject line: String) -> Set<String>? {
        let object = try? JSONSerialization.jsonObject(with: Data(line.utf8))
        return (object as? [String: Any]).map { Set($0.keys) }
    }
}
