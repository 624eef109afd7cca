#if PostgreSQL
import Foundation
import PostgresServer
import RelayStorage
import SennitWire
import Synchronization
import Testing

@testable import RelayPostgres

/// What storage in PostgreSQL does beyond what every storage does.
@Suite(.enabled(if: PostgresServer.programs != nil), .timeLimit(.minutes(2)))
struct PostgresStorageTests {
    let log = FakeLog(1)

    private func create(_ log: FakeLog) -> StorageUnit {
        [.createSpace(log.genesis), .createLog(log.descriptor, space: log.space)]
    }

    private func schema() throws -> String { try PostgresServer.shared().schemas(1)[0] }

    private func connect(_ source: String) throws -> PostgresConnection {
        try PostgresConnection(source, timeout: .seconds(5))
    }

    // MARK: Tables

    @Test func `relays that start at once on an empty database make one storage`() async throws {
        let source = try schema()
        let names = try await withThrowingTaskGroup(of: Bytes32.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let storage = try PostgresStorage([source])
                    defer { try? storage.close() }
                    return storage.relayName
                }
            }
            return try await group.reduce(into: Set<Bytes32>()) { $0.insert($1) }
        }
        #expect(names.count == 1)
        let given = Bytes32.repeating(9)
        let named = try PostgresStorage([try schema()], relayName: given)
        #expect(named.relayName == given)
        try named.close()
    }

    @Test func `tables of a newer relay and of other programs are refused and left alone`() throws {
        let source = try schema()
        try PostgresStorage([source]).close()
        let connection = try connect(source)
        let deadline = Deadline.after(.seconds(10))
        try connection.run("UPDATE relay SET format = 99", until: deadline)
        let location = try PostgresConnection.location(of: source)
        #expect(throws: StorageError.newerFormat(path: location, version: 99)) {
            _ = try PostgresStorage([source])
        }
        try connection.run(
            "DROP TABLE relay; CREATE TABLE relay (antenna text)",
            until: deadline
        )
        #expect(throws: StorageError.notRelayStorage(path: location)) {
            _ = try PostgresStorage([source])
        }
        #expect(try connection.run("SELECT antenna FROM relay", until: deadline).count == 0)
    }

    @Test func `older tables are brought up to date, once`() throws {
        let source = try schema()
        let storage = try PostgresStorage([source])
        let name = storage.relayName
        try storage.close()
        let migrations = PostgresSchema.migrations + ["ALTER TABLE spaces ADD colour integer"]
        for _ in 0..<2 {
            let identity = try PostgresSchema.prepare(
                connect(source),
                "",
                identity: .init(relayName: .zero, shard: 0, shardCount: 1),
                migrations: migrations,
                until: .after(.seconds(10))
            )
            #expect(identity.relayName == name)
        }
        let rows = try connect(source).run(
            "SELECT format, (SELECT count(colour) FROM spaces) FROM relay",
            until: .after(.seconds(10))
        )
        #expect(rows.text(0, 0) == "\(migrations.count)")
    }

    @Test func `a server that may lose what it committed is refused unless that is wanted`() throws
    {
        let server = try PostgresServer.shared()
        let source = try schema().replacing(
            "-c search_path",
            with: "-c synchronous_commit=off -c search_path"
        )
        let error = #expect(throws: StorageError.self) { _ = try PostgresStorage([source]) }
        guard case .failed(let path, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path.contains(server.directory))
        #expect(reason == "synchronous_commit is off there, so it may lose what it committed")
        var options = PostgresStorage.Options()
        options.acceptsUnsafeServer = true
        try PostgresStorage([source], options: options).close()
    }

    @Test func `no password is told`() throws {
        let source = "postgresql://relay:hush@127.0.0.1:1/none?connect_timeout=2"
        let error = #expect(throws: StorageError.self) { _ = try PostgresStorage([source]) }
        let text = "\(String(describing: error)) \(error?.description ?? "")"
        #expect(text.contains("127.0.0.1"))
        #expect(!text.contains("hush"))
        let wrong = #expect(throws: StorageError.self) {
            _ = try PostgresStorage(["host=x nonsense=1 password=hush"])
        }
        #expect(!"\(String(describing: wrong))".contains("hush"))
    }

    // MARK: Several databases

    @Test func `spaces spread over the databases by their ids`() throws {
        let sources = try PostgresServer.shared().schemas(3)
        let storage = try PostgresStorage(sources)
        for number in 0..<24 {
            let log = FakeLog(number, space: number)
            try storage.commit(create(log) + [.append(log.batch(0, 2), log: log.id)])
        }
        for (number, source) in sources.enumerated() {
            let rows = try connect(source).run(
                "SELECT space FROM spaces",
                until: .after(.seconds(5))
            )
            #expect(rows.count > 0)
            for row in 0..<rows.count {
                let first = try #require(rows.text(row, 0)?.dropFirst(2).prefix(2))
                #expect(try #require(Int(first, radix: 16)) * 3 / 256 == number)
            }
        }
        // A new process knows of no log where it lies.
        try storage.close()
        let reopened = try PostgresStorage(sources)
        for number in 0..<24 {
            let log = FakeLog(number, space: number)
            #expect(try log.read(from: reopened)?.end == 2)
            try reopened.commit([.append(log.batch(2, 3), log: log.id)])
        }
        #expect(try reopened.spaceCount() == 24)
        try reopened.close()
    }

    @Test func `databases in another order or number are refused`() throws {
        let sources = try PostgresServer.shared().schemas(2)
        try PostgresStorage(sources).close()
        for wrong in [[sources[1], sources[0]], [sources[0]], sources + [try schema()]] {
            let error = #expect(throws: StorageError.self) { _ = try PostgresStorage(wrong) }
            guard case .unfit = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        let other = try PostgresServer.shared().schemas(2)
        try PostgresStorage(other).close()
        #expect(throws: StorageError.self) { _ = try PostgresStorage([sources[0], other[1]]) }
        try PostgresStorage(sources).close()
    }

    // MARK: Two relays

    @Test func `of two relays that append to one log at one place exactly one does`() async throws {
        let source = try schema()
        let relays = [try PostgresStorage([source]), try PostgresStorage([source])]
        let logs = (0..<8).map { FakeLog($0) }
        try relays[0].commit([.createSpace(log.genesis)])
        for log in logs { try relays[0].commit([.createLog(log.descriptor, space: log.space)]) }
        // Each relay offers batches of its own length, so that the stored bytes tell who won.
        var ends = [UInt64](repeating: 0, count: logs.count)
        for round in 0..<40 {
            let starts = ends
            let answers = await withTaskGroup(of: (Int, [StorageError?]).self) { group in
                for (relay, storage) in relays.enumerated() {
                    group.addTask {
                        let units = zip(logs, starts).map { log, end in
                            [
                                StorageChange.append(
                                    log.batch(end, end + 1 + UInt64(relay)),
                                    log: log.id
                                )
                            ]
                        }
                        return await withCheckedContinuation { continuation in
                            storage.submit(units) { continuation.resume(returning: (relay, $0)) }
                        }
                    }
                }
                return await group.reduce(into: [[], []] as [[StorageError?]]) { $0[$1.0] = $1.1 }
            }
            for (index, log) in logs.enumerated() {
                let winners = (0..<2).filter { answers[$0][index] == nil }
                try #require(winners.count == 1, "round \(round), log \(index): \(answers)")
                ends[index] += UInt64(1 + winners[0])
                let conflict = StorageError.conflict(log: log.id, end: Offset(ends[index]))
                #expect(answers[1 - winners[0]][index] == conflict)
            }
        }
        for (log, end) in zip(logs, ends) {
            for storage in relays { #expect(try log.read(from: storage)?.end == end) }
        }
        for storage in relays { try storage.close() }
    }

    @Test func `of two access lists that follow one list exactly one is taken`() throws {
        let source = try schema()
        let (one, two) = (try PostgresStorage([source]), try PostgresStorage([source]))
        let founder = TestDevice(1)
        let space = founder.genesis().spaceID
        let first = founder.accessList(space, devices: [(founder, .all)])
        try one.commit([.createSpace(founder.genesis()), .setAccess(first)])
        // Both relays have looked at the first list and know it.
        try two.commit([.setAccess(first)])
        let mine = founder.accessList(space, after: first, devices: [(founder, .all)])
        let yours = founder.accessList(
            space,
            after: first,
            devices: [(founder, .all), (TestDevice(2), .read)]
        )
        try one.commit([.setAccess(mine)])
        #expect(throws: StorageError.self) { try two.commit([.setAccess(yours)]) }
        #expect(try two.space(space)?.access == mine)
        let next = founder.accessList(space, after: mine, devices: [(founder, .all)])
        try two.commit([.setAccess(next)])
        #expect(try one.space(space)?.access == next)
        try one.close()
        try two.close()
    }

    @Test func `a space that one relay removed is gone for the other`() throws {
        let source = try schema()
        let (one, two) = (try PostgresStorage([source]), try PostgresStorage([source]))
        try one.commit(create(log) + [.append(log.batch(0, 5), log: log.id)])
        try two.commit([.append(log.batch(5, 6), log: log.id)])
        try one.commit([.removeSpace(log.space)])
        #expect(throws: StorageError.self) {
            try two.commit([.append(log.batch(6, 7), log: log.id)])
        }
        try two.commit(create(log) + [.append(log.batch(0, 2), log: log.id)])
        #expect(try log.read(from: one)?.ends == [2])
        try one.close()
        try two.close()
    }

    @Test func `what a group stored is told in one notification`() throws {
        let source = try schema()
        let storage = try PostgresStorage([source])
        let logs = (0..<20).map { FakeLog($0) }
        try storage.commit([.createSpace(log.genesis)])
        for log in logs { try storage.commit([.createLog(log.descriptor, space: log.space)]) }
        let listener = try connect(source)
        let channel = PostgresShard.channel(storage.relayName, shard: 0)
        try listener.run("LISTEN \(channel)", until: .after(.seconds(5)))
        let units = (0..<2000).map { number -> StorageUnit in
            let (log, offset) = (logs[number % 20], UInt64(number / 20))
            return [.append(log.batch(offset, offset + 1), log: log.id)]
        }
        let done = DispatchSemaphore(value: 0)
        storage.submit(units) { results in
            #expect(results.allSatisfy { $0 == nil })
            done.signal()
        }
        done.wait()
        var (payloadCount, ends) = (0, [LogID: UInt64]())
        while ends.count < 20 || ends.values.contains(where: { $0 < 100 }) {
            for payload in try listener.notifications(until: .after(.seconds(10))) {
                let grown = NodeMessage.messages(payload, for: []).compactMap { message in
                    if case .grew(_, let log, _, let end) = message { (log, end) } else { nil }
                }
                if !grown.isEmpty { payloadCount += 1 }
                for (log, end) in grown { ends[log] = end }
            }
        }
        #expect(payloadCount == 1)
        try storage.close()
    }

    // MARK: Figures

    @Test func `what was stored and how long it took is counted`() throws {
        let server = try PostgresServer.shared()
        let sources = try server.schemas(2)
        var options = PostgresStorage.Options()
        options.lookInterval = .milliseconds(20)
        options.measureInterval = .milliseconds(20)
        let storage = try PostgresStorage(sources, options: options)
        let logs = (0..<16).map { FakeLog($0, space: $0) }
        for log in logs {
            try storage.commit(create(log) + [.append(log.batch(0, 3), log: log.id)])
        }
        var figures = storage.figures
        #expect(figures.syncCount == 16)
        #expect(figures.groupSizes.sum == 16 * 3)
        #expect(figures.syncTimes.counts.reduce(0, +) == 16)
        #expect(figures.syncTimes.sum > 0)
        let byteCount = 16 * (0..<3).reduce(0) { $0 + logs[0].byteCount($1) }
        #expect(figures.byteCount > byteCount)
        #expect(figures.failureCount == 0 && figures.failedAt == nil)
        #expect(figures.databaseOutages == [nil, nil])
        var expected = StorageSizes()
        (expected.spaceCount, expected.logCount, expected.entryCount) = (16, 16, 48)
        expected.liveByteCount = UInt64(byteCount)
        // The suite's time limit ends it.
        while true {
            Thread.sleep(forTimeInterval: 0.01)
            guard let sizes = storage.sizes() else { continue }
            expected.storedByteCount = sizes.storedByteCount
            if sizes == expected { break }
        }
        #expect(expected.storedByteCount > UInt64(byteCount))

        // One database refuses to write: the other is good, so the storage is good for something.
        let broken = try #require(logs.first { $0.space.bytes[0] < 128 })
        let sound = try #require(logs.first { $0.space.bytes[0] >= 128 })
        let schema = try #require(sources[0].split(separator: "=").last?.dropLast())
        try server.query("ALTER TABLE \(schema).batches RENAME entries TO gone")
        let error = #expect(throws: StorageError.self) {
            try storage.commit([.append(broken.batch(3, 4), log: broken.id)])
        }
        guard case .failed = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        try storage.commit([.append(sound.batch(3, 4), log: sound.id)])
        figures = storage.figures
        #expect(figures.failureCount == 1 && figures.failedAt == nil)
        #expect(figures.syncCount == 17)
        try storage.close()
    }

    // MARK: Room

    @Test func `what nobody can read is deleted before long`() throws {
        let source = try schema()
        var options = PostgresStorage.Options()
        options.lookInterval = .milliseconds(50)
        let storage = try PostgresStorage([source], options: options)
        let other = FakeLog(2, space: 1)
        for log in [log, other] {
            try storage.commit(create(log))
            for end in 1...20 as ClosedRange<UInt64> {
                try storage.commit([.append(log.batch(end - 1, end), log: log.id)])
            }
        }
        try storage.delete(below: Offset(15), of: log.id)
        try storage.commit([.removeSpace(other.space)])
        let connection = try connect(source)
        var count = ""
        for _ in 0..<200 where count != "5" {
            let rows = try connection.run(
                "SELECT count(*) FROM batches",
                until: .after(.seconds(5))
            )
            count = rows.text(0, 0) ?? ""
            Thread.sleep(forTimeInterval: 0.02)
        }
        #expect(count == "5")
        #expect(try log.read(from: storage)?.ends == [16, 17, 18, 19, 20])
        try storage.close()
    }

    // MARK: Moving and checking

    @Test func `spaces move from files to PostgreSQL and back, and are proven there`() throws {
        let (here, there) = (TestDirectory(), TestDirectory())
        let segments = try SegmentStorage(directory: here.path, options: .small)
        let founder = TestDevice(1)
        let space = founder.genesis().spaceID
        let list = founder.accessList(space, devices: [(founder, .all)])
        try segments.commit([.createSpace(founder.genesis()), .setAccess(list)])
        var logs: [TestLog] = []
        for incarnation in 0..<3 as Range<UInt8> {
            var log = TestLog(founder, space, incarnation: incarnation)
            try segments.commit([.createLog(log.descriptor, space: space)])
            for step in 1...9 {
                let from = log.entries.count
                _ = log.add(count: step)
                try segments.commit([.append(log.batch(from, from + step), log: log.id)])
            }
            logs.append(log)
        }
        try segments.delete(below: Offset(6), of: logs[0].id)
        let source = try schema()
        let postgres = try PostgresStorage([source], relayName: segments.relayName)
        _ = try StorageMigration.run(from: segments, to: postgres)
        #expect(postgres.relayName == segments.relayName)
        #expect(try postgres.logs(of: space) == segments.logs(of: space))
        #expect(try postgres.usage(of: space) == segments.usage(of: space))
        // Again, with a list that is two further: what is there is passed over.
        let second = founder.accessList(space, after: list, devices: [(founder, .all)])
        let third = founder.accessList(space, after: second, devices: [(founder, .all)])
        try segments.commit([.setAccess(third)])
        #expect(try StorageMigration.run(from: segments, to: postgres).entryCount == 0)
        #expect(try postgres.space(space)?.access == third)
        let back = try SegmentStorage(directory: there.path, options: .small)
        _ = try StorageMigration.run(from: postgres, to: back)
        #expect(try back.logs(of: space) == segments.logs(of: space))
        let report = try StorageCheck.run(on: postgres)
        #expect(report.damages == [])
        #expect(report.entryCount == 3 * 45 - 6)
        let change = "UPDATE batches SET entries = overlay(entries PLACING '\\xff' FROM 3 FOR 1)"
        try connect(source).run("\(change) WHERE end_offset = 15", until: .after(.seconds(5)))
        #expect(try StorageCheck.run(on: postgres).damages.count == 3)
        for storage in [segments, postgres, back] as [any RelayStorage] { try storage.close() }
    }
}
#endif
