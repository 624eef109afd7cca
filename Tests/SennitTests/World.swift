import Foundation
import Logging
import RelayCore
import Sennit
import SennitDocument
import SennitWire
import Testing

/// A directory that goes with its last holder.
final class TestDirectory: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "sennit-tests-" + UUID().uuidString
        try? FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A relay on a real socket, which can be stopped, started again at the same address, and lose all.
final class TestRelay {
    private(set) var directory = TestDirectory()
    private(set) var server: RelayServer
    let url: String

    init() throws {
        server = try TestRelay.server(directory, port: 0)
        url = server.url
    }

    func stop() throws { try server.stop() }

    func start() throws { server = try TestRelay.server(directory, port: server.port) }

    func wipe() { directory = TestDirectory() }

    private static func server(_ directory: TestDirectory, port: Int) throws -> RelayServer {
        var configuration = RelayServer.Configuration(directory: directory.path)
        configuration.port = port
        return try RelayServer(
            configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}

/// A person with a profile of their own.
struct Person {
    let name: String
    let directory: TestDirectory
    var engine: Engine

    init(_ name: String) async throws {
        self.name = name
        directory = TestDirectory()
        engine = try await Engine.open(
            ProfileLocation(directory: directory.path + "/profile"),
            command: "test"
        )
    }

    /// Closes the profile and opens it again.
    mutating func restart() async throws -> Space {
        await engine.close()
        engine = try await Engine.open(
            ProfileLocation(directory: directory.path + "/profile"),
            command: "test"
        )
        return try await engine.space()
    }
}

/// Two people in one space, connected to one relay.
struct World {
    let relay: TestRelay
    var ada: Person
    var ben: Person
    var adas: Space
    var bens: Space

    init() async throws {
        relay = try TestRelay()
        ada = try await Person("Ada")
        ben = try await Person("Ben")
        adas = try await ada.engine.found(name: "home", person: "Ada", relays: [relay.url])
        try await adas.connect()
        let link = try await adas.invite()
        #expect(await adas.waitUntilSynced(timeout: patience))
        bens = try await ben.engine.join(link, name: "Ada's", person: "Ben")
    }

    func close() async throws {
        await ada.engine.close()
        await ben.engine.close()
        try relay.stop()
    }

    /// Ada's document at a path, and Ben's once it has arrived.
    func document(_ path: String) async throws -> (DocumentHandle, DocumentHandle) {
        let adas = try await self.adas.document(at: path, create: true)
        let bens = self.bens
        try await eventually(bens) { try await bens.documents().contains { $0.path == path } }
        return (adas, try await bens.document(at: path))
    }

    /// Waits until both have all there is.
    func settle() async throws {
        #expect(await adas.waitUntilSynced(timeout: patience))
        #expect(await bens.waitUntilSynced(timeout: patience))
        let (mine, theirs) = (adas, bens)
        try await eventually(theirs) {
            let wanted = try await mine.status().logs.map { "\($0.log) \($0.applied)" }
            return try await theirs.status().logs.map { "\($0.log) \($0.applied)" } == wanted
        }
    }
}

let patience = Duration.seconds(30)

/// Waits for a condition that changes only when something of the space does.
func eventually(
    _ space: Space,
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: @escaping @Sendable () async throws -> Bool
) async throws {
    let updates = await space.updates()
    if try await condition() { return }
    let came = try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
            for await _ in updates where try await condition() { return true }
            return false
        }
        group.addTask {
            try await Task.sleep(for: patience)
            return false
        }
        defer { group.cancelAll() }
        return try await group.next() ?? false
    }
    if !came { Issue.record(comment ?? "it never came about", sourceLocation: sourceLocation) }
}

extension Patch {
    static func insert(_ text: String, at index: Int) -> Patch {
        Patch(range: index..<index, text: text)
    }
}
