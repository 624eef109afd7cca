public import SennitDocument
import SennitStore
import SennitSync
public import SennitWire

/// What one entry changed in a document.
public struct PastChange: Hashable, Sendable {
    /// The entry's number in the order in which this device applied: what `sennit log` shows.
    public let position: UInt64
    /// The log whose device made it.
    public let log: LogID
    /// The name of its author, if known.
    public let author: String?
    /// When its author says it was written: milliseconds since 1970.
    public let authorTime: UInt64
    /// The events that it made.
    public let events: [Range<UInt64>]
    /// The version of the document after all entries up to this one.
    public let version: [EventID]
}

/// A piece of a text and who wrote it.
public struct AuthoredText: Hashable, Sendable {
    /// The scalars, by their positions.
    public let range: Range<Int>
    /// The name of the author, if known.
    public let author: String?
    /// The log whose device wrote it.
    public let log: LogID
    /// The number in `sennit log` of the entry that brought it; `nil` for what is in none yet.
    public let position: UInt64?
    /// When the author of that says it was written: milliseconds since 1970.
    public let authorTime: UInt64?
}

extension DocumentHandle {
    /// Which entries changed this document, in the order in which this device applied them.
    /// - Throws: `profileDamaged`, `closed`.
    /// - Complexity: O(size of the document's history).
    public func history() async throws(SennitError) -> [PastChange] {
        let (journal, names) = try await space.engine.with(space.id) { driver in
            (driver.ports.journal, IndexedView(driver).names)
        }
        let moments: [DocumentMoment]
        do {
            moments = try journal.moments(of: id, in: space.id)
        } catch {
            throw SennitError(error)
        }
        return try PastChange.all(moments, names: names)
    }

    /// What turns the text at one version into that at another, from left to right; each patch
    /// applies to the text that the one before it left.
    /// - Parameters:
    ///   - older: A version, as `history` and `frontier` give them.
    ///   - newer: Another; `nil` for the text as it is.
    /// - Throws: `invalidEdit` for a version that isn't here; `closed`.
    public func changes(
        from older: [EventID],
        to newer: [EventID]? = nil
    ) async throws(SennitError) -> [Patch] {
        try await space.engine.withHistory(of: id, in: space.id) { (driver) throws(SennitError) in
            try driver.changes(of: id, from: older, to: newer)
        }
    }

    /// The text as it is and who wrote it, from left to right.
    /// - Throws: `profileDamaged`, `closed`.
    /// - Complexity: O(size of the document's history).
    public func authorship() async throws(SennitError) -> (text: String, pieces: [AuthoredText]) {
        let history = try await history()
        let (text, pieces, names) = try await space.engine.withHistory(of: id, in: space.id) {
            (driver) throws(SennitError) in
            let pieces = try driver.authorship(of: id)
            return (driver.text(of: id), pieces, IndexedView(driver).names)
        }
        var changes: [LogID: [(events: Range<UInt64>, change: PastChange)]] = [:]
        for change in history {
            for events in change.events {
                changes[change.log, default: []].append((events, change))
            }
        }
        let authored = pieces.flatMap { piece in
            AuthoredText.pieces(
                of: piece,
                author: names[piece.first.log],
                changes: changes[piece.first.log] ?? []
            )
        }
        return (text.string, authored)
    }

    /// Makes the text what it was at an older version, by an edit that merges with what others
    /// write meanwhile.
    /// - Returns: How many places that changed.
    /// - Throws: as `edit`, and `invalidEdit` for a version that isn't here.
    @discardableResult
    public func restore(_ version: [EventID]) async throws(SennitError) -> Int {
        try await space.engine.withHistory(of: id, in: space.id) { (driver) throws(SennitError) in
            let patches = try driver.changes(of: id, from: nil, to: version)
            if !patches.isEmpty { try driver.edit(id, patches) }
            return patches.count
        }
    }
}

extension SpaceDriver {
    /// What turns the text at one version into that at another; `nil` is the version of now.
    fileprivate func changes(
        of document: DocumentID,
        from older: [EventID]?,
        to newer: [EventID]?
    ) throws(SennitError) -> [Patch] {
        let now = replica.documents[document]?.frontier ?? []
        do {
            use([document])
            return try replica.changes(of: document, from: older ?? now, to: newer ?? now)
        } catch {
            throw SennitError(error)
        }
    }

    fileprivate func authorship(
        of document: DocumentID
    ) throws(SennitError) -> [Document.Authorship] {
        do {
            use([document])
            return try replica.authorship(of: document)
        } catch {
            throw SennitError(error)
        }
    }
}

extension PastChange {
    /// One change for each entry.
    fileprivate static func all(
        _ moments: [DocumentMoment],
        names: [LogID: String]
    ) throws(SennitError) -> [PastChange] {
        var changes: [PastChange] = []
        var version: Set<EventID> = []
        for moment in moments {
            let runs: [OperationRun]
            do {
                runs = try moment.operations.batch().runs
            } catch {
                throw SennitError(
                    .profileDamaged,
                    "operations at position \(moment.position.value) can't be read: \(error)",
                    hint: "run `sennit check`"
                )
            }
            var events: [Range<UInt64>] = []
            for run in runs {
                version.subtract(run.parents)
                version.insert(run.last)
                let next = run.start.number..<(run.last.number + 1)
                if let last = events.last, last.upperBound == next.lowerBound {
                    events[events.count - 1] = last.lowerBound..<next.upperBound
                } else {
                    events.append(next)
                }
            }
            if let last = changes.last, last.position == moment.position.value {
                events = last.events + events
                changes.removeLast()
            }
            changes.append(
                PastChange(
                    position: moment.position.value,
                    log: moment.operations.author,
                    author: names[moment.operations.author],
                    authorTime: moment.authorTime,
                    events: events,
                    version: version.sorted()
                )
            )
        }
        return changes
    }
}

extension AuthoredText {
    /// A piece, cut where another entry begins.
    fileprivate static func pieces(
        of piece: Document.Authorship,
        author: String?,
        changes: [(events: Range<UInt64>, change: PastChange)]
    ) -> [AuthoredText] {
        var result: [AuthoredText] = []
        var number = piece.first.number
        let end = number + UInt64(piece.range.count)
        var position = piece.range.lowerBound
        // The entries of a log come in the order of its events.
        var index = changes.partitionPoint { $0.events.upperBound > number }
        while number < end {
            let isKnown = index < changes.count && changes[index].events.contains(number)
            let next =
                isKnown
                ? changes[index].events.upperBound
                : index < changes.count ? changes[index].events.lowerBound : end
            let count = Int(min(next, end) - number)
            let change = isKnown ? changes[index].change : nil
            result.append(
                AuthoredText(
                    range: position..<(position + count),
                    author: author,
                    log: piece.first.log,
                    position: change?.position,
                    authorTime: change?.authorTime
                )
            )
            position += count
            number += UInt64(count)
            if isKnown { index += 1 }
        }
        return result
    }
}

extension Array {
    /// The index of the first element for which `isBehind` holds; it holds for all after it.
    fileprivate func partitionPoint(_ isBehind: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
