#if PostgreSQL
// All that is asked of the server while the relay runs. Kept to what the engines have that speak
// PostgreSQL's protocol: common table expressions, `unnest`, `ON CONFLICT`; no triggers, no
// extensions, no procedures.
//
// A statement that must find what it expects ends in a *guard*: if it changed another number of
// rows than it should, it divides by zero. So a transaction can be sent in one go, with
// its COMMIT, and nothing of it happens if one statement didn't find what it should.

extension PostgresStatement {
    // MARK: Transactions

    static let begin = PostgresStatement(name: "begin", text: "BEGIN")
    static let commit = PostgresStatement(name: "commit", text: "COMMIT")

    /// Marks the group in the node's row; fails once a later connection has taken the row.
    /// node, generation, group → nothing
    static let markGroup = guarded(
        "mark_group",
        """
        UPDATE nodes SET last_group = $3::bigint, seen = now()
        WHERE node = $1::bytea AND generation = $2::bigint
        """
    )

    /// Makes the node's row.
    /// node
    static let addNode = PostgresStatement(
        name: "add_node",
        text: """
            INSERT INTO nodes (node, generation, last_group, seen)
            VALUES ($1::bytea, 0, 0, now()) ON CONFLICT (node) DO NOTHING
            """
    )

    /// Takes the node's row for this connection. Waits for a transaction of an earlier one that
    /// holds it, and is itself committed as an append is: what is read afterwards is durable.
    /// node → generation, last group
    static let takeNode = PostgresStatement(
        name: "take_node",
        text: """
            UPDATE nodes SET generation = generation + 1, seen = now()
            WHERE node = $1::bytea RETURNING generation, last_group
            """
    )

    static let removeNode = PostgresStatement(
        name: "remove_node",
        text: "DELETE FROM nodes WHERE node = $1::bytea"
    )

    static let removeOldNodes = PostgresStatement(
        name: "remove_old_nodes",
        text: "DELETE FROM nodes WHERE seen < now() - interval '30 days'"
    )

    // MARK: Spaces

    /// space, genesis
    static let createSpace = PostgresStatement(
        name: "create_space",
        text: "INSERT INTO spaces (space, genesis) VALUES ($1::bytea, $2::bytea)"
    )

    /// space, list, its hash, its version, the hash of the one in force or nothing
    static let setAccess = guarded(
        "set_access",
        """
        UPDATE spaces SET access = $2::bytea, access_hash = $3::bytea,
            access_version = $4::bigint
        WHERE space = $1::bytea AND coalesce(access_hash, '') = $5::bytea
        """
    )

    /// space, device, invite
    static let admit = PostgresStatement(
        name: "admit",
        text: """
            INSERT INTO admissions (space, device, invite)
            VALUES ($1::bytea, $2::bytea, $3::bytea)
            ON CONFLICT (space, device) DO UPDATE SET invite = excluded.invite
            """
    )

    /// space, devices
    static let forget = PostgresStatement(
        name: "forget",
        text: """
            DELETE FROM admissions WHERE space = $1::bytea AND device = ANY ($2::bytea[])
            """
    )

    /// Leaves the entries to the janitor.
    /// space
    static let discardLogs = PostgresStatement(
        name: "discard_logs",
        text: """
            WITH gone AS (
                DELETE FROM logs WHERE space = $1::bytea RETURNING number, end_offset
            )
            INSERT INTO discarded (number, below) SELECT number, end_offset FROM gone
            """
    )

    static let dropAdmissions = PostgresStatement(
        name: "drop_admissions",
        text: "DELETE FROM admissions WHERE space = $1::bytea"
    )

    static let dropSpace = guarded(
        "drop_space",
        "DELETE FROM spaces WHERE space = $1::bytea"
    )

    // MARK: Logs

    /// log, number, space, device, incarnation
    static let createLog = PostgresStatement(
        name: "create_log",
        text: """
            INSERT INTO logs (log, number, space, device, incarnation)
            VALUES ($1::bytea, $2::bigint, $3::bytea, $4::bytea, $5::bytea)
            """
    )

