import Dispatch
import SennitDocument
public import SennitSeal
import SennitStore
import SennitSync
public import SennitWire

/// A space of an open engine. A value: copies are the same space.
public struct Space: Sendable {
    let engine: Engine
    /// The space.
    public let id: SpaceID
    /// What it was called here when this value was made.
    public let name: String

    /// Keeps a connection to one of the space's relays until `disconnect`, whatever happens to it.
    /// Nothing else dials.
    /// - Throws: `noSuchSpace`, `closed`.
    public func connect() async throws(SennitError) {
        try await engine.with(id) { $0.connect() }
    }

    /// Hangs up. What is typed goes on being saved, and is sent with the next connection.
    public func disconnect() async {
        try? await engine.with(id) { $0.disconnect() }
    }

    /// How the space stands.
    /// - Throws: `noSuchSpace`, `closed`.
    public func status() async throws(SennitError) -> SpaceStatus {
        try await engine.with(id) { $0.status }
    }

    /// Why there is no connection now, if one was asked for and failed.
    public func trouble() async -> SennitError? {
        (try? await engine.with(id) { $0.link.trouble?.error }) ?? nil
    }

    /// Waits until everything is saved here, confirmed by the relay, and received from it.
    /// - Returns: whether that came about in time.
    public func waitUntilSynced(timeout: Duration) async -> Bool {
        await engine.wait(id) { driver, resume in
            driver.wait(for: timeout, until: { $0.isSynced ? true : nil }, resume)
        }
    }

    /// Waits until everything that was typed here before this call is on the disk.
    /// - Throws: `notSaved` if the disk refuses. What was typed stays in memory and is tried again.
    public func saved() async throws(SennitError) {
        let isSaved = await engine.wait(id) { driver, resume in driver.waitUntilSaved(resume) }
        if isSaved { return }
        let fault = try await engine.with(id) { $0.outbox.fault }
        // No fault any more: another try has gone well since.
        if let fault {
            throw SennitError(.notSaved, fault.description, hint: fault.hint, cause: fault)
        }
    }

    /// Wakes up when something of the space changes. Several changes may be one update.
    public func updates() async -> AsyncStream<SpaceUpdate> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: SpaceUpdate.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        do {
            let number = try await engine.with(id) { $0.subscribers.add(continuation) }
            continuation.onTermination = { [weak engine, id] _ in
                Task { [weak engine] in
                    try? await engine?.with(id) { $0.subscribers.remove(number) }
                }
            }
        } catch {
            continuation.finish()
        }
        return stream
    }
}

// MARK: Documents

extension Space {
    /// Every document, ascending by path.
    /// - Throws: `noSuchSpace`, `closed`.
    public func documents() async throws(SennitError) -> [DocumentEntry] {
        try await engine.with(id) { $0.directory.entries }
    }

    /// The document at a path.
    /// - Parameter create: makes it if there is none.
    /// - Throws: `noSuchDocument`, `invalidPath`, `readOnly`, `closed`.
    public func document(
        at path: String,
        create: Bool = false
    ) async throws(SennitError) -> DocumentHandle {
        let entry = try await engine.withHistory(of: .directory, in: id) {
            (driver) throws(SennitError) in try driver.document(at: path, create: create)
        }
        return DocumentHandle(space: self, id: entry.id, path: entry.path)
    }

    /// Gives a document another path. To its own listed name, if that stands in for a path that
    /// another document has too: then it keeps that name.
    /// - Throws: `noSuchDocument`, `pathTaken`, `invalidPath`, `readOnly`, `closed`.
    public func move(_ path: String, to target: String) async throws(SennitError) {
        try await engine.withHistory(of: .directory, in: id) { (driver) throws(SennitError) in
            try driver.move(from: path, to: target)
        }
    }

    /// Takes a document out of the list. Its text and history stay in the logs.
    /// - Throws: `noSuchDocument`, `readOnly`, `closed`.
    public func remove(_ path: String) async throws(SennitError) {
        try await engine.withHistory(of: .directory, in: id) { (driver) throws(SennitError) in
            try driver.remove(path)
        }
    }

