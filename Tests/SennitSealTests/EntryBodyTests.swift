import SennitSeal
import SennitWire
import Testing

@Suite("EntryBody")
struct EntryBodyTests {
    private let place = Fixture().place

    @Test func `the smallest body has eight bytes`() throws {
        let body = EntryBody(
            authorTime: 0,
            context: CausalContext(isFull: true),
            payloads: []
        )
        #expect(freshBytes(body) == [1, 0, 5, 0, 1, 0, 0, 0])
    }

    @Test func `reads what was written, with one table for context and payloads`() throws {
        var fixture = Fixture()
        let logs: [LogID] = [fixture.random.name(), fixture.random.name()].sorted()
        let newLog: LogID = fixture.random.name()
        let context = CausalContext(
            isFull: false,
            naming: logs.map { (Position(log: $0, offset: Offset(3)), fixture.random.name()) }
        )
        var writer = BodyWriter(authorTime: 77, context: context, logs: LogTable())
        writer.append(.operations) { (bytes, table) in
            table.write(newLog, to: &bytes)
            table.write(logs[1], to: &bytes)
        }
        writer.append(.operations) { (bytes, table) in table.write(newLog, to: &bytes) }

        var table = LogTable()
        let body = try EntryBody(decoding: writer.bytes, at: place, logs: &table)
        #expect(body.authorTime == 77)
        #expect(body.context == context)
        #expect(body.origin == nil)
        var names: [LogID] = []
        for payload in body.payloads {
            var reader = ByteReader(payload.bytes)
            while !reader.isAtEnd { names.append(try table.read(from: &reader)) }
        }
        #expect(names == [newLog, logs[1], newLog])
        #expect(table == writer.logs)
        #expect(table.names == logs + [newLog])
    }

    @Test func `a second body names logs by index`() throws {
        var fixture = Fixture()
        let body = fixture.body(payload: 300)
        var logs = LogTable()
        let first = body.bytes(logs: &logs)
        let second = body.bytes(logs: &logs)
        #expect(second.count == first.count - 64)
        var table = LogTable()
        #expect(try EntryBody(decoding: first, at: place, logs: &table) == body)
        #expect(try EntryBody(decoding: second, at: place, logs: &table) == body)
        var empty = LogTable()
        #expect(throws: SealError.self) {
            try EntryBody(decoding: second, at: place, logs: &empty)
        }
    }

    @Test func `a body that is refused leaves the table as it was`() throws {
        var fixture = Fixture()
        let bytes = freshBytes(fixture.body())
        var table = LogTable(names: [fixture.random.name()])
        let before = table
        for count in 0..<bytes.count {
            #expect(throws: SealError.self) {
                try EntryBody(decoding: Array(bytes.prefix(count)), at: place, logs: &table)
            }
            #expect(table == before)
        }
        #expect(throws: SealError.self) {
            try EntryBody(decoding: bytes + [0], at: place, logs: &table)
        }
        #expect(table == before)
    }

    @Test func `another compression or version needs an update and isn't poison`() {
        var table = LogTable()
        #expect(throws: SealError.needsUpdate(field: "compression", value: 1)) {
            try EntryBody(decoding: [1, 1, 5, 0, 1, 0, 0, 0], at: place, logs: &table)
        }
        #expect(throws: SealError.needsUpdate(field: "body version", value: 2)) {
            try EntryBody(decoding: [2, 0, 5, 0, 1, 0, 0, 0], at: place, logs: &table)
        }
    }

    @Test func `an unknown kind of payload is kept`() throws {
        let payload = Payload(kind: PayloadKind(rawValue: 99), bytes: [1, 2])
        #expect(!payload.kind.isKnown)
        var table = LogTable()
        let body = try EntryBody(
            decoding: [1, 0, 9, 0, 0, 0, 0, 1, 99, 2, 1, 2],
            at: place,
            logs: &table
        )
        #expect(body.payloads == [payload])
    }

    @Test(
        arguments: [
            ([1, 0, 5, 0, 2, 0, 0, 0], "an unknown kind of context"),
            ([1, 0, 5, 0, 1, 0, 2, 0], "a flag that is 2"),
            ([1, 0, 4, 0, 1, 0, 0, 0], "a length that is too small"),
            ([1, 0, 6, 0, 1, 0, 0, 0], "a length that is too great"),
            ([1, 0, 5, 0, 1, 0, 0, 0, 0], "padding that wasn't taken off"),
            ([1, 0, 6, 0x80, 0, 1, 0, 0, 0], "a varint that isn't canonical"),
            ([1, 0, 7, 0, 1, 1, 1, 1, 0, 0], "an index that nobody assigned"),
        ] as [([UInt8], String)]
    )
    func `a body that breaks a rule is poison`(bytes: [UInt8], what: String) {
        var table = LogTable()
        let error = #expect(throws: SealError.self) {
            try EntryBody(decoding: bytes, at: place, logs: &table)
        }
        guard case .poison = error else {
            Issue.record("\(what): \(String(describing: error))")
            return
        }
    }

    @Test func `a body holds 1024 payloads and no more`() throws {
        func bytes(count: Int) -> [UInt8] {
            var data = ByteWriter()
            data.write([0, 1, 0, 0])
            data.writeVarint(count)
            for _ in 0..<count { data.write([1, 0]) }
            var body = ByteWriter()
            body.write([1, 0])
            body.writeBlob(data.bytes)
            return body.bytes
        }
        var table = LogTable()
        let limit = Limits.maximumPayloadCount
        let body = try EntryBody(decoding: bytes(count: limit), at: place, logs: &table)
        #expect(body.payloads.count == limit)
        #expect(throws: SealError.self) {
            try EntryBody(decoding: bytes(count: limit + 1), at: place, logs: &table)
        }
    }
}