    /// Moves the ends of logs, if each is where it is expected.
    /// logs, expected ends, new ends, byte counts, heads, how many
    static let moveEnds = PostgresStatement(
        name: "move_ends",
        text: """
            WITH moves AS (
                SELECT * FROM unnest(
                    $1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[]
                ) AS m (log, expected, end_offset, byte_count, head)
            ), moved AS (
                UPDATE logs SET end_offset = m.end_offset, byte_count = m.byte_count,
                    head = m.head
                FROM moves m WHERE logs.log = m.log AND logs.end_offset = m.expected
                RETURNING 1
            )
            SELECT 1 / CASE WHEN (SELECT count(*) FROM moved) = $6::bigint THEN 1 ELSE 0 END
            """
    )

    /// numbers, ends, first offsets, entries, heads
    static let addBatches = PostgresStatement(
        name: "add_batches",
        text: """
            INSERT INTO batches (number, end_offset, first_offset, entries, head)
            SELECT * FROM unnest(
                $1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[]
            )
            """
    )

    /// log, new start, its byte count, its head
    static let moveStart = guarded(
        "move_start",
        """
        UPDATE logs SET start_offset = $2::bigint, start_byte_count = $3::bigint,
            start_head = $4::bytea
        WHERE log = $1::bytea AND start_offset <= $2::bigint AND end_offset >= $2::bigint
        """
    )

    /// The same for a log without entries, which then ends there too.
    /// log, new start, its byte count, its head
    static let beginAt = guarded(
        "begin_at",
        """
        UPDATE logs SET start_offset = $2::bigint, start_byte_count = $3::bigint,
            start_head = $4::bytea, end_offset = $2::bigint, byte_count = $3::bigint,
            head = $4::bytea
        WHERE log = $1::bytea AND end_offset = 0
        """
    )

    /// number, below
    static let discard = PostgresStatement(
        name: "discard",
        text: """
            INSERT INTO discarded (number, below) VALUES ($1::bigint, $2::bigint)
            ON CONFLICT (number) DO UPDATE SET below = excluded.below
            """
    )

    // MARK: The janitor

    /// → number, below
    static let nextDiscarded = PostgresStatement(
        name: "next_discarded",
        text: "SELECT number, below FROM discarded ORDER BY number LIMIT 1"
    )

    /// number, below, how many at most
    static let dropBatches = PostgresStatement(
        name: "drop_batches",
        text: """
            DELETE FROM batches WHERE number = $1::bigint AND end_offset IN (
                SELECT end_offset FROM batches
                WHERE number = $1::bigint AND end_offset <= $2::bigint
                ORDER BY end_offset LIMIT $3::bigint
            )
            """
    )

    /// number, below
    static let dropDiscarded = PostgresStatement(
        name: "drop_discarded",
        text: "DELETE FROM discarded WHERE number = $1::bigint AND below = $2::bigint"
    )

    // MARK: Reading

    /// spaces → space, hash of the list and its version
    static let spaceStates = PostgresStatement(
        name: "space_states",
        text: """
            SELECT space, coalesce(access_hash, ''), coalesce(access_version, 0) FROM spaces
            WHERE space = ANY ($1::bytea[])
            """
    )

    /// logs → log, number, space, end, start
    static let logStates = PostgresStatement(
        name: "log_states",
        text: """
            SELECT log, number, space, end_offset, start_offset FROM logs
            WHERE log = ANY ($1::bytea[])
            """
    )

    /// → space
    static let spaces = PostgresStatement(
        name: "spaces",
        text: "SELECT space FROM spaces ORDER BY space"
    )

    static let spaceCount = PostgresStatement(
        name: "space_count",
        text: "SELECT count(*) FROM spaces"
    )

    /// space → genesis, list
    static let space = PostgresStatement(
        name: "space",
        text: "SELECT genesis, access FROM spaces WHERE space = $1::bytea"
    )

    /// space → device, invite
    static let admissions = PostgresStatement(
        name: "admissions",
        text: "SELECT device, invite FROM admissions WHERE space = $1::bytea"
    )

    private static let logColumns =
        "log, space, device, incarnation, end_offset, head, start_head"

    /// space → the columns of a log
    static let logs = PostgresStatement(
        name: "logs",
        text: "SELECT \(logColumns) FROM logs WHERE space = $1::bytea ORDER BY log"
    )

    /// log → the columns of a log
    static let log = PostgresStatement(
        name: "log",
        text: "SELECT \(logColumns) FROM logs WHERE log = $1::bytea"
    )

