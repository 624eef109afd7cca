// One group of requests: judged, committed together, answered.
//
// Judging an append moves the log's tail in memory, so the next append of the group is judged as if
// the first were stored already. Nothing of that is told to anybody before the commit. If it fails,
// what the group touched is forgotten and read from storage again, and all of the group is refused.

import Logging
import NIOCore
import SennitWire

/// Carries out requests on storage. Confined to the committer.
final class StorageWorker {
    private let storage: any RelayStorage
    private let hub: Hub
    private let limits: RelayLimits
    private let logger: Logger

    private var spaces: [SpaceID: SpaceAccess] = [:]
    private var tails: [LogID: LogTail] = [:]
    private var isFailing = false
    private(set) var commitCount = 0

    /// What was judged and waits for its commit.
    private struct Group {
        var changes: [StorageChange] = []
        /// Answers that are true if the commit succeeds; `nil` if an announcement is the answer.
        var answers: [(job: Committer.Job, delivery: Delivery?)] = []
        /// Devices that enter after the commit; those that need it are refused if it fails.
        var entrants: [(job: Committer.Job, request: EnterRequest, needsCommit: Bool)] = []
        var tails: [(space: SpaceID, LogDescriptor, LogID, Batch, author: UInt64)] = []
        var accessChanges: Set<SpaceID> = []
        var touchedSpaces: Set<SpaceID> = []
        var touchedLogs: Set<LogID> = []
        var newLogCounts: [SpaceID: Int] = [:]
        var newSpaceCount = 0
        var postponed: [Committer.Job] = []
    }

    init(storage: any RelayStorage, hub: Hub, limits: RelayLimits, logger: Logger) {
        self.storage = storage
        self.hub = hub
        self.limits = limits
        self.logger = logger
    }

    func close() throws(RelayError) { try storage.close() }

    // MARK: Groups

    /// Carries out writes that share as few commits as possible, one as a rule.
    func write(_ jobs: [Committer.Job]) {
        var rest = jobs
        while !rest.isEmpty {
            var group = Group()
            for job in rest { judge(job, &group) }
            rest = group.postponed
            finish(group)
        }
        if spaces.count > limits.maximumCachedCount { spaces = [:] }
        if tails.count > limits.maximumCachedCount { tails = [:] }
    }

    /// Carries out reads.
    func read(_ jobs: [Committer.Job]) {
        var outbox = Outbox()
        for job in jobs {
            guard case .read(let log, let descriptor, let from) = job.request else { continue }
            do throws(RelayError) {
                let range = try storage.range(of: log, descriptor: descriptor, from: from)
                outbox.add(.read(log: log, from: from, range), for: job.outlet)
            } catch {
                outbox.add(job.request.refused(failure(error)), for: job.outlet)
            }
        }
        outbox.send()
    }

    private func judge(_ job: Committer.Job, _ group: inout Group) {
        do throws(RelayError) {
            switch job.request {
            case .enter(let request): try judge(request, job, &group)
            case .append(let request): try judge(request, job, &group)
            case .putAccess(let list): try judge(list, job, &group)
            case .read: break
            }
        } catch {
            group.answers.append((job, job.request.refused(failure(error))))
        }
    }

    private func finish(_ group: Group) {
        var outbox = Outbox()
        let isStored = commit(group)
        for (job, delivery) in group.answers {
            guard let delivery = isStored ? delivery : job.request.refused(.storageFull) else {
                continue
            }
            outbox.add(delivery, for: job.outlet)
        }
        if isStored {
            for space in group.accessChanges { announceAccess(of: space, &outbox) }
            for (space, descriptor, log, batch, author) in group.tails {
                announce(batch, of: log, descriptor, in: space, author: author, &outbox)
            }
        }
        for (job, request, needsCommit) in group.entrants {
            let delivery =
                isStored || !needsCommit
                ? enter(request, job) : job.request.refused(.storageFull)
            outbox.add(delivery, for: job.outlet)
        }
        outbox.send()
    }

    private func commit(_ group: Group) -> Bool {
        if group.changes.isEmpty { return true }
        do throws(RelayError) {
            try storage.commit(group.changes)
            commitCount += 1
            if isFailing { logger.notice("storage works again") }
            isFailing = false
            return true
        } catch {
            if !isFailing {
                logger.error("nothing can be stored", metadata: ["reason": "\(error)"])
            }
            isFailing = true
            for space in group.touchedSpaces { spaces[space] = nil }
            for log in group.touchedLogs { tails[log] = nil }
            return false
        }
    }

