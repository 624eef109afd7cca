import Foundation

// Looks for windows of the text in what the relay has on disk and in what went over the wire. Files
// are read in pieces, so a scan holds the windows and one piece and nothing else.

/// A place where a window of the text was found.
struct LeakHit: Hashable, Sendable {
    let window: UInt64
    /// The file, from the directory that was scanned, with what part of it was read.
    let place: String
    /// Where the window ends, in bytes of that part.
    let endOffset: Int

    var description: String {
        let bytes = RollingWindow.bytes(of: window)
        let shown = String(decoding: bytes, as: UTF8.self).debugDescription
        return "\(place), byte \(endOffset - WindowSet.byteCount): \(shown)"
    }
}

/// What a scan found.
struct LeakReport: Sendable {
    /// Bytes that were looked at.
    var byteCount = 0
    /// Files that were looked at.
    var fileCount = 0
    /// Windows of the text that stand in them, each with the first place.
    var hits: [UInt64: LeakHit] = [:]
    /// Recorded traffic that could not be read as what it should be. A scan that can't read proves
    /// nothing, so this is as bad as a hit.
    var unreadable: [String] = []

    /// The hits that another scan doesn't have, in order of place.
    func hits(beyond control: LeakReport) -> [LeakHit] {
        hits.values.filter { control.hits[$0.window] == nil }
            .sorted { ($0.place, $0.endOffset) < ($1.place, $1.endOffset) }
    }

    /// Both together.
    mutating func add(_ other: LeakReport) {
        byteCount += other.byteCount
        fileCount += other.fileCount
        hits.merge(other.hits) { first, _ in first }
        unreadable += other.unreadable
    }
}

/// Finds windows in one stream of bytes.
struct WindowFinder {
    private let place: String
    private var rolling = RollingWindow()
    private var offset = 0

    init(place: String) { self.place = place }

    /// Takes the next bytes of the stream.
    mutating func take(
        _ bytes: some Sequence<UInt8>,
        windows: borrowing WindowSet,
        into report: inout LeakReport
    ) {
        for byte in bytes {
            offset += 1
            guard let window = rolling.take(byte), windows.contains(window),
                report.hits[window] == nil
            else { continue }
            report.hits[window] = LeakHit(window: window, place: place, endOffset: offset)
        }
    }
}

/// Scans files.
enum LeakScan {
    private static let pieceByteCount = 1 << 16

    /// Scans every file under a directory as it lies there.
    static func disk(_ directory: String, for windows: WindowSet) throws(DemoError) -> LeakReport {
        var report = LeakReport()
        for name in try files(under: directory) {
            report.add(try file(directory + "/" + name, place: name, for: windows))
        }
        return report
    }

    /// Scans one file. The relay's program, for one, holds every sentence that it may say by itself
    /// and was built before the text was written.
    static func file(
        _ path: String,
        place: String,
        for windows: WindowSet
    ) throws(DemoError) -> LeakReport {
        var report = LeakReport()
        report.fileCount = 1
        var finder = WindowFinder(place: place)
        try forEachPiece(of: path) { piece in
            report.byteCount += piece.count
            finder.take(piece, windows: windows, into: &report)
        }
        return report
    }

    /// Scans recorded connections: each file as it is, and the messages in it, unmasked.
    static func traffic(
        _ directory: String,
        for windows: WindowSet
    ) throws(DemoError) -> LeakReport {
        var report = LeakReport()
        for name in try files(under: directory) {
            report.fileCount += 1
            var raw = WindowFinder(place: name)
            var messages = WindowFinder(place: name + " (messages)")
            var reader = WebSocketReader(isFromClient: name.hasSuffix(TrafficFile.fromClient))
            try forEachPiece(of: directory + "/" + name) { piece in
                report.byteCount += piece.count
                raw.take(piece, windows: windows, into: &report)
                messages.take(reader.take(piece), windows: windows, into: &report)
            }
            if let reason = reader.failure { report.unreadable.append("\(name): \(reason)") }
        }
        return report
    }

    private static func files(under directory: String) throws(DemoError) -> [String] {
        let manager = FileManager.default
        guard let names = manager.enumerator(atPath: directory) else {
            throw .badFile(path: directory, reason: "no such directory")
        }
        let all = names.compactMap { $0 as? String }.sorted()
        return all.filter { name in
            let attributes = try? manager.attributesOfItem(atPath: directory + "/" + name)
            return attributes?[.type] as? FileAttributeType == .typeRegular
        }
    }

    private static func forEachPiece(
        of path: String,
        _ body: ([UInt8]) -> Void
    ) throws(DemoError) {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw .badFile(path: path, reason: "can't be read")
        }
        defer { try? file.close() }
        do {
            while let piece = try file.read(upToCount: pieceByteCount), !piece.isEmpty {
                body([UInt8](piece))
            }
        } catch {
            throw .badFile(path: path, reason: "\(error)")
        }
    }
}

/// How recorded connections are named.
enum TrafficFile {
    /// Ends the name of what a device sent.
    static let fromClient = "-device.bin"
    /// Ends the name of what the relay sent.
    static let fromRelay = "-relay.bin"
}
