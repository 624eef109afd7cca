import Sennit
import SennitWire

/// A space for a verb that only reads: of the engine, or, while another process owns the profile,
/// of its index.
struct ReadableSpace {
    let console: Console
    private let source: Source

    private enum Source {
        case engine(OpenSpace)
        case index(ProfileIndex, SpaceID)
    }

    /// A document in a listing.
    struct Entry {
        let path: String
        let document: DocumentID
        /// The path that it stands in for; the index doesn't tell.
        var conflictsAt: String?
    }

    /// Opens the profile, or its index, and picks the space. Asks the relay for news first.
    static func with(
        _ options: CommonOptions,
        verb: String,
        _ body: (ReadableSpace) async throws -> Void
    ) async throws {
        do {
            try await OpenSpace.with(options, verb: verb) { here in
                await here.receive()
                try await body(ReadableSpace(console: here.console, source: .engine(here)))
            }
        } catch let error as SennitError where error.code == .profileInUse {
            let console = options.profile.console
            let index = try ProfileIndex(options.profile.location())
            let space = try index.space(options.space)
            console.note("\(error.message); showing the index")
            try await body(ReadableSpace(console: console, source: .index(index, space)))
        }
    }

    /// Every document, ascending by path.
    func documents() async throws(SennitError) -> [Entry] {
        switch source {
        case .engine(let here):
            try await here.space.documents().map { entry in
                Entry(path: entry.path, document: entry.id, conflictsAt: entry.conflictsAt)
            }
        case .index(let index, let space):
            try index.documents(in: space).map { Entry(path: $0.path, document: $0.id) }
        }
    }

    /// The document at a path, and its text.
    func text(at path: String) async throws -> (document: DocumentID, text: String) {
        switch source {
        case .engine(let here):
            let document = try await here.document(at: path)
            return (document.id, try await document.text())
        case .index(let index, let space):
            let entries = try index.documents(in: space)
            guard let entry = entries.first(where: { $0.path == path }),
                let text = try index.text(at: path, in: space)
            else { throw Failure.noDocument(path, among: entries.map(\.path)) }
            return (entry.id, text)
        }
    }

    /// Full text search.
    func search(_ query: String) async throws(SennitError) -> [SearchResult] {
        switch source {
        case .engine(let here): try await here.space.search(query)
        case .index(let index, let space): try index.search(query, in: space)
        }
    }
}

extension OpenSpace {
    /// The document at a path; if there is none, the error names one that is called almost so.
    /// - Parameter asksRelay: whether the relay is asked for news if there is none.
    func document(at path: String, asksRelay: Bool = false) async throws -> DocumentHandle {
        do throws(SennitError) {
            return try await space.document(at: path)
        } catch {
            guard error.code == .noSuchDocument else { throw error }
            if asksRelay {
                await receive()
                return try await document(at: path)
            }
            throw Failure.noDocument(path, among: try await space.documents().map(\.path))
        }
    }
}

extension Failure {
    /// No document has the path.
    static func noDocument(_ path: String, among paths: [String]) -> Failure {
        let similar = Suggestion.nearest(to: path, among: paths)
        return Failure(
            .noDocument,
            "no such document: \(path)",
            hint: similar.map { "did you mean `\($0)`?" } ?? "run `sennit ls`"
        )
    }
}