    /// Full text search, from the index, which is brought up to date first. What was typed here and
    /// isn't in an entry yet is not found.
    /// - Throws: `profileUnusable`, `closed`.
    public func search(_ query: String) async throws(SennitError) -> [SearchResult] {
        let (index, journal, queue, view) = try await engine.with(id) { driver in
            let ports = driver.ports
            let view = driver.isSettled ? IndexedView(driver) : nil
            return (ports.index, ports.journal, ports.indexing, view)
        }
        let result = await withCheckedContinuation { continuation in
            queue.async { [id] in
                // An index that can't be written is behind, and can still be read.
                if let view { try? index.follow(journal, id, view.source) }
                let result: Result<[SearchHit], StoreError>
                do throws(StoreError) {
                    result = .success(try index.search(query, in: id))
                } catch {
                    result = .failure(error)
                }
                continuation.resume(returning: result)
            }
        }
        do { return try result.get().map(SearchResult.init) } catch { throw SennitError(error) }
    }

    /// The entries that this device applied, in that order.
    /// - Parameter positions: which of them; `nil` for all.
    /// - Throws: `profileDamaged`, `closed`.
    public func log(
        _ positions: Range<UInt64>? = nil
    ) async throws(SennitError) -> [LogLine] {
        let (journal, space, names) = try await engine.with(id) { driver in
            (driver.ports.journal, driver.space, IndexedView(driver).names)
        }
        let range = positions ?? 0..<UInt64(Int64.max)
        do {
            let bounds = JournalPosition(range.lowerBound)..<JournalPosition(range.upperBound)
            return try journal.applied(in: space, bounds).map { LogLine($0, names: names) }
        } catch {
            throw SennitError(error)
        }
    }
}

// MARK: People

extension Space {
    /// A member device of the space.
    public struct Member: Hashable, Sendable {
        /// The device.
        public let device: DeviceKey
        /// The name its person goes by.
        public let name: String
        /// What it may do.
        public let role: Role
        /// Whether it is this device.
        public let isOwn: Bool
    }

    /// An invite by which somebody may still join.
    public struct OpenInvite: Hashable, Sendable {
        /// Names it; not the link.
        public let key: DeviceKey
        /// What those who join may do.
        public let role: Role
        /// How many devices may still join.
        public let remainingUses: UInt64
        /// The name of the person who opened it.
        public let opener: String
    }

    /// Opens an invite and returns its link. Whoever has the link can join until it is used up or
    /// revoked, and read until the key is changed after that. It takes effect when the relay has
    /// it: connect and wait until synced.
    /// - Parameters:
    ///   - role: what the newcomer may do; not `owner`.
    ///   - uses: how many may join by it.
    /// - Throws: `notOwner`, `noRelay`, `notSaved`, `closed`.
    public func invite(
        role: Role = .writer,
        uses: UInt64 = 1
    ) async throws(SennitError) -> String {
        let link = try await engine.with(id) { (driver) throws(SennitError) in
            try driver.invite(role: role, uses: uses)
        }
        try await saved()
        return link
    }

    /// The member devices, ascending by key.
    /// - Throws: `noSuchSpace`, `closed`.
    public func members() async throws(SennitError) -> [Member] {
        try await engine.with(id) { driver in
            (driver.replica.membership?.members ?? []).map { member in
                Member(
                    device: member.device,
                    name: member.record?.name ?? "",
                    role: member.role,
                    isOwn: member.device == driver.replica.identity.device
                )
            }
        }
    }

    /// The invites by which somebody may still join.
    /// - Throws: `noSuchSpace`, `closed`.
    public func invites() async throws(SennitError) -> [OpenInvite] {
        try await engine.with(id) { driver in
            (driver.replica.membership?.openInvites ?? []).map { invite in
                OpenInvite(
                    key: invite.clear.invite,
                    role: invite.record.role,
                    remainingUses: invite.remainingUses,
                    opener: driver.replica.name(of: invite.opener) ?? ""
                )
            }
        }
    }

    /// Who else is here now, at their places in the texts as they are now.
    /// - Throws: `noSuchSpace`, `closed`.
    public func peers() async throws(SennitError) -> [PeerPresence] {
        try await engine.with(id) { $0.peers }
    }

    /// Tells the others that this person is in no document.
    public func leaveDocument() async {
        try? await engine.with(id) { $0.leaveDocument() }
    }
}
