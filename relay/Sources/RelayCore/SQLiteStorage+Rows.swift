import Foundation
import GRDB
import SennitWire

// The rows of each table, out and in. What is read is checked as if it came from outside.

extension SQLiteStorage {
    func apply(_ change: StorageChange, to db: Database) throws {
        switch change {
        case .createSpace(let genesis):
            try db.cachedStatement(sql: "INSERT INTO space (space, genesis) VALUES (?, ?)")
                .execute(arguments: [genesis.spaceID.data, Data(genesis.bytes)])
        case .setAccess(let list):
            try db.cachedStatement(sql: "UPDATE space SET access = ? WHERE space = ?")
                .execute(arguments: [Data(list.bytes), list.space.data])
        case .admit(let device, let invite, let space):
            try db.cachedStatement(
                sql: "INSERT OR REPLACE INTO admission (space, device, invite) VALUES (?, ?, ?)"
            )
            .execute(arguments: [space.data, device.data, invite.data])
        case .forget(let devices, let space):
            for device in devices {
                try db.cachedStatement(sql: "DELETE FROM admission WHERE space = ? AND device = ?")
                    .execute(arguments: [space.data, device.data])
            }
        case .createLog(let descriptor, let space):
            try db.cachedStatement(
                sql: "INSERT INTO log (log, space, device, incarnation) VALUES (?, ?, ?, ?)"
            )
            .execute(
                arguments: [
                    descriptor.logID(in: space).data, space.data, descriptor.device.data,
                    Data(descriptor.incarnation.bytes),
                ]
            )
        case .append(let batch, let log):
            try db.cachedStatement(
                sql: """
                    INSERT INTO batch (log, first, end, entries, head)
                    VALUES ((SELECT id FROM log WHERE log = ?), ?, ?, ?, ?)
                    """
            )
            .execute(
                arguments: [
                    log.data, Int64(batch.first.value), Int64(batch.end.value),
                    batch.entryData, batch.head.data,
                ]
            )
        }
    }

    func identifier<Name: Identifier>(_ data: Data) throws(RelayError) -> Name {
        guard let name = Name(data) else {
            throw .damagedFile(path: path, reason: "an identifier hasn't 32 bytes")
        }
        return name
    }

    func spaceRecord(_ row: Row, of space: SpaceID) throws(RelayError) -> SpaceRecord {
        let genesisData: Data = row[0]
        let accessData: Data? = row[1]
        do throws(WireError) {
            let genesis = try Genesis(decoding: Array(genesisData))
            guard genesis.spaceID == space else {
                throw WireError.invalid(reason: "the genesis is another's", byteOffset: 0)
            }
            var record = SpaceRecord(genesis: genesis)
            if let accessData { record.access = try AccessList(decoding: Array(accessData)) }
            return record
        } catch {
            throw .damagedSpace(space: space, reason: "\(error)")
        }
    }

    func logRecord(_ row: Row, of space: SpaceID) throws(RelayError) -> LogRecord {
        let incarnationData: Data = row[1]
        guard let incarnation = Incarnation(Array(incarnationData)) else {
            throw .damagedSpace(space: space, reason: "an incarnation hasn't 16 bytes")
        }
        let descriptor = LogDescriptor(
            device: try identifier(row[0]),
            incarnation: incarnation
        )
        let headData: Data? = row[2]
        var lastHead: Head?
        if let headData {
            lastHead = try head(headData, of: descriptor.logID(in: space), at: nil)
        }
        return LogRecord(space: space, descriptor: descriptor, head: lastHead)
    }

    func head(_ data: Data, of log: LogID, at end: Offset?) throws(RelayError) -> Head {
        do throws(WireError) {
            var reader = ByteReader(Array(data))
            let head = try Head(from: &reader)
            try reader.finish()
            guard end == nil || head.end == end else {
                throw WireError.invalid(reason: "the head is another's", byteOffset: 0)
            }
            return head
        } catch {
            throw .damagedLog(log: log, offset: end ?? .zero, reason: "\(error)")
        }
    }

    func batch(_ row: Row, of log: LogID) throws(RelayError) -> Batch {
        let first: Int64 = row[0]
        let end: Int64 = row[1]
        let entryData: Data = row[2]
        let headData: Data = row[3]
        let firstOffset = Offset(UInt64(clamping: first))
        guard 0 <= first, first < end, end - first <= Limits.maximumBatchCount else {
            throw .damagedLog(log: log, offset: firstOffset, reason: "a batch has no such bounds")
        }
        let head = try head(headData, of: log, at: Offset(UInt64(end)))
        do throws(WireError) {
            var reader = ByteReader(Array(entryData))
            var entries: [[UInt8]] = []
            for _ in first..<end {
                entries.append(try reader.readBlob(limit: Limits.maximumEntryByteCount))
            }
            try reader.finish()
            return Batch(first: firstOffset, entries: entries, head: head)
        } catch {
            throw .damagedLog(log: log, offset: firstOffset, reason: "\(error)")
        }
    }
}

extension Identifier {
    var data: Data { Data(bytes) }
}

extension Batch {
    /// Each entry with its length before it.
    var entryData: Data {
        var writer = ByteWriter(capacity: entries.reduce(0) { $0 + $1.count + 4 })
        for entry in entries { writer.writeBlob(entry) }
        return Data(writer.bytes)
    }
}

extension Head {
    var data: Data {
        var writer = ByteWriter(capacity: Head.byteCount)
        write(to: &writer)
        return Data(writer.bytes)
    }
}
