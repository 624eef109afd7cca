import SennitWire
import Testing

@Suite("What is signed and hashed")
struct SigningBytesTests {
    @Test func `no domain is the beginning of another`() {
        for left in Domain.allCases {
            #expect(left.rawValue.hasSuffix("\n"))
            for right in Domain.allCases where left != right {
                #expect(!left.rawValue.hasPrefix(right.rawValue))
            }
        }
    }

    @Test func `a hash for one purpose is no hash for another`() {
        let hashes = Hash.Purpose.allCases.map { Hash.digest($0, [[1, 2, 3]]) }
        #expect(Set(hashes).count == Hash.Purpose.allCases.count)
        #expect(Hash.digest(.chain, [[1], [2, 3]]) == Hash.digest(.chain, [[1, 2, 3]]))
        #expect(Hash.digest(.chain, [[1]], key: [1]) != Hash.digest(.chain, [[1]]))
    }

    @Test func `an access list of another order or with doubles is refused`() {
        var bytes = Sample.accessList.bytes
        let first = 1 + 32 + 8 + 32 + 32 + 1
        let member = bytes[first..<(first + 34)]
        bytes.replaceSubrange((first + 34)..<(first + 68), with: member)
        #expect(throws: WireError.self) { try AccessList(decoding: bytes) }
    }

    @Test func `a subscription names logs in ascending order, each once`() throws {
        let low = Position(log: LogID(value: .zero), offset: .zero)
        let high = Position(log: Sample.log, offset: .zero)
        _ = try RelayFrame(decoding: RelayFrame.subscribe([low, high]).bytes)
        for wrong in [[high, low], [high, high]] {
            #expect(throws: WireError.self) {
                try RelayFrame(decoding: RelayFrame.subscribe(wrong).bytes)
            }
        }
    }

    @Test func `a key has only the rights it is listed with`() {
        let list = Sample.accessList
        #expect(list.rights(of: Sample.device, as: .device) == .all)
        #expect(list.rights(of: Sample.device, as: .invite) == [])
        #expect(list.rights(of: DeviceKey(value: .zero), as: .device) == [])
    }

    @Test func `a version covers what it is not behind of`() {
        var more = Version()
        more[Sample.log] = Offset(2)
        var less = more
        less[Sample.log] = Offset(1)
        #expect(more.covers(less))
        #expect(!less.covers(more))
        #expect(less.covers(Version()))
        less[Sample.log] = .zero
        #expect(less == Version())
    }
}
