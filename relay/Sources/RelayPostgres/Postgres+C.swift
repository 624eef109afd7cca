#if PostgreSQL
import CPostgres
import Glibc

// The only file of this module that calls libpq. https://www.postgresql.org/docs/15/libpq.html
//
// Everything is asynchronous to libpq and waits here, with a deadline: a server that is cut off
// by the network answers nothing at all. A connection that failed or timed out is of no more
// use, and is thrown away.
//
// Values go both ways in binary. Statements are prepared when the connection is made, so the
// server plans each of them once.

/// One connection. Confined to one thread at a time.
@safe
final class PostgresConnection {
    /// Whether the server warned since `clearWarning`.
    ///
    /// A commit that waits for a standby and is cancelled by hand reports success and warns
    /// that it "might not have been replicated to the standby".
    private final class Notices {
        var hasWarning = false
    }

    private let connection: OpaquePointer
    private let notices = Notices()
    private var prepared: Set<String> = []

    /// Connects.
    /// - Parameters:
    ///   - source: a connection string or URI. What it leaves out is filled in so that a server
    ///     that is cut off is noticed, and that of several hosts the one is taken that takes
    ///     writes.
    init(_ source: String, timeout: Duration) throws(PostgresFailure) {
        let seconds = max(2, Int(timeout.components.seconds))
        // Those after `dbname` can't be overridden by it.
        let options = [
            ("connect_timeout", "\(seconds)"), ("target_session_attrs", "read-write"),
            ("tcp_user_timeout", "10000"), ("keepalives_idle", "10"),
            ("keepalives_interval", "5"), ("keepalives_count", "2"),
            ("fallback_application_name", "sennit-relay"), ("dbname", source),
            ("client_encoding", "UTF8"),
        ]
        let names = unsafe options.map { unsafe strdup($0.0) }
        let values = unsafe options.map { unsafe strdup($0.1) }
        defer {
            unsafe names.forEach { unsafe free($0) }
            unsafe values.forEach { unsafe free($0) }
        }
        let keywords = unsafe names.map { unsafe UnsafePointer($0) } + [nil]
        let arguments = unsafe values.map { unsafe UnsafePointer($0) } + [nil]
        guard let opened = unsafe PQconnectdbParams(keywords, arguments, 1) else {
            throw PostgresFailure(.lost, "out of memory")
        }
        guard unsafe PQstatus(opened) == CONNECTION_OK, unsafe PQsetnonblocking(opened, 1) == 0
        else {
            let reason = unsafe String(cString: PQerrorMessage(opened))
            unsafe PQfinish(opened)
            throw PostgresFailure(.lost, PostgresFailure.sentence(reason))
        }
        unsafe connection = opened
        let notices = unsafe Unmanaged.passUnretained(notices).toOpaque()
        _ = unsafe PQsetNoticeReceiver(
            opened,
            { context, result in
                guard let context = unsafe context,
                    let severity = unsafe PQresultErrorField(
                        result,
                        Int32(UInt8(ascii: "V"))
                    )
                else { return }
                guard unsafe strcmp(severity, "WARNING") == 0 else { return }
                unsafe Unmanaged<Notices>.fromOpaque(context).takeUnretainedValue()
                    .hasWarning = true
            },
            notices
        )
    }

    deinit { unsafe PQfinish(connection) }

    /// Whether the server warned since `clearWarning`.
    var hasWarning: Bool { notices.hasWarning }

    /// Forgets warnings.
    func clearWarning() { notices.hasWarning = false }

    // MARK: Statements

    /// Runs text that may hold several statements, without parameters, and returns what the
    /// last of them gave, as text.
    @discardableResult
    func run(_ text: String, until deadline: Deadline) throws(PostgresFailure) -> PostgresRows {
        guard unsafe PQsendQuery(connection, text) == 1 else { throw lost() }
        var last = PostgresRows()
        var failure: PostgresFailure?
        while let result = try nextResult(until: deadline) {
            do throws(PostgresFailure) { last = try result.get() } catch { failure = error }
        }
        if let failure { throw failure }
        return last
    }

