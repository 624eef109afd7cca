import RelayStorage

// The settings of who may use the relay and how much (RelayPolicy).

extension RelaySettings {
    static let policySettings: [Setting] = accessSettings + quotaSettings + keepingSettings

    private static let accessSettings: [Setting] = [
        Setting(
            "access.mode",
            \.policy.accessName,
            .choice(RelayPolicy.Access.allCases.map(\.rawValue)),
            .live,
            """
            Who may have new spaces kept here: anybody, who has a token, or who is on the \
            allow-list. What is here already is served either way.
            """
        ),
        Setting(
            "access.trusted_proxies",
            \.policy.addresses.trustedProxies,
            .networks,
            .restart,
            "Proxies whose X-Forwarded-For says for whom a connection counts, as networks."
        ),
        Setting(
            "access.connections_per_address",
            \.policy.addresses.maximumConnectionCount,
            .integer(1...1_000_000),
            .restart,
            "Connections at once of one address; of IPv6, of one network of 64 bits."
        ),
        Setting(
            "access.handshakes_per_second",
            \.policy.addresses.handshakesPerSecond,
            .number(0.01...100_000),
            .restart,
            "New connections of one address over long times."
        ),
        Setting(
            "access.handshake_burst",
            \.policy.addresses.handshakeBurst,
            .number(1...1_000_000),
            .restart,
            "New connections of one address that may come at once."
        ),
    ]

    private static let quotaSettings: [Setting] = [
        Setting(
            "quota.space_size",
            \.policy.spaceByteCount,
            .optional(.bytes((1 << 10)...(1 << 50)), none: "off"),
            .live,
            "Bytes that a space's entries may take up."
        ),
        Setting(
            "quota.space_logs",
            \.policy.spaceQuota.maximumLogCount,
            .optional(.integer(1...4096), none: "off"),
            .live,
            "Logs of a space: its devices, each with the lives it had."
        ),
        Setting(
            "quota.entry_size",
            \.policy.spaceQuota.maximumEntryByteCount,
            .optional(.bytes((1 << 10)...(2 << 20)), none: "off"),
            .live,
            "Bytes of one entry."
        ),
        Setting(
            "quota.device_share",
            \.policy.deviceShare,
            .number(0.01...1),
            .live,
            "The part of a space's bytes that one device's logs may have; 1 for all."
        ),
        Setting(
            "quota.device_logs",
            \.policy.maximumDeviceLogCount,
            .integer(1...4096),
            .live,
            "Logs of one device in one space; it begins a new one after restoring a backup."
        ),
        Setting(
            "quota.guest_logs",
            \.policy.maximumGuestLogCount,
            .integer(1...4096),
            .live,
            "The same for a device that an invite let in and no owner has confirmed yet."
        ),
        Setting(
            "quota.guest_size",
            \.policy.guestByteCount,
            .bytes((1 << 10)...(1 << 50)),
            .live,
            "Bytes of the logs of such a device."
        ),
        Setting(
            "rate.connection_appends",
            \.limits.appendRate.appendsPerSecond,
            .optional(.number(0.1...1_000_000), none: "off"),
            .restart,
            "Appends a second of one connection; ten seconds' worth may come at once."
        ),
        Setting(
            "rate.connection_bytes",
            \.limits.appendRate.bytesPerSecond,
            .optional(.number(1...1e12), none: "off"),
            .restart,
            "Bytes a second of one connection, in the same way."
        ),
        Setting(
            "rate.token_appends",
            \.policy.tokenRate.appendsPerSecond,
            .optional(.number(0.1...1_000_000), none: "off"),
            .live,
            "Appends a second of all spaces of one token together."
        ),
        Setting(
            "rate.token_bytes",
            \.policy.tokenRate.bytesPerSecond,
            .optional(.number(1...1e12), none: "off"),
            .live,
            "Bytes a second of all spaces of one token together."
        ),
    ]

    private static let keepingSettings: [Setting] = [
        Setting(
            "retention.untouched_days",
            \.policy.retention.untouchedDays,
            .optional(.integer(1...36_500), none: "off"),
            .live,
            "Days without any device after which a space's deletion is announced."
        ),
        Setting(
            "retention.grace_days",
            \.policy.retention.graceDays,
            .integer(1...3650),
            .live,
            "Days from the announcement to the deletion; a device that comes back cancels it."
        ),
        Setting(
            "compaction.interval",
            \.policy.compaction.interval,
            .optional(.duration(.seconds(1)...(.seconds(30 * 86_400))), none: "off"),
            .live,
            "How often room that deleted entries take is looked for and given back."
        ),
        Setting(
            "compaction.live_share",
            \.policy.compaction.idleLiveShare,
            .number(0...0.9),
            .live,
            "A segment with no more than this share of live bytes is written anew."
        ),
        Setting(
            "compaction.pressure_live_share",
            \.policy.compaction.pressureLiveShare,
            .number(0...0.9),
            .live,
            "The same when storage.maximum_size is nearly used up."
        ),
    ]
}

extension SettingForm where Value == [AddressRange] {
    /// Networks.
    static let networks = SettingForm(
        name: "list of networks",
        expectation: "networks such as \"10.0.0.0/8\" or \"2001:db8::/32\"",
        read: { raw in
            let texts: [String]? =
                switch raw {
                case .list(let items): items
                case .text(let text): text.split(separator: ",").map { String($0).trimmingSpaces }
                default: nil
                }
            guard let texts else { return nil }
            let ranges = texts.compactMap { AddressRange($0) }
            return ranges.count == texts.count ? ranges : nil
        },
        write: { .list($0.map(\.description)) }
    )
}

extension RelayPolicy {
    // As settings have them.

    fileprivate var accessName: String {
        get { access.rawValue }
        set { access = Access(rawValue: newValue) ?? access }
    }

    fileprivate var spaceByteCount: Int? {
        get { spaceQuota.maximumByteCount.map { Int(clamping: $0) } }
        set { spaceQuota.maximumByteCount = newValue.map { UInt64(clamping: $0) } }
    }

    fileprivate var deviceShare: Double {
        get { spaceQuota.maximumDeviceShare ?? 1 }
        set { spaceQuota.maximumDeviceShare = newValue }
    }

    fileprivate var guestByteCount: Int {
        get { Int(clamping: maximumGuestByteCount) }
        set { maximumGuestByteCount = UInt64(clamping: newValue) }
    }
}
