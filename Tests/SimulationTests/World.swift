import SennitDocument
import SennitReference
import SennitSeal
import SennitSync
import SennitWire

// Devices, a relay and a network in one thread, from one seed.
//
// The world holds a queue of things that will happen at a virtual time. Everything random is drawn
// from the seed. Two phases: first all goes wrong that the seed's plan allows (edits, crashes,
// cuts, frames that are lost, doubled, swapped or damaged, a relay restored from an older copy),
// then everything is mended, and all devices must come to the same state within a virtual deadline.

/// What a run is made of, drawn from its seed.
struct Plan: CustomStringConvertible {
    let deviceCount: Int
    let editCount: Int
    let crashesDevices: Bool
    let crashesRelay: Bool
    let rollsRelayBack: Bool
    let cutsConnections: Bool
    let isolatesDevices: Bool
    let mistreatsFrames: Bool
    let maximumDelay: Int
    /// A device's disk is copied, and both copies are used.
    let copiesDevices: Bool
    /// A device gets an earlier state of its disk back.
    let restoresDevices: Bool

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed, stream: 1)
        deviceCount = 2 + random.below(4)
        editCount = 40 + random.below(160)
        crashesDevices = random.chance(50)
        crashesRelay = random.chance(50)
        rollsRelayBack = random.chance(15)
        cutsConnections = random.chance(60)
        mistreatsFrames = random.chance(40)
        maximumDelay = 1 + random.below(400)
        isolatesDevices = random.chance(40)
        // Others may have what a relay that was rolled back has not: then a log has two histories.
        copiesDevices = random.chance(30) && !rollsRelayBack
        restoresDevices = random.chance(30) && !rollsRelayBack
    }

    var description: String {
        "\(deviceCount) devices, \(editCount) edits, delays up to \(maximumDelay) ms"
            + (crashesDevices ? ", device crashes" : "") + (crashesRelay ? ", relay crashes" : "")
            + (rollsRelayBack ? ", relay rollback" : "") + (cutsConnections ? ", cuts" : "")
            + (isolatesDevices ? ", partitions" : "")
            + (mistreatsFrames ? ", mistreated frames" : "")
            + (copiesDevices ? ", copies" : "") + (restoresDevices ? ", backups" : "")
    }
}

/// What went wrong in a run.
struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// One run.
final class World {
    enum Happening {
        case edit(Int)
        case commit(device: Int)
        /// The disk has read a history that the device wants.
        case load(device: Int)
        case relayWork
        case tick
        case connect(device: Int)
        case toRelay([UInt8], connection: Int)
        case toDevice([UInt8], connection: Int)
        case crash(device: Int)
        case restart(device: Int)
        case crashRelay
        case restartRelay(rollback: Bool)
        case cut(device: Int)
        /// The device can't reach the relay for so long, and edits on.
        case isolate(device: Int, time: Int)
        /// A backup of the device's disk is made.
        case backUp(device: Int)
        /// The device goes on from its backup.
        case restore(device: Int)
        /// Another machine goes on with a copy of the device's disk.
        case copy(device: Int)
    }

    let seed: UInt64
    let plan: Plan
    var devices: [SimulatedDevice] = []
    let relay: SimulatedRelay
    var random: SeededRandom
    private var network: SeededRandom
    private var queue = EventQueue<Happening>()
    private var time = 0
    private var isMended = false

    // Connections: which device, and when the last frame of each direction arrives.
    private var owners: [Int: Int] = [:]
    private var nextConnection = 0
    private var arrivals: [Int: (up: Int, down: Int)] = [:]
    private var isolatedUntil: [Int: Int] = [:]
    private var relayCopy: MemoryStorage.Content?
    private var isWorkPlanned = false
    private var versions: [(document: DocumentID, frontier: [EventID], count: Int)] = []
    private(set) var trace = Hash.digest(.space, [[]])
    private(set) var editCount = 0

