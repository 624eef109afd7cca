import SennitWire
import Testing

@Suite struct AccessListTests {
    private func key(_ number: UInt16) -> DeviceKey {
        var bytes = [UInt8](repeating: 0, count: Bytes32.byteCount)
        bytes[0] = UInt8(number >> 8)
        bytes[1] = UInt8(number & 255)
        return DeviceKey(value: Bytes32(bytes) ?? .zero)
    }

    private func list(_ members: [AccessList.Member]) -> AccessList {
        AccessList(
            space: SpaceID(value: .zero),
            version: 1,
            previous: .zero,
            signer: key(0),
            members: members,
            signature: [UInt8](repeating: 0, count: Signature.byteCount)
        )
    }

    @Test func `who is named several times is listed once with all rights`() throws {
        let list = list([
            .init(kind: .invite, key: key(1), rights: .append),
            .init(kind: .device, key: key(1), rights: [.read, .append]),
            .init(kind: .invite, key: key(1), rights: .read),
            .init(kind: .device, key: key(1), rights: .administer),
        ])
        #expect(
            list.members == [
                .init(kind: .device, key: key(1), rights: .all),
                .init(kind: .invite, key: key(1), rights: [.read, .append]),
            ]
        )
        #expect(try AccessList(decoding: list.bytes) == list)
    }

    @Test func `over the limit invites are left out and no device`() throws {
        let invites = (0...UInt16(Limits.maximumAccessCount)).map {
            AccessList.Member(kind: .invite, key: key($0), rights: .read)
        }
        let device = AccessList.Member(kind: .device, key: key(9), rights: .all)
        let list = list(invites + [device])
        #expect(list.members.count == Limits.maximumAccessCount)
        #expect(list.members.first == device)
        #expect(try AccessList(decoding: list.bytes) == list)
    }
}
