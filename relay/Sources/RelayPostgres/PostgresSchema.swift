#if PostgreSQL
import RelayStorage
import SennitWire

// The tables of a database, and what is asked of its server before it is used.
//
//     relay       format, name, shard of so many                                    one row
//     nodes       node, generation, last group: what a relay process did last       a row each
//     spaces      space, genesis, access list, its hash and version
//     admissions  space, device, invite
//     logs        log, number, space, author; where it starts and ends, the heads there
//     batches     number, end, first, entries with a varint length each, head
//     discarded   number, below: batches that nobody can read and that the janitor deletes
//
// The end of a log stands in `logs` alone, and an append moves it on the condition that it is
// where the relay thinks. That row changes with every append and has no index on what changes, so
// with room left in its page the new version needs no new index entry ("heap-only tuple",
// https://www.postgresql.org/docs/15/storage-hot.html).
//
// Numbers are random, not counted: they need no round trip, and mean the same on every shard. A
// log that is removed and made again has another number, so what is left of the old one can be
// deleted at leisure.

enum PostgresSchema {
    /// What brings a database from one format to the next, the first from nothing to format 1.
    /// The format that is written is their count.
    static let migrations = [
        """
        CREATE TABLE relay (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            format integer NOT NULL,
            name bytea NOT NULL,
            shard integer NOT NULL,
            shard_count integer NOT NULL
        );
        CREATE TABLE nodes (
            node bytea PRIMARY KEY,
            generation bigint NOT NULL,
            last_group bigint NOT NULL,
            seen timestamp with time zone NOT NULL
        );
        CREATE TABLE spaces (
            space bytea PRIMARY KEY,
            genesis bytea NOT NULL,
            access bytea,
            access_hash bytea,
            access_version bigint
        );
        CREATE TABLE admissions (
            space bytea NOT NULL REFERENCES spaces,
            device bytea NOT NULL,
            invite bytea NOT NULL,
            PRIMARY KEY (space, device)
        );
        CREATE TABLE logs (
            log bytea PRIMARY KEY,
            number bigint NOT NULL UNIQUE,
            space bytea NOT NULL REFERENCES spaces,
            device bytea NOT NULL,
            incarnation bytea NOT NULL,
            end_offset bigint NOT NULL DEFAULT 0,
            byte_count bigint NOT NULL DEFAULT 0,
            head bytea,
            start_offset bigint NOT NULL DEFAULT 0,
            start_byte_count bigint NOT NULL DEFAULT 0,
            start_head bytea
        ) WITH (fillfactor = 50);
        CREATE INDEX logs_by_space ON logs (space);
        CREATE TABLE batches (
            number bigint NOT NULL,
            end_offset bigint NOT NULL,
            first_offset bigint NOT NULL,
            entries bytea NOT NULL,
            head bytea NOT NULL,
            PRIMARY KEY (number, end_offset)
        );
        ALTER TABLE batches ALTER COLUMN entries SET STORAGE EXTERNAL;
        CREATE TABLE discarded (
            number bigint PRIMARY KEY,
            below bigint NOT NULL
        );
        """
    ]

    /// What a database says it is.
    struct Identity: Hashable {
        let relayName: Bytes32
        let shard: Int
        let shardCount: Int
    }

