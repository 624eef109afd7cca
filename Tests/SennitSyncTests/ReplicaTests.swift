import SennitDocument
import SennitSeal
import SennitSync
import SennitWire
import Testing

@Suite struct ReplicaTests {
    @Test func `a newcomer reads everything, joins and is known to the founder`() throws {
        let space = try TestSpace.joined()
        #expect(space.bob.isMember)
        #expect(space.ada.isMember(space.bob.identity.device))
        #expect(space.ada.name(of: space.bob.identity.device) == "Bob")
        #expect(space.ada.membership?.hash == space.bob.membership?.hash)
        #expect(space.ada.nextAccessList(after: nil)?.members.count == 2, "the invite is used up")
    }

    @Test func `what one types the other reads, and concurrent edits merge alike`() throws {
        var space = try TestSpace.joined()
        try space.adaTypes("Dear ", at: 0)
        _ = try space.bob.receive(space.adas(3...))
        try space.bobTypes("Ada", at: 5)
        try space.adaTypes("est", at: 4)
        let change = try space.ada.receive(space.bobs(1...))
        _ = try space.bob.receive(space.adas(4...))
        #expect(space.text(of: space.ada) == "Dearest Ada")
        #expect(space.text(of: space.bob) == "Dearest Ada")
        #expect(change.texts[TestSpace.document] == [Patch(range: 8..<8, text: "Ada")])
        #expect(space.ada.appliedVersion == space.bob.appliedVersion)
    }

    @Test func `entries that come twice change nothing`() throws {
        var space = try TestSpace.joined()
        try space.adaTypes("x", at: 0)
        _ = try space.bob.receive(space.adas(3...))
        let before = space.bob.position
        for start in 0...3 {
            let change = try space.bob.receive(space.adas(start...))
            #expect(change.isEmpty)
        }
        #expect(space.bob.position == before)
        #expect(space.text(of: space.bob) == "x")
    }

    @Test func `entries after a gap are refused and nothing changes`() throws {
        var space = try TestSpace.joined()
        try space.adaTypes("x", at: 0)
        try space.adaTypes("y", at: 1)
        let before = space.bob.version
        #expect(throws: SyncError.self) { try space.bob.receive(space.adas(4...)) }
        #expect(space.bob.version == before)
        #expect(space.bob.findings.isEmpty)
    }

    @Test func `an entry waits for what its author had seen`() throws {
        var space = try TestSpace.joined()
        try space.adaTypes("one ", at: 0)
        _ = try space.bob.receive(space.adas(3...))
        try space.bobTypes("two", at: 4)
        // Somebody who joined long ago and gets Bob's entry before Ada's.
        var carol = Replica(
            joining: space.link,
            deviceSeed: SecretBytes([UInt8](repeating: 9, count: 32)),
            incarnation: try incarnation(9)
        )
        _ = try carol.receive(space.bobs(0...))
        #expect(carol.appliedVersion.offsets.isEmpty)
        _ = try carol.receive(space.adas(0...))
        #expect(carol.version == carol.appliedVersion)
        #expect(space.text(of: carol) == "one two")
        #expect(carol.isInviteUsedUp)
        try carol.checkInvariants()
    }

    @Test func `what waited when the process ended goes on after it starts again`() throws {
        var space = try TestSpace.joined()
        try space.adaTypes("one ", at: 0)
        _ = try space.bob.receive(space.adas(3...))
        try space.bobTypes("two", at: 4)
        let seed = SecretBytes([UInt8](repeating: 9, count: 32))
        var carol = Replica(joining: space.link, deviceSeed: seed, incarnation: try incarnation(9))
        let change = try carol.receive(space.bobs(0...))
        // Only Bob's entries were in the journal when Carol's process ended.
        var record = ReplicaRecord(space: carol.space, spaceNonce: carol.spaceNonce, own: carol.own)
        record.logs[space.bob.ownLog] = RestoredLog(
            record: try #require(change.logs[space.bob.ownLog]),
            chains: change.entries.map(\.chain),
            eventEnds: []
        )
        record.waiting = change.entries
        var again = try Replica(
            restoring: record,
            deviceSeed: seed,
            invite: space.link.identity
        )
        _ = again.resume()
        _ = try again.receive(space.adas(0...))
        #expect(again.version == again.appliedVersion)
        #expect(space.text(of: again) == "one two")
    }

