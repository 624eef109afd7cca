import Foundation
import SennitWire
import Testing

/// What the relay asked of the kernel, as strace wrote it down.
private struct SystemCalls {
    private(set) var lines: [Substring]

    static let strace = "/usr/bin/strace"
    static var isMissing: Bool { !FileManager.default.isExecutableFile(atPath: strace) }

    /// The trace of a process that has ended.
    static func read(_ path: String) async throws -> SystemCalls {
        // strace goes on for a moment after the process.
        while true {
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            // Zeros that fill a segment ahead tell nothing.
            let zeros = "\"" + String(repeating: "\\x00", count: 8)
            let lines = text.split(separator: "\n").filter { !$0.prefix(60).has(zeros) }
            if lines.contains(where: { $0.has("+++ exited with") || $0.has("+++ killed by") }) {
                return SystemCalls(lines: lines)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Bytes as strace -xx writes them.
    static func text(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return "\\x" + (digits.count == 1 ? "0" : "") + digits
        }.joined()
    }

    /// The line where the call that begins in `start` ends, if it succeeded.
    private func end(of start: Int, _ call: String) -> Int? {
        guard lines[start].has("<unfinished ...>") else { return start }
        let thread = lines[start].prefix { $0 != " " }
        return lines[start...].firstIndex { line in
            line.hasPrefix(thread + " ") && line.has("<... \(call) resumed>")
        }
    }

    /// The line with the end of the first sync that covers the write of `entry`.
    func sync(of entry: [UInt8]) -> Int? {
        let text = SystemCalls.text(entry)
        guard
            let write = lines.firstIndex(where: { $0.has(" pwrite64(") && $0.has(text) }),
            let written = end(of: write, "pwrite64"),
            let open = lines[write].firstIndex(of: "("),
            let comma = lines[write][open...].firstIndex(of: ",")
        else { return nil }
        let sync = " fdatasync" + lines[write][open..<comma]
        let start = lines[(written + 1)...].firstIndex { $0.has(sync) }
        let end = start.flatMap { self.end(of: $0, "fdatasync") }
        return end.flatMap { lines[$0].hasSuffix("= 0") ? $0 : nil }
    }

    /// The line that first sends these bytes.
    func sending(of bytes: [UInt8]) -> Int? {
        let text = SystemCalls.text(bytes)
        return lines.firstIndex { !$0.has(" pwrite64(") && $0.has(text) }
    }

    mutating func move(_ from: Int, to target: Int) {
        lines.insert(lines.remove(at: from), at: target)
    }

    mutating func removeSyncs() { lines.removeAll { $0.has("fdatasync") } }
}

extension Substring {
    /// Whether the text is part of it. Foundation's `contains` takes minutes for such lines.
    fileprivate func has(_ text: String) -> Bool {
        utf8.firstRange(of: text.utf8) != nil
    }
}

/// The real command under strace: no ack leaves it before the sync of what it acks has returned.
@Suite(
    .timeLimit(.minutes(2)),
    .enabled(
        if: !SystemCalls.isMissing || ProcessInfo.processInfo.environment["CI"] != nil,
        "strace isn't installed; `make setup-tests` installs it"
    )
)
struct SyncOrderTests {
    /// One append of the trace: bytes that only its entry has, and its ack.
    private struct Acked {
        let entry: [UInt8]
        let ack: [UInt8]
    }

    let founder = TestDevice(1)
    let writer = TestDevice(2)
    let directory = TestDirectory()

    /// Appends one by one, then many at once on two connections.
    private func trace() async throws -> (SystemCalls, [Acked]) {
        let path = directory.path + ".trace"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let relay = try RelayProcess(directory: directory.path, tracedTo: path)
        var acked: [Acked] = []
        for device in [founder, writer] {
            let genesis = device.genesis()
            let (client, _) = try await RelayClient.enter(
                genesis.spaceID,
                as: device,
                port: relay.port,
                founding: genesis
            )
            var log = TestLog(device, genesis.spaceID)
            func next() -> RelayFrame {
                let number = UInt8(log.entries.count)
                let entry = [UInt8](repeating: device.key.bytes[0], count: 20) + [0xA5, number]
                let range = log.add([entry])
                let end = log.entries.count
                acked.append(Acked(entry: entry, ack: RelayFrame.ack(log.ack(end)).bytes))
                return .append(range)
            }
            for _ in 0..<4 {
                client.send(next())
                guard case .ack = try await client.next() else {
                    Issue.record("no ack")
                    continue
                }
            }
            for _ in 0..<40 { client.send(next()) }
            for _ in 0..<40 { _ = try await client.next() }
        }
        #expect(relay.end(with: SIGTERM).status == 0)
        return (try await SystemCalls.read(path), acked)
    }

    /// The appends whose ack was sent before their sync had returned.
    private func early(_ calls: SystemCalls, _ acked: [Acked]) -> [Int] {
        acked.indices.filter { index in
            guard let sync = calls.sync(of: acked[index].entry),
                let sending = calls.sending(of: acked[index].ack)
            else { return true }
            return sending <= sync
        }
    }

    @Test func `an ack is never sent before its sync, and one that was would be found`()
        async throws
    {
        let (calls, acked) = try await trace()
        #expect(acked.count == 88)
        #expect(early(calls, acked) == [])
        // The same trace with an early ack planted in it, and one without syncs.
        var planted = calls
        let sync = try #require(calls.sync(of: acked[2].entry))
        planted.move(try #require(calls.sending(of: acked[2].ack)), to: sync)
        #expect(early(planted, acked) == [2])
        var unsynced = calls
        unsynced.removeSyncs()
        #expect(early(unsynced, acked) == Array(acked.indices))
    }
}
