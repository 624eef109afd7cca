import Foundation
import GRDB
import SennitWire

// The rows of each table. What is read is checked as if it came from outside.

extension SQLiteStorage {
    func identifier<Name: Identifier>(_ data: Data) throws(StorageError) -> Name {
        guard let name = Name(data) else {
            throw .damagedFile(path: path, reason: "an identifier hasn't 32 bytes")
        }
        return name
    }

    func spaceRecord(_ row: Row, of space: SpaceID) throws(StorageError) -> SpaceRecord {
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

    func logRecord(_ row: Row, of space: SpaceID) throws(StorageError) -> LogRecord {
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

    func head(_ data: Data, of log: LogID, at end: Offset?) throws(StorageError) -> Head {
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

    func batch(_ row: Row, of log: LogID) throws(StorageError) -> Batch {
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
