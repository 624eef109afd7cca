import SennitSeal
import SennitWire

@testable import SennitSync

/// What was sent of a log.
struct SentLog {
    let descriptor: LogDescriptor
    let entries: [StoredEntry]
    let head: Head
}

// Disks that are restored from backups. What a device has sealed is sent at once, but for what it
// writes between being restored and hearing of that.

extension MembershipWorld {
    func send(_ index: Int) {
        guard !offline.contains(index) else { return }
        let device = devices[index]
        let log = device.replica.ownLog
        let entries = device.journal.entries[log] ?? []
        guard entries.count > sent[log]?.entries.count ?? 0 else { return }
        let byteCount = device.journal.byteCount(of: log, before: device.replica.version[log])
        let end = Offset(UInt64(entries.count))
        guard let head = device.replica.head(upTo: end, byteCount: byteCount) else { return }
        sent[log] = SentLog(descriptor: device.replica.own, entries: entries, head: head)
    }

    /// A device's disk is as it was at its backup; somebody types, then all comes in that was sent.
    func restore(_ index: Int) throws {
        guard let backup = devices[index].backup else { return }
        // The same backup may be used again.
        if random.chance(50) { devices[index].backup = nil }
        offline.insert(index)
        devices[index].journal = backup
        try restart(index)
        devices[index].replica.life = UInt64(1 + random.below(1 << 30))
        for _ in 0..<random.below(3) { try edit(by: index) }
        if random.chance(20) { try decide(by: index) }
        for log in sent.keys.sorted() { try deliver(log, to: index) }
        try compareOwnLog(of: index)
        offline.remove(index)
        send(index)
        try devices[index].replica.checkInvariants()
    }

    /// What the engine does when its own log comes in.
    private func compareOwnLog(of index: Int) throws {
        guard let theirs = sent[devices[index].replica.ownLog] else { return }
        let range = EntryRange(
            descriptor: theirs.descriptor,
            from: .zero,
            entries: theirs.entries.map(\.bytes),
            head: theirs.head
        )
        do {
            let change = try devices[index].replica.receive(range)
            let isTaken = devices[index].replica.isOwnLogTaken
            try keep(change, by: index)
            guard isTaken else { return }
            newLogCount += 1
            devices[index].journal.commit(devices[index].replica.beginNewLog(surroundings()))
        } catch SyncError.ownLogTaken(let end) {
            let renewed = try devices[index].replica.renewed(
                from: devices[index].journal.entries.values.flatMap { $0 },
                ownEnd: end,
                [range],
                surroundings()
            )
            renewalCount += 1
            devices[index].replica = renewed.replica
            offline.remove(index)
            try keep(renewed.change, by: index)
        }
    }
}
