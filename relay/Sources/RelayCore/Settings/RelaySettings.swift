/// All that a relay can be told, with the defaults that it runs on if it is told nothing.
///
/// How each is written, read and explained stands in `RelaySettings.table`.
public struct RelaySettings: Hashable, Sendable {
    /// The directory for the relay's data.
    public var directory: String
    /// Where devices connect to.
    public var listen = ListenAddress(host: "127.0.0.1", port: 7433)
    /// How long stopping may take before the relay ends with connections open.
    public var stopTimeout: Duration = .seconds(10)
    /// The certificate with its chain, for TLS by the relay itself.
    public var certificatePath: String?
    /// The certificate's key.
    public var keyPath: String?
    /// The least that is worth a line in the log.
    public var logLevel = "info"
    /// How a line of the log is written.
    public var logFormat = "text"
    /// Whether every connection's beginning and end is worth a line.
    public var logsConnections = false
    /// Where health, readiness and metrics are asked for; `nil` for nowhere.
    public var metricsListen: ListenAddress? = ListenAddress(host: "127.0.0.1", port: 7434)
    /// Where the operator's socket is; `nil` for `admin.sock` among the data.
    public var adminSocketPath: String?
    /// Bytes that stored data may take up; `nil` for no limit.
    public var maximumByteCount: Int?
    /// What stores: files in the directory, or PostgreSQL.
    public var storageEngine = "segments"
    /// The databases, as libpq takes their addresses.
    public var databases: [String] = []
    /// Whether a database is accepted that may lose what it committed.
    public var acceptsUnsafeDatabase = false
    /// The bounds to keep.
    public var limits = RelayLimits()
    /// Who may use the relay and how much.
    public var policy = RelayPolicy()

    /// The defaults, with the directory that suits the machine.
    public init(directory: String) { self.directory = directory }

    /// The directory for a relay that wasn't told one.
    /// - Parameters:
    ///   - environment: the process's.
    ///   - isRoot: whether it may write anywhere.
    public static func defaultDirectory(
        environment: [String: String],
        isRoot: Bool
    ) -> String {
        func value(_ name: String) -> String? {
            environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        // systemd names the directories of a unit, separated by colons.
        if let state = value("STATE_DIRECTORY")?.split(separator: ":").first {
            return String(state)
        }
        if isRoot { return "/var/lib/sennit-relay" }
        let state = value("XDG_STATE_HOME") ?? value("HOME").map { $0 + "/.local/state" }
        return (state ?? "/var/lib") + "/sennit-relay"
    }

    /// What no setting by itself can get wrong.
    var contradictions: [(key: String, reason: String)] {
        var found: [(String, String)] = []
        if (certificatePath == nil) != (keyPath == nil) {
            let (there, missing) =
                keyPath == nil
                ? ("tls.certificate", "tls.key") : ("tls.key", "tls.certificate")
            found.append((there, "it comes together with \(missing), which isn't set"))
        }
        if storageEngine == "postgres", databases.isEmpty {
            found.append(("storage.engine", "it needs storage.databases, which isn't set"))
        }
        if storageEngine != "postgres", !databases.isEmpty {
            found.append(("storage.databases", "they aren't used unless storage.engine says so"))
        }
        if storageEngine == "postgres", policy.retention.untouchedDays != nil {
            found.append(
                (
                    "retention.untouched_days",
                    "with storage.engine \"postgres\" a relay can't see who is at the others"
                )
            )
        }
        if let metricsListen, metricsListen == listen, listen.port != 0 {
            found.append(("metrics.listen", "listen has the same address; metrics need their own"))
        }
        if let path = adminSocketPath, path.utf8.count > AdminLimits.maximumPathByteCount {
            let maximum = AdminLimits.maximumPathByteCount
            found.append(("admin.socket", "a socket's path has at most \(maximum) bytes"))
        }
        if limits.writeBufferLowByteCount > limits.writeBufferHighByteCount {
            found.append(
                ("limits.write_buffer", "it is less than \(limits.writeBufferLowByteCount)")
            )
        }
        return found
    }
}
