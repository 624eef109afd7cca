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
//
// Whatever reads the disk is kept out of the hot path: an append is judged at once only if all that
// it takes is in memory (`judgeAtOnce`).

import Logging
import NIOCore
import RelayStorage
import SennitWire
import Synchronization

/// Judges requests and says what came of them. One thread at a time.
final class StorageWorker {
    let storage: any RelayStorage
    let hub: Hub
    let governor: Governor?
    let limits: RelayLimits
    let logger: Logger

    var spaces: [SpaceID: SpaceAccess] = [:]
    var tails: [LogID: LogTail] = [:]
    var inFlight = InFlight()
    var postponed: [Committer.Job] = []
    /// Failures so far: what was judged before one and answers without a unit of its own may rest
    /// on what is gone.
    private var failureCount = 0
    private var isFailing = false
    private(set) var commitCount = 0

    private static let maximumAttemptCount = 4

    /// What was judged and waits for the disk.
    struct Judged: Sendable {
        var units: [StorageUnit] = []
        /// Answers that are true if the unit is stored; `nil` if an announcement is the answer.
        var answers: [(job: Committer.Job, delivery: Delivery?, unit: Int?)] = []
        /// Devices that enter after the commit; those with a unit are refused if it fails.
        fileprivate var entrants: [(job: Committer.Job, request: EnterRequest, unit: Int?)] = []
        /// The runs that were appended, by whom, and what their space was charged.
        var runs: [(run: AppendRun, author: UInt64, unit: Int, charged: Governance.Share)] = []
        fileprivate var accessChanges: [(space: SpaceID, unit: Int)] = []
        fileprivate var touchedSpaces: [SpaceID] = []
        /// Spaces, once for each log that is new in them.
        var newLogs: [SpaceID] = []
        fileprivate var newSpaceCount = 0
        fileprivate var failureCount = 0
    }

    /// The same, when nothing is added any more. An object, so that it goes from thread to thread
    /// without its arrays being counted each time.
    final class Group: Sendable {
        let judged: Judged
        var units: [StorageUnit] { judged.units }

        init(_ judged: Judged) { self.judged = judged }
    }

    /// A device that may enter; where the logs of its space end is still to be read.
    struct Entrant {
        let outlet: Outlet
        let access: SpaceAccess
    }

    /// What came of groups: what is to be told, what is to be judged again, and who enters.
    struct Outcome {
        /// A group, what the disk said of its units, and whether what has none still holds.
        struct Told {
            let group: Group
            let results: [StorageError?]
            let rests: Bool

            func isStored(_ unit: Int?) -> Bool { unit.map { results[$0] == nil } ?? rests }
        }

        var told: [Told] = []
        var outbox = Outbox()
        var again: [Committer.Job] = []
        var entrants: [Entrant] = []
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
        var judged = Judged()
        judged.failureCount = failureCount
        for job in jobs { judge(job, &judged) }
        return Group(judged)
    }

    /// Judges appends of which all that it takes is in memory; `nil` if it isn't.
    func judgeAtOnce(_ run: AppendRun, _ outlet: Outlet) -> Group? {
        guard let access = spaces[run.space], let tail = tails[run.log],
            access.allowsAppend(by: run.author, from: run.device),
            let first = run.appends.first, let start = first.start,
            tail.precedes(from: first.from, chain: start.chain, byteCount: start.byteCount),
            governor?.chargeAtOnce(Governance.Charge(run, isGuest: access.isGuest(run.author)))
                ?? true
        else { return nil }
        var judged = Judged()
        judged.failureCount = failureCount
        append(run, after: tail, Committer.Job(request: .append(run), outlet: outlet), &judged)
        return Group(judged)
    }

