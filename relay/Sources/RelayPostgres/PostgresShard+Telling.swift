#if PostgreSQL
import Foundation
import RelayStorage
import SennitWire
import Synchronization

// Hints for other relays: which logs grew, gathered while the last hints are on their way.
//
// They have a connection of their own and never ride in an append's transaction: PostgreSQL takes a
// lock of the whole instance from NOTIFY to the end of its transaction, so appends would be
// committed one after the other. They needn't be durable, so their commit waits for no disk. What
// can't be told is dropped: whoever hears nothing looks every few seconds.

extension PostgresShard {
    /// What is to be told.
    struct Outgoing: @unchecked Sendable {
        // Safe, because it is reached through a mutex only; the connection is used by the teller.
        var connection: PostgresConnection?
        var grown: [LogID: (space: SpaceID, first: UInt64, end: UInt64)] = [:]
        var changed: Set<SpaceID> = []
        var said: [(SpaceID, [UInt8])] = []
        var saidByteCount = 0
        var pause: Deadline?

        var isEmpty: Bool { grown.isEmpty && changed.isEmpty && said.isEmpty }

        mutating func take() -> [NodeMessage] {
            var messages: [NodeMessage] = []
            if grown.count > PostgresShard.maximumHintCount {
                messages.append(.look)
            } else {
                messages += grown.map { log, growth in
                    .grew(space: growth.space, log: log, first: growth.first, end: growth.end)
                }
            }
            messages += changed.map { .changed($0) }
            messages += said.map { .said($0.0, $0.1) }
            grown = [:]
            changed = []
            said = []
            saidByteCount = 0
            return messages
        }
    }

    /// The channel of a database's relays. Channels are of a whole database, in which there may be
    /// several storages by schema.
    static func channel(_ relayName: Bytes32, shard: Int) -> String {
        "sennit_relay_\(Hex.encode(Array(relayName.bytes.prefix(8))))_\(shard)"
    }

    var channel: String { Self.channel(identity.relayName, shard: identity.shard) }

    /// Logs that are named at once; of more it is only said that there are many.
    static let maximumHintCount = 2048
    /// Presence that waits to be told; what comes on top is dropped.
    static let maximumSaidByteCount = 256 << 10
    private static let tellerPause = Duration.seconds(1)
    /// So much time is left for others to use the server, and for more to gather.
    private static let hintSpacing = 0.002

    /// Notes what a group did.
    func hint(_ plan: GroupPlan) {
        guard options.givesHints else { return }
        outgoing.withLock { outgoing in
            for (log, growth) in plan.growths {
                outgoing.grown[log, default: growth].end = growth.end
            }
            outgoing.changed.formUnion(plan.changedSpaces)
        }
        wakeTeller()
    }

    /// Notes a message.
    func broadcast(_ message: [UInt8], in space: SpaceID) {
        guard options.givesHints else { return }
        outgoing.withLock { outgoing in
            guard outgoing.saidByteCount + message.count <= Self.maximumSaidByteCount else {
                return
            }
            outgoing.said.append((space, message))
            outgoing.saidByteCount += message.count
        }
        wakeTeller()
    }

    /// Tells what is noted.
    func tellAll() {
        while true {
            let (messages, known) = outgoing.withLock { outgoing in
                if let pause = outgoing.pause, !pause.isOver {
                    _ = outgoing.take()
                    return ([NodeMessage](), nil as Transfer?)
                }
                return (outgoing.take(), outgoing.connection.map { Transfer(connection: $0) })
            }
            if messages.isEmpty { return }
            do throws(PostgresFailure) {
                let deadline = Deadline.after(options.connectTimeout)
                let connection: PostgresConnection
                if let known {
                    connection = known.connection
                } else {
                    connection = try PostgresConnection(source, timeout: options.connectTimeout)
                    try connection.run("SET synchronous_commit = off", until: deadline)
                    let transfer = Transfer(connection: connection)
                    outgoing.withLock { $0.connection = transfer.connection }
                }
                let calls = NodeMessage.payloads(messages, from: node).map { payload in
                    PostgresCall(.notify, .text(channel), .text(payload))
                }
                _ = try connection.run(
                    pipeline: [.init(.begin)] + calls + [.init(.commit)],
                    until: deadline
                )
            } catch {
                outgoing.withLock { outgoing in
                    outgoing.connection = nil
                    outgoing.pause = .after(Self.tellerPause)
                }
            }
            Thread.sleep(forTimeInterval: Self.hintSpacing)
        }
    }
}
#endif
