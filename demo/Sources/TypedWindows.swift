import SennitDocument
import SennitWire

// Every window of everything that was ever typed, what was deleted again included.
//
// Two ways a text can lie in a file: as somebody read it, and as somebody wrote it. So these
// windows are gathered: of each client's insertions in the order typed, and of the document after
// each step. The latter changes only around the step, so eight bytes to both sides are enough.

extension WindowSet {
    /// The windows of a script.
    /// - Parameters:
    ///   - secrets: names that nobody but members may see either.
    ///   - logs: the log of each client.
    /// - Throws: what `Document.edit` throws for a script that doesn't fit itself.
    init(_ script: Script, secrets: [String], logs: [LogID]) throws(DocumentError) {
        self.init()
        for secret in secrets { insert(windowsOf: secret.utf8) }
        var typed = script.eventCounts.map { _ in RollingWindow() }
        var document = Document()
        for step in script.steps {
            for byte in step.patch.text.utf8 {
                if let window = typed[step.client].take(byte) { insert(window) }
            }
            let changes = try document.edit(
                [step.patch],
                at: step.parents.map { EventID(log: logs[$0.client], number: $0.number) },
                author: logs[step.client],
                firstEvent: step.firstNumber
            ).changes
            // Patches apply one after the other, so each may shift the ones before it.
            let slack = changes.reduce(WindowSet.byteCount) {
                $0 + max($1.text.unicodeScalars.count, $1.range.count)
            }
            guard let low = changes.map(\.range.lowerBound).min(),
                let high = changes.map(\.range.lowerBound).max()
            else { continue }
            let text = document.text
            let around = max(low - slack, 0)..<min(high + slack, text.scalarCount)
            insert(windowsOf: text.slice(around).utf8)
        }
    }
}
