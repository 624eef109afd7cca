import SennitDocument
import SennitSeal
import SennitWire
import Testing

@testable import SennitSync

/// Copies of a device, without relay or disk. The numbers are those of docs/SECURITY.md.
@Suite struct RenewalTests {
    /// Bob and a copy of Bob, each with what it wrote.
    private struct Copies {
        var space: TestSpace
        var copy: TestSpace

        init(life: Life = 1) throws {
            space = try TestSpace.joined()
            space.bob.life = life
            copy = space
            copy.bob.life = life + 1
        }

        /// The copy learns that Bob wrote the log from `offset` on, and goes on in a new one.
        func renewed(
            from offset: Int,
            _ surroundings: Surroundings = surroundings(7)
        ) throws -> (replica: Replica, change: ReplicaChange) {
            var replica = copy.bob
            let range = space.bobs(offset...)
            let end = Offset(UInt64(offset))
            do {
                _ = try replica.receive(range)
                throw TestFailure("Bob's entries were taken in.")
            } catch SyncError.ownLogTaken(let from) {
                #expect(from == end)
            }
            return try replica.renewed(
                from: copy.adasEntries + copy.bobsEntries,
                ownEnd: end,
                [range],
                surroundings
            )
        }
    }

    @Test func `attack 19: what two copies wrote at one place is there once from each`() throws {
        var copies = try Copies()
        try copies.space.bobTypes("two\n", at: 0)
        try copies.copy.bobTypes("three\n", at: 0)
        let (fresh, change) = try copies.renewed(from: 1)
        let text = copies.space.text(of: fresh)
        #expect(["two\nthree\n", "three\ntwo\n"].contains(text))
        #expect(fresh.findings[copies.space.bob.ownLog] == .copied(at: Offset(1)))
        #expect(fresh.ownLog != copies.space.bob.ownLog)
        #expect(change.own == fresh.own && change.isRebuild)
        try fresh.checkInvariants()
        // Others take the new log for what it is.
        var ada = copies.space.ada
        _ = try ada.receive(copies.space.bobs(1...))
        let new = change.entries.filter { $0.log == fresh.ownLog }
        let byteCount = new.reduce(0) { $0 + UInt64($1.bytes.count) }
        let end = Offset(UInt64(new.count))
        _ = try ada.receive(
            EntryRange(
                descriptor: fresh.own,
                from: .zero,
                entries: new.map(\.bytes),
                head: try #require(fresh.head(upTo: end, byteCount: byteCount))
            )
        )
        #expect(copies.space.text(of: ada) == text)
        #expect(ada.findings.isEmpty)
        #expect(ada.version == fresh.version)
    }

    @Test func `what was typed before the copy was made isn't there twice`() throws {
        var copies = try Copies()
        let document = TestSpace.document
        let change = try copies.space.bob.edit(document, [Patch(range: 0..<0, text: "shared ")])
        copies.copy.bob = copies.space.bob
        copies.copy.bob.life = 99
        #expect(change.pending.allSatisfy { $0.life == 1 })
        try copies.space.bobTypes("two", at: 7)
        _ = try copies.copy.bob.edit(document, [Patch(range: 7..<7, text: "three")])
        let (fresh, _) = try copies.renewed(from: 1)
        let text = copies.space.text(of: fresh)
        #expect(["shared twothree", "shared threetwo"].contains(text), "\(text)")
        #expect(fresh.pendingCount == 1)
    }

    @Test func `a second renewal of one backup finds what the first one wrote`() throws {
        var copies = try Copies()
        try copies.space.bobTypes("x", at: 0)
        _ = try copies.copy.bob.edit(TestSpace.document, [Patch(range: 0..<0, text: "pending")])
        let (first, _) = try copies.renewed(from: 1)
        var sealing = first
        let sealed = try sealing.sealPending(surroundings(8)).entries
        // The same backup again, which has heard of the first one's new log.
        var backup = copies.copy.bob
        let byteCount = sealed.reduce(0) { $0 + UInt64($1.bytes.count) }
        let range = EntryRange(
            descriptor: sealing.own,
            from: .zero,
            entries: sealed.map(\.bytes),
            head: try #require(
                sealing.head(upTo: Offset(UInt64(sealed.count)), byteCount: byteCount)
            )
        )
        let stored = try backup.receive(range).entries
        let (second, _) = try backup.renewed(
            from: copies.copy.adasEntries + copies.copy.bobsEntries + stored,
            ownEnd: Offset(1),
            [copies.space.bobs(1...)],
            surroundings(9)
        )
        #expect(second.pendingCount == 0)
        #expect(copies.space.text(of: second) == copies.space.text(of: first))
    }

    @Test func `attack 20: constant randomness repeats no nonce and no log`() throws {
        var copies = try Copies()
        let constant = Surroundings(authorTime: 0, random: .zero)
        var entries: [StoredEntry] = []
        func type(_ text: String, _ space: inout TestSpace) throws {
            let patch = Patch(range: 0..<0, text: text)
            _ = try space.bob.edit(TestSpace.document, [patch])
            let sealed = try space.bob.sealPending(constant).entries
            space.bobsEntries += sealed
            entries += sealed
        }
        for text in ["a", "b", "c"] { try type(text, &copies.space) }
        for text in ["d", "e"] { try type(text, &copies.copy) }
        let (fresh, change) = try copies.renewed(from: 1, constant)
        entries += change.entries.filter { $0.log == fresh.ownLog }
        var plaintexts: [[UInt8]: [UInt8]] = [:]
        for entry in entries {
            let nonce = try Entry(decoding: entry.bytes).nonce
            let known = plaintexts.updateValue(entry.bytes, forKey: entry.log.bytes + nonce)
            #expect(known == nil || known == entry.bytes)
        }
        #expect(plaintexts.count == 8)
        // A copy that typed something else begins another log.
        var other = copies
        try type("f", &other.copy)
        #expect(try other.renewed(from: 1, constant).replica.ownLog != fresh.ownLog)
    }

    @Test func `positions mean the same under the new log's id`() throws {
        // Ada and Bob insert at one place, so the order follows from log ids; then Bob deletes what
        // he wrote. Under another order he would delete Ada's.
        for use in 0..<40 {
            var copies = try Copies()
            try copies.space.adaTypes("A", at: 0)
            copies.copy.ada = copies.space.ada
            copies.copy.adasEntries = copies.space.adasEntries
            _ = try copies.copy.bob.edit(TestSpace.document, [Patch(range: 0..<0, text: "B")])
            _ = try copies.copy.bob.receive(copies.copy.adas(3...))
            let before = Array(copies.copy.text(of: copies.copy.bob))
            let at = try #require(before.firstIndex(of: "B"))
            _ = try copies.copy.bob.edit(
                TestSpace.document,
                [Patch(range: at..<(at + 1), text: "")]
            )
            // Something else, of the other copy, at another place.
            let other = DocumentID(value: .zero)
            _ = try copies.space.bob.setMap(other, key: "k", value: [1])
            copies.space.bobsEntries += try copies.space.bob.sealPending(surroundings(50)).entries
            let (fresh, _) = try copies.renewed(from: 1, surroundings(1000 + use))
            #expect(copies.space.text(of: fresh) == "A")
        }
    }
}
