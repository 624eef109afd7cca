import NIOCore
import SennitSeal
import SennitStore
import SennitSync
import SennitWire

/// What others' entries say they have seen of ours. If others go on writing and none has seen us,
/// the relay may be keeping us from them.
struct Witness {
    private let own: LogID
    /// How far of our log the best-informed of the others has seen.
    private(set) var seen = Offset.zero
    /// How far the relay has confirmed our log, as far as this run of the engine knows.
    private(set) var ackedEnd = Offset.zero
    /// Others' entries since the relay confirmed what nobody has seen.
    private var unseeingCount: UInt64 = 0

    init(own: LogID, contexts: [LogID: Version]) {
        self.own = own
        for (log, context) in contexts where log != own { seen = max(seen, context[own]) }
    }

    mutating func note(_ change: ReplicaChange) {
        for (log, record) in change.logs where log != own { seen = max(seen, record.context[own]) }
        if seen >= ackedEnd {
            unseeingCount = 0
        } else {
            unseeingCount += UInt64(change.applied.count { $0.log != own })
        }
    }

    mutating func acknowledge(_ end: Offset) {
        // What nobody has seen yet keeps its count; only what is confirmed first begins one.
        if seen >= ackedEnd { unseeingCount = 0 }
        ackedEnd = max(ackedEnd, end)
    }

    /// Whether it is odd by now.
    var isUnseen: Bool { seen < ackedEnd && unseeingCount >= EngineLimits.unseenEntryCount }
}

extension SpaceDriver {
    /// How the space stands.
    var status: SpaceStatus {
        let logs = replica.logSummaries
        let relay =
            record.relays.isEmpty
            ? nil : record.relays[link.relayIndex % record.relays.count]
        let trouble = link.trouble?.error
        return SpaceStatus(
            space: space.hex,
            name: record.name,
            connection: connection,
            connectionNote: session?.isOpen == true ? link.refusal : trouble?.message,
            connectionHint: session?.isOpen == true ? nil : trouble?.hint,
            relay: link.connection?.address.description ?? relay,
            isUpToDate: session?.isUpToDate ?? false,
            saving: outbox.fault != nil ? .notSaved : outbox.isEmpty ? .saved : .saving,
            savingNote: outbox.fault?.description,
            pendingCount: replica.pendingCount,
            unackedCount: unackedCount,
            isMember: replica.isMember,
            findings: findings(logs),
            logs: logs.map(LogStatusLine.init),
            peers: peers.map { peer in
                let entry = directory.entries.first { $0.id == peer.document }
                return PeerStatus(name: peer.name, path: entry?.path)
            }
        )
    }

    private var connection: SpaceStatus.Connection {
        if session?.isOpen == true { return .online }
        return link.connection == nil ? .offline : .connecting
    }

    /// Own entries that no relay has confirmed. Offline it is what was confirmed last that counts.
    private var unackedCount: UInt64 {
        if let session, session.isOpen {
            return session.unackedCount + ownTail.end.value - ownTail.committedEnd.value
        }
        return ownTail.end.value - min(ownTail.end.value, witness.ackedEnd.value)
    }

    private func findings(_ logs: [LogSummary]) -> [StatusFinding] {
        let isUpToDate = session?.isUpToDate ?? false
        var findings: [StatusFinding] = []
        for log in logs + replica.refusedLogs {
            if let status = replica.findings[log.log] {
                findings.append(StatusFinding(status, log: log))
            }
            let waits = StatusFinding(log, isUpToDate: isUpToDate) { self.author(of: $0) }
            if let waits { findings.append(waits) }
        }
        if session?.isOpen == true, !isUpToDate { findings.append(.behind) }
        if witness.isUnseen, let own = logs.first(where: \.isOwn) {
            findings.append(.unseenByPeers(own, seen: witness.seen))
        }
        if link.isWanted, let last = link.lastHeard, ports.now - last > EngineLimits.staleAfter {
            findings.append(.stale(seconds: (ports.now - last).components.seconds))
        }
        return findings
    }
}

extension LogStatusLine {
    init(_ log: LogSummary) {
        self.init(
            log: log.log.hex,
            device: log.descriptor.device.hex,
            author: log.author,
            isOwn: log.isOwn,
            end: log.end.value,
            applied: log.applied.value,
            byteCount: log.byteCount
        )
    }
}
