import RelayCore
import RelayStorage
import SennitWire
import Testing

struct SpaceAccessTests {
    let founder = TestDevice(1)
    let writer = TestDevice(2)
    let reader = TestDevice(3)
    let invite = TestDevice(4)
    let stranger = TestDevice(5)

    private var space: SpaceID { founder.genesis().spaceID }
    private var list: AccessList {
        founder.accessList(
            space,
            devices: [(founder, .all), (writer, [.read, .append]), (reader, .read)],
            invites: [invite]
        )
    }

    private func access(_ list: AccessList? = nil) -> SpaceAccess {
        SpaceAccess(SpaceRecord(genesis: founder.genesis(), access: list))
    }

    @Test func `without a list only the founder is let in`() {
        #expect(access().rights(of: founder.key) == .all)
        #expect(access().rights(of: writer.key) == [])
        #expect(!access().allowsAdmission(by: invite.key, of: stranger.key))
    }

    @Test func `with a list only what is listed counts`() {
        #expect(access(list).rights(of: reader.key) == .read)
        #expect(access(list).rights(of: stranger.key) == [])
        let without = founder.accessList(space, devices: [(writer, .all)])
        #expect(access(without).rights(of: founder.key) == [])
    }

    @Test func `an invite isn't a device and a device isn't an invite`() {
        #expect(access(list).rights(of: invite.key) == [])
        #expect(!access(list).allowsAdmission(by: writer.key, of: stranger.key))
    }

    @Test func `an admitted device reads and appends while its invite is listed`() {
        var access = access(list)
        #expect(access.allowsAdmission(by: invite.key, of: stranger.key))
        access.admit(stranger.key, by: invite.key)
        #expect(access.rights(of: stranger.key) == [.read, .append])
        let closed = founder.accessList(space, after: list, devices: [(founder, .all)])
        #expect(access.replaceList(closed) == [stranger.key])
        #expect(access.rights(of: stranger.key) == [])
        #expect(access.admissions.isEmpty)
    }

    @Test func `a listed device can't be admitted around its rights`() {
        var access = access(list)
        #expect(!access.allowsAdmission(by: invite.key, of: reader.key))
        access.admit(reader.key, by: invite.key)
        #expect(access.rights(of: reader.key) == .read)
    }

    @Test func `anybody who is in may offer the log of an author who may append`() {
        let access = access(list)
        #expect(access.allowsAppend(by: writer.key, from: writer.key))
        #expect(access.allowsAppend(by: writer.key, from: reader.key))
        #expect(!access.allowsAppend(by: reader.key, from: reader.key))
        #expect(!access.allowsAppend(by: writer.key, from: stranger.key))
        #expect(!access.allowsAppend(by: stranger.key, from: writer.key))
        #expect(access.allowsAppend(by: stranger.key, from: founder.key))
    }

    @Test func `without a list one that the founder signed is accepted at any version`() {
        let healed = founder.accessList(space, version: 41, devices: [(founder, .all)])
        #expect(access().judge(healed) == .accepted)
        #expect(access().judge(writer.accessList(space, devices: [(writer, .all)])) == .notMember)
    }

    @Test func `a list must follow the one in force`() {
        let next = founder.accessList(space, after: list, devices: [(founder, .all)])
        let afterNext = founder.accessList(space, after: next, devices: [(founder, .all)])
        let sibling = founder.accessList(space, after: list, devices: [(founder, .read)])
        #expect(access(list).judge(next) == .accepted)
        #expect(access(list).judge(list) == .known)
        #expect(access(list).judge(afterNext) == .conflict)
        #expect(access(next).judge(sibling) == .conflict)
        #expect(access(next).judge(list) == .conflict)
    }

    @Test func `a list must be signed by who administers`() {
        let byWriter = writer.accessList(space, after: list, devices: [(writer, .all)])
        #expect(access(list).judge(byWriter) == .notMember)
        let next = founder.accessList(space, after: list, devices: [(founder, .all)])
        let forged = AccessList(
            space: space,
            version: next.version,
            previous: next.previous,
            signer: founder.key,
            members: next.members + [.init(kind: .device, key: stranger.key, rights: .all)],
            signature: next.signature
        )
        #expect(access(list).judge(forged) == .notMember)
        #expect(access().judge(forged) == .notMember)
    }

    @Test func `the last version has no successor`() {
        let last = founder.accessList(space, version: .max, devices: [(founder, .all)])
        let wrapped = founder.accessList(space, version: 0, devices: [(founder, .all)])
        #expect(access(last).judge(wrapped) == .conflict)
    }
}
