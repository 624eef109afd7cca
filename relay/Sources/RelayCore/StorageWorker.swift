// Requests, judged in memory and carried out by storage.
//
// Judging an append moves the log's tail in memory, so the next append is judged as if the first
// were stored already: while one group is on its way to the disk the next is judged, and a device
// need not wait for an ack before it goes on. Nothing of that is told to anybody before the disk
// has it. When storage fails, it fails everything that is reserved; what is known in memory is
// forgotten and read again.
//
//     judge [a: 4..<6]      tail of a: 6       ──► storage
//     judge [a: 6..<7]      tail of a: 7       ──► storage
//     finish group 1        ack, fan-out       ◄── on disk
//     finish group 2        ack, fan-out       ◄── on disk

import Logging
import NIOCore
import RelayStorage
import SennitWire
import Synchronization

/// Judges requests and says what came of them. One thread at a time.
final class StorageWorker {
    let storage: any RelayStorage
    let hub: Hub
    private let governor: Governor?
    private let limits: RelayLimits
    private let logger: Logger

    var spaces: [SpaceID: SpaceAccess] = [:]
    var tails: [LogID: LogTail] = [:]
    var inFlight = InFlight()
    private var postponed: [Committer.Job] = []
    /// Failures so far: what was judged before one and answers without a unit of its own may rest
    /// on what is gone.
    private var failureCount = 0
    private var isFailing = false
    private(set) var commitCount = 0

    private static let maximumAttemptCount = 4

    /// What was judged and waits for the disk.
    struct Group: Sendable {
        var units: [StorageUnit] = []
        /// Answers that are true if the unit is stored; `nil` if an announcement is the answer.
        fileprivate var answers: [(job: Committer.Job, delivery: Delivery?, unit: Int?)] = []
        /// Devices that enter after the commit; those with a unit are refused if it fails.
        fileprivate var entrants: [(job: Committer.Job, request: EnterRequest, unit: Int?)] = []
        fileprivate var tails: [Tail] = []
        fileprivate var accessChanges: [(space: SpaceID, unit: Int)] = []
        fileprivate var touched = InFlight()
        fileprivate var failureCount = 0
    }

    fileprivate struct Tail {
        let space: SpaceID
        let descriptor: LogDescriptor
        let log: LogID
        let batch: Batch
        let author: UInt64
        let unit: Int
    }

    init(
        storage: any RelayStorage,
        hub: Hub,
        governor: Governor? = nil,
        limits: RelayLimits,
        logger: Logger
    ) {
        self.storage = storage
        self.hub = hub
        self.governor = governor
        self.limits = limits
        self.logger = logger
    }

    // MARK: Groups

    /// Judges requests. The group's units then go to storage, in the order of the calls.
    func judge(_ jobs: [Committer.Job]) -> Group {
        var group = Group()
        group.failureCount = failureCount
        for job in jobs { judge(job, &group) }
        inFlight.add(group.touched)
        return group
    }

    /// Tells what came of a group.
    /// - Parameter results: of its units.
    /// - Returns: what is to be judged again.
    func finish(_ group: Group, _ results: [StorageError?]) -> [Committer.Job] {
        inFlight.remove(group.touched)
        note(results)
        var again = postponed
        postponed = []
        var outbox = Outbox()
        let rests = group.failureCount == failureCount
        func isStored(_ unit: Int?) -> Bool { unit.map { results[$0] == nil } ?? rests }
        func isOvertaken(_ unit: Int?) -> Bool {
            switch unit.flatMap({ results[$0] }) {
            case .conflict, .unfit: true
            default: false
            }
        }
        func refuse(_ job: Committer.Job, _ unit: Int?) {
            if isOvertaken(unit), job.attemptCount < StorageWorker.maximumAttemptCount {
                again.append(job.nextAttempt)
            } else {
                let refusal = unit.flatMap { results[$0] }.map(Refusal.init) ?? .storageFull
                outbox.add(job.request.refused(refusal), for: job.outlet)
            }
        }
        for (job, delivery, unit) in group.answers {
            guard isStored(unit) else {
                refuse(job, unit)
                continue
            }
            if let delivery { outbox.add(delivery, for: job.outlet) }
        }
        for (space, unit) in group.accessChanges where isStored(unit) {
            announceAccess(of: space, &outbox)
        }
        var announcements = Announcements()
        for tail in group.tails where isStored(tail.unit) {
            announcements.add(
                tail.batch,
                of: tail.log,
                tail.descriptor,
                in: tail.space,
                author: tail.author
            )
        }
        announcements.send(to: hub, &outbox)
        for (job, request, unit) in group.entrants {
            if unit == nil || isStored(unit) {
                outbox.add(enter(request, job), for: job.outlet)
            } else {
                refuse(job, unit)
            }
        }
        outbox.send()
        forgetSome()
        return again
    }