    @Test func `a flipped bit anywhere in a range is refused as corrupt`() throws {
        var space = try TestSpace.joined()
        try space.adaTypes("secret", at: 0)
        let range = space.adas(3...)
        let before = space.bob.version
        for byte in range.entries[0].indices {
            var entries = range.entries
            entries[0][byte] ^= 1
            let damaged = EntryRange(
                descriptor: range.descriptor,
                from: range.from,
                entries: entries,
                head: range.head
            )
            #expect(throws: SyncError.self) { try space.bob.receive(damaged) }
        }
        #expect(space.bob.version == before)
        #expect(space.bob.findings[space.ada.ownLog] == .corrupt(at: range.from))
        _ = try space.bob.receive(range)
        #expect(space.bob.findings.isEmpty, "good bytes take the blame back")
    }

    @Test func `a range over the limit is corrupt, of a log that nobody knew as well`() throws {
        var space = try TestSpace()
        let range = space.adas(0...)
        let large = EntryRange(
            descriptor: range.descriptor,
            from: range.from,
            entries: range.entries + [[UInt8](repeating: 0, count: Limits.maximumBatchByteCount)],
            head: range.head
        )
        #expect(throws: SyncError.self) { try space.bob.receive(large) }
        #expect(space.bob.findings[space.ada.ownLog] == .corrupt(at: .zero))
        #expect(space.bob.refusedLogs.map(\.descriptor) == [space.ada.own])
        _ = try space.bob.receive(range)
        #expect(space.bob.findings.isEmpty)
        #expect(space.bob.refusedLogs.isEmpty)
    }

    @Test func `a head with a wrong signature or count is refused`() throws {
        var space = try TestSpace.joined()
        try space.adaTypes("x", at: 0)
        let range = space.adas(3...)
        let head = range.head
        var signature = head.signature
        signature[0] ^= 1
        let unsigned = Head(
            end: head.end,
            chain: head.chain,
            byteCount: head.byteCount,
            membership: head.membership,
            epoch: head.epoch,
            signature: signature
        )
        let inflated = space.ada.identity.head(
            space: space.ada.space,
            log: space.ada.ownLog,
            end: head.end,
            chain: head.chain,
            byteCount: head.byteCount + 1,
            membership: head.membership,
            epoch: head.epoch
        )
        for wrong in [unsigned, inflated] {
            let forged = EntryRange(
                descriptor: range.descriptor,
                from: range.from,
                entries: range.entries,
                head: wrong
            )
            #expect(throws: SyncError.self) { try space.bob.receive(forged) }
        }
    }

    @Test func `two histories under one signature are a fork, and the first one stays`() throws {
        var space = try TestSpace.joined()
        var other = space
        try space.adaTypes("this", at: 0)
        try other.adaTypes("that", at: 0)
        _ = try space.bob.receive(space.adas(3...))
        #expect(throws: SyncError.self) { try space.bob.receive(other.adas(3...)) }
        #expect(space.bob.findings[space.ada.ownLog] == .forked(at: Offset(3)))
        #expect(space.text(of: space.bob) == "this")
    }

