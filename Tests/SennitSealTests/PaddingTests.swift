import SennitSeal
import SennitWire
import Testing

@Suite("Padding")
struct PaddingTests {
    /// Lengths of bodies with those of what is sealed, tag included.
    @Test(arguments: [
        (10, 64), (63, 64), (64, 64), (65, 72), (72, 72), (73, 80), (128, 128), (129, 144),
        (255, 256), (257, 272), (1000, 1024), (1025, 1088), (65_536, 65_536), (65_537, 67_584),
    ])
    func `a body is padded to its one length`(count: Int, padded: Int) throws {
        var fixture = Fixture()
        let entry = try Seal.seal(
            body(ofByteCount: count),
            type: .edit,
            at: fixture.place,
            under: fixture.epoch,
            random: fixture.random.bytes32()
        )
        #expect(entry.sealed.count == padded + 16)
    }

    @Test func `an entry made from the specification alone is the same`() throws {
        var fixture = Fixture()
        let random = fixture.random.bytes32()
        let body = body(ofByteCount: 60)
        let ours = try Seal.seal(
            body,
            type: .edit,
            clear: [8],
            at: fixture.place,
            under: fixture.epoch,
            random: random
        )
        let theirs = KeySchedule.seal(
            padded: body + [0, 0, 0, 0],
            type: .edit,
            clear: [8],
            at: fixture.place,
            under: fixture.epoch,
            random: random
        )
        #expect(ours == theirs)
    }

    @Test(
        arguments: [
            ([0, 0, 0, 1], "the last byte is set"), ([1, 0, 0, 0], "the first byte is set"),
            ([0, 0, 0], "short"), ([], "missing"), ([UInt8](repeating: 0, count: 12), "long"),
        ] as [([UInt8], String)]
    )
    func `other padding is poison`(padding: [UInt8], what: String) {
        var fixture = Fixture()
        let entry = KeySchedule.seal(
            padded: body(ofByteCount: 60) + padding,
            type: .edit,
            at: fixture.place,
            under: fixture.epoch,
            random: fixture.random.bytes32()
        )
        let error = #expect(throws: SealError.self, "\(what)") {
            try Seal.open(entry, at: fixture.place, under: fixture.epoch)
        }
        guard case .poison(.invalid(_, let byteOffset)) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect((60...63).contains(byteOffset))
    }

    @Test func `a body that says it is longer than what is there is poison`() {
        var fixture = Fixture()
        let entry = KeySchedule.seal(
            padded: [1, 0, 62] + [UInt8](repeating: 0, count: 61),
            type: .edit,
            at: fixture.place,
            under: fixture.epoch,
            random: fixture.random.bytes32()
        )
        #expect(throws: SealError.poison(.truncated(byteOffset: 64))) {
            try Seal.open(entry, at: fixture.place, under: fixture.epoch)
        }
    }

    @Test func `a body of another version needs an update`() {
        var fixture = Fixture()
        let entry = KeySchedule.seal(
            padded: [2] + [UInt8](repeating: 9, count: 63),
            type: .edit,
            at: fixture.place,
            under: fixture.epoch,
            random: fixture.random.bytes32()
        )
        #expect(throws: SealError.needsUpdate(field: "body version", value: 2)) {
            try Seal.open(entry, at: fixture.place, under: fixture.epoch)
        }
    }
}