    // MARK: Entering

    private func judge(
        _ request: EnterRequest,
        _ job: Committer.Job,
        _ group: inout Group
    ) throws(RelayError) {
        var changes: [StorageChange] = []
        var access = try access(of: request.space)
        let isNew = access == nil
        if isNew, let genesis = request.genesis {
            access = SpaceAccess(SpaceRecord(genesis: genesis))
            changes.append(.createSpace(genesis))
        }
        if access?.list == nil, let list = request.list, access?.judge(list) == .accepted {
            _ = access?.replaceList(list)
            changes.append(.setAccess(list))
        }
        if let known = access, let invite = request.invite,
            known.rights(of: request.device).isEmpty,
            known.allowsAdmission(by: invite, of: request.device),
            known.admissions.count < limits.maximumAdmissionCount
        {
            access?.admit(request.device, by: invite)
            changes.append(.admit(device: request.device, invite: invite, space: request.space))
        }
        // Nothing is stored for a device that isn't let in by it.
        guard let access, !changes.isEmpty, !access.rights(of: request.device).isEmpty else {
            group.entrants.append((job, request, needsCommit: false))
            return
        }
        if isNew {
            let count = try storage.spaceCount() + group.newSpaceCount
            guard count < limits.maximumSpaceCount else {
                let refusal = Refusal(code: .quotaExceeded, reason: "the relay has no more room")
                group.answers.append((job, .entryRefused(refusal)))
                return
            }
            group.newSpaceCount += 1
        }
        spaces[request.space] = access
        group.touchedSpaces.insert(request.space)
        group.changes += changes
        group.entrants.append((job, request, needsCommit: true))
    }

    private func enter(_ request: EnterRequest, _ job: Committer.Job) -> Delivery {
        do throws(RelayError) {
            guard let access = try access(of: request.space) else {
                return request.genesis == nil ? .spaceUnknown : .entryRefused(.notMember())
            }
            guard !access.rights(of: request.device).isEmpty else {
                let mayHeal = access.list == nil && request.genesis == nil
                return mayHeal ? .spaceUnknown : .entryRefused(.notMember())
            }
            let logs = try storage.logs(of: request.space).map { record in
                Welcome.Log(
                    descriptor: record.descriptor,
                    start: .zero,
                    startChain: record.descriptor.chainStart(in: record.space),
                    end: record.head?.end ?? .zero
                )
            }
            hub.join(request.space, job.outlet)
            return .entered(access, logs: logs)
        } catch {
            return .entryRefused(failure(error))
        }
    }

    // MARK: Access lists

    private func judge(
        _ list: AccessList,
        _ job: Committer.Job,
        _ group: inout Group
    ) throws(RelayError) {
        guard var access = try access(of: list.space) else {
            group.answers.append((job, .accessRefused(.notMember(), current: nil)))
            return
        }
        switch access.judge(list) {
        case .known: group.answers.append((job, .accessKnown(list)))
        case .notMember: group.answers.append((job, .accessRefused(.notMember(), current: nil)))
        case .conflict:
            let refusal = Refusal(
                code: .accessConflict,
                reason: "the list doesn't follow the one in force"
            )
            group.answers.append((job, .accessRefused(refusal, current: access.list)))
        case .accepted:
            let dropped = access.replaceList(list)
            spaces[list.space] = access
            group.touchedSpaces.insert(list.space)
            group.changes.append(.setAccess(list))
            if !dropped.isEmpty {
                group.changes.append(.forget(devices: dropped, space: list.space))
            }
            group.accessChanges.insert(list.space)
            group.answers.append((job, nil))
        }
    }

    private func announceAccess(of space: SpaceID, _ outbox: inout Outbox) {
        guard let access = spaces[space], let list = access.list else { return }
        let frame = ByteBuffer(bytes: RelayFrame.access(list).bytes)
        for member in hub.members(of: space) {
            outbox.add(.accessChanged(access, frame: frame), for: member)
        }
    }

    private func access(of space: SpaceID) throws(RelayError) -> SpaceAccess? {
        if let known = spaces[space] { return known }
        let access = try storage.space(space).map(SpaceAccess.init)
        spaces[space] = access
        return access
    }

