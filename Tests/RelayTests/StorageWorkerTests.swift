import Foundation
import Logging
import NIOCore
import NIOPosix
import RelayStorage
import SennitWire
import Synchronization
import Testing

@testable import RelayCore

/// One group of requests at a time, on storage that can be made to fail.
struct StorageWorkerTests {
    /// Collects what a connection would be handed.
    final class Mailbox: Sendable {
        private let texts = Mutex<[String]>([])
        private let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()

        func outlet(_ id: UInt64) -> Outlet {
            Outlet(
                id: id,
                loop: loop,
                deliver: { delivery in
                    self.texts.withLock { $0.append("\(id) " + delivery.text) }
                },
                flush: {}
            )
        }

        /// What came since the last time.
        func take() async throws -> [String] {
            try await loop.submit {}.get()
            return texts.withLock { texts in
                defer { texts = [] }
                return texts
            }
        }
    }

    let founder = TestDevice(1)
    let writer = TestDevice(2)
    let invite = TestDevice(3)
    let mailbox = Mailbox()
    let hub = Hub()
    let storage = MemoryStorage()
    let space: SpaceID
    let worker: StorageWorker

    init() throws {
        space = founder.genesis().spaceID
        var limits = RelayLimits()
        limits.maximumSpaceCount = 2
        limits.maximumAdmissionCount = 2
        worker = StorageWorker(
            storage: storage,
            hub: hub,
            limits: limits,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let list = founder.accessList(space, devices: [(founder, .all)], invites: [invite])
        try storage.commit([.createSpace(founder.genesis()), .setAccess(list)])
        hub.add(mailbox.outlet(9))
        hub.join(space, mailbox.outlet(9))
    }

    private func append(_ range: EntryRange, by id: UInt64 = 1) -> Committer.Job {
        let run = TestLog(founder, space).run(range, of: founder)
        return Committer.Job(request: .append(run), outlet: mailbox.outlet(id))
    }

    private func enter(_ request: EnterRequest, as id: UInt64 = 1) -> Committer.Job {
        Committer.Job(request: .enter(request), outlet: mailbox.outlet(id))
    }

    @Test func `a group is one commit, and each append is judged after the one before`()
        async throws
    {
        var log = TestLog(founder, space)
        worker.write((0..<4).map { _ in append(log.add(count: 2)) })
        #expect(worker.commitCount == 1)
        let acks = [2, 4, 6, 8].map { "1 acked \($0)" }
        #expect(try await mailbox.take() == acks + ["9 0..<8"])
        #expect(storage.log(log.id)?.head == log.head(8))
    }

    @Test func `what is stored or refused is on its way no more`() async throws {
        let directory = TestDirectory()
        try FileManager.default.createDirectory(
            atPath: directory.path,
            withIntermediateDirectories: true
        )
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let control = try ControlStore(directory: directory.path)
        var policy = RelayPolicy()
        policy.spaceQuota.maximumByteCount = 100
        policy.spaceQuota.maximumDeviceShare = 1
        let governor = Governor(policy, control: control, storage: storage, logger: logger)
        let worker = StorageWorker(
            storage: storage,
            hub: hub,
            governor: governor,
            limits: RelayLimits(),
            logger: logger
        )
        var log = TestLog(founder, space)
        let group = worker.judge([append(log.add(count: 1, byteCount: 70))])
        let reserved = Governance.Share(byteCount: 70, logCount: 1)
        #expect(governor.reserved(of: space) == reserved)
        // Storage has nothing of it yet, and the account is read again.
        governor.forgetAll()
        worker.write([append(log.add(count: 1, byteCount: 31))])
        #expect(try await mailbox.take() == ["1 append refused 8"])
        storage.submit(group.units) { results in #expect(results == [nil]) }
        var outcome = StorageWorker.Outcome()
        worker.finish(group, [nil], &outcome)
        #expect(governor.reserved(of: space) == Governance.Share())
        storage.failingCommitCount = 1
        var other = TestLog(founder, space)
        _ = other.add(Array(log.entries[..<1]))
        worker.write([append(other.add(count: 1, byteCount: 30))])
        #expect(governor.reserved(of: space) == Governance.Share())
        #expect(try await mailbox.take() == ["1 append refused 10"])
        try control.close()
    }

    @Test func `a failed commit acks nobody, tells nobody and is forgotten`() async throws {
        var log = TestLog(founder, space)
        worker.write([append(log.add(count: 1))])
        _ = try await mailbox.take()
        storage.failingCommitCount = 1
        let (second, third) = (log.add(count: 1), log.add(count: 1))
        worker.write([append(second), append(third), append(log.range(0, 1))])
        // The last one is compared with what is stored, in a group of its own.
        let answers = ["1 append refused 10", "1 append refused 10", "1 acked 1"]
        #expect(try await mailbox.take() == answers)
        var other = TestLog(founder, space)
        _ = other.add(log.entries[..<1] + [[7, 7]])
        worker.write([append(other.range(1, 2))])
        #expect(try await mailbox.take() == ["1 acked 2", "9 1..<2"])
        #expect(storage.log(log.id)?.head == other.head(2))
    }

    @Test func `a failed commit keeps no list and no device`() async throws {
        let record = try #require(storage.space(space))
        let next = founder.accessList(space, after: record.access, devices: [(founder, .all)])
        var request = EnterRequest(space: space, device: writer.key)
        request.invite = invite.key
        storage.failingCommitCount = 1
        worker.write([
            enter(request), Committer.Job(request: .putAccess(next), outlet: mailbox.outlet(2)),
            enter(EnterRequest(space: space, device: founder.key), as: 3),
        ])
        #expect(
            Set(try await mailbox.take())
                == ["1 entry refused 10", "2 access refused 10", "3 entered"]
        )
        #expect(storage.space(space) == record)
        worker.write([enter(EnterRequest(space: space, device: writer.key))])
        #expect(try await mailbox.take() == ["1 space unknown"])
    }

    @Test func `devices that an invite lets in are bounded`() async throws {
        for number in 10..<13 {
            var request = EnterRequest(space: space, device: TestDevice(UInt8(number)).key)
            request.invite = invite.key
            worker.write([enter(request)])
        }
        #expect(try await mailbox.take() == ["1 entered", "1 entered", "1 space unknown"])
    }

    @Test func `spaces are bounded, within a group too`() async throws {
        let jobs = (1...3).map { number in
            let genesis = founder.genesis(UInt8(number))
            var request = EnterRequest(space: genesis.spaceID, device: founder.key)
            request.genesis = genesis
            return enter(request, as: UInt64(number))
        }
        worker.write(jobs)
        let texts = Set(try await mailbox.take())
        #expect(texts == ["1 entered", "2 entry refused 8", "3 entry refused 8"])
        #expect(storage.spaceCount() == 2)
    }

    @Test func `a stranger's genesis is not stored`() async throws {
        let genesis = founder.genesis(1)
        var request = EnterRequest(space: genesis.spaceID, device: writer.key)
        request.genesis = genesis
        request.list = writer.accessList(genesis.spaceID, devices: [(writer, .all)])
        worker.write([enter(request)])
        #expect(try await mailbox.take() == ["1 entry refused 4"])
        request.list = founder.accessList(genesis.spaceID, devices: [(founder, .all)])
        worker.write([enter(request)])
        #expect(try await mailbox.take() == ["1 entry refused 4"])
        #expect(storage.space(genesis.spaceID) == nil)
    }

    @Test func `logs of a space are bounded`() async throws {
        try storage.commit(
            (1..<Limits.maximumLogCount).map { number in
                var bytes = [UInt8](repeating: 0, count: 16)
                (bytes[0], bytes[1]) = (UInt8(number & 255), UInt8(number >> 8))
                let incarnation = try #require(Incarnation(bytes))
                let descriptor = LogDescriptor(device: founder.key, incarnation: incarnation)
                return .createLog(descriptor, space: space)
            }
        )
        var logs = [200, 201].map { TestLog(founder, space, incarnation: $0) }
        worker.write(logs.indices.map { append(logs[$0].add(count: 1)) })
        #expect(try await mailbox.take() == ["1 acked 1", "1 append refused 8", "9 0..<1"])
    }
}

extension Delivery {
    /// What a test compares.
    fileprivate var text: String {
        switch self {
        case .entered: "entered"
        case .spaceUnknown: "space unknown"
        case .entryRefused(let refusal): "entry refused \(refusal.code.rawValue)"
        case .answered(_, let answers):
            answers.map { answer in
                switch answer {
                case .acked(let end, _): "acked \(end)"
                case .refused(let refusal): "append refused \(refusal.code.rawValue)"
                }
            }.joined(separator: " ")
        case .accessRefused(let refusal, _): "access refused \(refusal.code.rawValue)"
        case .committed(let tail): "\(tail.from)..<\(tail.end)"
        default: "other"
        }
    }
}
