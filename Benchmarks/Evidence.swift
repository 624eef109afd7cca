import SennitReference

/// What says that the text of a replay is right.
enum Evidence: String {
    /// It is what the file says.
    case endContent = "endContent"
    /// It is what the slow second implementation makes of the trace. The file says something else,
    /// because its authors inserted at one place at one time.
    case reference = "second implementation"
    /// Authors may have inserted at one place at one time, and the trace is too long for the slow
    /// second implementation: all measurements agree with each other, and in length with the file.
    case agreement = "each other"

    /// The slow second implementation may look at everything for each transaction. It is asked if
    /// transactions times events are no more, which is a minute or so.
    static let maximumReferenceCost = 3_000_000_000

    /// - Throws: `BenchError.wrongText`, or what is wrong with the trace.
    init(for text: String, of trace: Trace, endContent: String, isRepeated: Bool) throws {
        if text.utf8.elementsEqual(endContent.utf8) {
            self = .endContent
            return
        }
        let difference = Self.difference(text, endContent)
        if trace.kind == .sequential {
            // Either we are wrong or the file is.
            let isOurs = Self.plainReplay(trace).utf8.elementsEqual(trace.endContent.utf8)
            throw isOurs
                ? BenchError.wrongText(what: "the replay", place: difference)
                : BenchError.wrongEndContent(place: difference)
        }
        let eventCount = trace.transactions.reduce(0) { total, transaction in
            transaction.patches.reduce(total) {
                $0 + $1.deletedCount + $1.text.unicodeScalars.count
            }
        }
        let cost = trace.transactions.count.multipliedReportingOverflow(by: eventCount)
        if !isRepeated, !cost.overflow, cost.partialValue <= Self.maximumReferenceCost {
            let reference = trace.replayed()
            guard text.utf8.elementsEqual(reference.text.utf8) else {
                throw BenchError.wrongText(
                    what: "the replay",
                    place: Self.difference(text, reference.text)
                )
            }
            guard reference.hasConcurrentInsertsAtOnePlace else {
                throw BenchError.wrongEndContent(place: difference)
            }
            self = .reference
        } else {
            guard text.unicodeScalars.count == endContent.unicodeScalars.count else {
                throw BenchError.wrongText(what: "the replay", place: difference)
            }
            self = .agreement
        }
    }

    /// Where two texts part.
    static func difference(_ found: String, _ wanted: String) -> String {
        let found = Array(found.unicodeScalars)
        let wanted = Array(wanted.unicodeScalars)
        let same = zip(found, wanted).prefix { $0 == $1 }.count
        func piece(_ scalars: [Unicode.Scalar]) -> String {
            var piece = String.UnicodeScalarView()
            piece.append(contentsOf: scalars[same..<min(same + 12, scalars.count)])
            return String(piece).debugDescription
        }
        return "at scalar \(same) there is \(piece(found)) and should be \(piece(wanted)); "
            + "\(found.count) scalars instead of \(wanted.count)"
    }

    /// A sequential trace replayed in an array.
    private static func plainReplay(_ trace: Trace) -> String {
        var scalars = Array(trace.startContent.unicodeScalars)
        for patch in trace.transactions.flatMap(\.patches) {
            let range = patch.position..<(patch.position + patch.deletedCount)
            guard range.upperBound <= scalars.count else { return "" }
            scalars.replaceSubrange(range, with: patch.text.unicodeScalars)
        }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }
}
