import SennitWire

@testable import RelayCore

/// Storage in memory: the obvious implementation that the conformance tests hold others against.
final class MemoryStorage: RelayStorage {
    let relayName = Bytes32.repeating(7)

    private struct Log {
        let space: SpaceID
        let descriptor: LogDescriptor
        var batches: [Batch] = []
    }

    private struct State {
        var spaces: [SpaceID: SpaceRecord] = [:]
        var logs: [LogID: Log] = [:]
    }

    private var state = State()

    /// Commits that fail from now on.
    var failingCommitCount = 0

    func spaces() -> [SpaceID] { state.spaces.keys.sorted() }
    func spaceCount() -> Int { state.spaces.count }
    func space(_ space: SpaceID) -> SpaceRecord? { state.spaces[space] }
    func logCount(of space: SpaceID) -> Int { state.logs.values.count { $0.space == space } }
    func close() {}

    func logs(of space: SpaceID) -> [LogRecord] {
        state.logs.filter { $0.value.space == space }.keys.sorted().compactMap { log($0) }
    }

    func log(_ log: LogID) -> LogRecord? {
        state.logs[log].map {
            LogRecord(space: $0.space, descriptor: $0.descriptor, head: $0.batches.last?.head)
        }
    }

    func head(of log: LogID, endingAt end: Offset) -> Head? {
        state.logs[log]?.batches.first { $0.end == end }?.head
    }

    func batches(
        of log: LogID,
        from: Offset,
        maximumCount: Int,
        maximumByteCount: Int
    ) -> [Batch] {
        var result: [Batch] = []
        for batch in state.logs[log]?.batches ?? [] where batch.end > from {
            let all = (result + [batch]).flatMap { batch in
                zip(batch.first.value..., batch.entries).filter { $0.0 >= from.value }.map(\.1)
            }
            let fits =
                all.count <= maximumCount
                && all.reduce(0, { $0 + $1.count }) <= maximumByteCount
            guard result.isEmpty || fits else { break }
            result.append(batch)
            guard fits else { break }
        }
        return result
    }

    func commit(_ changes: [StorageChange]) throws(RelayError) {
        var next = state
        for change in changes {
            switch change {
            case .createSpace(let genesis):
                next.spaces[genesis.spaceID] = SpaceRecord(genesis: genesis)
            case .setAccess(let list): next.spaces[list.space]?.access = list
            case .admit(let device, let invite, let space):
                next.spaces[space]?.admissions[device] = invite
            case .forget(let devices, let space):
                for device in devices { next.spaces[space]?.admissions[device] = nil }
            case .createLog(let descriptor, let space):
                next.logs[descriptor.logID(in: space)] = Log(space: space, descriptor: descriptor)
            case .append(let batch, let log): next.logs[log]?.batches.append(batch)
            }
        }
        if failingCommitCount > 0 {
            failingCommitCount -= 1
            throw .storage(path: "memory", reason: "a test made the commit fail")
        }
        state = next
    }
}
