import SennitDocument
public import SennitWire

// Which document has which path: a pure function of the directory document's map.
//
// The map takes a path to a document id, 32 bytes. People who make a path at the same time, or move
// two documents to one, leave several values for a key. All are kept: the one that the smallest
// event set has the plain path, the others follow in the order of events as `path~2`, `path~3`,
// passing over names that somebody gave a document in so many words. Every device with the same map
// so lists the same names.
//
//     plan    → A (event 4 of log x), B (event 9 of log y)      plan   A
//     plan~2  → C                                               plan~2 C   its own name
//                                                               plan~3 B   a stand-in
//
// A name from a conflict can be written to like any other. Moving or removing one settles the
// conflict of its key: `settling` says how, so that the others keep the names they had.

/// A document as the directory lists it.
public struct DocumentEntry: Hashable, Sendable, Codable {
    /// Its path, or the name that stands for it while two have one path.
    public let path: String
    /// The document.
    public let id: DocumentID
    /// The path that it and another were given at the same time, if `path` is only a stand-in.
    public let conflictsAt: String?

    /// Whether the path stands in for one that another document has too.
    public var isConflictName: Bool { conflictsAt != nil }

    init(path: String, id: DocumentID, conflictsAt: String? = nil) {
        self.path = path
        self.id = id
        self.conflictsAt = conflictsAt
    }

    private enum CodingKeys: String, CodingKey {
        case path, id, conflictsAt
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        path = try values.decode(String.self, forKey: .path)
        guard let id = DocumentID(hex: try values.decode(String.self, forKey: .id)) else {
            throw DecodingError.dataCorruptedError(
                forKey: .id,
                in: values,
                debugDescription: "A document id has 64 hexadecimal digits."
            )
        }
        self.id = id
        conflictsAt = try values.decodeIfPresent(String.self, forKey: .conflictsAt)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(path, forKey: .path)
        try values.encode(id.hex, forKey: .id)
        try values.encodeIfPresent(conflictsAt, forKey: .conflictsAt)
    }
}

/// The paths of a space.
struct Directory: Hashable {
    /// Every document by its path, ascending by path.
    let entries: [DocumentEntry]
    private let byPath: [OperationRun.Text: Int]

    /// Reads the map of the directory document. Values that aren't document ids, and keys that
    /// aren't paths, are of a newer version or of somebody who means ill, and are passed over.
    init(_ map: [Document.Entry]) {
        var keys: [(path: String, ids: [DocumentID])] = []
        for entry in map where DocumentPath.fault(of: entry.key.string) == nil {
            var ids: [DocumentID] = []
            for value in entry.values {
                if let id = DocumentID(value.bytes), !ids.contains(id) { ids.append(id) }
            }
            if !ids.isEmpty { keys.append((entry.key.string, ids)) }
        }
        var taken = Set(keys.map { OperationRun.Text($0.path) })
        var entries: [DocumentEntry] = []
        for (path, ids) in keys {
            entries.append(DocumentEntry(path: path, id: ids[0]))
            var number = 2
            for id in ids.dropFirst() {
                while !taken.insert(.init("\(path)~\(number)")).inserted { number += 1 }
                let name = "\(path)~\(number)"
                entries.append(DocumentEntry(path: name, id: id, conflictsAt: path))
            }
        }
        entries.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        self.entries = entries
        byPath = Dictionary(
            entries.enumerated().map { (OperationRun.Text($1.path), $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The document at a path.
    subscript(path: String) -> DocumentEntry? {
        byPath[OperationRun.Text(path)].map { entries[$0] }
    }

    /// A change of the directory's map.
    enum Change: Hashable {
        case set(path: String, to: DocumentID)
        case remove(path: String)
    }

    /// What takes the document out of the place it is listed at. Every other document stays where
    /// it is listed, but a plain path that becomes free goes to the next of those that wanted it.
    func settling(_ entry: DocumentEntry) -> [Change] {
        let key = entry.conflictsAt ?? entry.path
        let others = entries.filter { ($0.conflictsAt ?? $0.path) == key && $0.path != entry.path }
        guard !others.isEmpty else { return [.remove(path: key)] }
        // The first to be listed takes the plain path, the rest are given their names for good.
        var changes: [Change] = []
        for (index, other) in others.enumerated() {
            changes.append(.set(path: index == 0 ? key : other.path, to: other.id))
        }
        return changes
    }
}