    /// Makes the tables where there are none, and brings older ones up to date.
    /// - Parameters:
    ///   - identity: for new tables.
    ///   - makesTables: whether there may be new ones.
    /// - Throws: `newerFormat`, `notRelayStorage`, `unavailable`, `failed`.
    static func prepare(
        _ connection: PostgresConnection,
        _ location: String,
        identity: Identity,
        makesTables: Bool = true,
        migrations: [String] = PostgresSchema.migrations,
        until deadline: Deadline
    ) throws(StorageError) -> Identity {
        // Several relays may be started on an empty database at once: one makes the tables, the
        // others fail to and find them.
        for _ in 0..<maximumAttemptCount {
            switch try look(connection, location, until: deadline) {
            case .found(let found, let format) where format == migrations.count: return found
            case .found(_, let format) where format > migrations.count:
                throw .newerFormat(path: location, version: format)
            case .found(_, let format):
                let mark = "UPDATE relay SET format = \(migrations.count)"
                // Held until the end: a second relay that does the same waits here, then fails.
                let guardian = """
                    UPDATE relay SET format = format;
                    SELECT 1 / CASE WHEN (SELECT format FROM relay) = \(format) THEN 1 ELSE 0 END
                    """
                let steps = [guardian] + migrations[format...] + [mark]
                try attempt(steps, connection, location, until: deadline)
            case .absent:
                guard makesTables else { throw .notRelayStorage(path: location) }
                let mark = """
                    INSERT INTO relay (format, name, shard, shard_count) VALUES (
                        \(migrations.count),
                        decode('\(Hex.encode(identity.relayName.bytes))', 'hex'),
                        \(identity.shard), \(identity.shardCount)
                    )
                    """
                try attempt(migrations + [mark], connection, location, until: deadline)
            }
        }
        throw .failed(path: location, reason: "its tables can't be made")
    }

    /// Refuses a server whose commits may be lost.
    ///
    /// "Setting this parameter to off ... there might be some window of time in which
    /// transactions are reported as committed but are lost":
    /// https://www.postgresql.org/docs/15/runtime-config-wal.html
    static func checkDurability(
        _ connection: PostgresConnection,
        _ location: String,
        until deadline: Deadline
    ) throws(StorageError) {
        for setting in ["fsync", "synchronous_commit"] {
            let rows: PostgresRows
            do throws(PostgresFailure) {
                rows = try connection.run("SHOW \(setting)", until: deadline)
            } catch {
                throw error.storageError(location)
            }
            guard rows.text(0, 0) != "off" else {
                let reason = "\(setting) is off there, so it may lose what it committed"
                throw .failed(path: location, reason: reason)
            }
        }
    }

    private static let maximumAttemptCount = 8

    private static let identity = PostgresStatement(
        name: "identity",
        text: "SELECT format, name, shard, shard_count FROM relay"
    )

    private enum Content {
        case absent
        case found(Identity, format: Int)
    }

    private static func look(
        _ connection: PostgresConnection,
        _ location: String,
        until deadline: Deadline
    ) throws(StorageError) -> Content {
        do throws(PostgresFailure) {
            let rows = try connection.run(identity, until: deadline)
            guard rows.count == 1, let format = rows.integer(0, 0),
                let name = rows.bytes(0, 1).flatMap({ Bytes32($0) }),
                let shard = rows.integer(0, 2), let shardCount = rows.integer(0, 3)
            else { throw PostgresFailure(.refused(state: "42703"), "") }
            let identity = Identity(
                relayName: name,
                shard: Int(shard),
                shardCount: Int(shardCount)
            )
            return .found(identity, format: Int(format))
        } catch {
            switch error.kind {
            case .refused("42P01"): return .absent
            case .refused("42703"): throw .notRelayStorage(path: location)
            default: throw error.storageError(location)
            }
        }
    }

    /// Carries out all or nothing. Whether it did is seen by looking again.
    private static func attempt(
        _ steps: [String],
        _ connection: PostgresConnection,
        _ location: String,
        until deadline: Deadline
    ) throws(StorageError) {
        let text = (["BEGIN"] + steps + ["COMMIT"]).joined(separator: ";\n")
        do throws(PostgresFailure) {
            try connection.run(text, until: deadline)
        } catch {
            guard case .refused(let state) = error.kind else {
                throw error.storageError(location)
            }
            _ = try? connection.run("ROLLBACK", until: deadline)
            // There already, by another relay.
            guard error.isTransient || state.hasPrefix("42P07") else {
                throw error.storageError(location)
            }
        }
    }
}
#endif