    // MARK: Appends

    private func judge(
        _ request: AppendRequest,
        _ job: Committer.Job,
        _ group: inout Group
    ) throws(RelayError) {
        func refuse(_ refusal: Refusal) {
            group.answers.append((job, job.request.refused(refusal)))
        }
        let author = request.range.descriptor.device
        guard let access = try access(of: request.space),
            access.allowsAppend(by: author, from: request.device)
        else { return refuse(.notMember("the log's author may not append")) }
        let known = try tail(of: request.log)
        let tail = known ?? LogTail(startOf: request.range.descriptor, in: request.space)
        if known == nil {
            let newCount = group.newLogCounts[request.space, default: 0]
            guard try storage.logCount(of: request.space) + newCount < Limits.maximumLogCount else {
                return refuse(Refusal(code: .quotaExceeded, reason: "the space has too many logs"))
            }
        }
        var base = tail
        var overlap: [Batch] = []
        if request.range.from < tail.end {
            // What it is to be compared with isn't in storage yet.
            if group.touchedLogs.contains(request.log) { return group.postponed.append(job) }
            (base, overlap) = try self.overlap(of: request, with: tail)
        }
        let verdict = tail.judge(
            request.range,
            hashes: request.hashes,
            overlap: overlap,
            base: base
        )
        switch verdict {
        case .refused(let refusal): refuse(refusal)
        case .known: group.answers.append((job, .appended(request, tail.ack)))
        case .appends(let batch):
            if known == nil {
                group.changes.append(.createLog(tail.descriptor, space: request.space))
                group.newLogCounts[request.space, default: 0] += 1
            }
            let moved = LogTail(tail.log, tail.descriptor, at: batch.head)
            group.changes.append(.append(batch, log: tail.log))
            group.answers.append((job, .appended(request, moved.ack)))
            group.tails.append((request.space, tail.descriptor, tail.log, batch, job.outlet.id))
            group.touchedLogs.insert(tail.log)
            tails[tail.log] = moved
        }
    }

    private func tail(of log: LogID) throws(RelayError) -> LogTail? {
        if let known = tails[log] { return known }
        let tail = try storage.log(log).map(LogTail.init)
        tails[log] = tail
        return tail
    }

    /// The stored batches that an append is compared with, and the tail before them.
    private func overlap(
        of request: AppendRequest,
        with tail: LogTail
    ) throws(RelayError) -> (base: LogTail, [Batch]) {
        var batches: [Batch] = []
        var next = request.range.from
        while next < min(tail.end, request.range.head.end) {
            let more = try storage.batches(
                of: request.log,
                from: next,
                maximumCount: Limits.maximumBatchCount,
                maximumByteCount: Limits.maximumBatchByteCount
            )
            guard let last = more.last, next < last.end else {
                throw .damagedLog(log: request.log, offset: next, reason: "a batch is missing")
            }
            batches += more
            next = last.end
        }
        guard let first = batches.first?.first, first > .zero else {
            return (LogTail(startOf: tail.descriptor, in: request.space), batches)
        }
        guard let head = try storage.head(of: request.log, endingAt: first) else {
            throw .damagedLog(log: request.log, offset: first, reason: "a head is missing")
        }
        return (LogTail(tail.log, tail.descriptor, at: head), batches)
    }

    private func announce(
        _ batch: Batch,
        of log: LogID,
        _ descriptor: LogDescriptor,
        in space: SpaceID,
        author: UInt64,
        _ outbox: inout Outbox
    ) {
        let members = hub.members(of: space)
        let hasReader = members.contains { $0.id != author }
        let range = EntryRange(
            descriptor: descriptor,
            from: batch.first,
            entries: batch.entries,
            head: batch.head
        )
        let tail = CommittedTail(
            log: log,
            descriptor: descriptor,
            from: batch.first,
            end: batch.end,
            frame: hasReader ? ByteBuffer(bytes: RelayFrame.entries(range).bytes) : nil
        )
        for member in members { outbox.add(.committed(tail), for: member) }
    }

    private func failure(_ error: RelayError) -> Refusal {
        logger.error("storage can't be read")
        logger.debug("storage can't be read", metadata: ["reason": "\(error)"])
        return .storageFull
    }
}

extension Refusal {
    static let storageFull = Refusal(
        code: .storageFull,
        reason: "the relay's disk is full or failing"
    )
}
