import GRDB
import SennitDocument
import SennitSync
import SennitWire

extension SpaceCheck {
    /// Replays all operations from nothing, and compares the stored states with the outcome.
    ///
    /// A state may hold operations that were pending when it was stored. So both sides get all
    /// operations, applied and pending, before they are compared; merging twice changes nothing.
    mutating func checkDocuments(_ pending: [PendingOperations]) throws -> ReplayedSpace? {
        guard let runs = try appliedRuns() else { return nil }
        counts.operations = runs.values.reduce(0) { $0 + $1.count }
        var documents: [DocumentID: Document] = [:]
        var isWhole = true
        for id in runs.keys.sorted() {
            do {
                var document = Document()
                _ = try document.merge(runs[id] ?? [])
                documents[id] = document
            } catch {
                isWhole = false
                report.add(.operations, .document(record.id, id), "replay fails: \(error)")
            }
        }
        counts.documents = documents.count
        try checkStates(documents, runs, try pendingRuns(pending, documents))
        guard isWhole else { return nil }
        let position = try reader.position()
        return ReplayedSpace(space: record.id, position: position, documents: documents)
    }

    /// The runs of all applied operations by document, in the order in which they were applied.
    private mutating func appliedRuns() throws -> [DocumentID: [OperationRun]]? {
        var runs: [DocumentID: [OperationRun]] = [:]
        var isWhole = false
        try report.collect(.operations) { [reader, space = record.id] _ in
            try reader.forEachOperations(sinceStates: false) { operations, _ in
                let place = StoreError.Place.document(space, operations.document)
                runs[operations.document, default: []] += try reader.runs(of: operations, place)
            }
            isWhole = true
        }
        return isWhole ? runs : nil
    }

    /// The runs of pending operations by document; those that don't merge are findings.
    private mutating func pendingRuns(
        _ pending: [PendingOperations],
        _ documents: [DocumentID: Document]
    ) throws -> [DocumentID: [OperationRun]] {
        var documents = documents
        var all: [DocumentID: [OperationRun]] = [:]
        for item in pending {
            let place = StoreError.Place.pending(record.id, sequence: item.sequence)
            let document = item.operations.document
            try report.collect(.operations) { [reader] report in
                let runs = try reader.runs(of: item.operations, place)
                do {
                    _ = try documents[document, default: Document()].merge(runs)
                    all[document, default: []] += runs
                } catch {
                    report.add(.operations, place, "it doesn't merge: \(error)")
                }
            }
        }
        return all
    }

    private mutating func checkStates(
        _ documents: [DocumentID: Document],
        _ runs: [DocumentID: [OperationRun]],
        _ pending: [DocumentID: [OperationRun]]
    ) throws {
        var states: [(id: DocumentID, row: DocumentRow)] = []
        try report.collect(.document) { [reader] report in
            states = try reader.documents(&report)
        }
        let position = try reader.position()
        for (id, row) in states {
            let place = StoreError.Place.document(record.id, id)
            guard row.position <= position else {
                report.add(.document, place, "its state is of position \(row.position)")
                continue
            }
            do {
                var expected = documents[id] ?? Document()
                _ = try expected.merge(pending[id] ?? [])
                let chunks = try reader.chunks(of: id).map(\.bytes)
                var stored = try Document(provingHead: row.head, by: chunks)
                _ = try stored.merge((runs[id] ?? []) + (pending[id] ?? []))
                if !stored.hasSameState(as: expected) {
                    report.add(.document, place, "its state isn't what its operations give")
                }
            } catch StoreError.corrupt(_, let place, let reason) {
                report.add(.document, place, reason)
            } catch {
                report.add(.document, place, "its state can't be used: \(error)")
            }
        }
    }
}

extension JournalReader {
    /// Operations decoded.
    fileprivate func runs(
        of operations: StoredOperations,
        _ place: StoreError.Place
    ) throws(StoreError) -> [OperationRun] {
        do {
            return try operations.batch().runs
        } catch {
            throw damage(place, "operations don't decode: \(error)")
        }
    }
}
