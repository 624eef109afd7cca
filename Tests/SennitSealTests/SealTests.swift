import SennitSeal
import SennitWire
import Testing

@Suite("Seal")
struct SealTests {
    @Test(arguments: [0, 1, 30, 300, 5000])
    func `opens what was sealed`(payloadCount: Int) throws {
        var fixture = Fixture()
        let body = freshBytes(fixture.body(payload: payloadCount))
        let entry = try Seal.seal(
            body,
            type: .edit,
            clear: [1, 2, 3],
            at: fixture.place,
            under: fixture.epoch,
            random: fixture.random.bytes32()
        )
        let read = try Entry(decoding: entry.bytes)
        #expect(read == entry)
        #expect(entry.keyHint == Array(fixture.epoch.id.bytes.prefix(8)))
        #expect(try Seal.open(read, at: fixture.place, under: fixture.epoch) == body)
    }

    @Test func `no single bit of an entry can be changed`() throws {
        let (fixture, entry) = try sealed()
        let bytes = entry.bytes
        for bit in 0..<(8 * bytes.count) {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let entry = try? Entry(decoding: changed) else { continue }
            #expect(throws: SealError.notAuthentic, "bit \(bit)") {
                try Seal.open(entry, at: fixture.place, under: fixture.epoch)
            }
        }
    }

    @Test func `an entry opens at no other place`() throws {
        var (fixture, entry) = try sealed()
        let place = fixture.place
        func with(
            space: SpaceID? = nil,
            log: LogID? = nil,
            offset: UInt64? = nil,
            chain: ChainHash? = nil
        ) -> EntryPlace {
            EntryPlace(
                space: space ?? place.space,
                log: log ?? place.log,
                offset: offset.map { Offset($0) } ?? place.offset,
                chain: chain ?? place.chain
            )
        }
        let others = [
            with(space: fixture.random.name()), with(log: fixture.random.name()),
            with(offset: 4), with(offset: 6), with(offset: 5 << 8),
            with(chain: fixture.random.name()), place.next(after: EntryHash(of: entry.bytes)),
        ]
        #expect(throws: Never.self) { try Seal.open(entry, at: with(), under: fixture.epoch) }
        for other in others {
            #expect(throws: SealError.notAuthentic, "\(other)") {
                try Seal.open(entry, at: other, under: fixture.epoch)
            }
        }
    }

    @Test func `an entry opens as no other type, clear part or epoch`() throws {
        var (fixture, entry) = try sealed()
        func with(_ type: EntryType, _ clear: [UInt8]) -> Entry {
            Entry(
                type: type,
                keyHint: entry.keyHint,
                nonce: entry.nonce,
                clear: clear,
                sealed: entry.sealed
            )
        }
        for other in [
            with(.epoch, entry.clear), with(.presence, entry.clear), with(.edit, []),
            with(.edit, entry.clear + [0]),
        ] {
            #expect(throws: SealError.notAuthentic) {
                try Seal.open(other, at: fixture.place, under: fixture.epoch)
            }
        }
        let secret = SecretBytes(fixture.random.bytes(32))
        let otherEpoch = EpochKey(secret: secret, space: fixture.space)
        let hinted = Entry(
            type: entry.type,
            keyHint: otherEpoch.hint,
            nonce: entry.nonce,
            clear: entry.clear,
            sealed: entry.sealed
        )
        for entry in [entry, hinted] {
            #expect(throws: SealError.notAuthentic) {
                try Seal.open(entry, at: fixture.place, under: otherEpoch)
            }
        }
        // The same secret makes another epoch in another space.
        let otherSpace = EpochKey(secret: fixture.epoch.secret, space: fixture.random.name())
        #expect(otherSpace.id != fixture.epoch.id)
    }

    @Test func `the nonce differs with the randomness, the text and the place`() throws {
        var fixture = Fixture()
        let random = fixture.random.bytes32()
        let otherRandom = fixture.random.bytes32()
        let body = freshBytes(fixture.body())
        let otherBody = freshBytes(fixture.body())
        let place = fixture.place
        let next = place.next(after: fixture.random.name())
        func nonce(
            _ body: [UInt8],
            _ place: EntryPlace,
            _ random: Bytes32,
            clear: [UInt8] = []
        ) throws -> [UInt8] {
            try Seal.seal(
                body,
                type: .edit,
                clear: clear,
                at: place,
                under: fixture.epoch,
                random: random
            ).nonce
        }
        let nonces = [
            try nonce(body, place, random),
            try nonce(otherBody, place, random),
            try nonce(body, next, random),
            try nonce(body, place, otherRandom),
            try nonce(body, place, random, clear: [1]),
        ]
        #expect(Set(nonces).count == nonces.count)
        #expect(try nonce(body, place, random) == nonces[0])
    }

    /// The type and the log are in the associated data as well, so keys must be told apart without
    /// it: by the keystream that ciphertexts of one plaintext and one nonce would share.
    @Test func `each type and log has a key and a nonce key of its own`() throws {
        var fixture = Fixture()
        let logs: [LogID] = [fixture.random.name(), fixture.random.name()]
        var keys: Set<[UInt8]> = []
        for type in [EntryType.edit, .epoch, .join, .invite, .presence] {
            for log in logs {
                keys.insert(KeySchedule.entryKey(fixture.epoch, type, log))
                keys.insert(KeySchedule.nonceKey(fixture.epoch, type, log))
            }
        }
        #expect(keys.count == 20)
    }

    @Test func `a body has at most the bytes that a sealed part can hold`() throws {
        var fixture = Fixture()
        let random = fixture.random.bytes32()
        let longest = body(ofByteCount: Seal.maximumBodyByteCount)
        let entry = try Seal.seal(
            longest,
            type: .edit,
            at: fixture.place,
            under: fixture.epoch,
            random: random
        )
        let read = try Entry(decoding: entry.bytes)
        #expect(try Seal.open(read, at: fixture.place, under: fixture.epoch) == longest)
        let limit = Seal.maximumBodyByteCount
        #expect(throws: SealError.tooLarge(byteCount: limit + 1, limit: limit)) {
            try Seal.seal(
                body(ofByteCount: limit + 1),
                type: .edit,
                at: fixture.place,
                under: fixture.epoch,
                random: random
            )
        }
    }

    @Test func `a clear part has at most 256 KiB`() throws {
        var fixture = Fixture()
        let random = fixture.random.bytes32()
        let limit = Limits.maximumClearByteCount
        let body = freshBytes(fixture.body())
        func seal(clear count: Int) throws -> Entry {
            try Seal.seal(
                body,
                type: .epoch,
                clear: [UInt8](repeating: 1, count: count),
                at: fixture.place,
                under: fixture.epoch,
                random: random
            )
        }
        _ = try Entry(decoding: seal(clear: limit).bytes)
        #expect(throws: SealError.tooLarge(byteCount: limit + 1, limit: limit)) {
            try seal(clear: limit + 1)
        }
    }

    @Test func `what isn't framed as a body isn't sealed`() {
        var fixture = Fixture()
        let random = fixture.random.bytes32()
        for body in [[], [1], [1, 0, 5, 0], [1, 0, 0, 9]] as [[UInt8]] {
            #expect(throws: SealError.self, "\(body)") {
                try Seal.seal(
                    body,
                    type: .edit,
                    at: fixture.place,
                    under: fixture.epoch,
                    random: random
                )
            }
        }
    }

    @Test func `the genesis entry is its space's and stands at offset 0`() throws {
        let fixture = Fixture()
        let start = EntryPlace(startOf: fixture.log, in: fixture.space)
        let entry = try Entry(decoding: Seal.entry(founding: fixture.genesis).bytes)
        #expect(try Seal.genesis(in: entry, at: start) == fixture.genesis)
        let dressedUp = Entry(
            type: .genesis,
            keyHint: fixture.epoch.hint,
            nonce: entry.nonce,
            clear: entry.clear,
            sealed: []
        )
        let other = Seal.entry(founding: Fixture(seed: 2).genesis)
        for (entry, place) in [
            (dressedUp, start), (other, start), (entry, start.next(after: EntryHash(of: []))),
        ] {
            #expect(throws: SealError.notAuthentic) { try Seal.genesis(in: entry, at: place) }
        }
    }

    private func sealed() throws -> (Fixture, Entry) {
        var fixture = Fixture()
        let entry = try Seal.seal(
            freshBytes(fixture.body()),
            type: .edit,
            clear: [4, 5],
            at: fixture.place,
            under: fixture.epoch,
            random: fixture.random.bytes32()
        )
        return (fixture, entry)
    }
}
