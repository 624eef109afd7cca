#if PostgreSQL
import Foundation
import RelayStorage
import SennitWire
import Synchronization

// Reading: any thread borrows a connection, and waits for one if all are lent.

extension PostgresShard {
    private static let readerPause = Duration.milliseconds(250)
    private static let countLifetime = Duration.seconds(10)

    /// Reads with a connection from the pool. One that turns out to be gone is replaced once: the
    /// server may have been started anew since it was used last.
    func read<Value>(
        _ body: (PostgresConnection) throws(PostgresFailure) -> Value
    ) throws(StorageError) -> Value {
        guard readerSlots.wait(timeout: .now() + options.commitTimeout.seconds) == .success else {
            throw .unavailable(path: location, reason: "all its connections are in use")
        }
        defer { readerSlots.signal() }
        var isSecond = false
        while true {
            let (connection, isNew) = try borrow()
            do throws(PostgresFailure) {
                let value = try body(connection)
                giveBack(connection)
                return value
            } catch {
                if case .refused = error.kind {
                    giveBack(connection)
                    throw error.storageError(location)
                }
                // Others that idle are likely gone too, and perhaps the committer's.
                isInQuestion.store(true, ordering: .sequentiallyConsistent)
                wakeCommitter()
                readers.withLock { $0.idle = [] }
                if isNew || isSecond { throw error.storageError(location) }
                isSecond = true
            }
        }
    }

    private func borrow() throws(StorageError) -> (PostgresConnection, isNew: Bool) {
        let known: Result<Transfer?, StorageError> = readers.withLock { readers in
            if readers.isClosed { return .failure(.closed) }
            if let idle = readers.idle.popLast() { return .success(idle) }
            guard let pause = readers.pause, !pause.isOver else { return .success(nil) }
            return .failure(.unavailable(path: location, reason: "it could not be reached"))
        }
        if let transfer = try known.get() { return (transfer.connection, false) }
        do throws(PostgresFailure) {
            return (try PostgresConnection(source, timeout: options.connectTimeout), true)
        } catch {
            readers.withLock { $0.pause = .after(Self.readerPause) }
            isInQuestion.store(true, ordering: .sequentiallyConsistent)
            wakeCommitter()
            throw error.storageError(location)
        }
    }

    private func giveBack(_ connection: PostgresConnection) {
        let transfer = Transfer(connection: connection)
        readers.withLock { readers in
            readers.pause = nil
            if !readers.isClosed { readers.idle.append(transfer) }
        }
    }

    /// Runs one statement that reads.
    func rows(
        _ statement: PostgresStatement,
        _ parameters: PostgresParameter...
    ) throws(StorageError) -> PostgresRows {
        let deadline = Deadline.after(options.commitTimeout)
        return try read { connection throws(PostgresFailure) in
            try connection.run(statement, parameters, until: deadline)
        }
    }

