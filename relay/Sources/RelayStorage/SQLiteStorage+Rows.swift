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
            lastHead = try Head(row: Array(headData), of: descriptor.logID(in: space), at: nil)
        }
        return LogRecord(space: space, descriptor: descriptor, head: lastHead)
    }

    func batch(_ row: Row, of log: LogID) throws(StorageError) -> Batch {
        let entries: Data = row[2]
        let head: Data = row[3]
        return try Batch(
            first: row[0],
            end: row[1],
            entries: Array(entries),
            head: Array(head),
            of: log
        )
    }
}

extension Identifier {
    var data: Data { Data(bytes) }
}
