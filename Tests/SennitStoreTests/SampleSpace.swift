import SennitDocument
import SennitSeal
import SennitStore
import SennitWire

@testable import SennitSync

/// A generator of numbers that one seed decides (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }

    mutating func bytes32() -> Bytes32 { Bytes32(bytes(32)) ?? .zero }
}

/// A space with some logs that plays random steps of a replica, and knows without SQLite what a
/// journal that got their changes must give back.
struct SampleSpace {
    var random: Seeded
    let record: SpaceRecord
    /// What the journal must hold.
    private(set) var expected: ReplicaRecord
    /// The documents with everything applied.
    private(set) var current: [DocumentID: Document] = [:]
    let documentIDs: [DocumentID]
    private let devices: [LogID: DeviceIdentity]
    private var entries: [LogID: [StoredEntry]] = [:]
    private var allOperations: [(position: JournalPosition, operations: StoredOperations)] = []
    private var statePositions: [DocumentID: JournalPosition] = [:]
    private var nextSequence: UInt64 = 0
    private var editsDirectory = false

    init(seed: UInt64, logCount: Int = 3) {
        var random = Seeded(seed)
        let nonce = random.bytes32()
        let devices = (0..<logCount).map { _ in
            DeviceIdentity(deviceSeed: SecretBytes(random.bytes(32)), spaceNonce: nonce)
        }
        let space = devices[0].genesis(nonce: nonce).spaceID
        let descriptors = devices.map { device in
            LogDescriptor(device: device.device, incarnation: SampleSpace.incarnation(&random))
        }
        record = SpaceRecord(
            id: space,
            name: "notes \(seed)",
            nonce: nonce,
            own: descriptors[0],
            relays: ["wss://one.example", "wss://two.example"],
            inviteSeed: random.bytes(16),
            created: random.next()
        )
        documentIDs = (0..<4).map { _ in DocumentID(value: random.bytes32()) }
        expected = ReplicaRecord(space: space, spaceNonce: nonce, own: descriptors[0])
        var identities: [LogID: DeviceIdentity] = [:]
        for (device, descriptor) in zip(devices, descriptors) {
            let log = descriptor.logID(in: space)
            identities[log] = device
            entries[log] = []
            expected.logs[log] = RestoredLog(
                record: LogRecord(
                    descriptor: descriptor,
                    end: .zero,
                    applied: .zero,
                    byteCount: 0,
                    nextEvent: 0,
                    table: LogTable(),
                    context: Version(),
                    head: nil
                ),
                chains: [],
                eventEnds: []
            )
        }
        self.devices = identities
        self.random = random
    }

    private static func incarnation(_ random: inout Seeded) -> Incarnation {
        guard let incarnation = Incarnation(random.bytes(16)) else {
            preconditionFailure("An incarnation has 16 bytes.")
        }
        return incarnation
    }

    var id: SpaceID { record.id }
    var logs: [LogID] { expected.logs.keys.sorted() }
    var ownLog: LogID { record.own.logID(in: id) }

    /// The stored entries of a log.
    func entries(of log: LogID) -> [StoredEntry] { entries[log] ?? [] }

    /// The records of all logs, as the first change of a space has them.
    func firstChange() -> ReplicaChange {
        var change = ReplicaChange()
        for (log, restored) in expected.logs { change.logs[log] = restored.record }
        return change
    }

