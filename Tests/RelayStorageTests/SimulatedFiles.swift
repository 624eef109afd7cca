import Synchronization

@testable import RelayStorage

/// A disk in memory that forgets what wasn't synced, sector by sector, when its power is cut, and
/// that fails where it is told to.
///
/// A sync that fails does what Linux does: some sectors reach the disk, none are dirty any more,
/// and the next sync returns without an error. So whoever syncs again and believes it is found
/// out.
final class SimulatedFiles: StorageFiles {
    /// What goes wrong with an operation.
    enum Fault: Hashable {
        case error(String)
        /// A write takes only so many bytes, and says so.
        case short(Int)
    }

    final class File: StorageFile {
        let name: String
        fileprivate let disk: SimulatedFiles
        fileprivate let node: Node

        fileprivate init(_ name: String, _ node: Node, _ disk: SimulatedFiles) {
            (self.name, self.node, self.disk) = (name, node, disk)
        }

        func size() -> Int { disk.state.withLock { _ in node.content.withLock { $0.now.count } } }

        func read(_ count: Int, at position: Int) throws(FileFailure) -> [UInt8] {
            try disk.check("read", name)
            return node.content.withLock { content in
                guard position < content.now.count else { return [] }
                return Array(content.now[position..<min(position + count, content.now.count)])
            }
        }

        func write(_ bytes: Span<UInt8>, at position: Int) throws(FileFailure) -> Int {
            var count = bytes.count
            if case .short(let limit) = try disk.check("write", name) {
                count = max(1, min(limit, count))
            }
            let taken = unsafe bytes.extracting(0..<count).withUnsafeBufferPointer {
                unsafe Array($0)
            }
            node.content.withLock { content in
                let end = position + count
                if content.now.count < end {
                    content.now += [UInt8](repeating: 0, count: end - content.now.count)
                }
                content.now.replaceSubrange(position..<end, with: taken)
                content.dirty.formUnion((position / 512)...((end - 1) / 512))
            }
            return count
        }

        func synchronize() throws(FileFailure) {
            do throws(FileFailure) { _ = try disk.check("sync", name) } catch {
                disk.loseDirty(of: node)
                throw error
            }
            node.content.withLock { $0.synchronize($0.dirty) }
        }

        func truncate(to size: Int) throws(FileFailure) {
            try disk.check("truncate", name)
            node.content.withLock { content in
                if size < content.now.count {
                    content.now.removeSubrange(size...)
                } else {
                    content.now += [UInt8](repeating: 0, count: size - content.now.count)
                }
            }
        }
    }

    fileprivate final class Node: Sendable {
        struct Content {
            var now: [UInt8] = []
            var durable: [UInt8] = []
            var dirty: Set<Int> = []

            /// Brings these sectors to the disk, and the size.
            mutating func synchronize(_ sectors: Set<Int>) {
                if durable.count > now.count { durable.removeSubrange(now.count...) }
                durable += [UInt8](repeating: 0, count: now.count - durable.count)
                for sector in sectors {
                    let range = (sector * 512)..<min((sector + 1) * 512, now.count)
                    if !range.isEmpty, range.lowerBound < now.count {
                        durable.replaceSubrange(range, with: now[range])
                    }
                }
                dirty = []
            }
        }

        let content: Mutex<Content>
        init(_ content: Content = Content()) { self.content = Mutex(content) }
    }

    private enum DirectoryChange {
        case add(String, Node)
        case rename(String, String)
        case remove(String)
    }

    private struct State {
        var names: [String: Node] = [:]
        var durableNames: [String: Node] = [:]
        var changes: [DirectoryChange] = []
        var operationCount = 0
        var history: [String] = []
        var faults: [Int: Fault] = [:]
        var isFailing = false
        var random: SeededGenerator
    }

    let path = "simulated"
    private let state: Mutex<State>

    init(seed: UInt64) { state = Mutex(State(random: SeededGenerator(seed: seed))) }

    /// Operations that can fail, counted so far.
    var operationCount: Int { state.withLock { $0.operationCount } }

    /// Every operation that can fail, with its file, in order.
    var history: [String] { state.withLock { $0.history } }

    /// The operation of that number fails.
    func fail(_ number: Int, with fault: Fault) { state.withLock { $0.faults[number] = fault } }

    /// Whether every operation fails from now on, but reads.
    func setFailing(_ isFailing: Bool) { state.withLock { $0.isFailing = isFailing } }

