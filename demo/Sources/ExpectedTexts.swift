import SennitDocument
import SennitReference
import SennitWire

/// What the slow second implementation makes of the same events.
struct ExpectedTexts: Sendable {
    /// After the trace.
    let replayed: String
    /// After everything.
    let settled: String
    /// Whether authors of the trace inserted at one place without knowing of each other.
    let hasConcurrentInsertsAtOnePlace: Bool

    /// Runs a script.
    /// - Parameters:
    ///   - traceStepCount: how many of the steps are the trace's.
    ///   - logs: the log of each client; they break ties.
    ///   - bases: by client, the number of the script's first event in its log.
    /// - Complexity: That of `ReferenceDocument`, which is high.
    init(_ script: Script, traceStepCount: Int, logs: [LogID], bases: [UInt64]) {
        func name(_ event: ScriptEvent) -> EventID {
            EventID(log: logs[event.client], number: bases[event.client] + event.number)
        }
        func add(_ steps: ArraySlice<ScriptStep>, to document: inout ReferenceDocument) {
            for step in steps {
                document.add(
                    author: logs[step.client],
                    firstNumber: bases[step.client] + step.firstNumber,
                    parents: step.parents.map(name),
                    operation: step.patch.text.isEmpty
                        ? .delete(step.patch.range)
                        : .insert(position: step.patch.range.lowerBound, text: step.patch.text)
                )
            }
        }
        var document = ReferenceDocument()
        add(script.steps[..<traceStepCount], to: &document)
        replayed = document.text
        hasConcurrentInsertsAtOnePlace = document.hasConcurrentInsertsAtOnePlace
        add(script.steps[traceStepCount...], to: &document)
        settled = document.text
    }
}