    /// One random step.
    mutating func step() throws -> ReplicaChange {
        var change = ReplicaChange()
        let log = logs[Int.random(in: 0..<logs.count, using: &random)]
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            let key = EpochKey(secret: SecretBytes(random.bytes(32)), space: id)
            change.epochs = [key]
            expected.epochs.append(key)
        case 1, 2: try type(into: &change)
        case 3: sealPending(into: &change)
        case 4...6: store(Int.random(in: 1...5, using: &random), in: log, into: &change)
        case 7: try apply(Int.random(in: 1...5, using: &random), of: log, into: &change)
        default:
            store(Int.random(in: 1...3, using: &random), in: log, into: &change)
            try apply(Int.random(in: 1...3, using: &random), of: log, into: &change)
        }
        return change
    }

    /// Entries that were received and verified.
    mutating func store(_ count: Int, in log: LogID, into change: inout ReplicaChange) {
        guard let restored = expected.logs[log], let device = devices[log] else { return }
        var chains = restored.chains
        var byteCount = restored.record.byteCount
        var chain = chains.last ?? restored.record.descriptor.chainStart(in: id)
        for _ in 0..<count {
            let isControl = Int.random(in: 0..<5, using: &random) == 0
            let bytes = Entry(
                type: isControl ? .invite : .edit,
                keyHint: random.bytes(8),
                nonce: random.bytes(24),
                clear: [],
                sealed: random.bytes(Int.random(in: 80...300, using: &random))
            ).bytes
            chain = chain.extended(by: EntryHash(of: bytes))
            let entry = StoredEntry(
                log: log,
                offset: Offset(UInt64(chains.count)),
                bytes: bytes,
                chain: chain
            )
            chains.append(chain)
            byteCount += UInt64(bytes.count)
            entries[log, default: []].append(entry)
            change.entries.append(entry)
            expected.waiting.append(entry)
        }
        expected.waiting.sort { ($0.log, $0.offset) < ($1.log, $1.offset) }
        let head = device.head(
            space: id,
            log: log,
            end: Offset(UInt64(chains.count)),
            chain: chain,
            byteCount: byteCount,
            membership: random.bytes32(),
            epoch: EpochKeyID(value: random.bytes32())
        )
        let old = restored.record
        let record = LogRecord(
            descriptor: old.descriptor,
            end: Offset(UInt64(chains.count)),
            applied: old.applied,
            byteCount: byteCount,
            nextEvent: old.nextEvent,
            table: old.table,
            context: old.context,
            head: head
        )
        set(record, chains, restored.eventEnds, of: log, into: &change)
    }

    /// Entries that wait take their place.
    mutating func apply(_ count: Int, of log: LogID, into change: inout ReplicaChange) throws {
        guard let restored = expected.logs[log] else { return }
        var eventEnds = restored.eventEnds
        let start = eventEnds.count
        let end = min(start + count, restored.chains.count)
        for index in start..<end {
            let entry = entries(of: log)[index]
            let type = try Entry(decoding: entry.bytes).type
            let firstEvent = eventEnds.last ?? 0
            let operations = type == .edit ? try edit(by: log, firstEvent: firstEvent) : []
            let eventCount = operations.reduce(0) { $0 + $1.1 }
            eventEnds.append(firstEvent + UInt64(eventCount))
            let applied = AppliedEntry(
                position: expected.position,
                log: log,
                offset: entry.offset,
                type: type,
                outcome: operations.isEmpty && type == .edit ? .poison : .applied,
                authorTime: random.next(),
                operations: operations.map(\.0),
                controlBody: type == .edit ? nil : random.bytes(50),
                eventEnd: firstEvent + UInt64(eventCount)
            )
            change.applied.append(applied)
            if type != .edit { expected.controls.append((entry, applied)) }
            for (operations, _) in operations {
                allOperations.append((expected.position, operations))
            }
            expected.position = expected.position.next
        }
        expected.waiting.removeAll { $0.log == log && $0.offset < Offset(UInt64(end)) }
        let old = restored.record
        var context = old.context
        for other in logs where Bool.random(using: &random) {
            context[other] = expected.logs[other]?.record.applied ?? .zero
        }
        let record = LogRecord(
            descriptor: old.descriptor,
            end: old.end,
            applied: Offset(UInt64(max(start, end))),
            byteCount: old.byteCount,
            nextEvent: eventEnds.last ?? 0,
            table: LogTable(names: logs.filter { $0 != log }.shuffled(using: &random)),
            context: context,
            head: old.head
        )
        set(record, restored.chains, eventEnds, of: log, into: &change)
        refreshOperations()
    }

    /// An entry that changes the directory and nothing else.
    mutating func changeDirectory() throws -> ReplicaChange {
        var change = ReplicaChange()
        while !expected.waiting.filter({ $0.log == ownLog }).isEmpty {
            try apply(9, of: ownLog, into: &change)
        }
        editsDirectory = true
        repeat {
            store(1, in: ownLog, into: &change)
            try apply(1, of: ownLog, into: &change)
        } while change.applied.last?.operations.isEmpty == true
        editsDirectory = false
        return change
    }

    /// States of some documents, which then need no operations before the position.
    mutating func keepStates() -> ([DocumentID: DocumentState], JournalPosition) {
        let kept = current.filter { _ in Bool.random(using: &random) }
        let states = kept.mapValues(\.unstoredState)
        for (id, document) in kept {
            expected.documents[id] = document
            statePositions[id] = expected.position
            if let state = states[id] { current[id]?.noteStored(state) }
        }
        refreshOperations()
        return (states, expected.position)
    }

    private mutating func set(
        _ record: LogRecord,
        _ chains: [ChainHash],
        _ eventEnds: [UInt64],
        of log: LogID,
        into change: inout ReplicaChange
    ) {
        expected.logs[log] = RestoredLog(record: record, chains: chains, eventEnds: eventEnds)
        change.logs[log] = record
    }

    private mutating func refreshOperations() {
        expected.operations = allOperations.filter {
            $0.position >= statePositions[$0.operations.document] ?? .zero
        }.map(\.operations)
    }

    /// Operations of one entry with how many events they have.
    private mutating func edit(
        by log: LogID,
        firstEvent: UInt64
    ) throws -> [(StoredOperations, Int)] {
        var number = firstEvent
        var all: [(StoredOperations, Int)] = []
        let some = documentIDs.shuffled(using: &random).prefix(
            Int.random(in: 0...2, using: &random)
        )
        for id in editsDirectory ? [.directory] : Array(some) {
            let count = current[id]?.text.scalarCount ?? 0
            let patch = Patch(
                range: 0..<Int.random(in: 0...min(2, count), using: &random),
                text: ["a word ", "naïve 🙂\n", "\n", "x\0y "].randomElement(using: &random) ?? ""
            )
            let runs = try current[id, default: Document()].edit(
                [patch],
                author: log,
                firstEvent: number
            )
            let batch = OperationBatch(document: id, runs: runs)
            number += UInt64(batch.eventCount)
            all.append((batch.stored, batch.eventCount))
        }
        return all
    }

    private mutating func type(into change: inout ReplicaChange) throws {
        // In documents of their own and under numbers no entry uses, so that nothing depends on
        // them.
        let document = DocumentID(value: random.bytes32())
        let run = OperationRun(
            start: EventID(log: ownLog, number: 1 << 40 + nextSequence),
            parents: [],
            content: .insert(position: 0, text: "p")
        )
        let batch = OperationBatch(document: document, runs: [run])
        let pending = PendingOperations(
            sequence: nextSequence,
            operations: batch.stored
        )
        nextSequence += 1
        change.pending.append(pending)
        expected.pending.append(pending)
    }

    private mutating func sealPending(into change: inout ReplicaChange) {
        let end = expected.pending.isEmpty ? nextSequence : expected.pending[0].sequence + 1
        change.sealedBelow = end
        expected.pending.removeAll { $0.sequence < end }
    }
}

