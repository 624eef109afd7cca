import SennitStore
public import SennitWire

/// The index of a profile, for readers beside the process that owns the profile. It may be a second
/// behind, and answers without the journal and without any key.
public final class ProfileIndex: Sendable {
    // A class: it stands for an open file.
    private let index: Index

    /// Opens the index of a profile for reading.
    /// - Throws: `profileUnusable` if there is none yet, or it isn't one; `needsUpdate`,
    ///   `profileDamaged`, `notSaved`.
    public init(_ location: ProfileLocation) throws(SennitError) {
        index = try SennitError.mapping { () throws(StoreError) in
            try Index(readOnly: Profile.indexPath(in: location.directory))
        }
    }

    /// A space by its name or by the first digits of its id.
    /// - Parameter nameOrPrefix: `nil` for the only one.
    /// - Throws: `noSuchSpace`, `ambiguousSpace`, `profileDamaged`.
    public func space(_ nameOrPrefix: String? = nil) throws(SennitError) -> SpaceID {
        let spaces = try SennitError.mapping { () throws(StoreError) in try index.spaces() }
        let names = spaces.map { (id: $0.id, name: $0.name) }
        return names[try SpaceInfo.choose(nameOrPrefix, among: names)].id
    }

    /// A document as the index has it.
    public struct Document: Hashable, Sendable {
        /// Where it is.
        public let path: String
        /// Which it is.
        public let id: DocumentID
    }

    /// Every document of a space, ascending by path.
    /// - Throws: `profileDamaged`, `notSaved`.
    public func documents(in space: SpaceID) throws(SennitError) -> [Document] {
        let documents = try SennitError.mapping { () throws(StoreError) in
            try index.documents(in: space)
        }
        return documents.map { Document(path: $0.path, id: $0.document) }
    }

    /// The whole text at a path; `nil` if there is no such document.
    /// - Throws: `profileDamaged`, `notSaved`.
    public func text(at path: String, in space: SpaceID) throws(SennitError) -> String? {
        try SennitError.mapping { () throws(StoreError) in try index.text(at: path, in: space) }
    }

    /// Full text search.
    /// - Throws: `profileDamaged`, `notSaved`.
    public func search(_ query: String, in space: SpaceID) throws(SennitError) -> [SearchResult] {
        try SennitError.mapping { () throws(StoreError) in
            try index.search(query, in: space)
        }.map(SearchResult.init)
    }
}

extension ProfileLocation {
    /// Whether a profile was made here.
    public var holdsProfile: Bool { Profile.isMade(in: directory) }
}

extension SennitError {
    /// What `body` returns; what the store refuses becomes an error of the facade.
    fileprivate static func mapping<Value>(
        _ body: () throws(StoreError) -> Value
    ) throws(SennitError) -> Value {
        do { return try body() } catch { throw SennitError(error) }
    }
}
