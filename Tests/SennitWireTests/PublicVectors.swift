import Foundation

/// Vectors of others, packed by gzip.
enum PublicVectors {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Vectors")

    static func numbers(_ name: String) throws -> [Int] {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            .split(separator: "\n")
            .filter { !$0.hasPrefix("#") }
            .flatMap { $0.split(separator: " ").compactMap { Int($0) } }
    }

    static func decode<Content: Decodable>(_: Content.Type, _ name: String) throws -> Content {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", "--", folder.appending(path: name).path()]
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return try JSONDecoder().decode(Content.self, from: data)
    }
}
