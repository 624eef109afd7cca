#if PostgreSQL
import Foundation
import RelayStorage
import SennitWire
import Synchronization

// What other relays stored: by their hints at once, and by looking every few seconds at the ends of
// all logs of the spaces that somebody is in.
//
//     hint: a of S grew 4..<6 ──► is somebody in S? ──► fetch a from 4 on ──► tell
//     every 2 s               ──► ends of all logs of S, T, … ──► those that moved: fetch, tell
//
// What a log gained is fetched once for everybody here. A space that somebody just entered is told
// as it stands, without entries: whoever entered before that look may lack what came between.

extension PostgresShard {
    /// What is known of the spaces that somebody is in.
    struct Watching: Sendable {
        struct Space: Sendable {
            var ends: [LogID: UInt64] = [:]
            /// The list's hash and the number of admissions.
            var state: [UInt8] = []
        }

        var spaces: [SpaceID: Space] = [:]

        /// This relay stored it, so it is no news; but what lies before it may be.
        mutating func note(_ log: LogID, in space: SpaceID, first: UInt64, end: UInt64) {
            guard let known = spaces[space]?.ends[log] ?? (spaces[space].map { _ in 0 }),
                known >= first
            else { return }
            spaces[space]?.ends[log] = max(known, end)
        }
    }

    /// A log to be fetched, from an offset on.
    private struct Growth {
        let log: LogID
        let from: UInt64
    }

    private static let slice = Duration.milliseconds(250)
    private static let fetchCount = 16

    /// Listens until the storage is closed.
    func listen() {
        while !isStopping.load(ordering: .sequentiallyConsistent) {
            do throws(PostgresFailure) {
                let connection = try PostgresConnection(source, timeout: options.connectTimeout)
                try connection.run("LISTEN \(channel)", until: .after(options.connectTimeout))
                try listen(on: connection)
            } catch {
                isInQuestion.store(true, ordering: .sequentiallyConsistent)
                wakeCommitter()
                Thread.sleep(forTimeInterval: Self.slice.seconds)
            }
        }
    }

    private func listen(on connection: PostgresConnection) throws(PostgresFailure) {
        var nextLook = Deadline.after(.zero)
        while !isStopping.load(ordering: .sequentiallyConsistent) {
            if nextLook.isOver {
                try look(connection)
                nextLook = .after(options.lookInterval)
                wakeJanitor()
            }
            if outage != nil { wakeCommitter() }
            let wait = min(nextLook, .after(Self.slice))
            let payloads = try connection.notifications(until: wait)
            if !payloads.isEmpty, options.takesHints {
                let messages = payloads.flatMap { NodeMessage.messages($0, for: node) }
                try hear(messages, connection, &nextLook)
            }
        }
    }

    private func hear(
        _ messages: [NodeMessage],
        _ connection: PostgresConnection,
        _ nextLook: inout Deadline
    ) throws(PostgresFailure) {
        guard let audience = audience.withLock({ $0 }) else { return }
        var news: [StorageNews] = []
        var growths: [LogID: Growth] = [:]
        for message in messages {
            switch message {
            case .look: nextLook = .after(.zero)
            case .changed(let space): news.append(.changed(space))
            case .said(let space, let message):
                if audience.isInside(space) { news.append(.said(message, space)) }
            case .grew(let space, let log, let first, let end):
                guard audience.isInside(space) else { continue }
                let known = watching.withLock { $0.spaces[space]?.ends[log] }
                if let known, known >= end { continue }
                let from = min(known ?? first, growths[log]?.from ?? .max)
                growths[log] = Growth(log: log, from: from)
            }
        }
        if !news.isEmpty { audience.hear(news) }
        try fetch(Array(growths.values), connection, audience)
    }

    // MARK: Looking

