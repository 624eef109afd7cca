import Foundation

/// What the system says about the relay's process.
struct RelayProcess {
    let identifier: Int?

    /// Seconds of processor time used since its start; 0 if the process isn't known.
    var processorSeconds: Double {
        guard let text = read("stat"), let end = text.lastIndex(of: ")") else { return 0 }
        // The fields after the name begin with the third; 14 and 15 are the times.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12])
        else { return 0 }
        return (user + system) / System.ticksPerSecond
    }

    /// Bytes in memory, and those of them that are no file's.
    var memory: (resident: Int, anonymous: Int) { (value("VmRSS:"), value("RssAnon:")) }

    private func value(_ name: String) -> Int {
        let line = read("status")?.split(separator: "\n").first { $0.hasPrefix(name) }
        guard let number = line?.split(whereSeparator: { " \t".contains($0) }).dropFirst().first
        else { return 0 }
        return (Int(number) ?? 0) * 1024
    }

    private func read(_ name: String) -> String? {
        guard let identifier else { return nil }
        return try? String(contentsOfFile: "/proc/\(identifier)/\(name)", encoding: .utf8)
    }
}
