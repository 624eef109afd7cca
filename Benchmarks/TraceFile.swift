import Foundation
import SennitReference

/// A file with a trace, whatever its name ends in.
enum TraceFile {
    /// The path without folder and endings.
    static func name(of path: String) -> String {
        var name = URL(fileURLWithPath: path).lastPathComponent
        for ending in [".gz", ".json"] where name.hasSuffix(ending) && name != ending {
            name.removeLast(ending.count)
        }
        return name
    }

    /// Reads a trace of either shape, gzipped or plain.
    static func read(_ path: String) throws(ReferenceError) -> Trace {
        var isFolder: ObjCBool = false
        if unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
            isFolder.boolValue
        {
            throw .unreadable(path: path, reason: "it is a folder")
        }
        // A gzip file begins with 1F 8B. The reader of traces goes by the name, so a file that is
        // named otherwise is read through a link with the right name.
        let beginning = try? FileHandle(forReadingAtPath: path)?.read(upToCount: 2)
        let isPacked = beginning.map { Array($0) == [0x1F, 0x8B] } ?? false
        guard beginning != nil, isPacked != path.hasSuffix(".gz") else {
            return try Trace(path: path)
        }
        let link = FileManager.default.temporaryDirectory
            .appendingPathComponent("sennit-bench-\(UUID().uuidString)\(isPacked ? ".gz" : "")")
        defer { try? FileManager.default.removeItem(at: link) }
        do {
            try FileManager.default.createSymbolicLink(
                at: link,
                withDestinationURL: URL(fileURLWithPath: path)
            )
        } catch {
            throw .unreadable(path: path, reason: "no link to it can be made")
        }
        do {
            return try Trace(path: link.path)
        } catch {
            throw error.about(path)
        }
    }
}

extension ReferenceError {
    /// The same with another path.
    fileprivate func about(_ path: String) -> ReferenceError {
        switch self {
        case .unreadable(_, let reason): .unreadable(path: path, reason: reason)
        case .notGzip: .notGzip(path: path)
        case .tooLarge(_, let limit): .tooLarge(path: path, limitBytes: limit)
        case .notTrace(_, let reason): .notTrace(path: path, reason: reason)
        case .badTransaction(_, let index, let reason):
            .badTransaction(path: path, index: index, reason: reason)
        }
    }
}