    @discardableResult
    fileprivate func check(_ operation: String, _ name: String) throws(FileFailure) -> Fault? {
        if operation == "read" { return nil }
        let (fault, isFailing) = state.withLock { state in
            state.operationCount += 1
            state.history.append(operation + " " + name)
            return (state.faults[state.operationCount], state.isFailing)
        }
        if isFailing { throw FileFailure(name: name, reason: "\(operation): no space left") }
        if case .error(let reason) = fault {
            throw FileFailure(name: name, reason: "\(operation): \(reason)")
        }
        return fault
    }

    fileprivate func loseDirty(of node: Node) {
        let seed = state.withLock { $0.random.next() }
        node.content.withLock { content in
            var random = SeededGenerator(seed: seed)
            let kept = content.dirty.sorted().filter { _ in Bool.random(using: &random) }
            content.synchronize(Set(kept))
        }
    }

    // MARK: StorageFiles

    func names() -> [String] { state.withLock { Array($0.names.keys).sorted() } }

    func open(_ name: String) throws(FileFailure) -> any StorageFile {
        guard let node = state.withLock({ $0.names[name] }) else {
            throw FileFailure(name: name, reason: "open: no such file")
        }
        return File(name, node, self)
    }

    func create(_ name: String) throws(FileFailure) -> any StorageFile {
        try check("create", name)
        let node = Node()
        state.withLock { state in
            state.names[name] = node
            state.changes.append(.add(name, node))
        }
        return File(name, node, self)
    }

    func rename(_ name: String, to newName: String) throws(FileFailure) {
        try check("rename", name)
        state.withLock { state in
            state.names[newName] = state.names.removeValue(forKey: name)
            state.changes.append(.rename(name, newName))
        }
    }

    func remove(_ name: String) throws(FileFailure) {
        try check("remove", name)
        state.withLock { state in
            state.names[name] = nil
            state.changes.append(.remove(name))
        }
    }

    func synchronizeDirectory() throws(FileFailure) {
        try check("sync directory", path)
        state.withLock { state in
            for change in state.changes { Self.apply(change, to: &state.durableNames) }
            state.changes = []
        }
    }

    private static func apply(_ change: DirectoryChange, to names: inout [String: Node]) {
        switch change {
        case .add(let name, let node): names[name] = node
        case .rename(let name, let newName): names[newName] = names.removeValue(forKey: name)
        case .remove(let name): names[name] = nil
        }
    }

    func close() {}

    // MARK: What a test does to the disk

    /// The disk after the power was cut: each sector that wasn't synced is there or isn't, and so
    /// are the last names.
    func afterPowerCut(seed: UInt64) -> SimulatedFiles {
        let disk = SimulatedFiles(seed: seed)
        var random = SeededGenerator(seed: seed)
        let names = state.withLock { state in
            var names = state.durableNames
            let kept = Int.random(in: 0...state.changes.count, using: &random)
            for change in state.changes.prefix(kept) { Self.apply(change, to: &names) }
            return names
        }
        for (name, node) in names.sorted(by: { $0.key < $1.key }) {
            var content = node.content.withLock { $0 }
            let kept = content.dirty.sorted().filter { _ in Bool.random(using: &random) }
            if Bool.random(using: &random) || !kept.isEmpty { content.synchronize(Set(kept)) }
            let after = Node(Node.Content(now: content.durable, durable: content.durable))
            disk.state.withLock { $0.names[name] = after }
        }
        disk.state.withLock { $0.durableNames = $0.names }
        return disk
    }

    /// The disk as a process finds it that starts after another was killed: nothing is lost, and
    /// nothing is synced that wasn't.
    func copy() -> SimulatedFiles {
        let disk = SimulatedFiles(seed: 0)
        for (name, node) in state.withLock({ $0.names }) {
            let content = node.content.withLock { $0.now }
            disk.put(content, as: name)
        }
        return disk
    }

    func contents(of name: String) -> [UInt8] {
        state.withLock { $0.names[name] }?.content.withLock { $0.now } ?? []
    }

    func put(_ bytes: [UInt8], as name: String) {
        state.withLock { state in
            let node = Node(Node.Content(now: bytes, durable: bytes))
            state.names[name] = node
            state.durableNames[name] = node
        }
    }

    /// Takes a file away, its name and all.
    func lose(_ name: String) {
        state.withLock { state in
            state.names[name] = nil
            state.durableNames[name] = nil
        }
    }
}
