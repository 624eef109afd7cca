import ArgumentParser
import Foundation
import Sennit
import SennitDocument
import SennitWire

/// `sennit watch`
struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Print a line for every change, until interrupted.",
        usage: "sennit watch [<path>] [options]",
        discussion: """
              $ sennit watch
              $ sennit watch plans/2027.md --json | while read -r change; do …; done

            Stays connected. Meanwhile this process owns the profile: other commands show what the \
            index has, and can't write.

            JSON: time, kind (text, added, removed, moved), path, document (its id), from (the \
            path before a move, or null), patches (start, end, text: each on the text that the \
            one before it left, in Unicode scalars).
            """
    )

    @Argument(
        help: "Only this document.",
        completion: .shellCommand("sennit ls --offline")
    )
    var path: String?

    @OptionGroup(title: "Common options") var common: CommonOptions

    func run() async throws {
        try await OpenSpace.with(common, verb: "watch") { here in
            if let path { _ = try await here.document(at: path, asksRelay: true) }
            let updates = await here.space.updates()
            var watcher = try await Watcher(here.space, only: path)
            if !common.network.offline { try await here.space.connect() }
            here.console.note("watching \(path ?? here.info.name); Ctrl-C ends")
            for await update in updates {
                for change in try await watcher.changes(update) {
                    if common.json {
                        try here.console.printJSON(change)
                    } else {
                        here.console.print(change.line(here.console.output))
                    }
                }
            }
        }
    }
}

/// A change as it is printed.
struct WatchedChange: Encodable {
    enum Kind: String, Encodable { case text, added, removed, moved }

    struct Edit: Encodable {
        let start: Int
        let end: Int
        let text: String
    }

    let time = Timestamp(Date())
    let kind: Kind
    let path: String
    let document: String
    var from: String?
    var patches: [Edit] = []

    private enum CodingKeys: CodingKey { case time, kind, path, document, from, patches }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(time, forKey: .time)
        try container.encode(kind, forKey: .kind)
        try container.encode(path, forKey: .path)
        try container.encode(document, forKey: .document)
        try container.encode(from, forKey: .from)
        try container.encode(patches, forKey: .patches)
    }

    /// The change as a line for people.
    func line(_ dress: Console.Dress) -> String {
        let start = dress.styled(time.localTime, .faint) + "  "
        let shown = dress.styled(dress.safe(path), .accent)
        switch kind {
        case .text:
            let added = patches.reduce(0) { $0 + $1.text.unicodeScalars.count }
            let removed = patches.reduce(0) { $0 + $1.end - $1.start }
            let counts = [added > 0 ? "+\(added)" : nil, removed > 0 ? "-\(removed)" : nil]
            return start + shown + "  " + counts.compactMap(\.self).joined(separator: " ")
        case .added: return start + shown + "  added"
        case .removed: return start + shown + "  removed"
        case .moved: return start + shown + "  moved from " + dress.safe(from ?? "?")
        }
    }
}

/// Finds out what an update of a space was about.
struct Watcher {
    private let space: Space
    /// The document to tell of; `nil` for all.
    private let only: DocumentID?
    private var paths: [DocumentID: String] = [:]
    private var cursors: [DocumentID: ChangeCursor] = [:]

    init(_ space: Space, only path: String?) async throws {
        self.space = space
        var only: DocumentID?
        for entry in try await space.documents() {
            if entry.path == path { only = entry.id }
            if path != nil, entry.path != path { continue }
            let document = try await space.document(at: entry.path)
            paths[entry.id] = entry.path
            cursors[entry.id] = try await document.changes(since: nil).cursor
        }
        self.only = only
    }

    /// What changed since the last update.
    mutating func changes(_ update: SpaceUpdate) async throws -> [WatchedChange] {
        var changes: [WatchedChange] = []
        if update.kinds.contains(.directory) { changes += try await directoryChanges() }
        for (id, path) in paths.sorted(by: { $0.value < $1.value }) {
            guard update.documents.contains(id) || cursors[id] == nil else { continue }
            // Gone or moved in this moment: the next update tells.
            guard let document = try? await space.document(at: path), document.id == id else {
                continue
            }
            let edits = try await edits(of: document)
            if edits.isEmpty { continue }
            changes.append(
                WatchedChange(kind: .text, path: path, document: id.hex, patches: edits)
            )
        }
        return changes
    }

    /// What was done to a text since the last time; of a document that is new, the whole text.
    private mutating func edits(of document: DocumentHandle) async throws -> [WatchedChange.Edit] {
        let last = cursors[document.id]
        let (cursor, patches) = try await document.transact(since: last) { turn in
            let whole = Patch(range: 0..<0, text: turn.text.string)
            let patches = last == nil ? [whole] : turn.missed.flatMap(\.patches)
            return DocumentReply(patches: [], result: patches)
        }
        cursors[document.id] = cursor
        return patches.filter { !$0.text.isEmpty || !$0.range.isEmpty }.map { patch in
            WatchedChange.Edit(
                start: patch.range.lowerBound,
                end: patch.range.upperBound,
                text: patch.text
            )
        }
    }

    private mutating func directoryChanges() async throws -> [WatchedChange] {
        var now: [DocumentID: String] = [:]
        for entry in try await space.documents() where only == nil || only == entry.id {
            now[entry.id] = entry.path
        }
        let before = paths
        paths = now
        var changes: [WatchedChange] = []
        for (id, path) in now {
            guard let old = before[id] else {
                changes.append(WatchedChange(kind: .added, path: path, document: id.hex))
                continue
            }
            if old == path { continue }
            changes.append(
                WatchedChange(kind: .moved, path: path, document: id.hex, from: old)
            )
        }
        for (id, path) in before where now[id] == nil {
            cursors[id] = nil
            changes.append(WatchedChange(kind: .removed, path: path, document: id.hex))
        }
        return changes.sorted { $0.path < $1.path }
    }
}
