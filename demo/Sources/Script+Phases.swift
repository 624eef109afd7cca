import SennitDocument

// The phases that follow the trace. Like the trace, they are known to all in advance: a seed and
// the length of the text decide them.

/// What is typed after the trace, for latency and for the offline phase.
struct PhasePlan: Hashable, Codable, Sendable {
    /// Decides the offline edits.
    var seed: UInt64 = 1
    /// Keystrokes of the typing phase, of all clients together.
    var keystrokeCount = 300
    /// Keystrokes a second.
    var keystrokesPerSecond = 20
    /// Edits that each client makes offline.
    var offlineEditCount = 200

    /// Nothing after the trace.
    static let none = PhasePlan(seed: 0, keystrokeCount: 0, offlineEditCount: 0)
}

extension Script {
    /// The clients type in turns at the end of the text, each key after the one before.
    mutating func appendTyping(_ plan: PhasePlan, scalarCount: Int) {
        let sentence = Array("A sennit is a cord plaited from many strands. ".unicodeScalars)
        for index in 0..<plan.keystrokeCount {
            let position = scalarCount + index
            append(
                Patch(range: position..<position, text: String(sentence[index % sentence.count])),
                by: index % eventCounts.count,
                after: sortedFrontier,
                due: .seconds(1) / plan.keystrokesPerSecond * index
            )
        }
    }

    /// Each client edits a text that the others don't touch, some of it at the same places.
    /// - Parameter scalarCount: of the text before this phase.
    mutating func appendOffline(_ plan: PhasePlan, scalarCount: Int) {
        let start = sortedFrontier
        var shared = SplitMix(seed: plan.seed, stream: 1)
        let places = (0..<8).map { _ in Int.random(in: 0...scalarCount, using: &shared) }
        for client in eventCounts.indices {
            var random = SplitMix(seed: plan.seed, stream: UInt64(client) + 2)
            var parents = start
            var count = scalarCount
            for _ in 0..<plan.offlineEditCount {
                let patch = Script.randomPatch(places, scalarCount: count, using: &random)
                append(patch, by: client, after: parents)
                parents = [ScriptEvent(client: client, number: eventCounts[client] - 1)]
                count += patch.text.unicodeScalars.count - patch.range.count
            }
        }
    }

    private static func randomPatch(
        _ places: [Int],
        scalarCount: Int,
        using random: inout SplitMix
    ) -> Patch {
        let isShared = Int.random(in: 0..<3, using: &random) == 0
        let anywhere = Int.random(in: 0...scalarCount, using: &random)
        let position =
            isShared ? min(places.randomElement(using: &random) ?? 0, scalarCount) : anywhere
        if Int.random(in: 0..<5, using: &random) < 2, position < scalarCount {
            let count = Int.random(in: 1...6, using: &random)
            return Patch(range: position..<min(position + count, scalarCount), text: "")
        }
        let letters = Array("abcdefghijklmnopqrstuvwxyz  ,.éß漢字🙂\n".unicodeScalars)
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            text.append(letters.randomElement(using: &random) ?? "x")
        }
        return Patch(range: position..<position, text: String(text))
    }
}