    /// Waits until it is known what came of a commit whose answer was lost.
    ///
    /// Until then an entry may be seen that no standby has, and must not be taken for stored.
    private func waitUntilSettled() throws(StorageError) {
        while let trouble = trouble.withLock({ $0 }) {
            if trouble.patience.isOver { throw trouble.error }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    // MARK: Spaces

    func spaces() throws(StorageError) -> [SpaceID] {
        let rows = try rows(.spaces)
        return try (0..<rows.count).map { row throws(StorageError) in
            try name(rows, row, 0)
        }
    }

    /// Counted every few seconds, and kept up with what this relay does between.
    func spaceCount() throws(StorageError) -> Int {
        let known = spaceCounter.withLock { counter in
            counter.flatMap { $0.until.isOver ? nil : $0.count }
        }
        if let known { return known }
        let count = Int(try rows(.spaceCount).integer(0, 0) ?? 0)
        spaceCounter.withLock { $0 = (count, .after(Self.countLifetime)) }
        return count
    }

    func countSpaces(_ change: Int) {
        guard change != 0 else { return }
        spaceCounter.withLock { counter in
            counter = counter.map { ($0.count + change, $0.until) }
        }
    }

    func space(_ space: SpaceID) throws(StorageError) -> SpaceRecord? {
        try waitUntilSettled()
        let found = try rows(.space, .bytes(space.bytes))
        guard let genesis = found.bytes(0, 0) else { return nil }
        let admitted = try rows(.admissions, .bytes(space.bytes))
        var admissions: [DeviceKey: DeviceKey] = [:]
        for row in 0..<admitted.count {
            let device: DeviceKey = try name(admitted, row, 0)
            admissions[device] = try name(admitted, row, 1) as DeviceKey
        }
        do throws(WireError) {
            let genesis = try Genesis(decoding: genesis)
            guard genesis.spaceID == space else {
                throw WireError.invalid(reason: "the genesis is another's", byteOffset: 0)
            }
            return SpaceRecord(
                genesis: genesis,
                access: try found.bytes(0, 1).map { bytes throws(WireError) in
                    try AccessList(decoding: bytes)
                },
                admissions: admissions
            )
        } catch {
            throw .damagedSpace(space: space, reason: "\(error)")
        }
    }

    func usage(of space: SpaceID) throws(StorageError) -> StorageUsage {
        let rows = try rows(.usage, .bytes(space.bytes))
        return StorageUsage(
            logCount: Int(rows.integer(0, 0) ?? 0),
            entryCount: UInt64(clamping: rows.integer(0, 1) ?? 0),
            byteCount: UInt64(clamping: rows.integer(0, 2) ?? 0)
        )
    }

    // MARK: Logs

    func logCount(of space: SpaceID) throws(StorageError) -> Int {
        Int(try rows(.logCount, .bytes(space.bytes)).integer(0, 0) ?? 0)
    }

    func logs(of space: SpaceID) throws(StorageError) -> [LogRecord] {
        let rows = try rows(.logs, .bytes(space.bytes))
        return try (0..<rows.count).map { row throws(StorageError) in
            try record(rows, row, isPatient: true)
        }
    }

    func log(_ log: LogID) throws(StorageError) -> LogRecord? {
        try waitUntilSettled()
        let rows = try rows(.log, .bytes(log.bytes))
        return rows.count == 0 ? nil : try record(rows, 0, isPatient: false)
    }

    func head(of log: LogID, endingAt end: Offset) throws(StorageError) -> Head? {
        guard end.value <= Limits.maximumOffset else { return nil }
        let rows = try rows(.head, .bytes(log.bytes), .integer(Int64(end.value)))
        return try rows.bytes(0, 0).map { bytes throws(StorageError) in
            try Head(row: bytes, of: log, at: end)
        }
    }

    private func record(
        _ rows: PostgresRows,
        _ row: Int,
        isPatient: Bool
    ) throws(StorageError) -> LogRecord {
        let id: LogID = try name(rows, row, 0)
        let space: SpaceID = try name(rows, row, 1)
        let descriptor = try descriptor(rows, row, 2)
        guard descriptor.logID(in: space) == id else {
            let reason = "its author isn't the one it is named for"
            throw .damagedLog(log: id, offset: .zero, reason: reason)
        }
        let end = Offset(UInt64(clamping: rows.integer(row, 4) ?? 0))
        let start = try rows.bytes(row, 6).map { bytes throws(StorageError) in
            try Head(row: bytes, of: id, at: nil)
        }
        var last: Head?
        do throws(StorageError) {
            last = try rows.bytes(row, 5).map { bytes throws(StorageError) in
                try Head(row: bytes, of: id, at: end)
            }
        } catch {
            if !isPatient { throw error }
        }
        return LogRecord(
            space: space,
            descriptor: descriptor,
            head: last,
            start: start,
            end: end
        )
    }

    // MARK: Batches

    func batches(
        of log: LogID,
        from: Offset,
        maximumCount: Int,
        maximumByteCount: Int
    ) throws(StorageError) -> [Batch] {
        guard from.value <= Limits.maximumOffset else { return [] }
        var found = BoundedBatches(from, maximumCount, maximumByteCount)
        while !found.isFull {
            let rows = try rows(
                .batches,
                .bytes(log.bytes),
                .integer(Int64(found.next.value)),
                .integer(found.batches.isEmpty ? 8 : 64)
            )
            let start = UInt64(clamping: rows.integer(0, 0) ?? 0)
            guard found.next.value >= start else {
                throw .deleted(log: log, start: Offset(start))
            }
            guard rows.bytes(0, 3) != nil else { break }
            for row in 0..<rows.count where !found.isFull {
                do throws(StorageError) {
                    found.add(try batch(rows, row, 1, of: log))
                } catch {
                    // What is good before it is given first.
                    if found.batches.isEmpty { throw error }
                    return found.batches
                }
            }
        }
        return found.batches
    }

    /// The batch whose first offset, end, entries and head stand from `column` on.
    func batch(
        _ rows: PostgresRows,
        _ row: Int,
        _ column: Int,
        of log: LogID
    ) throws(StorageError) -> Batch {
        try Batch(
            first: rows.integer(row, column) ?? -1,
            end: rows.integer(row, column + 1) ?? -1,
            entries: rows.bytes(row, column + 2) ?? [],
            head: rows.bytes(row, column + 3) ?? [],
            of: log
        )
    }

    // MARK: Values

    func name<Name: Identifier>(
        _ rows: PostgresRows,
        _ row: Int,
        _ column: Int
    ) throws(StorageError) -> Name {
        guard let name = rows.bytes(row, column).flatMap({ Name($0) }) else {
            throw .damagedFile(path: location, reason: "a name hasn't 32 bytes")
        }
        return name
    }

    /// The author whose key and incarnation stand from `column` on.
    func descriptor(
        _ rows: PostgresRows,
        _ row: Int,
        _ column: Int
    ) throws(StorageError) -> LogDescriptor {
        let device: DeviceKey = try name(rows, row, column)
        guard let incarnation = rows.bytes(row, column + 1).flatMap({ Incarnation($0) }) else {
            throw .damagedFile(path: location, reason: "an incarnation hasn't 16 bytes")
        }
        return LogDescriptor(device: device, incarnation: incarnation)
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
#endif