@Suite("CausalContext")
struct CausalContextTests {
    private let fixture = Fixture()

    /// A body whose context is given by its fields.
    private func decode(
        kind: UInt8 = 0,
        _ positions: [(LogID, UInt64)],
        offset: UInt64 = 5
    ) throws -> CausalContext {
        var data = ByteWriter()
        data.write([0, kind])
        data.writeVarint(positions.count)
        for (log, end) in positions {
            data.writeVarint(0)
            data.write(log)
            data.writeVarint(end)
        }
        if !positions.isEmpty { data.write(Bytes32.zero.bytes) }
        data.write([0, 0])
        var body = ByteWriter()
        body.write([1, 0])
        body.writeBlob(data.bytes)
        var table = LogTable()
        let place = EntryPlace(
            space: fixture.space,
            log: fixture.place.log,
            offset: Offset(offset),
            chain: fixture.place.chain
        )
        return try EntryBody(decoding: body.bytes, at: place, logs: &table).context
    }

    private var logs: [LogID] {
        var random = Seeded(seed: 3)
        return (0..<3).map { _ in random.name() }.sorted()
    }

    @Test func `names logs in ascending order, each once, and never its own`() throws {
        #expect(try decode([(logs[0], 1), (logs[1], 1)]).positions.count == 2)
        for wrong in [
            [(logs[1], 1), (logs[0], 1)], [(logs[0], 1), (logs[0], 1)],
            [(fixture.place.log, 1)],
        ] as [[(LogID, UInt64)]] {
            #expect(throws: SealError.self) { try decode(wrong) }
        }
    }

    @Test func `an end is 1 to 2^53`() throws {
        #expect(throws: SealError.self) { try decode([(logs[0], 0)]) }
        #expect(try decode([(logs[0], 1 << 53)]).positions[0].offset == Offset(1 << 53))
        #expect(throws: SealError.self) { try decode([(logs[0], 1 << 53 + 1)]) }
    }

    @Test func `is full at every 256th entry`() throws {
        for offset: UInt64 in [0, 256, 512] {
            #expect(try decode(kind: 1, [], offset: offset).isFull)
            #expect(throws: SealError.self) { try decode(kind: 0, [], offset: offset) }
        }
        for offset: UInt64 in [1, 255, 257] { _ = try decode(kind: 0, [], offset: offset) }
        #expect(try decode(kind: 1, [], offset: 3).isFull)
    }

    @Test func `adds up to all the author had, and never goes back`() throws {
        func context(_ isFull: Bool, _ ends: [Int: UInt64]) -> CausalContext {
            let named = ends.map { (log, end) in
                (
                    position: Position(log: logs[log], offset: Offset(end)),
                    chain: ChainHash(value: .zero)
                )
            }
            return CausalContext(isFull: isFull, naming: named)
        }
        var version = try context(true, [0: 2]).advancing(Version())
        version = try context(false, [1: 5]).advancing(version)
        version = try context(false, [0: 3]).advancing(version)
        #expect(version[logs[0]] == Offset(3))
        #expect(version[logs[1]] == Offset(5))
        #expect(try context(true, [0: 3, 1: 5, 2: 1]).advancing(version)[logs[2]] == Offset(1))
        for back in [context(false, [0: 2]), context(true, [0: 3]), context(true, [0: 2, 1: 5])] {
            #expect(throws: SealError.self) { try back.advancing(version) }
        }
    }

    @Test func `the digest covers logs, ends and chains`() {
        func digest(_ log: Int, _ end: UInt64, _ chain: UInt8) -> Bytes32? {
            let hash = ChainHash(value: Hash.digest(.chain, [[chain]]))
            let position = Position(log: logs[log], offset: Offset(end))
            return CausalContext(isFull: false, naming: [(position, hash)]).digest
        }
        let digests = [digest(0, 1, 1), digest(1, 1, 1), digest(0, 2, 1), digest(0, 1, 2)]
        #expect(Set(digests).count == 4)
        #expect(CausalContext(isFull: false).digest == nil)
    }
}