    @Test func `a stranger's log is kept and not applied`() throws {
        var space = try TestSpace.joined()
        let (stranger, founding) = try Replica.founding(
            deviceSeed: SecretBytes([UInt8](repeating: 66, count: 32)),
            spaceNonce: bytes32(66).value,
            incarnation: try incarnation(66),
            member: try MemberRecord(person: PersonID(value: .zero), name: "Mallory"),
            surroundings(66)
        )
        // Mallory's genuine entries of another space, under a head for this one.
        let descriptor = stranger.own
        let log = descriptor.logID(in: space.bob.space)
        var chain = descriptor.chainStart(in: space.bob.space)
        for entry in founding.entries { chain = chain.extended(by: EntryHash(of: entry.bytes)) }
        let head = stranger.identity.head(
            space: space.bob.space,
            log: log,
            end: Offset(2),
            chain: chain,
            byteCount: founding.entries.reduce(0) { $0 + UInt64($1.bytes.count) },
            membership: .zero,
            epoch: EpochKeyID(value: .zero)
        )
        _ = try space.bob.receive(
            EntryRange(
                descriptor: descriptor,
                from: .zero,
                entries: founding.entries.map(\.bytes),
                head: head
            )
        )
        #expect(!space.bob.isMember(descriptor.device))
        let summary = space.bob.logSummaries.first { $0.log == log }
        #expect(summary?.end == Offset(2))
        #expect(summary?.hold == .keyMissing)
        try space.adaTypes("still here", at: 0)
        _ = try space.bob.receive(space.adas(3...))
        #expect(space.text(of: space.bob) == "still here")
    }

    @Test func `an edit that is typed offline is pending and becomes one entry`() throws {
        var space = try TestSpace.joined()
        for (index, letter) in "offline".enumerated() {
            let patch = Patch(range: index..<index, text: String(letter))
            let change = try space.ada.edit(TestSpace.document, [patch])
            #expect(change.entries.isEmpty)
            #expect(change.pending.count == 1)
        }
        let sealed = try space.ada.sealPending(surroundings(50))
        #expect(sealed.entries.count == 1)
        #expect(sealed.applied.first?.operations.count == 1)
        #expect(space.ada.pendingCount == 0)
        let nothing = try space.ada.sealPending(surroundings(51))
        #expect(nothing.isEmpty)
    }

    @Test func `a paste of any size becomes entries that fit`() throws {
        var space = try TestSpace.joined()
        let text = String(repeating: "🚀 far\n", count: 60_000)
        try space.adaTypes(text, at: 0)
        #expect(space.adasEntries.count > 4)
        for entry in space.adasEntries {
            #expect(entry.bytes.count <= Limits.maximumEntryByteCount)
        }
        for index in 3..<space.adasEntries.count {
            var one = space
            one.adasEntries = Array(space.adasEntries[...index])
            _ = try space.bob.receive(one.adas(index...))
        }
        #expect(space.text(of: space.bob) == text)
    }

    @Test func `an edit at an older version lands beside what came since`() throws {
        var space = try TestSpace.joined()
        try space.adaTypes("ac", at: 0)
        let old = try #require(space.ada.documents[TestSpace.document]).frontier
        try space.adaTypes("!", at: 2)
        let patch = Patch(range: 1..<1, text: "b")
        let change = try space.ada.edit(TestSpace.document, [patch], at: old)
        #expect(space.text(of: space.ada) == "abc!")
        #expect(change.texts[TestSpace.document] == [patch])
    }

    @Test func `a relay that holds less than it had shown is reported, and nothing changes`() throws
    {
        var space = try TestSpace.joined()
        try space.adaTypes("x", at: 0)
        _ = try space.bob.receive(space.adas(3...))
        let less = Welcome(
            access: nil,
            logs: [
                Welcome.Log(
                    descriptor: space.ada.own,
                    start: .zero,
                    startChain: space.ada.own.chainStart(in: space.ada.space),
                    end: Offset(1)
                )
            ]
        )
        space.bob.compare(with: less)
        #expect(
            space.bob.findings[space.ada.ownLog] == .rolledBack(have: Offset(4), offered: Offset(1))
        )
        #expect(space.text(of: space.bob) == "x")
    }

    @Test func `an ack of another history is not believed`() throws {
        var space = try TestSpace.joined()
        let isLie = !space.ada.acknowledge(Offset(3), chain: ChainHash(value: .zero))
        #expect(isLie)
        #expect(space.ada.findings[space.ada.ownLog] == .relayForked(at: Offset(3)))
        let chain = try #require(space.ada.chain(of: space.ada.ownLog, at: Offset(3)))
        let isTrue = space.ada.acknowledge(Offset(3), chain: chain)
        #expect(isTrue)
        #expect(space.ada.findings.isEmpty)
    }
}
