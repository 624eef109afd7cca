import Foundation

/// Reads files of JSON, plain or packed by gzip.
enum JSONFile {
    /// The most bytes that are read, and the most they may unpack to. Known traces have 16 MB.
    static let byteCountLimit = 1 << 28

    /// Decodes the file, which is gzip if its name ends in `.gz`.
    static func decode<Content: Decodable>(
        _: Content.Type,
        path: String
    ) throws(ReferenceError) -> Content {
        let json = try content(of: path)
        do {
            return try JSONDecoder().decode(Content.self, from: json)
        } catch {
            throw .notTrace(path: path, reason: reason(of: error))
        }
    }

    private static func content(of path: String) throws(ReferenceError) -> Data {
        guard path.hasSuffix(".gz") else {
            guard let file = FileHandle(forReadingAtPath: path) else {
                throw .unreadable(path: path, reason: "no such file, or no right to read it")
            }
            return try read(file, path: path)
        }
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw .unreadable(path: path, reason: "no such file, or no right to read it")
        }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", "--", path]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw .unreadable(path: path, reason: "gzip cannot be run")
        }
        let data: Data
        do {
            data = try read(output.fileHandleForReading, path: path)
        } catch {
            process.terminate()
            process.waitUntilExit()
            throw error
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw .notGzip(path: path) }
        return data
    }

    /// Reads to the end, in pieces, so that a small file that unpacks to a huge one is noticed.
    private static func read(_ file: FileHandle, path: String) throws(ReferenceError) -> Data {
        var data = Data()
        while true {
            let piece: Data?
            do {
                piece = try file.read(upToCount: 1 << 20)
            } catch {
                throw .unreadable(path: path, reason: "\(error)")
            }
            guard let piece, !piece.isEmpty else { return data }
            data += piece
            guard data.count <= byteCountLimit else {
                throw .tooLarge(path: path, limitBytes: byteCountLimit)
            }
        }
    }

    private static func reason(of error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        let context: DecodingError.Context
        switch error {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
            .dataCorrupted(let found):
            context = found
        @unknown default: return "\(error)"
        }
        let place = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
        let prefix = place.isEmpty ? "" : place.joined(separator: ".") + ": "
        return prefix + context.debugDescription
    }
}
