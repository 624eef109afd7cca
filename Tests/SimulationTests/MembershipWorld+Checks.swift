import SennitDocument
import SennitReference
import SennitSeal
import SennitSync
import SennitWire

// What must hold when everybody was told everything, by SPEC.md section 7.7 taken literally: every
// entry is opened again with all keys there are, and limits are worked out from all contexts.

extension MembershipWorld {
    /// An entry as whoever has all keys reads it.
    private struct ReadEntry {
        let entry: Entry
        let body: EntryBody?
        /// All that its author had applied.
        let seen: Version
        let batches: [OperationBatch]
    }

    private func require(_ isTrue: Bool, _ sentence: @autoclosure () -> String) throws {
        if !isTrue { throw Failure(description: sentence() + standing) }
    }

    func checkAll() throws {
        let logs = try readAll()
        let membership = try fold(logs)
        let limits = limits(logs, membership)
        let text = try text(logs, limits)
        var members = 0
        for (index, device) in devices.enumerated() {
            let replica = device.replica
            guard membership.isMember(replica.identity.device) else { continue }
            members += 1
            try require(
                replica.membership?.members == membership.members,
                "device \(index) knows other members"
            )
            try require(
                replica.membership?.currentEpoch == membership.currentEpoch,
                "device \(index) writes under another epoch"
            )
            for log in replica.logSummaries {
                let end = Offset(UInt64(logs[log.log]?.count ?? 0))
                let limit = limits[log.log] ?? end
                try require(log.end == end, "device \(index) lacks entries of \(log.log.short)")
                try require(
                    log.applied == limit,
                    "device \(index) applied \(log.applied) of \(log.log.short), not \(limit)"
                )
            }
            let mine = try sharedText(of: index)
            try require(
                mine.unicodeScalars.elementsEqual(text.unicodeScalars),
                "device \(index) has another text: \(mine) not \(text)"
            )
        }
        try require(members > 0, "nobody is left")
        try require(
            membership.members.contains { $0.role == .owner },
            "the space is without an owner"
        )
    }

    /// The text without what was typed and is in no entry: only a device that lost the right to
    /// write meanwhile may have such.
    private func sharedText(of index: Int) throws -> String {
        var replica = devices[index].replica
        if replica.pendingCount > 0 {
            try require(!mayWrite(index), "device \(index) may write and doesn't")
            var record = try devices[index].journal.record()
            record.pending = []
            replica = try Replica(
                restoring: record,
                deviceSeed: devices[index].seed,
                invite: devices[index].link?.identity
            )
        }
        return replica.documents[MembershipWorld.document]?.text.string ?? ""
    }

    /// Every entry of every log, opened.
    private func readAll() throws -> [LogID: [ReadEntry]] {
        var keys: [EpochKeyID: EpochKey] = [:]
        for device in devices { for key in device.journal.epochs { keys[key.id] = key } }
        var logs: [LogID: [ReadEntry]] = [:]
        let space = devices[0].replica.space
        for (log, written) in sent {
            var chain = written.descriptor.chainStart(in: space)
            var table = LogTable()
            var seen = Version()
            for stored in written.entries {
                let place = EntryPlace(
                    space: space,
                    log: log,
                    offset: stored.offset,
                    chain: chain
                )
                chain = stored.chain
                let entry = try Entry(decoding: stored.bytes)
                var body: EntryBody?
                var batches: [OperationBatch] = []
                if entry.type != .genesis {
                    let opened = keys.values.filter { $0.hint == entry.keyHint }
                        .compactMap { try? Seal.open(entry, at: place, under: $0) }.first
                    guard let opened else { throw Failure(description: "an entry has no key") }
                    let read = try EntryBody(decoding: opened, at: place, logs: &table)
                    seen = try read.context.advancing(seen)
                    for payload in read.payloads where payload.kind == .operations {
                        batches.append(
                            try OperationBatch(
                                decoding: payload.bytes,
                                author: log,
                                logs: &table
                            )
                        )
                    }
                    body = read
                }
                logs[log, default: []].append(
                    ReadEntry(entry: entry, body: body, seen: seen, batches: batches)
                )
            }
        }
        return logs
    }

