import SennitSeal
import SennitWire
import Testing

@Suite("Identities")
struct IdentityTests {
    @Test func `a device has other keys in each space and the same in one`() {
        var random = Seeded(seed: 8)
        let seed = SecretBytes(random.bytes(32))
        let nonces = [random.bytes32(), random.bytes32()]
        let devices = nonces.map { DeviceIdentity(deviceSeed: seed, spaceNonce: $0) }
        #expect(devices[0].device != devices[1].device)
        #expect(devices[0].agreement != devices[1].agreement)
        let again = DeviceIdentity(deviceSeed: SecretBytes(seed.bytes), spaceNonce: nonces[0])
        #expect(again.device == devices[0].device)
        #expect(again.agreement == devices[0].agreement)
    }

    @Test func `keys follow from seeds as the specification says`() {
        var random = Seeded(seed: 9)
        let seed = random.bytes(32)
        let nonce = random.bytes32()
        let spaceSeed = KeySchedule.derive("space seed", nonce.bytes, key: seed)
        let signing = KeySchedule.derive("sign", [], key: spaceSeed)
        let agreement = KeySchedule.derive("agree", [], key: spaceSeed)
        let device = DeviceIdentity(deviceSeed: SecretBytes(seed), spaceNonce: nonce)
        #expect(device.device == KeySchedule.signingKey(seed: signing))
        #expect(device.agreement == KeySchedule.agreementKey(secret: agreement))

        let space: SpaceID = random.name()
        let short = random.bytes(16)
        let invite = InviteIdentity(seed: SecretBytes(short), space: space)
        let inviteSigning = KeySchedule.derive("invite sign", space.bytes, key: short)
        let inviteAgreement = KeySchedule.derive("invite agree", space.bytes, key: short)
        #expect(invite.device == KeySchedule.signingKey(seed: inviteSigning))
        #expect(invite.agreement == KeySchedule.agreementKey(secret: inviteAgreement))
    }

    @Test func `a head is signed for one log of one space and covers every field`() {
        var fixture = Fixture()
        let log = fixture.place.log
        let head = fixture.founder.head(
            space: fixture.space,
            log: log,
            end: Offset(3),
            chain: fixture.place.chain,
            byteCount: 500,
            membership: fixture.random.bytes32(),
            epoch: fixture.epoch.id
        )
        let device = fixture.founder.device
        #expect(head.isSigned(by: device, space: fixture.space, log: log))
        #expect(!head.isSigned(by: device, space: fixture.random.name(), log: log))
        #expect(!head.isSigned(by: device, space: fixture.space, log: fixture.random.name()))
        #expect(!head.isSigned(by: fixture.device().device, space: fixture.space, log: log))
        var writer = ByteWriter()
        head.write(to: &writer)
        for bit in 0..<(8 * writer.bytes.count) {
            var bytes = writer.bytes
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            var reader = ByteReader(bytes)
            guard let changed = try? Head(from: &reader) else { continue }
            #expect(
                !changed.isSigned(by: device, space: fixture.space, log: log),
                "bit \(bit)"
            )
        }
    }

    @Test func `an access list is signed and follows the one before`() throws {
        var fixture = Fixture()
        let member = AccessList.Member(kind: .device, key: fixture.founder.device, rights: .all)
        let first = fixture.founder.accessList(
            space: fixture.space,
            after: nil,
            members: [member]
        )
        #expect(first.version == 1)
        #expect(first.previous == .zero)
        #expect(first.isSigned)
        let other = AccessList.Member(kind: .invite, key: fixture.random.name(), rights: .read)
        let second = fixture.founder.accessList(
            space: fixture.space,
            after: first,
            members: [other, member]
        )
        #expect(second.version == 2)
        #expect(second.previous == first.hash)
        #expect(try AccessList(decoding: second.bytes).isSigned)
        let forged = AccessList(
            space: second.space,
            version: 3,
            previous: second.previous,
            signer: second.signer,
            members: second.members,
            signature: second.signature
        )
        #expect(!forged.isSigned)
    }

    @Test func `a hello proves the device to one challenge, and an admission the invite`() {
        var fixture = Fixture()
        let invite = fixture.inviteIdentity()
        let device = fixture.device()
        let challenge = Challenge(
            relay: fixture.random.bytes32(),
            nonce: fixture.random.bytes32()
        )
        let admission = invite.admission(of: device.device, in: fixture.space)
        let hello = device.hello(to: challenge, space: fixture.space, admission: admission)
        func isValid(_ challenge: Challenge) -> Bool {
            let message = challenge.signedBytes(space: hello.space, device: hello.device)
            return Signature.isValid(hello.signature, of: message, by: hello.device)
        }
        #expect(isValid(challenge))
        #expect(!isValid(Challenge(relay: challenge.nonce, nonce: challenge.relay)))
        func isAdmitted(_ device: DeviceKey) -> Bool {
            let message = Admission.signedBytes(space: fixture.space, device: device)
            return Signature.isValid(admission.signature, of: message, by: admission.invite)
        }
        #expect(admission.invite == invite.device)
        #expect(isAdmitted(device.device))
        #expect(!isAdmitted(fixture.founder.device))
    }
}

