import SennitWire

/// What is reserved and not yet on disk, over the index: judged first, durable later.
///
/// When a write fails, all that is reserved goes at once, for each unit was judged as if the ones
/// before it were stored.
struct Reservation {
    private var spaces: [SpaceID: UInt32] = [:]
    private var logs: [LogID: (number: UInt32, space: UInt32)] = [:]
    private var ends: [UInt32: UInt64] = [:]
    private var removedSpaces: Set<UInt32> = []
    private var undo: [Undo] = []
    private(set) var nextSpace: UInt32
    private(set) var nextLog: UInt32

    private enum Undo {
        case space(SpaceID)
        case log(LogID)
        case end(UInt32, UInt64?)
    }

    init(over index: StoreIndex) {
        nextSpace = UInt32(index.content.spaces.count)
        nextLog = UInt32(index.content.logs.count)
    }

    // MARK: One unit

    /// From here on, `rollBack` takes back.
    mutating func begin() { undo.removeAll(keepingCapacity: true) }

    mutating func rollBack() {
        for step in undo.reversed() {
            switch step {
            case .space(let id):
                spaces[id] = nil
                nextSpace -= 1
            case .log(let id):
                logs[id] = nil
                nextLog -= 1
            case .end(let log, let end): ends[log] = end
            }
        }
        undo.removeAll(keepingCapacity: true)
    }

    // MARK: Looking up

    func number(of space: SpaceID, _ index: StoreIndex) -> UInt32? {
        if let number = spaces[space] { return number }
        guard let number = index.number(of: space) else { return nil }
        return removedSpaces.contains(number) ? nil : number
    }

    func number(of log: LogID, _ index: StoreIndex) -> UInt32? {
        if !logs.isEmpty, let reserved = logs[log] { return reserved.number }
        guard let number = index.number(of: log) else { return nil }
        return removedSpaces.contains(index.log(number).space) ? nil : number
    }

    func end(of log: UInt32, _ index: StoreIndex) -> UInt64 {
        if let end = ends[log] { return end }
        return log < index.content.logs.count ? index.log(log).end : 0
    }

    // MARK: Reserving

    mutating func addSpace(_ id: SpaceID) -> UInt32 {
        spaces[id] = nextSpace
        undo.append(.space(id))
        nextSpace += 1
        return nextSpace - 1
    }

    mutating func addLog(_ id: LogID, space: UInt32) -> UInt32 {
        logs[id] = (nextLog, space)
        undo.append(.log(id))
        nextLog += 1
        return nextLog - 1
    }

    mutating func setEnd(_ end: UInt64, of log: UInt32) {
        undo.append(.end(log, ends.updateValue(end, forKey: log)))
    }

    /// Takes a space away. Only as the one change of its unit, for it can't be taken back.
    mutating func removeSpace(_ id: SpaceID, _ number: UInt32) {
        spaces[id] = nil
        logs = logs.filter { $0.value.space != number }
        removedSpaces.insert(number)
    }

    // MARK: Settling

    /// What a frame did is in the index now.
    mutating func settle(_ effect: Effect) {
        switch effect {
        case .batch(let log, _, let end, _), .floor(let log, let end, _):
            if ends[log] == end { ends[log] = nil }
        case .space(let number, let id): if spaces[id] == number { spaces[id] = nil }
        case .log(let number, let id, _): if logs[id]?.number == number { logs[id] = nil }
        case .removal(let number): removedSpaces.remove(number)
        case .access, .admission, .dismissal: break
        }
    }
}