    /// The membership of all control records.
    private func fold(_ logs: [LogID: [ReadEntry]]) throws -> Membership {
        guard
            let start = logs.first(where: { $0.value.first?.entry.type == .genesis }),
            let entry = start.value.first?.entry
        else { throw Failure(description: "no genesis") }
        let genesis = try Genesis(decoding: entry.clear)
        let first = EntryHash(of: entry.bytes)
        var membership = Membership(genesis: genesis, hash: first, log: start.key)
        var done = Version()
        var isMoving = true
        while isMoving {
            isMoving = false
            for (log, written) in sent {
                let entries = logs[log] ?? []
                while Int(done[log].value) < entries.count {
                    let offset = done[log]
                    let next = entries[Int(offset.value)]
                    guard done.covers(next.seen) else { break }
                    let source = Membership.Source(
                        author: written.descriptor,
                        log: log,
                        offset: offset,
                        hash: EntryHash(of: next.entry.bytes),
                        seen: next.seen
                    )
                    try MembershipWorld.apply(next, to: &membership, from: source)
                    done[log] = offset.next
                    isMoving = true
                }
            }
        }
        return membership
    }

    private static func apply(
        _ read: ReadEntry,
        to membership: inout Membership,
        from source: Membership.Source
    ) throws {
        let payloads = read.body?.payloads ?? []
        let member = try payloads.first { $0.kind == .member }
            .map { try MemberRecord(decoding: $0.bytes) }
        switch read.entry.type {
        case .epoch:
            membership.apply(try EpochRecord(decoding: read.entry.clear), from: source)
            if let member { membership.apply(member, from: source) }
        case .invite:
            let payload = payloads.first { $0.kind == .invite }?.bytes ?? []
            membership.apply(
                try InviteClear(decoding: read.entry.clear),
                try InviteRecord(decoding: payload),
                from: source
            )
        case .join:
            membership.apply(try JoinRecord(decoding: read.entry.clear), member, from: source)
        case .membership:
            let payload = payloads.first { $0.kind == .changes }?.bytes ?? []
            membership.apply(
                try MembershipChanges(decoding: payload),
                try EpochRecord(decoding: read.entry.clear),
                from: source
            )
        default: break
        }
    }

    /// How much of each ended log counts.
    private func limits(
        _ logs: [LogID: [ReadEntry]],
        _ membership: Membership
    ) -> [LogID: Offset] {
        var limits: [LogID: Offset] = [:]
        for log in membership.endedLogs { limits[log] = membership.decidedEnds[log] ?? .zero }
        var isRising = true
        while isRising {
            isRising = false
            for (log, entries) in logs {
                guard (membership.role(ofLog: log) ?? .reader) >= .writer else { continue }
                let count = limits[log].map { Int($0.value) } ?? entries.count
                for entry in entries.prefix(count) {
                    for (other, end) in entry.seen.offsets {
                        guard let limit = limits[other], limit < end else { continue }
                        limits[other] = end
                        isRising = true
                    }
                }
            }
        }
        return limits
    }

    /// The text that the operations which count make, by the second implementation.
    private func text(
        _ logs: [LogID: [ReadEntry]],
        _ limits: [LogID: Offset]
    ) throws -> String {
        var reference = ReferenceDocument()
        var waiting: [OperationRun] = []
        for (log, entries) in logs {
            let count = limits[log].map { Int($0.value) } ?? entries.count
            for entry in entries.prefix(count) {
                for batch in entry.batches where batch.document == MembershipWorld.document {
                    waiting += batch.runs
                }
            }
        }
        var known: [LogID: UInt64] = [:]
        while !waiting.isEmpty {
            let ready = waiting.firstIndex { run in
                run.parents.allSatisfy { $0.number < known[$0.log] ?? 0 }
                    && run.start.number == known[run.start.log] ?? 0
            }
            guard let ready else {
                throw Failure(description: "what counts builds on what doesn't" + standing)
            }
            let run = waiting.remove(at: ready)
            try World.add(run, to: &reference)
            let end = run.start.number + UInt64(run.eventCount)
            known[run.start.log] = max(known[run.start.log] ?? 0, end)
        }
        return reference.text
    }
}