    /// Judges, stores and finishes at once, with storage that completes inside `submit`.
    func write(_ jobs: [Committer.Job]) {
        var rest = jobs
        while !rest.isEmpty {
            let group = judge(rest)
            let results = Mutex<[StorageError?]>([])
            storage.submit(group.units) { answer in results.withLock { $0 = answer } }
            rest = finish(group, results.withLock { $0 })
        }
    }

    /// Carries out reads. Any thread may, beside judging.
    static func read(
        _ jobs: [Committer.Job],
        from storage: any RelayStorage,
        logger: Logger
    ) {
        var outbox = Outbox()
        for job in jobs {
            guard case .read(let log, let descriptor, let from) = job.request else { continue }
            do throws(StorageError) {
                let range = try storage.range(of: log, descriptor: descriptor, from: from)
                outbox.add(.read(log: log, from: from, range), for: job.outlet)
            } catch {
                outbox.add(job.request.refused(failure(error, logger)), for: job.outlet)
            }
        }
        outbox.send()
    }

    /// Carries out reads.
    func read(_ jobs: [Committer.Job]) {
        StorageWorker.read(jobs, from: storage, logger: logger)
    }

    private func judge(_ job: Committer.Job, _ group: inout Group) {
        do throws(StorageError) {
            switch job.request {
            case .enter(let request): try judge(request, job, &group)
            case .append(let request): try judge(request, job, &group)
            case .putAccess(let list): try judge(list, job, &group)
            case .read: break
            }
        } catch {
            let refusal = StorageWorker.failure(error, logger)
            group.answers.append((job, job.request.refused(refusal), nil))
        }
    }

    private func note(_ results: [StorageError?]) {
        let errors = results.compactMap { $0 }
        if errors.count < results.count {
            commitCount += 1
            if isFailing { logger.notice("storage works again") }
            isFailing = false
        }
        guard let error = errors.first else { return }
        failureCount += 1
        forgetAll()
        switch error {
        case .conflict, .unfit: break
        default:
            if !isFailing {
                logger.error("nothing can be stored", metadata: ["reason": "\(error)"])
            }
            isFailing = true
        }
    }

    /// Forgets what is known in memory; it is read again when it is needed.
    func forgetAll() {
        spaces = [:]
        tails = [:]
        governor?.forgetAll()
    }

    /// Bounds what is known in memory to what is in use, once it is too much.
    private func forgetSome() {
        governor?.forgetSome(maximumCount: limits.maximumCachedCount)
        if spaces.count > limits.maximumCachedCount {
            spaces = spaces.filter { inFlight.spaces[$0.key] != nil }
        }
        if tails.count > limits.maximumCachedCount {
            tails = tails.filter { inFlight.logs[$0.key] != nil }
        }
    }

    // MARK: Entering

