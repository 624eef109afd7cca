#if PostgreSQL
import Foundation
import SennitWire

// What one relay tells the others, in the payload of a notification: base64, since a payload is
// text, and "in the default configuration it must be shorter than 8000 bytes"
// (https://www.postgresql.org/docs/15/sql-notify.html). It begins with the 16 bytes of the relay's
// name in this database, for a relay hears itself too.
//
//     1  space 32  log 32  first varint  end varint      a log grew
//     2  space 32                                        a list or admissions changed
//     3  space 32  length varint  bytes                  presence, for everybody in the space
//     4                                                  too much to say: look for yourself
//
// Several stand one behind the other. An unknown kind ends the reading: a newer relay wrote it.

/// One thing that a relay tells the others.
enum NodeMessage: Hashable {
    case grew(space: SpaceID, log: LogID, first: UInt64, end: UInt64)
    case changed(SpaceID)
    case said(SpaceID, [UInt8])
    case look

    /// So that base64 of it stays under 8000.
    static let maximumByteCount = 5900

    /// Bytes of a relay's name in a database.
    static let nodeByteCount = 16

    /// Puts messages into as few payloads as will do.
    static func payloads(_ messages: [NodeMessage], from node: [UInt8]) -> [String] {
        var payloads: [String] = []
        var bytes = node
        for message in messages {
            let next = message.bytes
            if next.count > maximumByteCount { continue }
            if bytes.count + next.count > maximumByteCount {
                payloads.append(Data(bytes).base64EncodedString())
                bytes = node
            }
            bytes += next
        }
        if bytes.count > node.count { payloads.append(Data(bytes).base64EncodedString()) }
        return payloads
    }

    /// The messages of a payload, as far as they can be read; none of the relay's own.
    static func messages(_ payload: String, for node: [UInt8]) -> [NodeMessage] {
        guard payload.utf8.count < 8000, let data = Data(base64Encoded: payload) else { return [] }
        var reader = ByteReader([UInt8](data))
        var messages: [NodeMessage] = []
        do throws(WireError) {
            if try reader.readBytes(nodeByteCount) == node { return [] }
            while true { messages.append(try NodeMessage(from: &reader)) }
        } catch {
            return messages
        }
    }

    private init(from reader: inout ByteReader) throws(WireError) {
        switch try reader.readByte() {
        case 1:
            let space: SpaceID = try reader.readIdentifier()
            let log: LogID = try reader.readIdentifier()
            let first = try reader.readVarint()
            self = .grew(space: space, log: log, first: first, end: try reader.readVarint())
        case 2: self = .changed(try reader.readIdentifier())
        case 3:
            let space: SpaceID = try reader.readIdentifier()
            self = .said(space, try reader.readBlob(limit: Limits.maximumPresenceByteCount))
        case 4: self = .look
        case let kind:
            throw .unknown(field: "message", value: UInt64(kind), byteOffset: reader.byteOffset)
        }
    }

    private var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 96)
        switch self {
        case .grew(let space, let log, let first, let end):
            writer.write(1 as UInt8)
            writer.write(space)
            writer.write(log)
            writer.writeVarint(first)
            writer.writeVarint(end)
        case .changed(let space):
            writer.write(2 as UInt8)
            writer.write(space)
        case .said(let space, let message):
            writer.write(3 as UInt8)
            writer.write(space)
            writer.writeBlob(message)
        case .look: writer.write(4 as UInt8)
        }
        return writer.bytes
    }
}
#endif
