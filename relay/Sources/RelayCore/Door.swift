// Who may come in: connections at once, of all and of one address, and how fast.
//
// A connection is a stranger's until it is welcomed to a space. When the relay is full the stranger
// that has waited longest makes room, for honest devices prove themselves within moments; who is
// welcomed is never put out. So half-open connections can't keep members away.
//
//     full: 9,990 members, 10 strangers       the next: in, the oldest stranger out
//     full: 10,000 members                    the next: refused
//
// Pure: time and ids are arguments. `Doorman` performs.

/// The count of connections.
struct Door {
    enum Verdict: Hashable {
        /// In; a stranger may have to go.
        case admitted(evicted: UInt64?)
        /// Too many, or too fast, of one address.
        case tooMany(retryAfter: Duration)
        case full
    }

    private struct Visitor {
        var address: PeerAddress?
        var isStranger = true
    }

    private struct Neighbour {
        var connectionCount = 0
        var handshakes: TokenBucket
    }

    private let policy: AddressPolicy
    private let maximumCount: Int
    private var visitors: [UInt64: Visitor] = [:]
    private var strangerCount = 0
    // Ids in the order of coming, with some that are gone or welcomed by now.
    private var queue: [UInt64] = []
    private var queueStart = 0
    private var neighbours: [PeerAddress: Neighbour] = [:]

    /// How long a device of an address with too many connections is asked to wait.
    private static let patience: Duration = .seconds(60)
    /// Addresses without a connection that are remembered for how fast they came.
    private static let maximumNeighbourCount = 1 << 16

    init(_ policy: AddressPolicy, maximumCount: Int) {
        self.policy = policy
        self.maximumCount = maximumCount
    }

    /// Connections that are in.
    var count: Int { visitors.count }
    /// Those of them that nobody knows yet.
    var strangers: Int { strangerCount }
    /// Places in the queue of strangers.
    var queueCount: Int { queue.count }
    /// Addresses that are remembered.
    var addressCount: Int { neighbours.count }

    /// Whom a connection counts for; `nil` for nobody.
    func address(of id: UInt64) -> PeerAddress? { visitors[id]?.address }

    /// A connection comes.
    /// - Parameters:
    ///   - id: larger than those before.
    ///   - address: whom it counts for; `nil` for nobody, or if that isn't known yet.
    mutating func enter(_ id: UInt64, for address: PeerAddress?, now: Duration) -> Verdict {
        if let address, let pause = pause(of: address, now: now) {
            return .tooMany(retryAfter: pause)
        }
        var evicted: UInt64?
        if visitors.count >= maximumCount {
            guard let oldest = oldestStranger() else { return .full }
            leave(oldest)
            evicted = oldest
        }
        visitors[id] = Visitor()
        strangerCount += 1
        queue.append(id)
        if let address { count(id, for: address, now: now) }
        return .admitted(evicted: evicted)
    }

    /// A proxy says for whom a connection is.
    /// - Returns: how long that address has to wait, if it may not come in.
    mutating func identify(_ id: UInt64, as address: PeerAddress, now: Duration) -> Duration? {
        guard let visitor = visitors[id], visitor.address == nil else { return nil }
        if let pause = pause(of: address, now: now) { return pause }
        count(id, for: address, now: now)
        return nil
    }

    /// A connection was welcomed to a space.
    mutating func welcome(_ id: UInt64) {
        guard visitors[id]?.isStranger == true else { return }
        visitors[id]?.isStranger = false
        strangerCount -= 1
    }

    /// A connection is over.
    mutating func leave(_ id: UInt64) {
        guard let visitor = visitors.removeValue(forKey: id) else { return }
        if visitor.isStranger { strangerCount -= 1 }
        if let address = visitor.address { neighbours[address]?.connectionCount -= 1 }
        // What is gone is taken out of the queue once it is most of it.
        if queue.count > 2 * strangerCount + 1024 {
            queue = queue[queueStart...].filter { visitors[$0]?.isStranger == true }
            queueStart = 0
        }
    }

    private func pause(of address: PeerAddress, now: Duration) -> Duration? {
        guard let neighbour = neighbours[address] else { return nil }
        if neighbour.connectionCount >= policy.maximumConnectionCount { return Door.patience }
        return neighbour.handshakes.pause(now: now)
    }

    private mutating func count(_ id: UInt64, for address: PeerAddress, now: Duration) {
        if neighbours[address] == nil {
            if neighbours.count >= Door.maximumNeighbourCount {
                neighbours = neighbours.filter { $0.value.connectionCount > 0 }
            }
            neighbours[address] = Neighbour(
                handshakes: TokenBucket(
                    perSecond: policy.handshakesPerSecond,
                    burst: policy.handshakeBurst,
                    now: now
                )
            )
        }
        visitors[id]?.address = address
        neighbours[address]?.connectionCount += 1
        neighbours[address]?.handshakes.spend(1, now: now)
    }

    private mutating func oldestStranger() -> UInt64? {
        while queueStart < queue.count {
            let id = queue[queueStart]
            queueStart += 1
            if visitors[id]?.isStranger == true { return id }
        }
        return nil
    }
}