/// Everything of a record that can be compared, so that a failure names the part.
struct ComparableRecord: Equatable {
    let space: SpaceID
    let nonce: Bytes32
    let own: LogDescriptor
    let logs: [LogID: LogRecord]
    let chains: [LogID: [ChainHash]]
    let eventEnds: [LogID: [UInt64]]
    let waiting: [StoredEntry]
    let controls: [StoredEntry]
    let appliedControls: [AppliedEntry]
    let epochs: [EpochKeyID]
    let secrets: [[UInt8]]
    let documents: [DocumentID: [UInt8]]
    let operations: [StoredOperations]
    let pending: [PendingOperations]
    let position: JournalPosition

    init(_ record: ReplicaRecord) {
        space = record.space
        nonce = record.spaceNonce
        own = record.own
        logs = record.logs.mapValues(\.record)
        chains = record.logs.mapValues(\.chains)
        eventEnds = record.logs.mapValues(\.eventEnds)
        waiting = record.waiting
        controls = record.controls.map(\.entry)
        appliedControls = record.controls.map(\.applied)
        epochs = record.epochs.map(\.id)
        secrets = record.epochs.map(\.secret.bytes)
        documents = record.documents.mapValues { $0.encodeHead() }
        operations = record.operations
        pending = record.pending
        position = record.position
    }
}