    static let documents = [1, 2].map { (byte: UInt8) in
        DocumentID([UInt8](repeating: byte, count: 32)) ?? .directory
    }

    init(seed: UInt64) throws {
        self.seed = seed
        plan = Plan(seed: seed)
        random = SeededRandom(seed: seed, stream: 2)
        network = SeededRandom(seed: seed, stream: 3)
        relay = SimulatedRelay(random: SeededRandom(seed: seed, stream: 4))
        relay.start()
        let founder = try SimulatedDevice(
            founding: random.bytes(32),
            random: SeededRandom(seed: seed, stream: 100)
        )
        let link = try founder.invite()
        devices = [founder]
        for index in 1..<plan.deviceCount {
            devices.append(
                try SimulatedDevice(
                    index: index,
                    joining: link,
                    seed: random.bytes(32),
                    random: SeededRandom(seed: seed, stream: 100 + UInt64(index))
                )
            )
        }
    }

    // MARK: Running

    /// Runs both phases and checks everything.
    func run() throws {
        planSafetyPhase()
        let end = 20_000
        try run(until: end)
        try mend()
        try run(until: end + 400_000) { self.isSettled }
        try checkAll()
    }

    private func planSafetyPhase() {
        for index in devices.indices { plan(.connect(device: index), in: random.below(50)) }
        plan(.tick, in: 1000)
        for _ in 0..<plan.editCount {
            plan(.edit(random.below(devices.count)), in: random.below(18_000))
        }
        if plan.crashesDevices {
            for _ in 0..<random.below(6) {
                let index = random.below(devices.count)
                let start = 100 + random.below(18_000)
                plan(.crash(device: index), in: start)
                plan(.restart(device: index), in: start + random.below(3000))
            }
        }
        if plan.crashesRelay {
            for _ in 0..<(1 + random.below(3)) {
                let start = random.below(18_000)
                plan(.crashRelay, in: start)
                let isRollback = plan.rollsRelayBack && random.chance(60)
                plan(.restartRelay(rollback: isRollback), in: start + random.below(4000))
            }
        }
        if plan.isolatesDevices {
            for _ in 0..<(1 + random.below(4)) {
                let index = random.below(devices.count)
                let duration = 1000 + random.below(9000)
                plan(.isolate(device: index, time: duration), in: random.below(12_000))
            }
        }
        if plan.cutsConnections {
            for _ in 0..<random.below(12) {
                plan(.cut(device: random.below(devices.count)), in: random.below(18_000))
            }
        }
        planCopies()
    }

    private func mend() throws {
        isMended = true
        if !relay.isRunning { relay.start() }
        for device in devices {
            if !device.isRunning { try device.restart() }
            carryOut([], of: device)
            hangUp(device)
            plan(.connect(device: device.index), in: 10)
        }
    }

    private var isSettled: Bool {
        devices.allSatisfy(\.isDrained)
            && Set(devices.map { $0.replica?.version }).count == 1
            && devices.allSatisfy { $0.replica?.version == $0.replica?.appliedVersion }
    }

    private func run(until end: Int, unless isDone: () -> Bool = { false }) throws {
        var steps = 0
        while let next = queue.peekTime(), next <= end {
            guard let (at, happening) = queue.pop() else { break }
            time = at
            try happen(happening)
            steps += 1
            if steps.isMultiple(of: 64), isDone() { return }
        }
        if isMended, !isDone() {
            throw Failure(description: "not settled \(end) ms after the start: \(standing)")
        }
        time = end
    }

    /// Where everybody stands, for a person who looks into a failure.
    var standing: String {
        devices.map { device in
            let replica = device.replica
            let version = replica?.logSummaries.map {
                "\($0.applied)/\($0.end)\($0.hold.map { " \($0)" } ?? "")"
            }
            return "device \(device.index): \(version ?? []) pending \(replica?.pendingCount ?? -1)"
                + " drained \(device.isDrained) connected \(device.connection != nil)"
                + (device.copies.fault.map { " \($0)" } ?? "")
        }.joined(separator: "; ")
    }

