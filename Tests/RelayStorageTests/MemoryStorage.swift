import RelayStorage
import SennitWire
import Synchronization

/// Storage in memory: the obvious implementation that the conformance tests hold others against.
final class MemoryStorage: RelayStorage, Sendable {
    let relayName = Bytes32.repeating(7)

    private struct Log {
        let space: SpaceID
        let descriptor: LogDescriptor
        var batches: [Batch] = []
        var start: Head?

        var head: Head? { batches.last?.head ?? start }
        var end: Offset { head?.end ?? .zero }
    }

    private struct State {
        var spaces: [SpaceID: SpaceRecord] = [:]
        var logs: [LogID: Log] = [:]
    }

    private let state = Mutex(State())

    func spaces() -> [SpaceID] { state.withLock { $0.spaces.keys.sorted() } }
    func spaceCount() -> Int { state.withLock { $0.spaces.count } }
    func space(_ space: SpaceID) -> SpaceRecord? { state.withLock { $0.spaces[space] } }
    func logCount(of space: SpaceID) -> Int { logs(of: space).count }
    func close() {}

    func logs(of space: SpaceID) -> [LogRecord] {
        state.withLock { $0.logs.filter { $0.value.space == space }.keys.sorted() }
            .compactMap { log($0) }
    }

    func log(_ log: LogID) -> LogRecord? {
        state.withLock { $0.logs[log] }.map { log in
            LogRecord(
                space: log.space,
                descriptor: log.descriptor,
                head: log.head,
                start: log.start
            )
        }
    }

    func head(of log: LogID, endingAt end: Offset) -> Head? {
        guard let log = state.withLock({ $0.logs[log] }) else { return nil }
        if let start = log.start, start.end == end { return start }
        return log.batches.first { $0.end == end }?.head
    }

    func batches(
        of log: LogID,
        from: Offset,
        maximumCount: Int,
        maximumByteCount: Int
    ) throws(StorageError) -> [Batch] {
        let known = state.withLock { $0.logs[log] }
        if let start = known?.start, from < start.end {
            throw .deleted(log: log, start: start.end)
        }
        var result: [Batch] = []
        for batch in known?.batches ?? [] where batch.end > from {
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

    func commit(_ changes: StorageUnit) throws(StorageError) {
        let result: Result<Void, StorageError> = state.withLock { state in
            var next = state
            do throws(StorageError) {
                for change in changes { try MemoryStorage.apply(change, to: &next) }
            } catch {
                return .failure(error)
            }
            state = next
            return .success(())
        }
        try result.get()
    }

    private static func apply(
        _ change: StorageChange,
        to state: inout State
    ) throws(StorageError) {
        func require(_ condition: Bool) throws(StorageError) {
            guard condition else { throw .unfit(reason: "\(change)") }
        }
        switch change {
        case .createSpace(let genesis):
            try require(state.spaces[genesis.spaceID] == nil)
            state.spaces[genesis.spaceID] = SpaceRecord(genesis: genesis)
        case .setAccess(let list):
            try require(state.spaces[list.space] != nil)
            state.spaces[list.space]?.access = list
        case .admit(let device, let invite, let space):
            try require(state.spaces[space] != nil)
            state.spaces[space]?.admissions[device] = invite
        case .forget(let devices, let space):
            try require(state.spaces[space] != nil)
            for device in devices { state.spaces[space]?.admissions[device] = nil }
        case .createLog(let descriptor, let space):
            let id = descriptor.logID(in: space)
            try require(state.spaces[space] != nil && state.logs[id] == nil)
            state.logs[id] = Log(space: space, descriptor: descriptor)
        case .append(let batch, let log):
            guard let known = state.logs[log] else { throw .unfit(reason: "no log") }
            guard batch.first == known.end else { throw .conflict(log: log, end: known.end) }
            state.logs[log]?.batches.append(batch)
        case .truncate(let head, let log):
            guard let known = state.logs[log] else { throw .unfit(reason: "no log") }
            try require(known.end == .zero || head.end <= known.end)
            guard head.end > known.start?.end ?? .zero else { return }
            state.logs[log]?.start = head
            state.logs[log]?.batches.removeAll { $0.end <= head.end }
        case .removeSpace(let space):
            try require(state.spaces[space] != nil && true)
            state.spaces[space] = nil
            state.logs = state.logs.filter { $0.value.space != space }
        }
    }
}