    private func judge(
        _ request: EnterRequest,
        _ job: Committer.Job,
        _ group: inout Group
    ) throws(StorageError) {
        var changes: [StorageChange] = []
        if storage.isShared, group.touched.spaces[request.space] == nil { forget(request.space) }
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
            group.entrants.append((job, request, nil))
            return
        }
        if isNew {
            let count =
                try storage.spaceCount() + inFlight.newSpaceCount + group.touched.newSpaceCount
            guard count < limits.maximumSpaceCount else {
                let refusal = Refusal(code: .quotaExceeded, reason: "the relay has no more room")
                group.answers.append((job, .entryRefused(refusal), nil))
                return
            }
            group.touched.newSpaceCount += 1
        }
        spaces[request.space] = access
        group.touched.spaces[request.space, default: 0] += 1
        group.units.append(changes)
        group.entrants.append((job, request, group.units.count - 1))
    }

    private func enter(_ request: EnterRequest, _ job: Committer.Job) -> Delivery {
        do throws(StorageError) {
            // Who isn't let in hears the same as if there were no such space.
            guard let access = try access(of: request.space),
                !access.rights(of: request.device).isEmpty
            else { return request.genesis == nil ? .spaceUnknown : .entryRefused(.notMember()) }
            if let refusal = try governor?.refusalToServe(request.space) {
                return .entryRefused(refusal)
            }
            let logs = try storage.logs(of: request.space).map { record in
                Welcome.Log(
                    descriptor: record.descriptor,
                    start: record.start?.end ?? .zero,
                    startChain: record.start?.chain
                        ?? record.descriptor.chainStart(in: record.space),
                    end: record.end
                )
            }
            hub.join(request.space, job.outlet)
            return .entered(access, logs: logs)
        } catch {
            return .entryRefused(StorageWorker.failure(error, logger))
        }
    }

    // MARK: Access lists

    private func judge(
        _ list: AccessList,
        _ job: Committer.Job,
        _ group: inout Group
    ) throws(StorageError) {
        guard var access = try access(of: list.space) else {
            group.answers.append((job, .accessRefused(.notMember(), current: nil), nil))
            return
        }
        switch access.judge(list) {
        case .known: group.answers.append((job, .accessKnown(list), nil))
        case .notMember:
            group.answers.append((job, .accessRefused(.notMember(), current: nil), nil))
        case .conflict:
            let refusal = Refusal(
                code: .accessConflict,
                reason: "the list doesn't follow the one in force"
            )
            group.answers.append((job, .accessRefused(refusal, current: access.list), nil))
        case .accepted:
            let dropped = access.replaceList(list)
            spaces[list.space] = access
            group.touched.spaces[list.space, default: 0] += 1
            var unit: StorageUnit = [.setAccess(list)]
            if !dropped.isEmpty { unit.append(.forget(devices: dropped, space: list.space)) }
            group.units.append(unit)
            group.accessChanges.append((list.space, group.units.count - 1))
            group.answers.append((job, nil, group.units.count - 1))
        }
    }

    func announceAccess(of space: SpaceID, _ outbox: inout Outbox) {
        guard let access = spaces[space], let list = access.list else { return }
        let frame = ByteBuffer(bytes: RelayFrame.access(list).bytes)
        for member in hub.members(of: space) {
            outbox.add(.accessChanged(access, frame: frame), for: member)
        }
    }

    func access(of space: SpaceID) throws(StorageError) -> SpaceAccess? {
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
    ) throws(StorageError) {
        func refuse(_ refusal: Refusal) {
            group.answers.append((job, job.request.refused(refusal), nil))
        }
        let author = request.range.descriptor.device
        guard let access = try access(of: request.space),
            access.allowsAppend(by: author, from: request.device)
        else { return refuse(.notMember("the log's author may not append")) }
        let known = try tail(for: request, group)
        let tail = known ?? LogTail(startOf: request.range.descriptor, in: request.space)
        if known == nil {
            let newCount =
                inFlight.newLogCounts[request.space, default: 0]
                + group.touched.newLogCounts[request.space, default: 0]
            guard try storage.logCount(of: request.space) + newCount < Limits.maximumLogCount else {
                return refuse(Refusal(code: .quotaExceeded, reason: "the space has too many logs"))
            }
        }
        var base = tail
        var overlap: [Batch] = []
        if request.range.from < tail.end {
            // What it is to be compared with isn't in storage yet.
            if inFlight.logs[request.log] != nil || group.touched.logs[request.log] != nil {
                return postponed.append(job)
            }
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
        case .known: group.answers.append((job, .appended(request, tail.ack), nil))
        case .appends(let batch):
            let isGuest = access.isGuest(author)
            if let refusal = try charge(batch, of: tail, request.space, isGuest, known == nil) {
                return refuse(refusal)
            }
            var unit: StorageUnit = []
            if known == nil {
                unit.append(.createLog(tail.descriptor, space: request.space))
                group.touched.newLogCounts[request.space, default: 0] += 1
            }
            unit.append(.append(batch, log: tail.log))
            group.units.append(unit)
            let moved = LogTail(tail.log, tail.descriptor, at: batch.head)
            let number = group.units.count - 1
            group.answers.append((job, .appended(request, moved.ack), number))
            group.tails.append(
                Tail(
                    space: request.space,
                    descriptor: tail.descriptor,
                    log: tail.log,
                    batch: batch,
                    author: job.outlet.id,
                    unit: number
                )
            )
            group.touched.logs[tail.log, default: 0] += 1
            tails[tail.log] = moved
        }
    }

    /// Charges the space with a batch.
    /// - Returns: why it can't be stored, if so.
    private func charge(
        _ batch: Batch,
        of tail: LogTail,
        _ space: SpaceID,
        _ isGuest: Bool,
        _ isNewLog: Bool
    ) throws(StorageError) -> Refusal? {
        try governor?.charge(
            Governance.Charge(batch, of: tail, space, isGuest, isNewLog),
            at: Position(log: tail.log, offset: batch.first)
        )
    }

    /// The tail that an append is judged against; read again if another relay may have moved it.
    private func tail(
        for request: AppendRequest,
        _ group: Group
    ) throws(StorageError) -> LogTail? {
        let known = try tail(of: request.log)
        guard storage.isShared, request.range.from != known?.end ?? .zero,
            group.touched.logs[request.log] == nil, forget(request.log)
        else { return known }
        return try tail(of: request.log)
    }

    private func tail(of log: LogID) throws(StorageError) -> LogTail? {
        if let known = tails[log] { return known }
        let tail = try storage.log(log).map(LogTail.init)
        tails[log] = tail
        return tail
    }

    /// The stored batches that an append is compared with, and the tail before them.
    private func overlap(
        of request: AppendRequest,
        with tail: LogTail
    ) throws(StorageError) -> (base: LogTail, [Batch]) {
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

    private static func failure(_ error: StorageError, _ logger: Logger) -> Refusal {
        logger.error("storage can't be read")
        logger.debug("storage can't be read", metadata: ["reason": "\(error)"])
        return Refusal(error)
    }
}
