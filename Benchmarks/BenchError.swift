/// Why nothing was measured. The description is one sentence, lower case, without a full stop.
enum BenchError: Error, CustomStringConvertible {
    /// A benchmark that does not end in the right text measures nothing.
    case wrongText(what: String, place: String)
    /// The file's transactions do not lead to the file's end.
    case wrongEndContent(place: String)
    /// A transaction, counted from 0, that no document can take.
    case badTransaction(index: Int, reason: String)
    /// More authors than a space may have.
    case tooManyAuthors(count: Int, limit: Int)
    /// The process that counts memory did not say what it should.
    case counting(reason: String)

    var description: String {
        switch self {
        case .wrongText(let what, let place): "\(what) ends in another text: \(place)"
        case .wrongEndContent(let place):
            "its transactions do not lead to its endContent: \(place)"
        case .badTransaction(let index, let reason):
            index < 0 ? "the start content: \(reason)" : "transaction \(index): \(reason)"
        case .tooManyAuthors(let count, let limit):
            "has \(count) authors, and a space has at most \(limit)"
        case .counting(let reason): "the memory could not be counted: \(reason)"
        }
    }
}