    /// space → count
    static let logCount = PostgresStatement(
        name: "log_count",
        text: "SELECT count(*) FROM logs WHERE space = $1::bytea"
    )

    /// log, end → head
    static let head = PostgresStatement(
        name: "head",
        text: """
            SELECT CASE WHEN l.start_offset = $2::bigint THEN l.start_head ELSE (
                SELECT b.head FROM batches b
                WHERE b.number = l.number AND b.end_offset = $2::bigint
                    AND b.end_offset > l.start_offset
            ) END
            FROM logs l WHERE l.log = $1::bytea AND $2::bigint > 0
            """
    )

    /// A log's start stands in a row of its own, so that a deleted range is told from the end.
    /// log, from, how many at most → start, first, end, entries, head
    static let batches = PostgresStatement(
        name: "batches",
        text: """
            SELECT l.start_offset, b.first_offset, b.end_offset, b.entries, b.head
            FROM logs l LEFT JOIN LATERAL (
                SELECT * FROM batches WHERE number = l.number AND end_offset > $2::bigint
                    AND end_offset > l.start_offset
                ORDER BY end_offset LIMIT $3::bigint
            ) b ON true
            WHERE l.log = $1::bytea ORDER BY b.end_offset
            """
    )

    /// space → logs, entries, bytes
    static let usage = PostgresStatement(
        name: "usage",
        text: """
            SELECT count(*), coalesce(sum(end_offset - start_offset), 0)::bigint,
                coalesce(sum(byte_count - start_byte_count), 0)::bigint
            FROM logs WHERE space = $1::bytea
            """
    )

    /// → spaces, logs, entries, their bytes
    static let sizes = PostgresStatement(
        name: "sizes",
        text: """
            SELECT (SELECT count(*) FROM spaces), count(*),
                coalesce(sum(end_offset - start_offset), 0)::bigint,
                coalesce(sum(byte_count - start_byte_count), 0)::bigint
            FROM logs
            """
    )

    /// → bytes of the tables with their indexes
    static let storedBytes = PostgresStatement(
        name: "stored_bytes",
        text: """
            SELECT sum(pg_total_relation_size(name::regclass))::bigint FROM unnest(
                ARRAY['spaces', 'admissions', 'logs', 'batches', 'discarded']
            ) AS name
            """
    )

    // MARK: What others stored

    /// spaces → the columns of a log
    static let watchedLogs = PostgresStatement(
        name: "watched_logs",
        text: """
            SELECT log, space, device, incarnation, end_offset FROM logs
            WHERE space = ANY ($1::bytea[])
            """
    )

    /// spaces → space, what tells a change of list or admissions
    static let watchedSpaces = PostgresStatement(
        name: "watched_spaces",
        text: """
            SELECT s.space, coalesce(s.access_hash, ''),
                (SELECT count(*) FROM admissions a WHERE a.space = s.space)
            FROM spaces s WHERE s.space = ANY ($1::bytea[])
            """
    )

    /// logs, from → log, space, device, incarnation, end, first, end of batch, entries, head
    static let grownLogs = PostgresStatement(
        name: "grown_logs",
        text: """
            SELECT l.log, l.space, l.device, l.incarnation, l.end_offset,
                b.first_offset, b.end_offset, b.entries, b.head
            FROM unnest($1::bytea[], $2::bigint[]) AS g (log, first_offset)
            JOIN logs l ON l.log = g.log
            LEFT JOIN LATERAL (
                SELECT * FROM batches WHERE number = l.number
                    AND end_offset > g.first_offset AND end_offset > l.start_offset
                ORDER BY end_offset LIMIT 64
            ) b ON true
            ORDER BY l.log, b.end_offset
            """
    )

    /// channel, payload
    static let notify = PostgresStatement(
        name: "notify",
        text: "SELECT pg_notify($1::text, $2::text)"
    )

    private static func guarded(
        _ name: String,
        _ change: String
    ) -> PostgresStatement {
        PostgresStatement(
            name: name,
            text: """
                WITH changed AS (\(change) RETURNING 1)
                SELECT 1 / CASE WHEN (SELECT count(*) FROM changed) = 1
                    THEN 1 ELSE 0 END
                """
        )
    }
}
#endif