    /// Runs one statement.
    @discardableResult
    func run(
        _ statement: PostgresStatement,
        _ parameters: [PostgresParameter] = [],
        until deadline: Deadline
    ) throws(PostgresFailure) -> PostgresRows {
        try prepare([statement], until: deadline)
        try send(statement, parameters)
        var rows: Result<PostgresRows, PostgresFailure>?
        while let result = try nextResult(until: deadline) { rows = rows ?? result }
        guard let rows else { throw lost() }
        return try rows.get()
    }

    /// Sends statements in one go and waits for the answers to all.
    /// - Returns: what each gave. After the first that failed, none is carried out.
    func run(
        pipeline: [PostgresCall],
        until deadline: Deadline
    ) throws(PostgresFailure) -> [Result<PostgresRows, PostgresFailure>] {
        try prepare(pipeline.map(\.statement), until: deadline)
        guard unsafe PQenterPipelineMode(connection) == 1 else { throw lost() }
        for call in pipeline { try send(call.statement, call.parameters) }
        guard unsafe PQpipelineSync(connection) == 1 else { throw lost() }
        var results: [Result<PostgresRows, PostgresFailure>] = []
        for _ in pipeline {
            guard let result = try nextResult(until: deadline) else { throw lost() }
            results.append(result)
            while try nextResult(until: deadline) != nil {}
        }
        // The mark that ends the pipeline.
        _ = try nextResult(until: deadline)
        guard unsafe PQexitPipelineMode(connection) == 1 else { throw lost() }
        return results
    }

    /// Has statements planned that this connection doesn't know.
    private func prepare(
        _ statements: [PostgresStatement],
        until deadline: Deadline
    ) throws(PostgresFailure) {
        for statement in statements where !prepared.contains(statement.name) {
            guard
                unsafe PQsendPrepare(connection, statement.name, statement.text, 0, nil) == 1
            else { throw lost() }
            // All answers are taken in before any of them counts.
            var failure: PostgresFailure?
            while let result = try nextResult(until: deadline) {
                if case .failure(let refusal) = result { failure = refusal }
            }
            if let failure { throw failure }
            prepared.insert(statement.name)
        }
    }

    private func send(
        _ statement: PostgresStatement,
        _ parameters: [PostgresParameter]
    ) throws(PostgresFailure) {
        var bytes: [UInt8] = []
        var starts: [Int] = []
        var lengths: [Int32] = []
        for parameter in parameters {
            starts.append(bytes.count)
            parameter.append(to: &bytes)
            guard let length = Int32(exactly: bytes.count - starts[starts.count - 1]) else {
                throw PostgresFailure(.refused(state: "54000"), "a statement is too large")
            }
            lengths.append(length)
        }
        // So that the pointer of an empty value isn't that of no value.
        bytes.append(0)
        let isSent = unsafe bytes.withUnsafeBytes { buffer in
            let values = unsafe starts.map { start in
                unsafe buffer.baseAddress.map { base in
                    unsafe (base + start).assumingMemoryBound(to: CChar.self)
                }
            }
            return unsafe PQsendQueryPrepared(
                connection,
                statement.name,
                Int32(parameters.count),
                values,
                lengths,
                [Int32](repeating: 1, count: parameters.count),
                1
            ) == 1
        }
        guard isSent else { throw lost() }
    }

    // MARK: Answers

