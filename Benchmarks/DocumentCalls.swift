// The one place where the benchmarks call SennitDocument.
//
// Each function is one thing that is measured, done through the same public calls that the engine
// makes. A faster call is tried by changing the function here; what is timed, counted and checked
// stays as it is in TraceMeasurements.swift.
//
//     whole form    = one chunk (HistoryChunk.swift)           a whole history
//     exchange form = (author[32] byteCount:varint batch)*     what somebody did offline
//     update        = batch                                    one transaction, as an entry has it
//     head          = Document.encodeHead()                    what a store reads first
//
// Left out: sealing, signing and storing, which have programs of their own.

import SennitDocument
import SennitWire

/// What the benchmarks ask of a document.
enum DocumentCalls {
    /// One edit by whoever has the document open: at the current version.
    /// - Returns: The events, for others to merge.
    static func edit(_ document: inout Document, _ step: Script.Step) throws -> [OperationRun] {
        try document.edit(step.patches, author: step.author, firstEvent: step.firstEvent)
    }

    /// The edits of one author when nobody wants the events: what typing costs.
    static func type(_ document: inout Document, _ patches: [Patch], as log: LogID) throws {
        var author = try document.author(log, nextEvent: 0)
        // Through a span the text is lent; out of an array it would be retained.
        let patches = patches.span
        for index in patches.indices {
            try document.replace(patches[index].range, with: patches[index].text, by: &author)
        }
    }

    /// One edit by somebody who has not caught up: at the version of its parents.
    /// - Returns: The events, for others to merge.
    static func editAtParents(
        _ document: inout Document,
        _ step: Script.Step
    ) throws -> [OperationRun] {
        try document.edit(
            step.patches,
            at: step.parents,
            author: step.author,
            firstEvent: step.firstEvent
        ).runs
    }

    /// A whole history in as few bytes as we can.
    static func wholeForm(of document: Document) -> [UInt8] {
        document.encodeChunk(isThorough: true)
    }

    /// Adds a whole history in one go; its text and verdicts are found anew.
    static func merge(wholeForm bytes: [UInt8], into document: inout Document) throws {
        try document.merge(chunk: bytes)
    }

    /// What somebody did as it travels to a device that has the rest.
    static func exchangeForm(of updates: [[OperationRun]]) -> [UInt8] {
        var logs = LogTable()
        var writer = ByteWriter()
        for batch in OperationBatch.joined(updates.filter { !$0.isEmpty }.map(batch)) {
            var inner = ByteWriter()
            batch.write(to: &inner, logs: &logs)
            writer.write(batch.author)
            writer.writeBlob(inner.bytes)
        }
        return writer.bytes
    }

    /// Adds all that somebody did in one go.
    static func merge(exchangeForm bytes: [UInt8], into document: inout Document) throws {
        var logs = LogTable()
        var runs: [OperationRun] = []
        var reader = ByteReader(bytes)
        while reader.remaining > 0 {
            let author: LogID = try reader.readIdentifier()
            let body = try reader.readBlob(limit: reader.remaining)
            runs += try OperationBatch(decoding: body, author: author, logs: &logs).runs
        }
        _ = try document.merge(runs)
    }

    /// Each transaction by itself as it travels; those that change nothing are left out.
    static func updateForms(of updates: [[OperationRun]]) -> [Update] {
        var logs = LogTable()
        return updates.filter { !$0.isEmpty }.map { runs in
            var writer = ByteWriter()
            batch(runs).write(to: &writer, logs: &logs)
            return Update(author: runs[0].start.log, bytes: writer.bytes, runs: runs)
        }
    }

    /// Adds one transaction that has just arrived.
    static func merge(
        _ update: Update,
        into document: inout Document,
        logs: inout LogTable
    ) throws {
        let batch = try OperationBatch(decoding: update.bytes, author: update.author, logs: &logs)
        _ = try document.merge(batch.runs)
    }

    /// Adds one transaction that has been decoded.
    static func merge(decoded update: Update, into document: inout Document) throws {
        _ = try document.merge(update.runs)
    }

    /// What a store reads first; it keeps the whole form beside it.
    static func head(of document: Document) -> [UInt8] { document.encodeHead() }

    /// A document from its own store.
    static func open(_ head: [UInt8]) throws -> Document { try Document(head: head) }

    /// The history as a store keeps it beside that.
    static func chunk(of document: Document) -> [UInt8] { document.encodeChunk() }

    /// Reads the history if even an edit of the text as it is takes it: after more concurrent
    /// versions than one operation may name.
    static func prepareToEdit(_ document: inout Document, history: [UInt8]) throws {
        if document.needsHistory(toEditAt: document.frontier) {
            try document.attach(history: [history])
        }
    }

    /// What a document gives back when nobody has touched it for a while.
    static func rest(_ document: inout Document) { document.rest() }

    /// All of the text.
    static func text(of document: Document) -> String { document.text.string }

    /// One scalar typed in the middle.
    static func typeInTheMiddle(of document: inout Document, as log: LogID) throws {
        let middle = document.text.scalarCount / 2
        _ = try document.edit(
            [Patch(range: middle..<middle, text: "x")],
            author: log,
            firstEvent: 0
        )
    }

    private static func batch(_ runs: [OperationRun]) -> OperationBatch {
        OperationBatch(document: .directory, runs: runs)
    }
}

/// One transaction as it travels.
struct Update {
    let author: LogID
    let bytes: [UInt8]
    /// The same, decoded.
    let runs: [OperationRun]
}