@Suite("Records")
struct RecordTests {
    @Test func `an epoch's key reaches its recipients and nobody else`() throws {
        var fixture = Fixture()
        let device = fixture.device()
        let invite = fixture.inviteIdentity()
        let stranger = fixture.device()
        let record = try record(
            &fixture,
            [
                .init(kind: .device, agreement: device.agreement),
                .init(kind: .invite, agreement: invite.agreement),
            ]
        )
        let read = try EpochRecord(decoding: record.bytes)
        #expect(read == record)
        #expect(try device.epochKey(from: read, in: fixture.space)?.secret == fixture.epoch.secret)
        #expect(try invite.epochKey(from: read, in: fixture.space)?.secret == fixture.epoch.secret)
        #expect(try stranger.epochKey(from: read, in: fixture.space) == nil)
    }

    @Test func `a box with another key than the one announced is refused`() throws {
        var fixture = Fixture()
        let device = fixture.device()
        let record = try record(&fixture, [.init(kind: .device, agreement: device.agreement)])
        let swapped = EpochKey(secret: SecretBytes(fixture.random.bytes(32)), space: fixture.space)
        let box = try swapped.sealed(
            to: device.agreement,
            ephemeral: fixture.random.bytes32()
        )
        var bytes = record.bytes
        bytes.replaceSubrange((bytes.count - 81)..<(bytes.count - 1), with: box)
        let changed = try EpochRecord(decoding: bytes)
        #expect(throws: SealError.notAuthentic) {
            try device.epochKey(from: changed, in: fixture.space)
        }
        bytes[bytes.count - 10] ^= 1
        let damaged = try EpochRecord(decoding: bytes)
        #expect(throws: SealError.notAuthentic) {
            try device.epochKey(from: damaged, in: fixture.space)
        }
    }

    @Test func `older keys open under the newer one only, and in this record only`() throws {
        var fixture = Fixture()
        let older = (0..<3).map { _ in
            EpochKey(secret: SecretBytes(fixture.random.bytes(32)), space: fixture.space)
        }
        let recipient = EpochRecord.Recipient(
            kind: .device,
            agreement: fixture.founder.agreement
        )
        let record = try EpochRecord(
            key: fixture.epoch,
            parents: older.map(\.id),
            recipients: [recipient: fixture.random.bytes32()],
            older: older,
            random: fixture.random.bytes32()
        )
        let read = try EpochRecord(decoding: record.bytes)
        #expect(read == record)
        #expect(read.parents == older.map(\.id).sorted())
        let keys = try read.olderKeys(under: fixture.epoch, in: fixture.space)
        #expect(keys.map(\.id) == older.map(\.id))
        #expect(throws: SealError.notAuthentic) {
            try read.olderKeys(under: older[0], in: fixture.space)
        }
        for place in [40, record.bytes.count - 1, record.bytes.count - 130] {
            var bytes = record.bytes
            bytes[place] ^= 1
            guard let changed = try? EpochRecord(decoding: bytes) else { continue }
            #expect(throws: SealError.notAuthentic, "byte \(place)") {
                try changed.olderKeys(under: fixture.epoch, in: fixture.space)
            }
        }
    }

    @Test func `an epoch has at most 1024 recipients`() throws {
        var fixture = Fixture()
        let limit = Limits.maximumRecipientCount
        var recipients: [EpochRecord.Recipient: Bytes32] = [:]
        for _ in 0...limit {
            let recipient = EpochRecord.Recipient(
                kind: .device,
                agreement: fixture.random.name()
            )
            recipients[recipient] = .zero
        }
        #expect(throws: SealError.tooLarge(byteCount: limit + 1, limit: limit)) {
            try EpochRecord(
                key: fixture.epoch,
                parents: [],
                recipients: recipients,
                random: .zero
            )
        }
    }

    @Test func `an invite's two halves belong together and its box opens by the link`() throws {
        var fixture = Fixture()
        let invite = fixture.inviteIdentity()
        let clear = try InviteClear(
            invite: invite,
            epoch: fixture.epoch,
            ephemeral: fixture.random.bytes32()
        )
        let record = InviteRecord(role: .writer, uses: 300, invite: invite.device)
        #expect(try InviteClear(decoding: clear.bytes) == clear)
        #expect(try InviteRecord(decoding: record.bytes) == record)
        #expect(record.belongs(to: clear))
        let other = InviteRecord(role: .writer, uses: 1, invite: fixture.random.name())
        #expect(!other.belongs(to: clear))
        #expect(try invite.epochKey(from: clear, in: fixture.space).id == fixture.epoch.id)
        let stranger = fixture.inviteIdentity()
        #expect(throws: SealError.notAuthentic) {
            try stranger.epochKey(from: clear, in: fixture.space)
        }
    }

    @Test func `what only a newer version knows is told apart from poison`() throws {
        let record = InviteRecord(role: .reader, uses: 1, invite: DeviceKey(value: .zero)).bytes
        func with(_ place: Int, _ value: UInt8) -> [UInt8] {
            var bytes = record
            bytes[place] = value
            return bytes
        }
        for (place, field) in [(0, "invite record version"), (1, "role"), (3, "invite mode")] {
            #expect(throws: SealError.needsUpdate(field: field, value: 9)) {
                try InviteRecord(decoding: with(place, 9))
            }
        }
        #expect(
            throws: SealError.poison(
                .invalid(reason: "an invite has at least one use", byteOffset: 2)
            )
        ) {
            try InviteRecord(decoding: with(2, 0))
        }
    }

    @Test func `a member's name has at most 256 bytes`() throws {
        let name = String(repeating: "é", count: 128)
        let record = try MemberRecord(person: PersonID(value: .zero), name: name)
        #expect(try MemberRecord(decoding: record.bytes) == record)
        #expect(throws: SealError.tooLarge(byteCount: 257, limit: 256)) {
            try MemberRecord(person: PersonID(value: .zero), name: name + "a")
        }
        var bytes = record.bytes
        bytes[33] = 0x81
        bytes.insert(UInt8(ascii: "a"), at: 35)
        #expect(throws: SealError.self) { try MemberRecord(decoding: bytes) }
    }

    @Test func `a join is signed by the invite and the device over all keys`() throws {
        var fixture = Fixture()
        let device = fixture.device()
        let invite = fixture.inviteIdentity()
        let join = JoinRecord(
            by: invite,
            device: device,
            incarnation: fixture.random.incarnation(),
            space: fixture.space
        )
        let read = try JoinRecord(decoding: join.bytes)
        #expect(read == join)
        #expect(!join.isAgain)
        try read.verify(in: fixture.space, log: join.descriptor)
        #expect(throws: SealError.notAuthentic) {
            try read.verify(in: fixture.random.name(), log: join.descriptor)
        }
        #expect(throws: SealError.notAuthentic) {
            try read.verify(in: fixture.space, log: fixture.log)
        }
        for bit in 8..<(8 * join.bytes.count) {
            var bytes = join.bytes
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            let changed = try JoinRecord(decoding: bytes)
            #expect(throws: SealError.notAuthentic, "bit \(bit)") {
                try changed.verify(in: fixture.space, log: changed.descriptor)
            }
        }
    }

    @Test func `a member begins another log in its own name`() throws {
        var fixture = Fixture()
        let join = JoinRecord(
            again: fixture.founder,
            incarnation: fixture.random.incarnation(),
            space: fixture.space
        )
        #expect(join.isAgain)
        try JoinRecord(decoding: join.bytes).verify(in: fixture.space, log: join.descriptor)
    }

    @Test func `a join with a key to which nothing can be sealed is refused`() throws {
        var fixture = Fixture()
        let join = try KeySchedule.join(
            agreement: AgreementKey(value: .zero),
            signingSeed: fixture.random.bytes(32),
            inviteSeed: fixture.random.bytes(32),
            incarnation: fixture.random.incarnation(),
            space: fixture.space
        )
        #expect(throws: SealError.notAuthentic) {
            try join.verify(in: fixture.space, log: join.descriptor)
        }
        let sound = try KeySchedule.join(
            agreement: fixture.founder.agreement,
            signingSeed: fixture.random.bytes(32),
            inviteSeed: fixture.random.bytes(32),
            incarnation: fixture.random.incarnation(),
            space: fixture.space
        )
        try sound.verify(in: fixture.space, log: sound.descriptor)
    }

    private func record(
        _ fixture: inout Fixture,
        _ recipients: [EpochRecord.Recipient]
    ) throws -> EpochRecord {
        var ephemerals: [EpochRecord.Recipient: Bytes32] = [:]
        for recipient in recipients { ephemerals[recipient] = fixture.random.bytes32() }
        return try EpochRecord(
            key: fixture.epoch,
            parents: [],
            recipients: ephemerals,
            random: fixture.random.bytes32()
        )
    }
}
