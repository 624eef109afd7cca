/// Guesses what a person meant by a word that isn't known.
enum Suggestion {
    /// Other tools' words for our verbs.
    private static let synonyms = [
        "create": "new", "init": "new", "share": "invite", "connect": "join", "accept": "join",
        "list": "ls", "dir": "ls", "show": "cat", "read": "cat", "print": "cat", "set": "write",
        "put": "write", "save": "write", "add": "append", "open": "edit", "rename": "mv",
        "move": "mv", "delete": "rm", "remove": "rm", "state": "status", "info": "status",
        "history": "log", "find": "search", "grep": "search", "follow": "watch", "tail": "watch",
        "doctor": "check", "fsck": "check", "verify": "check", "repair": "check",
    ]

    /// The verb that `word` was most likely meant to be.
    static func verb(for word: String, among verbs: [String]) -> String? {
        let word = word.lowercased()
        if let verb = synonyms[word] { return verb }
        return nearest(to: word, among: verbs)
    }

    /// The candidate that differs least, if it differs little for its length.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let limit = max(1, min(word.count, wordLengthLimit) / 3)
        var best: (candidate: String, distance: Int)?
        for candidate in candidates where candidate.count <= wordLengthLimit {
            let found = distance(word, candidate)
            if found <= limit, found < best?.distance ?? .max { best = (candidate, found) }
        }
        return best?.candidate
    }

    // The table of distances is its square.
    private static let wordLengthLimit = 100

    /// The fewest letters to insert, remove, replace or swap with their neighbour.
    static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.prefix(wordLengthLimit))
        let right = Array(right.prefix(wordLengthLimit))
        var rows = [Array(0...right.count)]
        for row in 1..<(left.count + 1) {
            var line = [row]
            for column in 1..<(right.count + 1) {
                let isSame = left[row - 1] == right[column - 1]
                var cost = rows[row - 1][column - 1] + (isSame ? 0 : 1)
                cost = min(cost, rows[row - 1][column] + 1, line[column - 1] + 1)
                if row > 1, column > 1, left[row - 1] == right[column - 2],
                    left[row - 2] == right[column - 1]
                {
                    cost = min(cost, rows[row - 2][column - 2] + 1)
                }
                line.append(cost)
            }
            rows.append(line)
        }
        return rows[left.count][right.count]
    }
}
