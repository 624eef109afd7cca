import SennitWire
import Testing

@Suite("Every decoder of the wire")
struct DecoderTests {
    @Test(arguments: Decoder.all)
    func `reads what was written`(decoder: Decoder) throws {
        #expect(try decoder.rewritten(decoder.sample) == decoder.sample)
    }

    @Test(arguments: Decoder.all)
    func `refuses input that ends early, and input that goes on`(decoder: Decoder) {
        // Presence is opaque here, so every length of it is one.
        guard decoder.name != "frame presence" else { return }
        for count in 0..<decoder.sample.count {
            #expect(throws: WireError.self, "\(count) bytes") {
                try decoder.rewritten(Array(decoder.sample.prefix(count)))
            }
        }
        #expect(throws: WireError.self) { try decoder.rewritten(decoder.sample + [0]) }
    }

    @Test(arguments: Decoder.all)
    func `takes no bytes but those it would write`(decoder: Decoder) {
        let seed: UInt64 = 20_260
        var random = Seeded(seed: seed)
        for round in 0..<1500 {
            let bytes = random.mutated(decoder.sample)
            guard let rewritten = try? decoder.rewritten(bytes) else { continue }
            #expect(rewritten == bytes, "seed \(seed), round \(round)")
        }
    }

    @Test func `says where it stopped`() {
        #expect(throws: WireError.truncated(byteOffset: 1)) { try Entry(decoding: [1]) }
        #expect(throws: WireError.unknown(field: "suite", value: 2, byteOffset: 0)) {
            try Entry(decoding: [2] + Sample.entry.bytes.dropFirst())
        }
        #expect(throws: WireError.trailingBytes(byteOffset: Sample.genesis.bytes.count)) {
            try Genesis(decoding: Sample.genesis.bytes + [9])
        }
    }

    @Test func `a frame of an unknown type is of a newer version`() {
        #expect(throws: WireError.unknown(field: "frame type", value: 99, byteOffset: 0)) {
            try RelayFrame(decoding: [99])
        }
    }
}

@Suite("Limits of the wire")
struct LimitTests {
    @Test func `a clear and a sealed part may be as long as the limit, and no longer`() throws {
        func entry(clear: Int, sealed: Int) -> [UInt8] {
            Entry(
                type: .edit,
                keyHint: Sample.entry.keyHint,
                nonce: Sample.entry.nonce,
                clear: [UInt8](repeating: 7, count: clear),
                sealed: [UInt8](repeating: 7, count: sealed)
            ).bytes
        }
        let clear = Limits.maximumClearByteCount
        let sealed = Limits.maximumSealedByteCount
        let longest = try Entry(decoding: entry(clear: clear, sealed: sealed))
        #expect(longest.bytes.count <= Limits.maximumEntryByteCount)
        for bytes in [
            entry(clear: clear + 1, sealed: sealed), entry(clear: clear, sealed: sealed + 1),
        ] {
            let error = #expect(throws: WireError.self) { try Entry(decoding: bytes) }
            guard case .overLimit = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test func `a length is refused before it is believed`() {
        var reader = ByteReader([0xFF, 0xFF, 0xFF, 0xFF, 0x0F])
        #expect(throws: WireError.overLimit(value: 0xFFFF_FFFF, limit: 16, byteOffset: 0)) {
            try reader.readBlob(limit: 16)
        }
    }

    @Test func `an offset is at most 2^53`() throws {
        var bytes = written { $0.write(Limits.maximumOffset) }
        var reader = ByteReader(bytes)
        #expect(try reader.readOffset() == Offset(1 << 53))
        bytes[0] = 1
        reader = ByteReader(bytes)
        #expect(throws: WireError.self) { try reader.readOffset() }
    }

    @Test func `a range holds 1 to 256 entries`() throws {
        func frame(count: Int) -> [UInt8] {
            let head = Head(
                end: Offset(UInt64(count)),
                chain: Sample.head.chain,
                byteCount: 0,
                membership: .zero,
                epoch: Sample.head.epoch,
                signature: Sample.signature
            )
            let entries = [[UInt8]](repeating: [1], count: count)
            return RelayFrame.append(
                EntryRange(
                    descriptor: Sample.descriptor,
                    from: .zero,
                    entries: entries,
                    head: head
                )
            ).bytes
        }
        _ = try RelayFrame(decoding: frame(count: 1))
        _ = try RelayFrame(decoding: frame(count: Limits.maximumBatchCount))
        #expect(throws: WireError.self) { try RelayFrame(decoding: frame(count: 0)) }
        #expect(throws: WireError.self) {
            try RelayFrame(decoding: frame(count: Limits.maximumBatchCount + 1))
        }
    }

    @Test func `a range whose head stands elsewhere is refused`() {
        let range = EntryRange(
            descriptor: Sample.descriptor,
            from: Offset(6),
            entries: Sample.range.entries,
            head: Sample.head
        )
        #expect(throws: WireError.self) { try RelayFrame(decoding: RelayFrame.append(range).bytes) }
    }

    @Test func `presence of 4096 bytes passes and of 4097 does not`() throws {
        let limit = Limits.maximumPresenceByteCount
        let longest = RelayFrame.presence([UInt8](repeating: 1, count: limit))
        #expect(try RelayFrame(decoding: longest.bytes) == longest)
        #expect(throws: WireError.self) { try RelayFrame(decoding: longest.bytes + [1]) }
    }

    @Test func `a frame over the limit is not read at all`() {
        let count = Limits.maximumFrameByteCount + 1
        #expect(
            throws: WireError.overLimit(
                value: UInt64(count),
                limit: Limits.maximumFrameByteCount,
                byteOffset: 0
            )
        ) {
            try RelayFrame(decoding: [UInt8](repeating: 32, count: count))
        }
    }

    @Test func `a reason is cut to 256 bytes between characters`() throws {
        let reason = String(repeating: "ü", count: 200)
        let frame = RelayFrame.refused(.init(code: .gap, reason: reason))
        guard case .refused(let refusal) = try RelayFrame(decoding: frame.bytes) else {
            Issue.record("another frame")
            return
        }
        #expect(refusal.reason == String(repeating: "ü", count: 128))
    }
}