    func plan(_ happening: Happening, in delay: Int) {
        queue.push(happening, at: time + delay)
    }

    private func note(_ text: String) {
        trace = Hash.digest(.space, [trace.bytes, Array("\(time) \(text)".utf8)])
    }

    private var now: Duration { .milliseconds(time) }

    // MARK: What happens

    private func happen(_ happening: Happening) throws {
        switch happening {
        case .edit(let index): try edit(devices[index])
        case .commit(let index):
            if devices[index].isRunning {
                carryOut(try devices[index].commit(now: now), of: devices[index])
            }
        case .load(let index):
            if devices[index].isRunning { carryOut(try devices[index].load(), of: devices[index]) }
        case .relayWork:
            isWorkPlanned = false
            if relay.isRunning { carryOut(relay.work(now: now)) }
        case .tick:
            plan(.tick, in: 1000)
            if relay.isRunning { carryOut(relay.tick(now: now)) }
            for device in devices where device.connection != nil {
                carryOut(device.tick(now: now), of: device)
            }
        case .connect(let index): connect(devices[index])
        case .toRelay(let bytes, let connection):
            note("up \(connection) \(bytes.count)")
            guard owners[connection] != nil, relay.isRunning else { return }
            carryOut(relay.receive(bytes, from: connection, now: now))
        case .toDevice(let bytes, let connection):
            note("down \(connection) \(bytes.count)")
            guard let owner = owners[connection], devices[owner].connection == connection else {
                return
            }
            carryOut(devices[owner].receive(bytes, now: now), of: devices[owner])
        case .crash(let index):
            note("crash \(index)")
            hangUp(devices[index])
            devices[index].crash()
        case .restart(let index):
            if isMended || devices[index].isRunning { return }
            try devices[index].restart()
            carryOut([], of: devices[index])
            plan(.connect(device: index), in: random.below(500))
        case .crashRelay:
            note("relay crash")
            if relayCopy == nil || random.chance(50) { relayCopy = relay.storage.content }
            for connection in relay.crash() { lose(connection) }
        case .restartRelay(let isRollback):
            if relay.isRunning { return }
            if isRollback, let copy = relayCopy { relay.storage.content = copy }
            relay.start()
        case .cut(let index): hangUp(devices[index])
        case .isolate(let index, let duration):
            isolatedUntil[index] = time + duration
            hangUp(devices[index])
        case .backUp(let index): devices[index].backUp()
        case .restore(let index): try restore(devices[index])
        case .copy(let index): try copy(devices[index])
        }
    }

    private func connect(_ device: SimulatedDevice) {
        guard device.isRunning, device.connection == nil else { return }
        let wait = isMended ? 0 : (isolatedUntil[device.index] ?? 0) - time
        guard relay.isRunning, wait <= 0 else {
            plan(.connect(device: device.index), in: max(wait, 500))
            return
        }
        let connection = nextConnection
        nextConnection += 1
        owners[connection] = device.index
        arrivals[connection] = (time, time)
        device.connected(connection, now: now)
        carryOut(relay.open(connection, now: now))
    }

    /// Closes a device's connection; it will try again.
    func hangUp(_ device: SimulatedDevice) {
        guard let connection = device.connection else { return }
        relay.closed(connection)
        lose(connection)
    }

    private func lose(_ connection: Int) {
        guard let owner = owners.removeValue(forKey: connection) else { return }
        if devices[owner].connection == connection { devices[owner].disconnected() }
        plan(.connect(device: owner), in: 100 + network.below(900))
    }

    func carryOut(_ outputs: [SimulatedDevice.Output], of device: SimulatedDevice) {
        for output in outputs {
            switch output {
            case .frame(let bytes):
                guard let connection = device.connection else { continue }
                transmit(bytes, over: connection, isUp: true)
            case .hangUp: hangUp(device)
            case .wantsCommit: plan(.commit(device: device.index), in: 1 + random.below(30))
            }
        }
        if device.wantsHistory {
            device.history.isLoading = true
            plan(.load(device: device.index), in: 1 + random.below(300))
        }
    }

