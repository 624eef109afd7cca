import SennitDocument
import SennitSeal
import SennitSync
import SennitWire

/// Two devices of one space without relay or disk: Ada founded it, Bob holds her link.
struct TestSpace {
    var ada: Replica
    var bob: Replica
    let link: InviteLink
    /// Everything each has written, as ranges that end on a head.
    var adasEntries: [StoredEntry] = []
    var bobsEntries: [StoredEntry] = []

    static let document = bytes32(77).document

    init() throws {
        let (founded, founding) = try Replica.founding(
            deviceSeed: SecretBytes([UInt8](repeating: 1, count: 32)),
            spaceNonce: bytes32(2).value,
            incarnation: try incarnation(3),
            member: try MemberRecord(person: PersonID(value: .zero), name: "Ada"),
            surroundings(1)
        )
        ada = founded
        adasEntries = founding.entries
        let seed = SecretBytes([UInt8](repeating: 4, count: 16))
        let opening = try ada.openInvite(seed: seed, role: .writer, uses: 1, surroundings(2))
        adasEntries += opening.entries
        link = try InviteLink(
            space: ada.space,
            spaceNonce: ada.spaceNonce,
            seed: seed,
            relays: ["ws://127.0.0.1:1"]
        )
        bob = Replica(
            joining: link,
            deviceSeed: SecretBytes([UInt8](repeating: 5, count: 32)),
            incarnation: try incarnation(6)
        )
    }

    /// Bob has all of Ada's entries and Ada Bob's join.
    static func joined() throws -> TestSpace {
        var space = try TestSpace()
        _ = try space.bob.receive(space.adas(0...))
        let member = try MemberRecord(person: PersonID(value: .zero), name: "Bob")
        guard let join = try space.bob.joinIfReady(member, surroundings(3)) else {
            throw TestFailure("Bob can't join")
        }
        space.bobsEntries = join.entries
        _ = try space.ada.receive(space.bobs(0...))
        return space
    }

    func adas(_ offsets: PartialRangeFrom<Int>) -> EntryRange {
        range(of: ada, Array(adasEntries[offsets]))
    }

    func bobs(_ offsets: PartialRangeFrom<Int>) -> EntryRange {
        range(of: bob, Array(bobsEntries[offsets]))
    }

    /// Ada types, and seals what she typed.
    mutating func adaTypes(_ text: String, at position: Int) throws {
        let patch = Patch(range: position..<position, text: text)
        _ = try ada.edit(TestSpace.document, [patch])
        adasEntries += try ada.sealPending(surroundings(adasEntries.count + 10)).entries
    }

    /// Bob types, and seals what he typed.
    mutating func bobTypes(_ text: String, at position: Int) throws {
        let patch = Patch(range: position..<position, text: text)
        _ = try bob.edit(TestSpace.document, [patch])
        bobsEntries += try bob.sealPending(surroundings(bobsEntries.count + 100)).entries
    }

    func text(of replica: Replica) -> String {
        replica.documents[TestSpace.document]?.text.string ?? ""
    }

    private func range(of replica: Replica, _ entries: [StoredEntry]) -> EntryRange {
        let end = entries[entries.count - 1].offset.next
        let all = replica.ownLog == ada.ownLog ? adasEntries : bobsEntries
        let byteCount = all.prefix(Int(end.value)).reduce(0) { $0 + $1.bytes.count }
        guard let head = replica.head(upTo: end, byteCount: UInt64(byteCount)) else {
            preconditionFailure("A replica signs what it wrote.")
        }
        return EntryRange(
            descriptor: replica.own,
            from: entries[0].offset,
            entries: entries.map(\.bytes),
            head: head
        )
    }
}

struct TestFailure: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

struct Repeated {
    let value: Bytes32
    var document: DocumentID { DocumentID(value: value) }
}

func bytes32(_ byte: UInt8) -> Repeated {
    Repeated(value: Bytes32([UInt8](repeating: byte, count: 32)) ?? .zero)
}

func incarnation(_ byte: UInt8) throws -> Incarnation {
    guard let made = Incarnation([UInt8](repeating: byte, count: 16)) else {
        throw TestFailure("an incarnation has 16 bytes")
    }
    return made
}

func surroundings(_ use: Int) -> Surroundings {
    Surroundings(authorTime: 0, random: Hash.digest(.nonce, [[UInt8(use & 255), UInt8(use >> 8)]]))
}
