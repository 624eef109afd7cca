// Where an operator's requests are carried out, on a running relay or on a closed directory.
//
// Nothing here touches the event loops. A request may take minutes; others go on meanwhile.

public import Foundation
public import RelayStorage
import SennitWire
import Synchronization

/// What the process around a relay does when the operator asks for it.
final class AdminActions: Sendable {
    // A class: the process comes to it once the relay runs.
    private let actions = Mutex<(reload: (@Sendable () -> Void)?, drain: (@Sendable () -> Void)?)>(
        (nil, nil)
    )

    /// Reads the settings again.
    var reload: (@Sendable () -> Void)? { actions.withLock(\.reload) }
    /// Begins to stop in good order.
    var drain: (@Sendable () -> Void)? { actions.withLock(\.drain) }

    func set(reload: (@Sendable () -> Void)?, drain: (@Sendable () -> Void)?) {
        actions.withLock { $0 = (reload, drain) }
    }
}

/// Carries out an operator's requests.
public final class AdminDesk: Sendable {
    /// What is there while a relay serves.
    struct Live: Sendable {
        let url: String
        let startedAt: Date
        let governor: Governor
        let committer: Committer
        let hub: Hub
        let doorman: Doorman
        let actions: AdminActions
    }

    let control: ControlStore
    let storage: (any RelayStorage & Sendable)?
    let live: Live?

    /// A desk for a closed directory.
    /// - Parameters:
    ///   - storage: not needed for tokens and the allow-list.
    public init(control: ControlStore, storage: (any RelayStorage & Sendable)?) {
        self.control = control
        self.storage = storage
        live = nil
    }

    init(control: ControlStore, storage: any RelayStorage & Sendable, live: Live) {
        self.control = control
        self.storage = storage
        self.live = live
    }

    /// Whether a verb can do without the spaces themselves.
    public static func needsStorage(_ verb: String) -> Bool {
        !verb.hasPrefix("tokens.") && !verb.hasPrefix("allow.")
    }

    /// Carries out one request.
    /// - Parameters:
    ///   - now: for what is written down.
    ///   - progress: called while it takes long.
    /// - Returns: one of the reports.
    public func carryOut(
        _ request: AdminRequest,
        at now: Date = Date(),
        progress: (AdminProgress) -> Void = { _ in }
    ) throws(AdminError) -> any Encodable & Sendable {
        do {
            let parts = request.verb.split(separator: ".", maxSplits: 1).map(String.init)
            let what = parts.count == 2 ? parts[1] : ""
            switch parts.first {
            case "tokens": return try tokens(what, request, at: now)
            case "allow": return try allow(what, request)
            case "spaces": return try spaces(what, request, at: now)
            case "connections": return try connections(what, request)
            default: return try whole(request, progress)
            }
        } catch let error as AdminError {
            throw error
        } catch {
            throw AdminError("\(error)")
        }
    }

    // MARK: The relay as a whole

    private func whole(
        _ request: AdminRequest,
        _ progress: (AdminProgress) -> Void
    ) throws -> any Encodable & Sendable {
        switch request.verb {
        case "status": return try status()
        case "compact": return try compact(request, progress)
        case "backup": return try backup(request, progress)
        case "verify": return try verify(request, progress)
        case "reload":
            guard let reload = try running().actions.reload else {
                throw AdminError("this relay was given no file of settings to read again")
            }
            reload()
            return CountReport(count: 1)
        case "drain":
            guard let drain = try running().actions.drain else {
                throw AdminError("this relay can't be stopped from here")
            }
            drain()
            return CountReport(count: try running().hub.connectionCount)
        default: throw AdminError("the relay doesn't know how to \(request.verb)")
        }
    }

    private func status() throws -> StatusReport {
        let live = try running()
        return StatusReport(
            url: live.url,
            uptime: Int(Date().timeIntervalSince(live.startedAt)),
            accessMode: live.governor.policy.access.rawValue,
            connections: live.hub.connectionCount,
            strangers: live.doorman.strangerCount,
            activeSpaces: live.hub.presence().count,
            spaces: try stored().spaceCount(),
            commits: live.committer.commitCount
        )
    }

