import SennitSeal
import SennitWire
import Testing

@Suite("PresenceMessage")
struct PresenceMessageTests {
    private func message(_ fixture: inout Fixture, hasPlace: Bool = true) -> PresenceMessage {
        let place = PresenceMessage.Place(
            document: fixture.random.name(),
            cursor: 12,
            anchor: 1 << 53,
            frontier: [
                EventID(log: fixture.random.name(), number: 3),
                EventID(log: fixture.random.name(), number: 0),
            ]
        )
        return PresenceMessage(
            log: fixture.place.log,
            session: fixture.session(),
            counter: 7,
            echoes: [fixture.session(), fixture.session()],
            name: "Zoë",
            place: hasPlace ? place : nil
        )
    }

    @Test(arguments: [false, true])
    func `opens what was sealed`(hasPlace: Bool) throws {
        var fixture = Fixture()
        let message = message(&fixture, hasPlace: hasPlace)
        let bytes = try sealed(message, &fixture)
        #expect(try PresenceMessage.keyHint(of: bytes) == fixture.epoch.hint)
        #expect(try open(bytes, fixture) == message)
    }

    @Test func `no single bit can be changed and none left out`() throws {
        var fixture = Fixture()
        let bytes = try sealed(message(&fixture), &fixture)
        for bit in 0..<(8 * bytes.count) {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: SealError.self, "bit \(bit)") { try open(changed, fixture) }
        }
        for count in 0..<bytes.count {
            #expect(throws: SealError.self) { try open(Array(bytes.prefix(count)), fixture) }
        }
        #expect(throws: SealError.self) { try open(bytes + [0], fixture) }
    }

    @Test func `only the log's device can say where it is`() throws {
        var fixture = Fixture()
        let message = message(&fixture)
        let impostor = fixture.device()
        let bytes = try message.sealed(
            by: impostor,
            space: fixture.space,
            under: fixture.epoch,
            random: fixture.random.bytes32()
        )
        #expect(throws: SealError.notAuthentic) { try open(bytes, fixture) }
        let honest = try sealed(message, &fixture)
        #expect(throws: SealError.notAuthentic) {
            try PresenceMessage(
                opening: honest,
                space: fixture.space,
                under: fixture.epoch,
                author: { _ in nil }
            )
        }
        #expect(throws: SealError.notAuthentic) {
            try PresenceMessage(
                opening: honest,
                space: fixture.random.name(),
                under: fixture.epoch,
                author: { _ in fixture.founder.device }
            )
        }
    }

    @Test func `has its limits`() throws {
        var fixture = Fixture()
        func message(echoes: Int, name: Int, frontier: Int) throws -> [UInt8] {
            let events = (0..<frontier).map { _ in
                EventID(log: fixture.random.name(), number: 1)
            }
            let message = PresenceMessage(
                log: fixture.place.log,
                session: fixture.session(),
                counter: 1,
                echoes: (0..<echoes).map { _ in fixture.session() },
                name: String(repeating: "n", count: name),
                place: .init(
                    document: .directory,
                    cursor: 0,
                    anchor: 0,
                    frontier: events
                )
            )
            return try sealed(message, &fixture)
        }
        _ = try message(echoes: 128, name: 256, frontier: 3)
        _ = try message(echoes: 0, name: 0, frontier: 64)
        for (echoes, name, frontier) in [
            (129, 0, 0), (0, 257, 0), (0, 0, 65), (128, 256, 64),
        ] {
            let error = #expect(throws: SealError.self) {
                try message(echoes: echoes, name: name, frontier: frontier)
            }
            guard case .tooLarge = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    private func sealed(_ message: PresenceMessage, _ fixture: inout Fixture) throws -> [UInt8] {
        try message.sealed(
            by: fixture.founder,
            space: fixture.space,
            under: fixture.epoch,
            random: fixture.random.bytes32()
        )
    }

    private func open(_ bytes: [UInt8], _ fixture: Fixture) throws -> PresenceMessage {
        try PresenceMessage(opening: bytes, space: fixture.space, under: fixture.epoch) { log in
            log == fixture.place.log ? fixture.founder.device : nil
        }
    }
}
