import Logging
import NIOCore
import NIOEmbedded
import RelayStorage
import SennitWire

@testable import RelayCore

// The real relay without sockets and without a disk: `RelayConnection` decides, `StorageWorker`
// judges and commits, and what a commit wrote survives a crash.

/// A relay's disk. What is committed is there after a crash.
final class MemoryStorage: RelayStorage {
    struct Content {
        var spaces: [SpaceID: SpaceRecord] = [:]
        var logs: [LogID: (record: LogRecord, batches: [Batch])] = [:]
    }

    var content = Content()
    let relayName: Bytes32

    init(name: Bytes32) { relayName = name }

    func spaces() -> [SpaceID] { content.spaces.keys.sorted() }
    func spaceCount() -> Int { content.spaces.count }
    func space(_ space: SpaceID) -> SpaceRecord? { content.spaces[space] }
    func logCount(of space: SpaceID) -> Int { logs(of: space).count }
    func log(_ log: LogID) -> LogRecord? { content.logs[log]?.record }
    func close() {}

    func logs(of space: SpaceID) -> [LogRecord] {
        content.logs.filter { $0.value.record.space == space }.sorted { $0.key < $1.key }
            .map(\.value.record)
    }

    func head(of log: LogID, endingAt end: Offset) -> Head? {
        content.logs[log]?.batches.first { $0.end == end }?.head
    }

    func batches(
        of log: LogID,
        from: Offset,
        maximumCount: Int,
        maximumByteCount: Int
    ) -> [Batch] {
        var taken: [Batch] = []
        var count = 0
        var byteCount = 0
        for batch in content.logs[log]?.batches ?? [] where batch.end > from {
            count += batch.entries.count
            byteCount += batch.entries.reduce(0) { $0 + $1.count }
            if !taken.isEmpty, count > maximumCount || byteCount > maximumByteCount { break }
            taken.append(batch)
        }
        return taken
    }

    func commit(_ changes: [StorageChange]) {
        for change in changes {
            switch change {
            case .createSpace(let genesis):
                content.spaces[genesis.spaceID] = SpaceRecord(genesis: genesis)
            case .setAccess(let list):
                content.spaces[list.space]?.access = list
            case .admit(let device, let invite, let space):
                content.spaces[space]?.admissions[device] = invite
            case .forget(let devices, let space):
                for device in devices { content.spaces[space]?.admissions[device] = nil }
            case .createLog(let descriptor, let space):
                let record = LogRecord(space: space, descriptor: descriptor, head: nil)
                content.logs[descriptor.logID(in: space)] = (record, [])
            case .truncate, .removeSpace: break  // Nobody asks for it here.
            case .append(let batch, let log):
                guard let known = content.logs[log] else { continue }
                content.logs[log] = (
                    LogRecord(
                        space: known.record.space,
                        descriptor: known.record.descriptor,
                        head: batch.head
                    ),
                    known.batches + [batch]
                )
            }
        }
    }
}

/// The relay process: crashes and starts again on the same disk.
final class SimulatedRelay {
    /// What leaves the relay.
    enum Output {
        case frame([UInt8], to: Int)
        case close(Int)
    }

    private final class Peer {
        var connection: RelayConnection
        var outlet: Outlet?
        var deliveries: [Delivery] = []
        var space: SpaceID?
        init(_ connection: RelayConnection) { self.connection = connection }
    }

    let storage: MemoryStorage
    private var random: SeededRandom
    private let loop = EmbeddedEventLoop()
    private var hub = Hub()
    private var worker: StorageWorker?
    private var peers: [Int: Peer] = [:]
    private var jobs: [Committer.Job] = []
    private(set) var isRunning = false

    init(random: SeededRandom) {
        self.random = random
        storage = MemoryStorage(name: Bytes32(self.random.bytes(32)) ?? .zero)
    }

    func start() {
        hub = Hub()
        worker = StorageWorker(
            storage: storage,
            hub: hub,
            limits: RelayLimits(),
            logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
        )
        isRunning = true
    }

    /// All but the disk is gone.
    func crash() -> [Int] {
        let lost = peers.keys.sorted()
        peers = [:]
        jobs = []
        worker = nil
        isRunning = false
        return lost
    }

    func open(_ id: Int, now: Duration) -> [Output] {
        let challenge = Challenge(
            relay: storage.relayName,
            nonce: Bytes32(random.bytes(32)) ?? .zero
        )
        let peer = Peer(
            RelayConnection(challenge: challenge, limits: RelayLimits(), openedAt: now)
        )
        let box = NIOLoopBound(peer, eventLoop: loop)
        let outlet = Outlet(
            id: hub.makeID(),
            loop: loop,
            deliver: { box.value.deliveries.append($0) },
            flush: {}
        )
        peer.outlet = outlet
        hub.add(outlet)
        peers[id] = peer
        return perform(peer.connection.open(), of: id)
    }

    func receive(_ bytes: [UInt8], from id: Int, now: Duration) -> [Output] {
        guard let peer = peers[id] else { return [] }
        return perform(peer.connection.receive(bytes, now: now), of: id)
    }

    func closed(_ id: Int) {
        guard let peer = peers.removeValue(forKey: id), let outlet = peer.outlet else { return }
        hub.remove(outlet.id, from: peer.space)
    }

    func tick(now: Duration) -> [Output] {
        var outputs: [Output] = []
        for id in peers.keys.sorted() {
            guard let peer = peers[id] else { continue }
            outputs += perform(peer.connection.tick(now: now), of: id)
        }
        return outputs
    }

    /// Whether a commit waits to be made.
    var hasWork: Bool { !jobs.isEmpty }

    /// The disk's turn: commits what gathered, reads what was asked for, and answers.
    func work(now: Duration) -> [Output] {
        let waiting = jobs
        jobs = []
        worker?.write(waiting.filter { !$0.isRead })
        worker?.read(waiting.filter(\.isRead))
        loop.run()
        var outputs: [Output] = []
        for id in peers.keys.sorted() {
            guard let peer = peers[id] else { continue }
            let deliveries = peer.deliveries
            peer.deliveries = []
            for delivery in deliveries {
                outputs += perform(peer.connection.receive(delivery, now: now), of: id)
            }
        }
        return outputs
    }

    private func perform(_ actions: [RelayConnection.Action], of id: Int) -> [Output] {
        guard let peer = peers[id], let outlet = peer.outlet else { return [] }
        var outputs: [Output] = []
        for action in actions {
            switch action {
            case .send(let frame): outputs.append(.frame(frame.bytes, to: id))
            case .answer(let log, let answers):
                for answer in answers {
                    outputs.append(.frame(answer.frame(of: log).bytes, to: id))
                }
            case .sendShared(let buffer):
                outputs.append(.frame(Array(buffer.readableBytesView), to: id))
            case .submit(let request):
                if case .enter(let enter) = request { peer.space = enter.space }
                jobs.append(Committer.Job(request: request, outlet: outlet))
            case .fanOut(let message, let space):
                let others = hub.members(of: space).map(\.id).filter { $0 != outlet.id }
                for (other, peer) in peers.sorted(by: { $0.key < $1.key })
                where peer.outlet.map({ others.contains($0.id) }) ?? false {
                    outputs.append(.frame(RelayFrame.presence(message).bytes, to: other))
                }
            case .close, .cut: outputs.append(.close(id))
            }
        }
        return outputs
    }
}

extension Committer.Job {
    var isRead: Bool { if case .read = request { true } else { false } }
}