    private func look(_ connection: PostgresConnection) throws(PostgresFailure) {
        guard let audience = audience.withLock({ $0 }) else { return }
        let inside = audience.spaces().filter(options.isHere)
        let deadline = Deadline.after(options.commitTimeout)
        let names = PostgresParameter.byteStrings(inside.map(\.bytes))
        var before = watching.withLock { watching in
            let insideNow = Set(inside)
            watching.spaces = watching.spaces.filter { insideNow.contains($0.key) }
            return watching.spaces
        }
        if inside.isEmpty { return }
        var news: [StorageNews] = []
        let states = try connection.run(.watchedSpaces, [names], until: deadline)
        for row in 0..<states.count {
            guard let space = states.bytes(row, 0).flatMap({ SpaceID($0) }) else { continue }
            let state = (states.bytes(row, 1) ?? []) + (states.bytes(row, 2) ?? [])
            if let known = before[space] {
                if known.state != state { news.append(.changed(space)) }
                watching.withLock { $0.spaces[space]?.state = state }
            } else {
                // Somebody may have entered before the change, so it is told once.
                news.append(.changed(space))
                watching.withLock { $0.spaces[space] = Watching.Space(state: state) }
            }
        }
        let logs = try connection.run(.watchedLogs, [names], until: deadline)
        var growths: [Growth] = []
        for row in 0..<logs.count {
            guard let found = watched(logs, row) else { continue }
            let known = before[found.space]
            let knownEnd = known?.ends[found.log]
            if known == nil {
                news.append(.grew(found))
                remember(found)
            } else if knownEnd ?? 0 < found.end.value {
                growths.append(Growth(log: found.log, from: knownEnd ?? 0))
            } else if knownEnd == nil {
                remember(found)
            }
        }
        before = [:]
        if !news.isEmpty { audience.hear(news) }
        try fetch(growths, connection, audience)
    }

    private func remember(_ growth: LogGrowth) {
        watching.withLock { watching in
            guard watching.spaces[growth.space] != nil else { return }
            let known = watching.spaces[growth.space]?.ends[growth.log] ?? 0
            watching.spaces[growth.space]?.ends[growth.log] = max(known, growth.end.value)
        }
    }

    /// A row of a log with its end, without batches.
    private func watched(_ rows: PostgresRows, _ row: Int) -> LogGrowth? {
        guard let log: LogID = try? name(rows, row, 0),
            let space: SpaceID = try? name(rows, row, 1),
            let descriptor = try? descriptor(rows, row, 2), let end = rows.integer(row, 4)
        else { return nil }
        return LogGrowth(
            space: space,
            log: log,
            descriptor: descriptor,
            batches: [],
            end: Offset(UInt64(clamping: end))
        )
    }

    /// Fetches what logs gained, and tells it.
    private func fetch(
        _ growths: [Growth],
        _ connection: PostgresConnection,
        _ audience: StorageAudience
    ) throws(PostgresFailure) {
        var rest = growths[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.fetchCount)
            rest = rest.dropFirst(some.count)
            let rows = try connection.run(
                .grownLogs,
                [
                    .byteStrings(some.map(\.log.bytes)),
                    .integers(some.map { Int64(clamping: $0.from) }),
                ],
                until: .after(options.commitTimeout)
            )
            var found: [LogID: LogGrowth] = [:]
            for row in 0..<rows.count {
                guard let known = watched(rows, row) else { continue }
                var batches = found[known.log]?.batches ?? []
                let isNext = batches.last.map {
                    $0.end.value == UInt64(clamping: rows.integer(row, 5) ?? -1)
                }
                if isNext ?? true, let batch = try? batch(rows, row, 5, of: known.log) {
                    batches.append(batch)
                }
                found[known.log] = LogGrowth(
                    space: known.space,
                    log: known.log,
                    descriptor: known.descriptor,
                    batches: batches,
                    end: known.end
                )
            }
            for growth in found.values { remember(growth) }
            if !found.isEmpty { audience.hear(found.values.map { .grew($0) }) }
        }
    }
}
#endif