    private func nextResult(
        until deadline: Deadline
    ) throws(PostgresFailure) -> Result<PostgresRows, PostgresFailure>? {
        while true {
            let flushed = unsafe PQflush(connection)
            if flushed < 0 { throw lost() }
            if flushed == 0, unsafe PQisBusy(connection) == 0 { break }
            let events = try wait(for: flushed == 0 ? POLLIN : POLLIN | POLLOUT, deadline)
            guard events != 0 else { throw PostgresFailure(.lost, "it doesn't answer") }
            if unsafe PQconsumeInput(connection) != 1 { throw lost() }
        }
        guard let result = unsafe PQgetResult(connection) else { return nil }
        defer { unsafe PQclear(result) }
        switch unsafe PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_PIPELINE_SYNC, PGRES_EMPTY_QUERY:
            return unsafe .success(PostgresConnection.rows(result))
        case PGRES_PIPELINE_ABORTED:
            return .failure(PostgresFailure(.refused(state: ""), "an earlier one failed"))
        default:
            let reason = unsafe String(cString: PQresultErrorMessage(result))
            let state = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "C")))
                .map { unsafe String(cString: $0) }
            guard let state, unsafe PQstatus(connection) == CONNECTION_OK else {
                throw PostgresFailure(.lost, PostgresFailure.sentence(reason))
            }
            let kind: PostgresFailure.Kind =
                PostgresFailure.isEnding(state) ? .lost : .refused(state: state)
            return .failure(PostgresFailure(kind, PostgresFailure.sentence(reason)))
        }
    }

    /// Waits until the socket is ready.
    /// - Returns: what it is ready for; 0 at the deadline.
    private func wait(for events: Int32, _ deadline: Deadline) throws(PostgresFailure) -> Int16 {
        var descriptor = unsafe pollfd(
            fd: PQsocket(connection),
            events: Int16(events),
            revents: 0
        )
        while true {
            let count = unsafe poll(&descriptor, 1, deadline.remainingMilliseconds)
            if count >= 0 { return count == 0 ? 0 : descriptor.revents }
            guard errno == EINTR else { throw PostgresFailure(.lost, "the socket failed") }
        }
    }

    private static func rows(_ result: OpaquePointer) -> PostgresRows {
        let count = Int(unsafe PQntuples(result))
        let width = Int(unsafe PQnfields(result))
        var values: [[UInt8]?] = []
        values.reserveCapacity(count * width)
        for row in 0..<Int32(count) {
            for column in 0..<Int32(width) {
                guard unsafe PQgetisnull(result, row, column) == 0,
                    let start = unsafe PQgetvalue(result, row, column)
                else {
                    values.append(nil)
                    continue
                }
                let length = Int(unsafe PQgetlength(result, row, column))
                let bytes = unsafe UnsafeRawBufferPointer(start: start, count: length)
                values.append(unsafe [UInt8](bytes))
            }
        }
        return PostgresRows(
            count: count,
            width: width,
            values: values,
            command: unsafe String(cString: PQcmdStatus(result))
        )
    }

    private func lost() -> PostgresFailure {
        let reason = unsafe String(cString: PQerrorMessage(connection))
        return PostgresFailure(.lost, PostgresFailure.sentence(reason))
    }

    // MARK: Notifications

    /// Waits for notifications.
    /// - Returns: their payloads; none at the deadline.
    func notifications(until deadline: Deadline) throws(PostgresFailure) -> [String] {
        while true {
            guard unsafe PQconsumeInput(connection) == 1 else { throw lost() }
            var payloads: [String] = []
            while let notification = unsafe PQnotifies(connection) {
                unsafe payloads.append(String(cString: notification.pointee.extra))
                unsafe PQfreemem(notification)
            }
            if !payloads.isEmpty { return payloads }
            if try wait(for: POLLIN, deadline) == 0 { return [] }
        }
    }

    // MARK: Connection strings

    /// Host, port and database of a connection string, for people to read: nothing secret.
    /// - Throws: `refused` if it can't be parsed.
    static func location(of source: String) throws(PostgresFailure) -> String {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = unsafe PQconninfoParse(source, &message) else {
            let reason = unsafe message.map { unsafe String(cString: $0) } ?? "out of memory"
            unsafe PQfreemem(message)
            throw PostgresFailure(.refused(state: ""), PostgresFailure.sentence(reason))
        }
        defer { unsafe PQconninfoFree(options) }
        var found: [String: String] = [:]
        var next = unsafe options
        while let keyword = unsafe next.pointee.keyword {
            if let value = unsafe next.pointee.val {
                unsafe found[String(cString: keyword)] = String(cString: value)
            }
            unsafe next += 1
        }
        let host = found["host"] ?? found["hostaddr"] ?? "localhost"
        let port = found["port"].map { ":\($0)" } ?? ""
        return "postgresql://\(host)\(port)/\(found["dbname"] ?? found["user"] ?? "")"
    }
}
#endif
