import Foundation
import SennitSeal
import SennitWire
import Testing

/// A file of Tests/Vectors, whose README says what is in it.
struct VectorFile: Sendable, CustomTestStringConvertible {
    let name: String
    private let fields: [String: String]

    var testDescription: String { name }

    /// Every vector, by name.
    static let all: [VectorFile] = {
        do { return try read() } catch { preconditionFailure("Tests/Vectors: \(error)") }
    }()

    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func read() throws -> [VectorFile] {
        let vectors = root.appending(path: "Tests/Vectors")
        let kinds = ["body", "entry", "head", "join", "link", "presence", "record"]
        return try kinds.flatMap { kind in
            let folder = vectors.appending(path: kind)
            return try FileManager.default.contentsOfDirectory(atPath: folder.path())
                .sorted()
                .map { try VectorFile(folder.appending(path: $0)) }
        }
    }

    private init(_ file: URL) throws {
        name = file.deletingPathExtension().lastPathComponent
        var fields: [String: String] = [:]
        let text = try String(contentsOf: file, encoding: .utf8)
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let colon = try #require(line.firstIndex(of: ":"), "\(name)")
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields[String(line[..<colon])] = String(value)
        }
        self.fields = fields
    }

    func text(_ key: String) throws -> String {
        try #require(fields[key], "\(name) lacks \(key)")
    }

    func bytes(_ key: String) throws -> [UInt8] {
        try #require(Hex.decode(text(key)), "\(name): \(key)")
    }

    func name<Name: Identifier>(_ key: String) throws -> Name {
        try #require(Name(bytes(key)), "\(name): \(key)")
    }

    func place() throws -> EntryPlace {
        EntryPlace(
            space: try name("space"),
            log: try name("log"),
            offset: Offset(try #require(UInt64(text("offset")))),
            chain: try name("chain")
        )
    }

    func epoch() throws -> EpochKey {
        EpochKey(secret: SecretBytes(try bytes("epoch secret")), space: try name("space"))
    }

    /// What the file says must come of it.
    enum Outcome: String {
        case ok
        case malformed
        case notAuthentic = "not authentic"
        case poison
        case needsUpdate = "needs update"
        case notALink = "not a link"
        case damagedLink = "damaged link"
        case newerLink = "newer link"

        /// What came of `attempt`.
        init(of attempt: () throws -> Void) {
            do {
                try attempt()
                self = .ok
            } catch let error as SealError {
                self =
                    switch error {
                    case .notAuthentic: .notAuthentic
                    case .poison: .poison
                    case .needsUpdate: .needsUpdate
                    case .notALink: .notALink
                    case .damagedLink: .damagedLink
                    case .newerLink: .newerLink
                    case .tooLarge, .unusableKey: .malformed
                    }
            } catch {
                self = .malformed
            }
        }
    }
}

@Suite("Vectors")
struct VectorTests {
    @Test(arguments: VectorFile.all)
    func `come to what they say`(vector: VectorFile) throws {
        let expected = try #require(VectorFile.Outcome(rawValue: vector.text("outcome")))
        let kind = try vector.text("kind")
        let outcome = VectorFile.Outcome { try VectorTests.attempt(vector, kind) }
        #expect(outcome == expected)
        #expect(vector.name.hasPrefix(kind.replacing(" ", with: "_")))
        #expect(vector.name.hasSuffix("_good") == (expected == .ok))
    }

    @Test func `are all there`() {
        #expect(VectorFile.all.count >= 50)
    }

    @Test func `the worked example is in the specification and in its file`() throws {
        let example = try WorkedExample().text
        let file = VectorFile.root.appending(path: "Tests/Vectors/worked-example.txt")
        #expect(try String(contentsOf: file, encoding: .utf8) == example)
        let page = try String(
            contentsOf: VectorFile.root.appending(path: "SPEC.md"),
            encoding: .utf8
        )
        let section = try #require(page.range(of: "\n## 16 Worked example\n"))
        let block = page[section.upperBound...].split(separator: "```\n")
        #expect(block.count >= 2)
        #expect(String(block[1]) == example)
    }

    private static func attempt(_ vector: VectorFile, _ kind: String) throws {
        switch kind {
        case "entry":
            let entry = try Entry(decoding: vector.bytes("bytes"))
            let body = try Seal.open(entry, at: vector.place(), under: vector.epoch())
            #expect(try vector.bytes("body") == body)
        case "body":
            var logs = LogTable()
            let bytes = try vector.bytes("bytes")
            let body = try EntryBody(decoding: bytes, at: vector.place(), logs: &logs)
            #expect(freshBytes(body) == bytes)
        case "head":
            var reader = ByteReader(try vector.bytes("bytes"))
            let head = try Head(from: &reader)
            try reader.finish()
            let device: DeviceKey = try vector.name("device")
            guard
                head.isSigned(
                    by: device,
                    space: try vector.name("space"),
                    log: try vector.name("log")
                )
            else { throw SealError.notAuthentic }
        case "join":
            let incarnation = Incarnation(try vector.bytes("incarnation"))
            let log = LogDescriptor(
                device: try vector.name("device"),
                incarnation: try #require(incarnation)
            )
            let join = try JoinRecord(decoding: vector.bytes("bytes"))
            try join.verify(in: vector.name("space"), log: log)
        case "link":
            let link = try InviteLink(text: vector.text("text"))
            #expect(try vector.name("space") == link.space)
            #expect(try vector.bytes("seed") == link.seed.bytes)
            #expect(try vector.text("relays") == link.relays.joined(separator: " "))
            #expect(try vector.name("invite device key") == link.identity.device)
            #expect(try vector.name("invite agreement key") == link.identity.agreement)
        case "presence":
            let log: LogID = try vector.name("log")
            let device: DeviceKey = try vector.name("device")
            let message = try PresenceMessage(
                opening: vector.bytes("bytes"),
                space: vector.name("space"),
                under: vector.epoch(),
                author: { $0 == log ? device : nil }
            )
            #expect(try vector.text("name") == message.name)
        default:
            try attemptRecord(vector, kind)
        }
    }

    private static func attemptRecord(_ vector: VectorFile, _ kind: String) throws {
        let bytes = try vector.bytes("bytes")
        switch kind {
        case "genesis":
            let genesis = try Genesis(decoding: bytes)
            #expect(try vector.name("space") == genesis.spaceID)
        case "epoch": #expect(try EpochRecord(decoding: bytes).bytes == bytes)
        case "invite": #expect(try InviteClear(decoding: bytes).bytes == bytes)
        case "invite record": #expect(try InviteRecord(decoding: bytes).bytes == bytes)
        case "changes": #expect(try MembershipChanges(decoding: bytes).bytes == bytes)
        case "member": #expect(try MemberRecord(decoding: bytes).bytes == bytes)
        case "access":
            let list = try AccessList(decoding: bytes)
            guard list.isSigned else { throw SealError.notAuthentic }
        default: Issue.record("\(vector.name) is of an unknown kind \(kind)")
        }
    }
}
