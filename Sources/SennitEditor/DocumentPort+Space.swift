public import Sennit
import SennitDocument
import SennitSeal
import Synchronization

// Joins the editor with a document of an open space. The exchange runs in one turn of the engine,
// so nothing happens between what the editor is told and what it answers.
//
// An edit whose commit fails is not taken back: it is in memory, in the document, and is tried
// again, which the status line says. So `transact` throws only what was refused before it changed
// anything.

extension DocumentPort {
    /// A port to a document. It lives as long as its wake-ups are listened to.
    /// - Parameters:
    ///   - document: a document of `space`.
    public init(_ document: DocumentHandle, in space: Space) {
        let state = PortState()
        let (wakeUps, continuation) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        let listener = Task {
            await state.look(at: space, for: [.status, .members])
            continuation.yield()
            for await update in await space.updates() {
                await state.look(at: space, for: update.kinds)
                continuation.yield()
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in listener.cancel() }
        self.init(
            transact: { exchange in
                let telling = state.current
                let (cursor, told) = try await document.transact(since: telling.cursor) { turn in
                    var telling = telling
                    let answer = exchange(telling.changes(of: turn, at: state.now))
                    return DocumentReply(
                        patches: answer.patches,
                        presence: Presence(answer),
                        result: (telling: telling, wrote: !answer.patches.isEmpty)
                    )
                }
                state.told(told.telling, cursor)
                if told.wrote {
                    do throws(SennitError) {
                        try await document.saved()
                    } catch {
                        state.note(error.message)
                    }
                }
            },
            wakeUps: wakeUps
        )
    }
}

/// What the port's two closures share.
private final class PortState: Sendable {
    // A class: it has one state for both.

    private struct State {
        var telling = Telling()
        var status = ConnectionStatus(.offline)
        var isReadOnly = false
    }

    private let state = Mutex(State())
    private let start = ContinuousClock.now

    /// The time on the clock that peers are seen by.
    var now: Duration { start.duration(to: .now) }

    /// What the next exchange tells, if it succeeds.
    var current: Telling {
        state.withLock { state in
            var telling = state.telling
            telling.status.current = state.status
            telling.isReadOnly.current = state.isReadOnly
            return telling
        }
    }

    /// An exchange succeeded.
    func told(_ telling: Telling, _ cursor: ChangeCursor) {
        state.withLock { state in
            state.telling = telling
            state.telling.cursor = cursor
        }
    }

    func note(_ message: String) { state.withLock { $0.status.note = message } }

    /// Asks the space for what an exchange can't ask for.
    func look(at space: Space, for kinds: SpaceUpdate.Kinds) async {
        if !kinds.isDisjoint(with: [.status, .saved]), let status = try? await space.status() {
            state.withLock { $0.status = ConnectionStatus(status) }
        }
        if kinds.contains(.members), let members = try? await space.members() {
            let role = members.first { $0.isOwn }?.role
            state.withLock { $0.isReadOnly = role == .reader }
        }
    }
}

/// What the editor was told, and what it is to be told.
private struct Telling: Sendable {
    /// A value that is told when it is another than the last.
    struct Latest<Value: Equatable & Sendable>: Sendable {
        var current: Value
        private var told: Value?

        init(_ value: Value) { current = value }

        mutating func news() -> Value? {
            guard told != current else { return nil }
            told = current
            return current
        }
    }

    var cursor: ChangeCursor?
    var status = Latest(ConnectionStatus(.offline))
    var isReadOnly = Latest(false)
    private var peers: [PeerPresence] = []
    private var peersTold = Duration.zero

    mutating func changes(of turn: DocumentTurn, at now: Duration) -> [DocumentChange] {
        var changes: [DocumentChange] =
            cursor == nil
            ? [.text(turn.text.string)]
            : turn.missed.map { $0.isOwn ? .own($0.patches, cursor: nil) : .remote($0.patches) }
        // People who don't move are still here: the editor is reminded of them now and then.
        if turn.peers != peers || !peers.isEmpty && now - peersTold >= Limits.reminderPause {
            peers = turn.peers
            peersTold = now
            changes.append(.peers(peers.map { Peer($0, at: now) }))
        }
        if let status = status.news() { changes.append(.status(status)) }
        if let isReadOnly = isReadOnly.news() { changes.append(.readOnly(isReadOnly)) }
        return changes
    }
}

extension Presence {
    /// Where the editor's person is; the cursor is at one end of the selection.
    fileprivate init(_ turn: EditorTurn) {
        let anchor = turn.selection.map { selection in
            selection.lowerBound == turn.cursor ? selection.upperBound : selection.lowerBound
        }
        self.init(cursor: turn.cursor, anchor: anchor)
    }
}

extension Peer {
    fileprivate init(_ peer: PeerPresence, at now: Duration) {
        let cursor = peer.place?.cursor ?? 0
        let anchor = peer.place?.anchor ?? cursor
        self.init(
            id: peer.id,
            name: peer.name,
            cursor: cursor,
            selection: anchor == cursor ? nil : min(cursor, anchor)..<max(cursor, anchor),
            lastSeen: now
        )
    }
}

extension ConnectionStatus {
    /// The status of a space as the editor's status line has room for it.
    fileprivate init(_ status: SpaceStatus) {
        let state: State =
            switch status.connection {
            case .online: .online
            case .connecting: .connecting
            case .offline: .offline
            }
        let quiet: Set<StatusFinding.Kind> = [.behind, .stale]
        let isAmiss = status.findings.contains { !quiet.contains($0.kind) }
        self.init(
            state,
            pendingCount: status.pendingCount + Int(clamping: status.unackedCount),
            note: status.savingNote ?? (isAmiss ? "see `sennit status`" : nil)
        )
    }
}

extension Editor {
    /// Opens a document on the terminal at standard input and output, until the person leaves.
    /// Whether the space is connected is up to the caller.
    /// - Parameters:
    ///   - environment: `NO_COLOR`, `COLORTERM` and `TERM` are read.
    /// - Throws: `notATerminal`; `terminal`; `documentUnavailable`.
    public static func run(
        _ document: DocumentHandle,
        in space: Space,
        environment: [String: String]
    ) async throws(EditorError) -> EditorExit {
        let port = DocumentPort(document, in: space)
        let exit = try await run(title: document.path, port: port, environment: environment)
        await space.leaveDocument()
        return exit
    }
}
