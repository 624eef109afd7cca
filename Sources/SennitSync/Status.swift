public import SennitWire

/// What is known against one log. SPEC.md section 13 says what each means to a person. None of them
/// destroys anything.
public enum LogStatus: Hashable, Sendable {
    /// The relay holds less of the log than it had shown before.
    case rolledBack(have: Offset, offered: Offset)
    /// The relay offered bytes from there on that fail size, chain, count or signature.
    case corrupt(at: Offset)
    /// The log has two histories from `offset` on, each under a signature of its device.
    case forked(at: Offset)
    /// The relay says that it has other entries of our own log, without proof.
    case relayForked(at: Offset)
    /// The author's digest over other logs disagrees with our chains, at this entry of its log.
    case unprovenContext(at: Offset)
    /// The entry opened and breaks SPEC.md: it counts as a no-op, here and everywhere.
    case poison(at: Offset)
    /// The log's entry there announces an epoch whose key wasn't given to this device: it may have
    /// been removed.
    case leftOut(at: Offset)
    /// An entry of a newer version: kept, no effect yet.
    case needsUpdate(at: Offset)
    /// Entries of this device from `offset` on came from outside: a copy of its profile wrote them,
    /// or it did before the profile was restored.
    case copied(at: Offset)

    /// The kinds of status, without what they carry.
    public enum Kind: String, Sendable, CaseIterable {
        case rolledBack, corrupt, forked, relayForked, unprovenContext, poison,
            leftOut, needsUpdate, copied
    }

    /// The kind of this status.
    public var kind: Kind {
        switch self {
        case .rolledBack: .rolledBack
        case .corrupt: .corrupt
        case .forked: .forked
        case .relayForked: .relayForked
        case .unprovenContext: .unprovenContext
        case .poison: .poison
        case .leftOut: .leftOut
        case .needsUpdate: .needsUpdate
        case .copied: .copied
        }
    }

    /// A graver status is not hidden by a lighter one.
    var severity: Int {
        switch self {
        case .forked: 5
        case .corrupt: 4
        case .relayForked: 3
        case .rolledBack: 3
        case .leftOut: 3
        case .unprovenContext: 2
        case .needsUpdate: 1
        case .poison, .copied: 0
        }
    }
}

extension Replica {
    /// Writes down something against a log, unless something graver stands there.
    mutating func note(_ status: LogStatus, about log: LogID) {
        if let known = findings[log], known.severity > status.severity { return }
        findings[log] = status
    }

    /// Takes back a status of this kind.
    mutating func clear(_ kind: LogStatus.Kind, about log: LogID) {
        if findings[log]?.kind == kind { findings[log] = nil }
    }
}
