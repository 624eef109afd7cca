import ArgumentParser
import Sennit
import SennitSeal
import SennitWire

/// `sennit status`
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how things stand: relay, what waits, who is here, what is amiss.",
        usage: "sennit status [--members] [--logs] [options]",
        discussion: """
              $ sennit status
              $ sennit status --json | jq .findings

            Tries to reach the relay first. Shows every space unless one is named. `--logs` lists \
            every device's log besides, `--members` who belongs to the space.

            JSON: space (its id), name, person, role, connection (offline, connecting, online), \
            connectionNote, connectionHint, relay, isUpToDate, saving (saved, saving, notSaved), \
            savingNote, pendingCount, unackedCount, isMember, findings (kind, log, author, offset, \
            message, hint), logs (log, device, author, isOwn, end, applied, byteCount), peers \
            (name, path). What isn't known is left out.
            """
    )

    @Flag(help: "List every device's log.")
    var logs = false

    @Flag(help: "List who belongs to the space.")
    var members = false

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Report: Encodable {
        let person: String
        let role: String?
        let status: SpaceStatus

        private enum CodingKeys: CodingKey { case person, role }

        func encode(to encoder: any Encoder) throws {
            try status.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(person, forKey: .person)
            try container.encodeIfPresent(role, forKey: .role)
        }
    }

    func run() async throws {
        do {
            try await OpenProfile.with(common.profile, verb: "status") { opened in
                try await show(opened)
            }
        } catch let error as SennitError where error.code == .profileInUse {
            try showIndex(error)
        }
    }

    private func show(_ opened: OpenProfile) async throws {
        var names = await opened.engine.spaces.map(\.id.hex)
        if common.space != nil || names.isEmpty {
            names = [try await opened.engine.space(common.space).id.hex]
        }
        for (index, name) in names.enumerated() {
            let space = try await opened.engine.space(name)
            let here = try await opened.space(space, common.profile.console, common.network)
            if !common.network.offline { _ = await here.reach() }
            let status = try await space.status()
            let members = try await space.members()
            if common.json {
                let role = members.first(where: \.isOwn).map { "\($0.role)" }
                let report = Report(person: here.info.person, role: role, status: status)
                try here.console.printJSON(report)
                continue
            }
            if index > 0 { here.console.print("") }
            let page = StatusPage(
                status: status,
                members: members,
                person: here.info.person,
                dress: here.console.output
            )
            for line in page.lines(showsLogs: logs, showsMembers: self.members) {
                here.console.print(line)
            }
        }
    }

    /// What can be said while another process owns the profile.
    private func showIndex(_ error: SennitError) throws {
        let console = common.profile.console
        let index = try ProfileIndex(common.profile.location())
        let space = try index.space(common.space)
        let count = try index.documents(in: space).count
        guard !common.json else { throw Failure(error) }
        console.note("\(error.message); showing the index")
        console.print("space   \(space.hex.prefix(8))")
        console.print("index   \(count == 1 ? "1 document" : "\(count) documents")")
    }
}

/// A status as people read it.
struct StatusPage {
    let status: SpaceStatus
    let members: [Space.Member]
    /// The name this device's person goes by.
    let person: String
    let dress: Console.Dress

    func lines(showsLogs: Bool, showsMembers: Bool) -> [String] {
        var lines = [row("space", "\(dress.styled(shown(status.name), .strong)) (\(id))")]
        lines.append(row("you", you))
        lines.append(row("relay", relay))
        if let note = status.connectionNote { lines.append(row("", note)) }
        if let hint = status.connectionHint { lines.append(row("", dress.styled(hint, .faint))) }
        lines.append(row("yours", yours))
        if let note = status.savingNote { lines.append(row("", dress.styled(note, .bad))) }
        lines.append(row("here", peers))
        lines += findings
        if showsMembers { lines += memberRows }
        if showsLogs { lines += logRows }
        return lines
    }

    private var you: String {
        guard let own = members.first(where: \.isOwn) else {
            return "\(shown(person)), " + dress.styled("not a member yet", .warning)
        }
        return "\(shown(person)), \(own.role)"
    }

    private var memberRows: [String] {
        members.map { member in
            let name = member.isOwn ? "\(shown(member.name)) (this device)" : shown(member.name)
            return row("member", "\(member.device.hex.prefix(8))  \(member.role)  \(name)")
        }
    }

    private func row(_ label: String, _ text: String) -> String {
        let padding = String(repeating: " ", count: 8 - label.count)
        return dress.styled(label, .faint) + padding + text
    }

    private func shown(_ name: String) -> String { name.onOneLine }

    private var id: String { String(status.space.prefix(8)) }

    private var relay: String {
        let address = status.relay.map { " (\($0))" } ?? ""
        switch status.connection {
        case .online:
            let news = status.isUpToDate ? "everything received" : "still receiving"
            return dress.styled("online", .good) + ", " + news + address
        case .connecting: return dress.styled("connecting", .warning) + address
        case .offline: return dress.styled("offline", .warning) + address
        }
    }

    private var yours: String {
        let saved =
            switch status.saving {
            case .saved: "saved"
            case .saving: "being saved"
            case .notSaved: dress.styled("not saved", .bad)
            }
        let waiting = UInt64(status.pendingCount) + status.unackedCount
        if waiting == 0 { return saved + (status.connection == .online ? " and sent" : "") }
        return saved + ", " + dress.styled("not all sent yet", .warning)
    }

    private var peers: String {
        if status.peers.isEmpty { return "nobody else" }
        return status.peers.map { peer in
            shown(peer.name) + (peer.path.map { " in \(shown($0))" } ?? "")
        }.joined(separator: ", ")
    }

    private var findings: [String] {
        status.findings.flatMap { finding in
            var lines = [dress.styled("! ", .bad) + shown(finding.message)]
            if let hint = finding.hint { lines.append("  " + dress.styled(shown(hint), .faint)) }
            return lines
        }
    }

    private var logRows: [String] {
        status.logs.map { log in
            let owner = log.isOwn ? "this device" : log.author.map(shown) ?? "unknown"
            let applied = log.applied == log.end ? "" : ", \(log.end - log.applied) not applied"
            return row(
                "log",
                "\(log.log.prefix(8))  \(log.end) entries, \(log.byteCount) bytes"
                    + "\(applied)  \(owner)"
            )
        }
    }
}
