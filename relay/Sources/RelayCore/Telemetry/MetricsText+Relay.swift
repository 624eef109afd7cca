import RelayStorage

// Every figure of a relay, with its name and what it means. No label names a space, a log, a device
// or an address.
extension MetricsText {
    mutating func addProcess(uptime: Double, isReady: Bool, phase: Telemetry.Phase) {
        add(
            .gauge,
            "build_info",
            "The version that runs.",
            label: "version",
            [(RelayVersion.text, 1)]
        )
        add(.gauge, "uptime_seconds", "Time since the relay was started.", uptime)
        add(.gauge, "ready", "Whether /readyz says yes.", isReady ? 1 : UInt64(0))
        let phases: [Telemetry.Phase] = [.recovering, .serving, .draining]
        add(
            .gauge,
            "phase",
            "What the relay does: 1 for one of them.",
            label: "phase",
            phases.map { ($0.rawValue, $0 == phase ? 1 : 0) }
        )
    }

    mutating func add(_ totals: RelayMetrics.Totals, connectionCount: Int) {
        add(
            .gauge,
            "connections",
            "Connections that are open, before and after their upgrade.",
            UInt64(connectionCount)
        )
        add(
            .counter,
            "connections_total",
            "Connections that became WebSocket.",
            totals.connections
        )
        add(.counter, "frames_received_total", "Frames that came from devices.", totals.frames)
        add(
            .counter,
            "received_bytes_total",
            "Bytes of these frames, without TLS and headers.",
            totals.receivedBytes
        )
        add(
            .counter,
            "sent_bytes_total",
            "Bytes that were sent to devices, without TLS.",
            totals.sentBytes
        )
        addAppends(totals)
        addTroubles(totals)
    }

    private mutating func addAppends(_ totals: RelayMetrics.Totals) {
        add(
            .counter,
            "appends_total",
            "Appends that were acked: they are on disk.",
            totals.appends
        )
        add(.counter, "entries_total", "Entries of these appends.", totals.entries)
        add(
            .counter,
            "deliveries_total",
            "Frames that devices of a space share, for each device.",
            totals.deliveries
        )
        add(.counter, "presence_total", "Presence messages handed to devices.", totals.presence)
        add(
            .counter,
            "heads_checked_total",
            "Heads whose signature the relay checked.",
            totals.checkedHeads
        )
        add(
            .counter,
            "heads_unchecked_total",
            "Heads that were stored unchecked, since the budget for checks was used up.",
            totals.uncheckedHeads
        )
    }

    private mutating func addTroubles(_ totals: RelayMetrics.Totals) {
        add(
            .counter,
            "slow_readers_cut_total",
            "Devices cut off because they didn't read.",
            totals.slowReaders
        )
        add(
            .counter,
            "idle_cut_total",
            "Devices taken for gone because they were silent.",
            totals.idleDevices
        )
        add(
            .counter,
            "refusals_total",
            "Refusals that were sent, by their code.",
            label: "code",
            Array(zip(LoopCounters.refusalNames, totals.refusals))
        )
    }

    mutating func add(_ door: Doorman.Figures) {
        add(
            .counter,
            "turned_away_total",
            "Connections that weren't let in: too many of an address, or no room.",
            label: "reason",
            [("address", door.addressCount), ("full", door.fullCount)]
        )
        add(
            .counter,
            "strangers_evicted_total",
            "Connections nobody knew yet that made room in a full relay.",
            door.evictedCount
        )
    }

    mutating func add(_ figures: StorageFigures) {
        add("sync_seconds", "Time that a write with its sync took.", figures.syncTimes)
        add("sync_changes", "Changes that shared a sync.", figures.groupSizes)
        add(
            .counter,
            "written_bytes_total",
            "Bytes that were made durable.",
            figures.byteCount
        )
        add(
            .counter,
            "sync_failures_total",
            "Writes or syncs that failed.",
            figures.failureCount
        )
        guard !figures.databaseOutages.isEmpty else { return }
        add(
            .gauge,
            "database_up",
            "Whether a database can be used, by its place in the settings.",
            label: "database",
            figures.databaseOutages.enumerated().map { ("\($0 + 1)", $1 == nil ? 1 : 0) }
        )
    }

    mutating func add(_ sizes: StorageSizes) {
        add(.gauge, "spaces", "Spaces that are stored.", UInt64(sizes.spaceCount))
        add(.gauge, "logs", "Logs that are stored.", UInt64(sizes.logCount))
        add(.gauge, "entries", "Entries that are stored.", sizes.entryCount)
        if let count = sizes.segmentCount {
            add(.gauge, "segments", "Segment files.", UInt64(count))
        }
        add(
            .gauge,
            "storage_bytes",
            "Bytes of the segment files in use, or of the tables.",
            sizes.storedByteCount
        )
        add(.gauge, "live_bytes", "Bytes of entries that aren't deleted.", sizes.liveByteCount)
        let stored = Double(max(1, sizes.storedByteCount))
        add(
            .gauge,
            "live_share",
            "Share of the files' bytes that are live entries.",
            sizes.storedByteCount == 0 ? 1 : min(1, Double(sizes.liveByteCount) / stored)
        )
    }

    mutating func add(_ certificate: Telemetry.CertificateFigures) {
        add(
            .gauge,
            "certificate_expiry_timestamp_seconds",
            "Until when the certificate in use is valid, in seconds since 1970.",
            Double(certificate.expiry)
        )
        add(
            .counter,
            "certificate_reloads_total",
            "Certificates taken over after SIGHUP.",
            certificate.reloadCount
        )
        add(
            .counter,
            "certificate_reload_failures_total",
            "Certificates that couldn't be used, so that the one before stayed.",
            certificate.failedReloadCount
        )
    }
}