    /// Takes note of what came of a group. It is told by `tell`, outside of any lock.
    /// - Parameter results: of its units.
    func finish(_ group: Group, _ results: [StorageError?], _ outcome: inout Outcome) {
        let judged = group.judged
        settle(judged)
        note(results)
        outcome.again += postponed
        postponed = []
        let told = Outcome.Told(
            group: group,
            results: results,
            rests: judged.failureCount == failureCount
        )
        outcome.told.append(told)
        for index in judged.answers.indices where !told.isStored(judged.answers[index].unit) {
            refuse(judged.answers[index].job, judged.answers[index].unit, told, &outcome)
        }
        for (space, unit) in judged.accessChanges where told.isStored(unit) {
            announceAccess(of: space, &outcome.outbox)
        }
        for (job, request, unit) in judged.entrants {
            if unit == nil || told.isStored(unit) {
                enter(request, job, &outcome)
            } else {
                refuse(job, unit, told, &outcome)
            }
        }
        forgetSome()
    }

    private func refuse(
        _ job: Committer.Job,
        _ unit: Int?,
        _ told: Outcome.Told,
        _ outcome: inout Outcome
    ) {
        let isOvertaken =
            switch unit.flatMap({ told.results[$0] }) {
            case .conflict, .unfit: true
            default: false
            }
        if isOvertaken, job.attemptCount < StorageWorker.maximumAttemptCount {
            outcome.again.append(job.nextAttempt)
        } else {
            let refusal = unit.flatMap { told.results[$0] }.map(Refusal.init) ?? .storageFull
            outcome.outbox.add(job.request.refused(refusal), for: job.outlet)
        }
    }

    /// Tells who asked and who reads what came of groups. Any thread may, beside judging.
    static func tell(_ outcome: Outcome, _ hub: Hub) {
        var outbox = outcome.outbox
        for told in outcome.told {
            let answers = told.group.judged.answers
            for index in answers.indices where told.isStored(answers[index].unit) {
                guard let delivery = answers[index].delivery else { continue }
                outbox.add(delivery, for: answers[index].job.outlet)
            }
        }
        announce(outcome, hub, &outbox)
        outbox.send()
    }

    private static func announce(_ outcome: Outcome, _ hub: Hub, _ outbox: inout Outbox) {
        var announcements = Announcements()
        for told in outcome.told {
            let runs = told.group.judged.runs
            for index in runs.indices where told.isStored(runs[index].unit) {
                let run = runs[index].run
                // It learns of it by its answer.
                if hub.isAlone(runs[index].author, in: run.space) { continue }
                for change in told.group.units[runs[index].unit] {
                    guard case .append(let batch, let log) = change else { continue }
                    announcements.add(
                        batch,
                        of: log,
                        run.descriptor,
                        in: run.space,
                        author: runs[index].author
                    )
                }
            }
        }
        announcements.send(to: hub, &outbox)
    }

    /// Judges, stores and finishes at once, with storage that completes inside `submit`.
    func write(_ jobs: [Committer.Job]) {
        var rest = jobs
        while !rest.isEmpty {
            let group = judge(rest)
            let results = Mutex<[StorageError?]>([])
            storage.submit(group.units) { answer in results.withLock { $0 = answer } }
            var outcome = Outcome()
            finish(group, results.withLock { $0 }, &outcome)
            rest = outcome.again
            StorageWorker.tell(outcome, hub)
            StorageWorker.letIn(outcome.entrants, storage, logger)
        }
    }

