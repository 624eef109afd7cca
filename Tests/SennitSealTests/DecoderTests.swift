import SennitSeal
import SennitWire
import Testing

/// A decoder of this module with what it decodes and how its values are written again.
struct Decoder: Sendable, CustomTestStringConvertible {
    let name: String
    let sample: [UInt8]
    let rewritten: @Sendable ([UInt8]) throws -> [UInt8]

    var testDescription: String { name }

    static let all: [Decoder] = {
        do { return try make() } catch { preconditionFailure("The samples are sound: \(error)") }
    }()

    private static func make() throws -> [Decoder] {
        var fixture = Fixture(seed: 77)
        let invite = fixture.inviteIdentity()
        let device = fixture.device()
        let place = fixture.place
        let recipients: [EpochRecord.Recipient: Bytes32] = [
            .init(kind: .device, agreement: device.agreement): fixture.random.bytes32(),
            .init(kind: .invite, agreement: invite.agreement): fixture.random.bytes32(),
        ]
        let older = EpochKey(secret: SecretBytes(fixture.random.bytes(32)), space: fixture.space)
        let epoch = try EpochRecord(
            key: fixture.epoch,
            parents: [older.id],
            recipients: recipients,
            older: [older],
            random: fixture.random.bytes32()
        )
        let clear = try InviteClear(
            invite: invite,
            epoch: fixture.epoch,
            ephemeral: fixture.random.bytes32()
        )
        let record = InviteRecord(role: .writer, uses: 300, invite: invite.device)
        let join = JoinRecord(
            by: invite,
            device: device,
            incarnation: fixture.random.incarnation(),
            space: fixture.space
        )
        return [
            Decoder(name: "body", sample: freshBytes(fixture.body(payload: 5))) { bytes in
                var logs = LogTable()
                return freshBytes(try EntryBody(decoding: bytes, at: place, logs: &logs))
            },
            Decoder(name: "epoch", sample: epoch.bytes) { try EpochRecord(decoding: $0).bytes },
            Decoder(name: "invite", sample: clear.bytes) { try InviteClear(decoding: $0).bytes },
            Decoder(name: "invite record", sample: record.bytes) {
                try InviteRecord(decoding: $0).bytes
            },
            Decoder(name: "join", sample: join.bytes) { try JoinRecord(decoding: $0).bytes },
            Decoder(name: "member", sample: try fixture.memberRecord("Zoë").bytes) {
                try MemberRecord(decoding: $0).bytes
            },
        ]
    }
}

@Suite("Every decoder of what is sealed")
struct DecoderTests {
    @Test(arguments: Decoder.all)
    func `reads what was written`(decoder: Decoder) throws {
        #expect(try decoder.rewritten(decoder.sample) == decoder.sample)
    }

    @Test(arguments: Decoder.all)
    func `refuses input that ends early, and input that goes on`(decoder: Decoder) {
        for count in 0..<decoder.sample.count {
            #expect(throws: SealError.self, "\(count) bytes") {
                try decoder.rewritten(Array(decoder.sample.prefix(count)))
            }
        }
        #expect(throws: SealError.self) { try decoder.rewritten(decoder.sample + [0]) }
    }

    @Test(arguments: Decoder.all)
    func `takes no bytes but those it would write`(decoder: Decoder) {
        let seed: UInt64 = 20_261
        var random = Seeded(seed: seed)
        for round in 0..<2000 {
            let bytes = random.mutated(decoder.sample)
            guard let rewritten = try? decoder.rewritten(bytes) else { continue }
            #expect(rewritten == bytes, "seed \(seed), round \(round)")
        }
    }

    @Test func `no text traps the reader of links`() throws {
        let seed: UInt64 = 20_262
        var random = Seeded(seed: seed)
        let link = try InviteLink(
            space: random.name(),
            spaceNonce: random.bytes32(),
            seed: SecretBytes(random.bytes(16)),
            relays: ["wss://relay.example/"]
        )
        for round in 0..<3000 {
            let text = String(decoding: random.mutated(Array(link.text.utf8)), as: UTF8.self)
            guard let read = try? InviteLink(text: text) else { continue }
            #expect(read == link, "seed \(seed), round \(round)")
        }
    }

    /// An insider can seal anything; what a presence says must not trap its readers.
    @Test func `no presence of an insider traps its readers`() throws {
        let seed: UInt64 = 20_263
        var fixture = Fixture(seed: seed)
        let noLog = LogID(value: .zero)
        let key = KeySchedule.entryKey(fixture.epoch, .presence, noLog)
        let data =
            Array("sennit/presence/1\n".utf8) + [1, 128] + fixture.space.bytes
            + fixture.epoch.id.bytes
        let plain = try KeySchedule.presence(&fixture)
        let nonce = fixture.random.bytes(24)
        for round in 0..<2000 {
            let text = round == 0 ? plain : fixture.random.mutated(plain)
            let padded = KeySchedule.padded(text)
            let (space, epoch) = (fixture.space, fixture.epoch)
            let bytes =
                [1, 128] + epoch.hint + nonce
                + KeySchedule.encrypt(padded, nonce: nonce, associatedData: data, key: key)
            let device = fixture.founder.device
            let message = try? PresenceMessage(
                opening: bytes,
                space: space,
                under: epoch,
                author: { _ in device }
            )
            #expect((message != nil) == (padded == KeySchedule.padded(plain)), "round \(round)")
        }
    }
}

extension KeySchedule {
    /// The plaintext of a sound presence message, without padding.
    static func presence(_ fixture: inout Fixture) throws -> [UInt8] {
        var writer = ByteWriter()
        writer.write(fixture.place.log)
        writer.write(fixture.random.bytes(16))
        writer.write(9 as UInt64)
        writer.writeVarint(1 as UInt64)
        writer.write(fixture.random.bytes(16))
        var payload = ByteWriter()
        payload.write(1 as UInt8)
        payload.writeBlob(Array("Zoë".utf8))
        payload.write(1 as UInt8)
        payload.write(fixture.random.name(DocumentID.self))
        payload.write([3, 4, 1])
        payload.write(fixture.random.name(LogID.self))
        payload.writeVarint(300 as UInt64)
        writer.writeBlob(payload.bytes)
        let message =
            Array("sennit/presence/1\n".utf8) + fixture.space.bytes + fixture.epoch.id.bytes
            + writer.bytes
        return writer.bytes + fixture.founder.sign(message)
    }
}
