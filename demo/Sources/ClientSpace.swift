import Sennit
import SennitDocument
import SennitEditor
import SennitWire

/// A client's profile, opened, with the one document of the run. All that the demo asks of the
/// engine goes through here.
struct ClientSpace: Sendable {
    private let engine: Engine
    private let space: Space
    private let document: DocumentHandle
    private let inviteCount: UInt64
    /// The log that this client writes.
    let ownLog: LogID
    /// Connects the document to an editor.
    let port: DocumentPort

    /// Opens the profile. The first time, client 0 founds the space and makes the document, and the
    /// others join by the link.
    static func open(
        _ directory: RunDirectory,
        _ plan: RunPlan,
        client: Int,
        link: String?
    ) async throws -> ClientSpace {
        let engine = try await Engine.open(
            ProfileLocation(directory: directory.profile(client)),
            command: "sennit-demo"
        )
        let space: Space
        if await engine.spaces.isEmpty {
            let person = plan.names.people[client]
            if let link {
                space = try await engine.join(link, name: plan.names.space, person: person)
            } else {
                space = try await engine.found(
                    name: plan.names.space,
                    person: person,
                    relays: [plan.relayURL]
                )
            }
        } else {
            space = try await engine.space(nil)
        }
        try await space.connect()
        let document = try await firstDocument(of: space, plan, isFounder: client == 0)
        return ClientSpace(
            engine: engine,
            space: space,
            document: document,
            inviteCount: UInt64(plan.clientCount - 1),
            ownLog: try await space.nextEvent().log,
            port: DocumentPort(document, in: space)
        )
    }

    /// Everybody but the founder waits until the document has arrived.
    private static func firstDocument(
        of space: Space,
        _ plan: RunPlan,
        isFounder: Bool
    ) async throws -> DocumentHandle {
        if isFounder { return try await space.document(at: plan.names.document, create: true) }
        let updates = await space.updates()
        while true {
            if try await space.documents().contains(where: { $0.path == plan.names.document }) {
                return try await space.document(at: plan.names.document, create: false)
            }
            for await _ in updates { break }
            try Task.checkCancellation()
        }
    }

    /// Invites the others.
    func link() async throws -> String {
        let link = try await space.invite(uses: inviteCount)
        // The others find the invite on the relay.
        guard await space.waitUntilSynced(timeout: .seconds(30)) else {
            throw DemoError.stalled(waitingFor: "the relay to take the invite")
        }
        return link
    }

    /// The number of the next event made here.
    func nextEvent() async throws -> UInt64 { try await space.nextEvent().number }

    /// Whether an event of the document is here.
    func contains(_ event: EventID) async throws -> Bool { try await document.contains(event) }

    /// Types at exactly a version.
    /// - Returns: `nil`, or how many scalars the text there has if a patch doesn't fit it; then
    ///   nothing was changed.
    func edit(_ patches: [Patch], at parents: [EventID]) async throws -> Int? {
        do {
            try await document.edit(patches, at: parents)
            return nil
        } catch {
            guard case .positionOutOfBounds(_, let scalarCount) = error.cause as? DocumentError
            else { throw error }
            return scalarCount
        }
    }

    /// Waits until everything typed here is on the disk.
    func saved() async throws { try await document.saved() }

    /// Whether everything is saved, sent, acknowledged and received.
    func isSynced() async throws -> Bool { try await space.status().isSynced }

    /// The text, from the engine and not from the editor.
    func text() async throws -> String { try await document.text() }

    /// Rings when anything may have changed.
    func updates() async -> AsyncStream<SpaceUpdate> { await space.updates() }

    /// What is applied of every log.
    func version() async throws -> [String] {
        try await space.status().logs.map { "\($0.log) \($0.applied)" }.sorted()
    }

    /// Closes the profile.
    func close() async throws { await engine.close() }
}

/// What a profile holds when it is opened again after the run.
struct ReopenedProfile: Sendable {
    let text: String
    /// What is wrong with it, its index compared with one that is made anew.
    let findings: [String]

    init(_ directory: RunDirectory, _ plan: RunPlan, client: Int) async throws {
        let engine = try await Engine.open(
            ProfileLocation(directory: directory.profile(client)),
            command: "sennit-demo"
        )
        let space = try await engine.space(nil)
        text = try await space.document(at: plan.names.document, create: false).text()
        findings = try await engine.check().findings.map { "\($0.place): \($0.detail)" }
        await engine.close()
    }
}