    /// Reads where the logs of their spaces end for devices that enter, and lets them in. Any
    /// thread may, beside judging.
    static func letIn(_ entrants: [Entrant], _ storage: any RelayStorage, _ logger: Logger) {
        var outbox = Outbox()
        for entrant in entrants {
            let space = entrant.access.space
            do throws(StorageError) {
                let logs = try storage.logs(of: space).map { record in
                    Welcome.Log(
                        descriptor: record.descriptor,
                        start: record.start?.end ?? .zero,
                        startChain: record.start?.chain
                            ?? record.descriptor.chainStart(in: record.space),
                        end: record.end
                    )
                }
                outbox.add(.entered(entrant.access, logs: logs), for: entrant.outlet)
            } catch {
                outbox.add(.entryRefused(failure(error, logger)), for: entrant.outlet)
            }
        }
        outbox.send()
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
                let found = try storage.pieces(of: log, from: from)
                let range = found.map { entries, head in
                    ReadRange(
                        end: head.end,
                        frame: ByteBuffer(entriesOf: descriptor, from: from, entries, head: head)
                    )
                }
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

    private func judge(_ job: Committer.Job, _ group: inout Judged) {
        do throws(StorageError) {
            switch job.request {
            case .enter(let request): try judge(request, job, &group)
            case .append(let run): try judge(run, job, &group)
            case .putAccess(let list): try judge(list, job, &group)
            case .read: break
            }
        } catch {
            let refusal = StorageWorker.failure(error, logger)
            group.answers.append((job, job.request.refused(refusal), nil))
        }
    }

    private func note(_ results: [StorageError?]) {
        if results.contains(where: { $0 == nil }) {
            commitCount += 1
            if isFailing { logger.notice("storage works again") }
            isFailing = false
        }
        for case let error? in results {
            failureCount += 1
            switch error {
            // Another thread had reserved first; the rest of what is known is right.
            case .conflict(let log, _):
                tails[log] = nil
                governor?.forgetAll()
            case .unfit: forgetAll()
            default:
                forgetAll()
                if !isFailing {
                    logger.error("nothing can be stored", metadata: ["reason": "\(error)"])
                }
                isFailing = true
            }
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
        _ group: inout Judged
    ) throws(StorageError) {
        var changes: [StorageChange] = []
        if storage.isShared { forget(request.space) }
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
            let count = try storage.spaceCount() + inFlight.newSpaceCount
            guard count < limits.maximumSpaceCount else {
                let refusal = Refusal(code: .quotaExceeded, reason: "the relay has no more room")
                group.answers.append((job, .entryRefused(refusal), nil))
                return
            }
            group.newSpaceCount += 1
            inFlight.newSpaceCount += 1
        }
        spaces[request.space] = access
        touch(request.space, &group)
        group.units.append(changes)
        group.entrants.append((job, request, group.units.count - 1))
    }

    private func enter(
        _ request: EnterRequest,
        _ job: Committer.Job,
        _ outcome: inout Outcome
    ) {
        func answer(_ delivery: Delivery) { outcome.outbox.add(delivery, for: job.outlet) }
        do throws(StorageError) {
            // Who isn't let in hears the same as if there were no such space.
            guard let access = try access(of: request.space),
                !access.rights(of: request.device).isEmpty
            else {
                return answer(
                    request.genesis == nil ? .spaceUnknown : .entryRefused(.notMember())
                )
            }
            if let refusal = try governor?.refusalToServe(request.space) {
                return answer(.entryRefused(refusal))
            }
            // Before the logs are read: so nothing that is committed meanwhile passes it by.
            hub.join(request.space, job.outlet)
            outcome.entrants.append(Entrant(outlet: job.outlet, access: access))
        } catch {
            answer(.entryRefused(StorageWorker.failure(error, logger)))
        }
    }

    private func touch(_ space: SpaceID, _ group: inout Judged) {
        group.touchedSpaces.append(space)
        inFlight.spaces[space, default: 0] += 1
    }

    /// The group is on its way no more.
    private func settle(_ group: Judged) {
        for (run, _, _, charged) in group.runs {
            InFlight.drop(run.log, from: &inFlight.logs)
            governor?.settle(run.space, charged)
        }
        for space in group.touchedSpaces { InFlight.drop(space, from: &inFlight.spaces) }
        for space in group.newLogs { InFlight.drop(space, from: &inFlight.newLogCounts) }
        inFlight.newSpaceCount -= group.newSpaceCount
    }

    // MARK: Access lists

    private func judge(
        _ list: AccessList,
        _ job: Committer.Job,
        _ group: inout Judged
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
            touch(list.space, &group)
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

    static func failure(_ error: StorageError, _ logger: Logger) -> Refusal {
        logger.error("storage can't be read")
        logger.debug("storage can't be read", metadata: ["reason": "\(error)"])
        return Refusal(error)
    }
}
