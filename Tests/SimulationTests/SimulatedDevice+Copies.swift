import SennitDocument
import SennitSeal
import SennitSync
import SennitWire

// Two lives of one device: backups, copies, and what the engine does about them. Every insert of
// such a run holds a scalar that no other has, so it can be told what became of each.

/// What is known of copies of one device's disk, and of what was typed on it.
struct SimulatedCopies {
    /// Whether the relay is asked for the own log from the start.
    var rereadsOwnLog = false
    var provenEnd = Offset.zero
    /// What shows that a copy wrote the own log.
    var refused: (end: Offset, ranges: [EntryRange])?
    /// Scalars of inserts that aren't on the disk.
    var unsavedMarks: [Unicode.Scalar] = []
    /// Scalars of inserts that are on the disk.
    private(set) var marks: [Unicode.Scalar] = []
    /// Those that went with the disk they were on.
    private(set) var lostMarks: [Unicode.Scalar] = []
    var backup: (journal: SimulatedJournal, markCount: Int)?
    /// Why no new log could be begun.
    var fault: (any Error)?
    // Counted over all lives.
    var restoreCount = 0
    var newLogCount = 0
    var renewalCount = 0

    mutating func crash() {
        rereadsOwnLog = false
        provenEnd = .zero
        refused = nil
        unsavedMarks = []
    }

    mutating func commit() {
        marks += unsavedMarks
        unsavedMarks = []
    }

    /// What was typed since a backup is gone with the disk.
    mutating func lose(from markCount: Int) {
        lostMarks += marks[markCount...]
        marks.removeSubrange(markCount...)
    }
}

extension SimulatedDevice {
    /// Where own entries are to be compared with those of the relay.
    var comparesOwnFrom: Offset? {
        guard let replica else { return nil }
        if copies.rereadsOwnLog { return .zero }
        let end = committedVersion[replica.ownLog]
        return end > .zero && copies.provenEnd != end ? Offset(end.value - 1) : nil
    }

    /// Asks for the own log from the start with the next connection, unless it was asked already.
    func rereadOwnLog() -> Bool {
        defer { copies.rereadsOwnLog = true }
        return !copies.rereadsOwnLog
    }

    func backUp() {
        guard isRunning, hasJoined else { return }
        copies.backup = (journal, copies.marks.count)
    }

    /// Whether it wrote its first entry. Before, the engine keeps nothing of a space.
    var hasJoined: Bool {
        let device = replica?.identity.device
        return journal.logs.values.contains { $0.descriptor.device == device }
    }

    /// Goes on in a new log after entries of the own one came in.
    func beginNewLog() -> [Output] {
        guard let change = replica?.beginNewLog(SimulatedDevice.surroundings(&random)) else {
            return []
        }
        copies.newLogCount += 1
        copies.rereadsOwnLog = false
        return keep(change) + endSession()
    }

    /// Builds the replica anew and does in a new log what was typed here.
    func renewIfWanted() -> [Output] {
        guard let old = replica, let (end, ranges) = copies.refused else { return [] }
        copies.refused = nil
        var disk = journal
        for change in uncommitted { disk.commit(change) }
        let (fresh, change): (Replica, ReplicaChange)
        do {
            (fresh, change) = try old.renewed(
                from: disk.entries.values.flatMap { $0 },
                ownEnd: end,
                ranges,
                SimulatedDevice.surroundings(&random)
            )
            copies.fault = nil
        } catch {
            copies.fault = error
            return [.hangUp]
        }
        replica = fresh
        history.isLoading = false
        history.waiting = []
        copies.renewalCount += 1
        copies.rereadsOwnLog = false
        return keep(change) + endSession()
    }
}

extension World {
    /// How many devices there are, copies not counted.
    var deviceCount: Int { plan.deviceCount }

    func planCopies() {
        if plan.restoresDevices {
            for _ in 0..<(1 + random.below(3)) {
                let index = random.below(plan.deviceCount)
                let start = random.below(12_000)
                plan(.backUp(device: index), in: start)
                plan(.restore(device: index), in: start + random.below(6000))
            }
        }
        if plan.copiesDevices {
            for _ in 0..<(1 + random.below(3)) {
                plan(.copy(device: random.below(plan.deviceCount)), in: random.below(12_000))
            }
        }
    }

    /// Puts a scalar into an insert that no other insert has.
    func mark(_ patch: Patch, by device: SimulatedDevice) -> Patch {
        guard !patch.text.isEmpty, let mark = Unicode.Scalar(0xF0000 + UInt32(editCount)) else {
            return patch
        }
        device.copies.unsavedMarks.append(mark)
        return Patch(range: patch.range, text: patch.text + String(mark))
    }

    /// The device's disk is as it was at its backup; its process starts again.
    func restore(_ device: SimulatedDevice) throws {
        guard let backup = device.copies.backup else { return }
        // What the relay had acked can't be lost by this.
        let isSafe = device.isDrained
        hangUp(device)
        device.crash()
        device.journal = backup.journal
        if !isSafe { device.copies.lose(from: backup.markCount) }
        device.copies.restoreCount += 1
        try device.restart()
        carryOut([], of: device)
        plan(.connect(device: device.index), in: random.below(500))
    }

    /// Another machine goes on with the same disk, and somebody types there, too.
    func copy(_ device: SimulatedDevice) throws {
        guard device.isRunning, device.hasJoined else { return }
        let copy = try SimulatedDevice(
            index: devices.count,
            copying: device,
            random: SeededRandom(seed: seed, stream: 200 + UInt64(devices.count))
        )
        devices.append(copy)
        carryOut([], of: copy)
        plan(.connect(device: copy.index), in: random.below(2000))
        for _ in 0..<random.below(30) { plan(.edit(copy.index), in: random.below(6000)) }
    }

    /// What was typed on any copy is there, and there once.
    ///
    /// But for one case: two copies begin new logs at the same time, with words in no entry that
    /// the original lost, because it was restored itself. Neither can know of the other.
    func checkMarks() throws {
        var counts: [Unicode.Scalar: Int] = [:]
        var places: [Unicode.Scalar: [String]] = [:]
        for stored in devices[0].journal.operations {
            for run in try stored.batch().runs {
                guard case .insert(_, let text) = run.content else { continue }
                for scalar in text.string.unicodeScalars where scalar.value >= 0xF0000 {
                    counts[scalar, default: 0] += 1
                    places[scalar, default: []].append(
                        "\(run.start.log.short) \(run.start.number) at \(run.parents.map(\.number))"
                    )
                }
            }
        }
        let maximum = plan.copiesDevices && plan.restoresDevices ? plan.deviceCount : 1
        for (mark, count) in counts {
            try require(
                count <= maximum,
                "what was typed once is there \(count) times: \(places[mark] ?? [])"
            )
        }
        for device in devices {
            for mark in device.copies.marks {
                try require(
                    counts[mark] ?? 0 > 0,
                    "what was typed on device \(device.index) is gone: \(mark.value)"
                )
            }
        }
    }
}