    private func carryOut(_ outputs: [SimulatedRelay.Output]) {
        for output in outputs {
            switch output {
            case .frame(let bytes, let connection): transmit(bytes, over: connection, isUp: false)
            case .close(let connection):
                relay.closed(connection)
                lose(connection)
            }
        }
        if relay.hasWork, !isWorkPlanned {
            isWorkPlanned = true
            plan(.relayWork, in: 1 + network.below(20))
        }
    }

    /// Puts a frame on its way: in order, unless the plan says that frames are mistreated.
    private func transmit(_ bytes: [UInt8], over connection: Int, isUp: Bool) {
        guard var arrival = arrivals[connection], owners[connection] != nil else { return }
        var at = time + 1 + network.below(plan.maximumDelay)
        var copies = [bytes]
        if plan.mistreatsFrames, !isMended {
            switch network.below(100) {
            case 0: copies = []
            case 1: copies = [bytes, bytes]
            case 2: at += network.below(2000)
            case 3: copies = [Array(bytes.prefix(network.below(bytes.count + 1)))]
            case 4:
                copies[0][network.below(bytes.count)] ^= 1 << UInt8(network.below(8))
            default: at = max(at, isUp ? arrival.up : arrival.down)
            }
        } else {
            at = max(at, isUp ? arrival.up : arrival.down)
        }
        if isUp { arrival.up = max(arrival.up, at) } else { arrival.down = max(arrival.down, at) }
        arrivals[connection] = arrival
        for copy in copies {
            queue.push(
                isUp
                    ? .toRelay(copy, connection: connection)
                    : .toDevice(copy, connection: connection),
                at: at
            )
        }
    }

    // MARK: Edits

    private func edit(_ device: SimulatedDevice) throws {
        guard device.isRunning else { return }
        editCount += 1
        let outputs: [SimulatedDevice.Output]
        if random.chance(10) {
            let key = "path \(random.below(4))"
            let value = random.bytes(4)
            let removes = random.chance(25)
            outputs = try device.edit {
                removes
                    ? try $0.removeMap(.directory, key: key)
                    : try $0.setMap(.directory, key: key, value: value)
            }
        } else if random.chance(12), let old = versions.randomElement(using: &random),
            let state = device.replica?.documents[old.document],
            old.frontier.allSatisfy(state.contains)
        {
            let edit = SimulatedHistory.Edit(
                document: old.document,
                patch: patch(count: old.count),
                parents: old.frontier
            )
            do {
                outputs = try device.edit(edit)
            } catch SyncError.document(.positionOutOfBounds)
                where plan.copiesDevices || plan.restoresDevices
            {
                // Until one of them goes on in a new log, two copies give one name to two events.
                outputs = []
            }
        } else {
            let document = World.documents[random.below(2)]
            let count = device.replica?.documents[document]?.text.scalarCount ?? 0
            var patch = patch(count: count)
            if plan.copiesDevices || plan.restoresDevices { patch = mark(patch, by: device) }
            outputs = try device.edit { try $0.edit(document, [patch]) }
            if let state = device.replica?.documents[document], random.chance(30) {
                versions.append((document, state.frontier, state.text.scalarCount))
            }
        }
        carryOut(outputs, of: device)
    }

    private func patch(count: Int) -> Patch {
        let alphabet: [Character] = ["a", "b", "c", "\n", "é", "漢", "🚀", " "]
        let at = random.below(count + 1)
        if count > 0, random.chance(30) {
            let start = min(at, count - 1)
            return Patch(range: start..<min(count, start + 1 + random.below(5)), text: "")
        }
        let length = random.chance(1) ? 40_000 : 1 + random.below(8)
        let text = String((0..<length).map { _ in alphabet[random.below(alphabet.count)] })
        return Patch(range: at..<at, text: text)
    }
}
