import Foundation
import RelayStorage
import SennitWire

extension AdminDesk {
    private static let listLimit = 50

    func spaces(
        _ what: String,
        _ request: AdminRequest,
        at now: Date
    ) throws -> any Encodable & Sendable {
        if what == "list" { return try listSpaces(request) }
        let space = try resolve(try request.required("space"))
        var terms = try control.terms(of: space) ?? SpaceTerms()
        switch what {
        case "show": return try report(space)
        case "freeze": terms.isFrozen = true
        case "unfreeze": terms.isFrozen = false
        case "quota": terms.quota = try quota(request, terms.quota)
        case "delete": return try delete(space, request, terms, at: now)
        default: throw AdminError("the relay doesn't know how to \(request.verb)")
        }
        try control.setTerms(terms, of: space)
        live?.governor.forget(space)
        return try report(space)
    }

    private func listSpaces(_ request: AdminRequest) throws -> [SpaceReport] {
        let limit = (try request.limit("limit", Int.self) ?? nil) ?? AdminDesk.listLimit
        let storage = try stored()
        var sizes: [(space: SpaceID, byteCount: UInt64)] = []
        for space in try storage.spaces() {
            sizes.append((space, try storage.usage(of: space).byteCount))
        }
        sizes.sort { ($1.byteCount, $0.space) < ($0.byteCount, $1.space) }
        let presence = live?.hub.presence() ?? [:]
        let names = Dictionary(try control.tokens().map { ($0.id, $0.name) }) { $1 }
        return try sizes.prefix(limit).map { try report($0.space, presence, names) }
    }

    private func report(_ space: SpaceID) throws -> SpaceReport {
        let names = Dictionary(try control.tokens().map { ($0.id, $0.name) }) { $1 }
        return try report(space, live?.hub.presence() ?? [:], names)
    }

    private func report(
        _ space: SpaceID,
        _ presence: [SpaceID: Int],
        _ tokenNames: [Int64: String]
    ) throws -> SpaceReport {
        let usage = try stored().usage(of: space)
        let terms = try control.terms(of: space) ?? SpaceTerms()
        return SpaceReport(
            space: space.hex,
            logs: usage.logCount,
            entries: usage.entryCount,
            bytes: usage.byteCount,
            connections: presence[space] ?? 0,
            isFrozen: terms.isFrozen,
            token: terms.token.flatMap { tokenNames[$0] },
            quota: terms.quota,
            lastSeen: terms.touched,
            deletionDue: terms.doomed
        )
    }

    private func quota(
        _ request: AdminRequest,
        _ known: SpaceQuota
    ) throws(AdminError) -> SpaceQuota {
        var quota = known
        if let bytes = try request.limit("bytes", UInt64.self) { quota.maximumByteCount = bytes }
        if let logs = try request.limit("logs", Int.self) { quota.maximumLogCount = logs }
        if let entry = try request.limit("entry", Int.self) {
            quota.maximumEntryByteCount = entry
        }
        if let text = request.arguments["share"] {
            guard text == "off" || Double(text).map({ (0.01...1).contains($0) }) == true else {
                throw AdminError("share is a number from 0.01 to 1 or \"off\", not \(text)")
            }
            quota.maximumDeviceShare = Double(text)
        }
        return quota
    }

    /// Deletes a space: nothing more is taken in for it, its connections end, then it goes.
    private func delete(
        _ space: SpaceID,
        _ request: AdminRequest,
        _ known: SpaceTerms,
        at now: Date
    ) throws -> SpaceReport {
        let digits = try request.required("confirm")
        guard digits.count >= 8, space.hex.hasPrefix(digits.lowercased()) else {
            throw AdminError(
                "\(digits) is not how the id of this space begins; nothing was deleted",
                hint: "type the first 8 digits of its id"
            )
        }
        let storage = try stored()
        guard try storage.space(space) != nil else {
            throw AdminError("there is no such space here")
        }
        let before = try report(space)
        try remove(space, known, isBlocked: request.arguments["block"] == "yes")
        return before
    }

    /// Deletes a space.
    /// - Parameters:
    ///   - isBlocked: whether its devices can't bring it back.
    func remove(_ space: SpaceID, _ known: SpaceTerms, isBlocked: Bool) throws {
        var terms = known
        terms.isFrozen = true
        try control.setTerms(terms, of: space)
        live?.governor.forget(space)
        _ = live?.kick(space, "the operator deleted the space here")
        try stored().commit([.removeSpace(space)])
        // What was judged against the space that is gone is judged again.
        live?.committer.forgetAll()
        try control.removeTerms(of: space)
        if isBlocked {
            terms = SpaceTerms()
            terms.isFrozen = true
            try control.setTerms(terms, of: space)
        }
        live?.governor.forget(space)
    }
}
