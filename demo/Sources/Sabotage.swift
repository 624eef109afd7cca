import ArgumentParser
import Foundation

/// Breaks one thing before it is checked, to see that the check notices.
enum Sabotage: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// One letter of one client's text at the end.
    case text
    /// One letter of all texts after the trace.
    case end
    /// One log of one client's version.
    case version
    /// One row of one client's index.
    case index
    /// One byte of an entry on the relay.
    case relay
    /// Eight bytes of the text on the relay's disk.
    case disk
    /// Eight bytes of the text in a masked frame of the traffic.
    case traffic

    /// What happens to the files of a run before they are looked at.
    func apply(to directory: RunDirectory, plan: RunPlan) throws(DemoError) {
        let text = try directory.readText(directory.text(0, .settled))
        let leak = Array(text.utf8.prefix(WindowSet.byteCount))
        switch self {
        case .text:
            try spoil(directory.text(plan.clientCount - 1, .settled), directory)
        case .end:
            for client in 0..<plan.clientCount {
                try spoil(directory.text(client, .replayed), directory)
            }
        case .disk:
            try append(leak, to: directory.relayLog)
        case .traffic:
            let mask: [UInt8] = [0x5A, 0xC3, 0x11, 0x7F]
            let payload = leak.enumerated().map { $1 ^ mask[$0 & 3] }
            let frame = [0x82, 0x80 | UInt8(leak.count)] + mask + payload
            let request = Array("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".utf8)
            try append(request + frame, to: directory.traffic + "/0" + TrafficFile.fromClient)
        case .relay:
            try damageEntry(in: directory.relay)
        case .index:
            try spoilIndex(directory.profile(0))
        case .version: break  // The verifier takes a line out of what the client reported.
        }
    }

    private func spoil(_ path: String, _ directory: RunDirectory) throws(DemoError) {
        var scalars = Array(try directory.readText(path).unicodeScalars)
        guard !scalars.isEmpty else { throw .badFile(path: path, reason: "is empty") }
        let middle = scalars.count / 2
        scalars[middle] = scalars[middle] == "x" ? "y" : "x"
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        try directory.write(text: String(text), to: path)
    }

    private func spoilIndex(_ profile: String) throws(DemoError) {
        let sql = "UPDATE documents SET title = title || '!'"
        let arguments = ["sqlite3", profile + "/index.sqlite", sql]
        let sqlite = try ChildProcess(
            "/usr/bin/env",
            arguments,
            outputPath: profile + ".sqlite3.log"
        )
        guard sqlite.waitUntilExit() == 0 else {
            throw .cannotStart(program: "sqlite3", reason: "see \(profile).sqlite3.log")
        }
    }

    private func append(_ bytes: [UInt8], to path: String) throws(DemoError) {
        var data = FileManager.default.contents(atPath: path) ?? Data()
        data += bytes
        try write(data, path)
    }

    /// Changes the last byte of the first batch that the relay stored.
    ///
    /// A segment is two header pages and then frames, padded to 8 bytes, that have their length at
    /// byte 8 and their kind at byte 16 (relay/STORAGE.md). The first batch, because the last one
    /// could be taken for a write that a kill has torn.
    private func damageEntry(in directory: String) throws(DemoError) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names.filter({ $0.hasSuffix(".segment") }).sorted() {
            let path = directory + "/" + name
            var data = FileManager.default.contents(atPath: path) ?? Data()
            var start = 2 * 4096
            while start + 32 <= data.count {
                let field = data[(start + 8)..<(start + 12)]
                let length = field.reversed().reduce(0) { $0 << 8 | Int($1) }
                guard length >= 32, length <= data.count - start else { break }
                if data[start + 16] == 1 {
                    data[start + length - 1] ^= 1
                    return try write(data, path)
                }
                start += (length + 7) & ~7
            }
        }
        throw .badFile(path: directory, reason: "has no entries to damage")
    }

    private func write(_ data: Data, _ path: String) throws(DemoError) {
        do {
            try data.write(to: URL(fileURLWithPath: path))
        } catch {
            throw .badFile(path: path, reason: "can't be written")
        }
    }
}
