import Foundation

/// The commands under test, which lie beside the test bundle.
enum Binaries {
    struct Missing: Error, CustomStringConvertible {
        let path: String
        var description: String {
            "\(path) is missing: build the products first, with `make build`"
        }
    }

    /// The directory with `sennit` and `sennit-relay`.
    static func directory() throws -> URL {
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let directory = URL(fileURLWithPath: executable).deletingLastPathComponent()
        for name in ["sennit", "sennit-relay"] {
            let path = directory.appendingPathComponent(name).path
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw Missing(path: path)
            }
        }
        return directory
    }
}
