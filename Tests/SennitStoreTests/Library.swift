import SennitDocument
import SennitWire
import Testing

@testable import SennitStore
@testable import SennitSync

/// A space with a directory: documents that come, move and go, and what the index must say of them.
struct Library {
    var sample: SampleSpace
    private var places: [[UInt8]: DocumentSource.Place] = [:]

    init(seed: UInt64) { sample = SampleSpace(seed: seed) }

    var id: SpaceID { sample.id }

    var source: DocumentSource {
        let documents = sample.current
        let places = Array(places.values)
        return DocumentSource(
            position: sample.expected.position,
            places: { places },
            text: { documents[$0]?.text.string ?? "" },
            person: { "person \($0.short)" }
        )
    }

    /// A step of the replica; now and then the directory changes.
    mutating func step(_ profile: Profile) throws {
        try profile.journal.commit([try sample.step()], to: id)
        guard Int.random(in: 0..<3, using: &sample.random) == 0 else { return }
        let names = ["a.md", "ä/b.md", "a\u{308}/b.md", "nul\0l", "c d"]
        let path = names.randomElement(using: &sample.random) ?? ""
        let document = sample.documentIDs.randomElement(using: &sample.random)
        if let document, Bool.random(using: &sample.random) {
            places[Array(path.utf8)] = DocumentSource.Place(path: path, document: document)
        } else {
            places[Array(path.utf8)] = nil
        }
        try profile.journal.commit([try sample.changeDirectory()], to: id)
    }

    /// Some steps with at least two documents in the end, and the index at the last of them.
    mutating func fill(_ profile: Profile) throws {
        try profile.journal.createSpace(sample.record, sample.firstChange())
        for _ in 0..<60 { try step(profile) }
        for (path, document) in zip(["x", "y"], sample.documentIDs) {
            places[Array(path.utf8)] = DocumentSource.Place(path: path, document: document)
        }
        try profile.journal.commit([try sample.changeDirectory()], to: id)
        try profile.index.follow(profile.journal, id, source)
    }

    /// Compares an index with what this library holds.
    func expect(_ index: Index) throws {
        let documents = try index.documents(in: id)
        #expect(Set(documents.map { Array($0.path.utf8) }) == Set(places.keys))
        for document in documents {
            let place = places[Array(document.path.utf8)]
            #expect(document.document == place?.document)
            let text = sample.current[document.document]?.text.string ?? ""
            let indexed = try index.text(at: document.path, in: id)
            #expect(indexed.map { Array($0.utf8) } == Array(text.utf8))
            #expect(document.scalarCount == text.unicodeScalars.count)
            #expect((document.author == nil) == (sample.current[document.document] == nil))
        }
        #expect(try index.checkpoint(of: id) == sample.expected.position)
    }
}
