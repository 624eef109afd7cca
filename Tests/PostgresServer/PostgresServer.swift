import Foundation
import Synchronization

/// A PostgreSQL server of the tests' own, in a temporary directory, reached through a socket there.
///
/// It ends with this process, however that ends: a shell stands between them, which stops the
/// server and removes the directory as soon as its standard input is closed.
public final class PostgresServer: Sendable {
    /// Why there is none.
    public enum Failure: Error, Hashable {
        case notInstalled
        case notStarted(log: String)
        case command(String, output: String)
    }

    /// The directory with the data, the socket and the log.
    public let directory: String

    private let shell: Process
    private let input: Pipe

    /// The programs of the newest PostgreSQL that is installed; `nil` without one.
    public static let programs: String? = {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return versions.compactMap { version in Int(version).map { ($0, version) } }
            .sorted { $0.0 > $1.0 }
            .map { root + "/" + $0.1 + "/bin" }
            .first { FileManager.default.isExecutableFile(atPath: $0 + "/initdb") }
    }()

    /// Whether a missing server is a failure: where everything is tested, it must be there.
    public static let isRequired = ProcessInfo.processInfo.environment["CI"] == "true"

    /// One for all tests that need no server to themselves.
    public static func shared() throws -> PostgresServer { try sharedServer.get() }

    private static let sharedServer = Result { try PostgresServer() }

    /// What is put into a standby's directory instead of an empty database, and what it says.
    private static let script = """
        set -eu
        directory=$1 programs=$2 primary=$3 settings=$4
        stop() {
            if [ -n "${server:-}" ]; then
                kill -CONT "$server" $(ps -o pid= --ppid "$server") 2>/dev/null || true
                kill -INT "$server" 2>/dev/null || true
                wait "$server" || true
            fi
            rm -rf "$directory"
        }
        trap stop EXIT
        cd "$directory"
        {
            if [ -n "$primary" ]; then
                "$programs/pg_basebackup" -h "$primary" -U relay -D data -R -c fast -X stream
            else
                "$programs/initdb" -D data -A trust -U relay -E UTF8 --locale=C -N
                echo "local replication all trust" >> data/pg_hba.conf
            fi
            printf '%s\\n' "listen_addresses = ''" "unix_socket_directories = '$directory'" \\
                "shared_buffers = 32MB" "max_connections = 60" "$settings" >> data/postgresql.conf
        } > setup.log 2>&1
        "$programs/postgres" -D data > server.log 2>&1 &
        server=$!
        for _ in $(seq 300); do
            if "$programs/pg_isready" -q -h "$directory" -U relay; then
                echo ready
                break
            fi
            kill -0 "$server"
            sleep 0.1
        done
        cat > /dev/null
        """

    /// Makes a database cluster, or a copy of another server's as its standby, and starts it.
    /// - Parameter settings: lines of postgresql.conf.
    public init(standbyOf primary: PostgresServer? = nil, settings: [String] = []) throws {
        guard let programs = PostgresServer.programs else { throw Failure.notInstalled }
        // Short, for it becomes the name of a socket.
        directory = "/tmp/sennit-pg-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        input = Pipe()
        let output = Pipe()
        shell = Process()
        let words = [
            "/bin/sh", "-c", PostgresServer.script, "postgres-server", directory, programs,
            primary?.directory ?? "", settings.joined(separator: "\n"),
        ]
        // It refuses to run as root. The shell is the server's user too, so nobody stands between.
        if geteuid() == 0 {
            try FileManager.default.setAttributes(
                [.ownerAccountName: "postgres"],
                ofItemAtPath: directory
            )
            shell.executableURL = URL(fileURLWithPath: "/usr/sbin/runuser")
            shell.arguments = ["-u", "postgres", "--"] + words
        } else {
            shell.executableURL = URL(fileURLWithPath: words[0])
            shell.arguments = Array(words.dropFirst())
        }
        shell.standardInput = input
        shell.standardOutput = output
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        let word = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard word == "ready\n" else {
            let logs = ["setup.log", "server.log"].map { directory + "/" + $0 }
                .compactMap { try? String(contentsOfFile: $0, encoding: .utf8) }
            stop()
            throw Failure.notStarted(log: logs.joined())
        }
    }

    deinit { stop() }

    /// Stops the server and removes its directory.
    public func stop() {
        try? input.fileHandleForWriting.close()
        shell.waitUntilExit()
    }

    /// Makes schemas, each of which is to a relay what a database is, and is made sooner.
    /// - Returns: their addresses.
    public func schemas(_ count: Int) throws -> [String] {
        let names = (0..<count).map { _ in
            "relay_" + UUID().uuidString.replacing("-", with: "").lowercased()
        }
        try query(names.map { "CREATE SCHEMA \($0)" }.joined(separator: ";"))
        return names.map { address(schema: $0) }
    }

    /// The address of a database, or of a schema in it, as libpq takes it.
    public func address(schema: String? = nil) -> String {
        let path = schema.map { " options='-c search_path=\($0)'" } ?? ""
        return "host=\(directory) user=relay dbname=postgres\(path)"
    }

    /// The process that the server's other processes come from.
    public var processID: Int32? {
        let text = try? String(contentsOfFile: directory + "/data/postmaster.pid", encoding: .utf8)
        return text?.split(separator: "\n").first.flatMap { Int32($0) }
    }

    /// Ends the server as a power cut would: none of its processes gets to say anything.
    public func kill() {
        guard let processID else { return }
        // Held still first, so that none is made meanwhile.
        let script = """
            kill -STOP \(processID)
            kill -KILL $(ps -o pid= --ppid \(processID)) \(processID)
            """
        _ = try? PostgresServer.run("/bin/sh", ["-c", script])
    }

    /// Holds all of the server's processes still, or lets them go on.
    public func setStill(_ isStill: Bool) throws {
        guard let processID else { return }
        let name = isStill ? "STOP" : "CONT"
        let script = "kill -\(name) \(processID) $(ps -o pid= --ppid \(processID))"
        try PostgresServer.run("/bin/sh", ["-c", script])
    }

    /// Makes a standby a primary.
    public func promote() throws { try query("SELECT pg_promote(true, 60)") }

    /// Runs a statement with psql.
    @discardableResult
    public func query(_ text: String) throws -> String {
        try PostgresServer.run(
            (PostgresServer.programs ?? "") + "/psql",
            ["-h", directory, "-U", "relay", "-d", "postgres", "-qAtX", "-c", text]
        )
    }

    /// All of a schema as SQL, as one moment has it.
    public func dump(schemaOf address: String) throws -> String {
        let name = address.split(separator: "=").last?.dropLast() ?? ""
        return try PostgresServer.run(
            (PostgresServer.programs ?? "") + "/pg_dump",
            ["-h", directory, "-U", "relay", "-d", "postgres", "-n", String(name)]
        )
    }

    /// Carries out what another server's `dump` gave.
    /// - Returns: the address of the schema here.
    public func load(_ dump: String, schemaOf address: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString).sql"
        try Data(dump.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try PostgresServer.run(
            (PostgresServer.programs ?? "") + "/psql",
            ["-h", directory, "-U", "relay", "-d", "postgres", "-qX", "-v", "ON_ERROR_STOP=1"]
                + ["-f", path]
        )
        let name = address.split(separator: "=").last?.dropLast() ?? ""
        return self.address(schema: String(name))
    }

    @discardableResult
    private static func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines
        )
        guard process.terminationStatus == 0 else {
            throw Failure.command(arguments.last ?? "", output: text)
        }
        return text
    }
}
