extension RelaySettings {
    /// Every setting there is, in the order in which they are shown.
    public static let table: [Setting] =
        basics + storageSettings + limitSettings + policySettings

    /// The setting of a key.
    public static func setting(_ key: String) -> Setting? { table.first { $0.key == key } }

    private static let basics: [Setting] = [
        Setting(
            "data",
            \.directory,
            .path,
            .restart,
            "The directory for the relay's data; it is made if it doesn't exist.",
            defaultNote: """
                $STATE_DIRECTORY; without it /var/lib/sennit-relay for root, else \
                ~/.local/state/sennit-relay
                """
        ),
        Setting(
            "listen",
            \.listen,
            .address,
            .restart,
            "Where devices connect to; port 0 takes any that is free."
        ),
        Setting(
            "stop_timeout",
            \.stopTimeout,
            .duration(.seconds(1)...(.seconds(600))),
            .live,
            "How long stopping may take before connections that are still open are cut."
        ),
        Setting(
            "tls.certificate",
            \.certificatePath,
            .optional(.path, none: "off"),
            .live,
            "A PEM file: the certificate with its chain, for TLS by the relay itself.",
            flag: "certificate"
        ),
        Setting(
            "tls.key",
            \.keyPath,
            .optional(.path, none: "off"),
            .live,
            "A PEM file: the certificate's private key.",
            flag: "key"
        ),
        Setting(
            "log.level",
            \.logLevel,
            .choice(["debug", "info", "notice", "warning", "error"]),
            .live,
            "How much to log; ids of spaces, logs and devices appear at debug only."
        ),
        Setting(
            "log.format",
            \.logFormat,
            .choice(["text", "json"]),
            .restart,
            "How a line of the log is written."
        ),
        Setting(
            "log.connections",
            \.logsConnections,
            .boolean,
            .live,
            "Whether every connection's beginning and end gets a line, with its address."
        ),
        Setting(
            "metrics.listen",
            \.metricsListen,
            .optional(.address, none: "off"),
            .restart,
            """
            Where /metrics, /healthz and /readyz are answered, without login: keep it from \
            strangers.
            """
        ),
        Setting(
            "admin.socket",
            \.adminSocketPath,
            .optional(.path, none: "default"),
            .restart,
            "The operator's socket, for where the data's path is too long or not on a local disk.",
            defaultNote: "admin.sock among the data"
        ),
    ]

    private static let storageSettings: [Setting] = [
        Setting(
            "storage.maximum_size",
            \.maximumByteCount,
            .optional(.bytes((1 << 20)...(1 << 50)), none: "off"),
            .restart,
            "What stored data may take up on the disk; appends beyond it are refused."
        ),
        Setting(
            "storage.engine",
            \.storageEngine,
            .choice(["segments", "postgres"]),
            .restart,
            "What stores: files in the data directory, or PostgreSQL.",
            flag: "storage"
        ),
        Setting(
            "storage.databases",
            \.databases,
            .databases,
            .restart,
            "PostgreSQL databases, one or several; their order and number stay as they are.",
            flag: "databases",
            isSecret: true
        ),
        Setting(
            "storage.accept_unsafe_database",
            \.acceptsUnsafeDatabase,
            .boolean,
            .restart,
            "Whether a database is used that may lose what it acked (fsync or commits set off)."
        ),
    ]

    private static let limitSettings: [Setting] = [
        Setting(
            "limits.connections",
            \.limits.maximumConnectionCount,
            .integer(1...1_000_000),
            .restart,
            "Connections at once."
        ),
        Setting(
            "limits.handshake_timeout",
            \.limits.handshakeTimeout,
            .duration(.seconds(1)...(.seconds(300))),
            .restart,
            "From a connection's first byte until its device has said who it is."
        ),
        Setting(
            "limits.idle_timeout",
            \.limits.idleTimeout,
            .duration(.seconds(5)...(.seconds(3600))),
            .restart,
            "How long a device may be silent, pings included, before it is taken for gone."
        ),
        Setting(
            "limits.write_timeout",
            \.limits.writeTimeout,
            .duration(.seconds(1)...(.seconds(3600))),
            .restart,
            "How long a device may leave unread what was sent to it before it is cut off."
        ),
        Setting(
            "limits.linger_timeout",
            \.limits.lingerTimeout,
            .duration(.milliseconds(100)...(.seconds(60))),
            .restart,
            "How long a connection that is refused stays open, so that the device can read why."
        ),
        Setting(
            "limits.write_buffer",
            \.limits.writeBufferHighByteCount,
            .bytes((64 << 10)...(64 << 20)),
            .restart,
            "What may wait in a connection's socket before nothing more is read for it."
        ),
        Setting(
            "limits.pending_appends",
            \.limits.maximumPendingAppendCount,
            .integer(1...65536),
            .restart,
            "Appends of one connection that wait for the disk."
        ),
        Setting(
            "limits.pending_size",
            \.limits.maximumPendingByteCount,
            .bytes((2 << 20)...(1 << 30)),
            .restart,
            "Bytes of one connection that wait for the disk."
        ),
        Setting(
            "limits.total_pending_size",
            \.limits.maximumTotalPendingByteCount,
            .bytes((2 << 20)...(1 << 40)),
            .restart,
            "Bytes of all connections together that wait for the disk."
        ),
        Setting(
            "limits.presence_per_second",
            \.limits.presencePerSecond,
            .number(1...10_000),
            .restart,
            "Cursor positions and the like that a connection may send over long times."
        ),
        Setting(
            "limits.presence_burst",
            \.limits.presenceBurst,
            .number(1...10_000),
            .restart,
            "Cursor positions and the like that may come at once."
        ),
        Setting(
            "limits.spaces",
            \.limits.maximumSpaceCount,
            .integer(1...(1 << 30)),
            .restart,
            "Spaces on this relay."
        ),
    ]
}