    private func connections(
        _ what: String,
        _ request: AdminRequest
    ) throws -> any Encodable & Sendable {
        let live = try running()
        switch what {
        case "list": return try list(request.arguments["space"].map { try resolve($0) }, live)
        case "kick":
            let reason = "the operator ended the connection"
            if let number: UInt64 = try request.limit("connection", UInt64.self) ?? nil {
                guard let outlet = live.hub.outlet(number) else {
                    throw AdminError(
                        "there is no connection \(number)",
                        hint: "`admin connections list --space ID` shows their numbers"
                    )
                }
                return CountReport(count: live.kick([outlet], reason))
            }
            let space = try request.arguments["space"].map { try resolve($0) }
            return CountReport(count: live.kick(space, reason))
        default: throw AdminError("the relay doesn't know how to \(request.verb)")
        }
    }

    private func list(_ space: SpaceID?, _ live: Live) -> ConnectionsReport {
        let presence = live.hub.presence()
        let most = presence.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .filter { space == nil || $0.key == space }
            .prefix(100)
        let visits = space.map { live.hub.visits(in: $0) } ?? []
        return ConnectionsReport(
            members: presence.values.reduce(0, +),
            strangers: live.doorman.strangerCount,
            spaces: most.map { .init(space: $0.key.hex, connections: $0.value) },
            connections: visits.prefix(1000).map { id, visit in
                .init(
                    number: id,
                    address: visit.address.map { "\($0)" },
                    seconds: Int(visit.began.duration(to: .now).components.seconds)
                )
            }
        )
    }

    // MARK: What requests need

    func running() throws(AdminError) -> Live {
        guard let live else {
            throw AdminError(
                "the relay doesn't run",
                hint: "start it with `sennit-relay serve`; this needs a running relay"
            )
        }
        return live
    }

    func stored() throws(AdminError) -> any RelayStorage & Sendable {
        guard let storage else { throw AdminError("the relay's data isn't open") }
        return storage
    }

    /// The stored space whose id begins so, or any whole id.
    func resolve(_ text: String) throws -> SpaceID {
        let digits = text.lowercased()
        if let bytes = Hex.decode(digits), let value = Bytes32(bytes) {
            return SpaceID(value: value)
        }
        guard digits.count >= 4, digits.allSatisfy(\.isHexDigit) else {
            throw AdminError("a space is named by at least four digits of its id")
        }
        let found = try stored().spaces().filter { $0.hex.hasPrefix(digits) }
        guard let space = found.first else {
            throw AdminError("there is no space \(text) here")
        }
        guard found.count == 1 else {
            throw AdminError("\(found.count) spaces begin with \(text): give more of its id")
        }
        return space
    }
}

extension AdminRequest {
    /// An argument that can't be done without.
    func required(_ name: String) throws(AdminError) -> String {
        guard let value = arguments[name], !value.isEmpty else {
            throw AdminError("\(verb) needs \(name)")
        }
        return value
    }

    /// A whole number; `off` takes a limit away.
    /// - Returns: `nil` if nothing is said.
    func limit<Number: FixedWidthInteger>(
        _ name: String,
        _ type: Number.Type
    ) throws(AdminError) -> Number?? {
        guard let text = arguments[name] else { return .none }
        if text == "off" { return .some(nil) }
        guard let number = Number(text), number >= 0 else {
            throw AdminError("\(name) is a whole number or \"off\", not \(text)")
        }
        return .some(number)
    }
}

extension AdminDesk.Live {
    /// Ends the connections of a space, or all.
    /// - Returns: how many there were.
    func kick(_ space: SpaceID?, _ reason: String) -> Int {
        kick(space.map { hub.members(of: $0) } ?? hub.all(), reason)
    }

    /// Ends connections.
    /// - Returns: how many there were.
    func kick(_ outlets: [Outlet], _ reason: String) -> Int {
        var outbox = Outbox()
        let refusal = Refusal(code: .shuttingDown, reason: reason)
        for outlet in outlets { outbox.add(.entryRefused(refusal), for: outlet) }
        outbox.send()
        return outlets.count
    }
}
