import Foundation
import RelayStorage
import SennitWire

extension AdminDesk {
    func tokens(
        _ what: String,
        _ request: AdminRequest,
        at now: Date
    ) throws -> any Encodable & Sendable {
        switch what {
        case "list": return try control.tokens().map { try report($0) }
        case "create": return try createToken(request, at: now)
        default: break
        }
        let name = try request.required("name")
        guard var record = try control.tokens().first(where: { $0.name == name }) else {
            throw AdminError(
                "there is no token \(name)",
                hint: "`sennit-relay token list` shows them"
            )
        }
        var token: RelayToken?
        switch what {
        case "revoke":
            record.revoked = record.revoked ?? now
            if request.arguments["stop"] == "yes" { record.isServingStopped = true }
        case "rotate":
            guard record.revoked == nil else {
                throw AdminError("token \(name) was revoked", hint: "create one with another name")
            }
            token = RelayToken(secret: Bytes32.random())
        case "quota": record.quota = try quota(request, record.quota)
        default: throw AdminError("the relay doesn't know how to \(request.verb)")
        }
        try control.updateToken(record, hash: token?.hash)
        live?.governor.forgetAll()
        if record.isServingStopped, let live {
            for space in try control.spaces(of: record.id) {
                _ = live.kick(space, "the token of the space was revoked")
            }
        }
        return try report(record, token)
    }

    private func createToken(_ request: AdminRequest, at now: Date) throws -> TokenReport {
        let name = try request.required("name")
        let isPlain = name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard name.utf8.count <= 64, isPlain else {
            throw AdminError("the name of a token has at most 64 bytes and no control characters")
        }
        var expires: Date?
        if let days = try request.limit("days", Int.self) ?? nil {
            guard (1...36_500).contains(days) else {
                throw AdminError("a token expires after 1 to 36,500 days, or never")
            }
            expires = now.addingTimeInterval(TimeInterval(days) * 86_400)
        }
        let token = RelayToken(secret: Bytes32.random())
        let record = try control.addToken(
            name: name,
            hash: token.hash,
            created: now,
            expires: expires,
            quota: try quota(request, TokenQuota())
        )
        return try report(record, token)
    }

    private func quota(
        _ request: AdminRequest,
        _ known: TokenQuota
    ) throws(AdminError) -> TokenQuota {
        var quota = known
        if let bytes = try request.limit("bytes", UInt64.self) { quota.maximumByteCount = bytes }
        if let spaces = try request.limit("spaces", Int.self) { quota.maximumSpaceCount = spaces }
        return quota
    }

    private func report(_ record: TokenRecord, _ token: RelayToken? = nil) throws -> TokenReport {
        let spaces = try control.spaces(of: record.id)
        var byteCount: UInt64?
        if let storage {
            byteCount = try spaces.reduce(0) { try $0 + storage.usage(of: $1).byteCount }
        }
        return TokenReport(record, token: token?.text, bytes: byteCount, spaces: spaces.count)
    }

    // MARK: The allow-list

    func allow(_ what: String, _ request: AdminRequest) throws -> any Encodable & Sendable {
        switch what {
        case "list": break
        case "add": try control.setAllowed(try allowed(request), to: true)
        case "remove": try control.setAllowed(try allowed(request), to: false)
        default: throw AdminError("the relay doesn't know how to \(request.verb)")
        }
        var (spaces, founders): ([String], [String]) = ([], [])
        for name in try control.allowed() {
            switch name {
            case .space(let space): spaces.append(space.hex)
            case .founder(let device): founders.append(device.hex)
            }
        }
        return AllowReport(spaces: spaces, founders: founders)
    }

    private func allowed(_ request: AdminRequest) throws(AdminError) -> Allowed {
        let isSpace = request.arguments["space"] != nil
        let text = try request.required(isSpace ? "space" : "founder")
        guard let bytes = Hex.decode(text), let value = Bytes32(bytes) else {
            throw AdminError("an id has 64 hexadecimal digits: `sennit status --json` shows it")
        }
        return isSpace ? .space(SpaceID(value: value)) : .founder(DeviceKey(value: value))
    }
}

extension Bytes32 {
    /// 32 bytes from the system's source of randomness.
    static func random() -> Bytes32 {
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<byteCount).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        return Bytes32(bytes) ?? .zero
    }
}
