import Foundation
import Testing

// The rules of CONTRIBUTING.md that no compiler or formatter checks.

/// One source file of the project.
struct SourceFile: CustomStringConvertible {
    let path: String
    let lines: [String]
    var description: String { path }

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every Swift file below the project's source folders.
    static let all: [SourceFile] = {
        var files: [SourceFile] = []
        for folder in ["Sources", "relay", "demo", "Tests", "Benchmarks", "Fuzz"] {
            let start = root.appending(path: folder)
            let names = FileManager.default.enumerator(atPath: start.path)?.allObjects ?? []
            for case let name as String in names where name.hasSuffix(".swift") {
                let url = start.appending(path: name)
                guard let text = try? String(contentsOf: url, encoding: .utf8) else { continue }
                files.append(
                    SourceFile(
                        path: "\(folder)/\(name)",
                        lines: text.split(separator: "\n", omittingEmptySubsequences: false)
                            .map(String.init)
                    )
                )
            }
        }
        return files.sorted { $0.path < $1.path }
    }()

    var isPure: Bool {
        ["Wire", "Document", "Seal", "Sync"].contains { path.hasPrefix("Sources/Sennit\($0)/") }
    }

    var isProduct: Bool { path.hasPrefix("Sources/") || path.hasPrefix("relay/") }

    /// Lines without what stands in comments and string literals, as far as one line shows them.
    var code: [(number: Int, text: String)] {
        lines.enumerated().map { (index, line) in
            var text = line
            if let comment = text.range(of: "//") { text = String(text[..<comment.lowerBound]) }
            let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
            let kept = parts.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
            return (index + 1, kept.joined(separator: "\"\""))
        }
    }

    /// Functions and initialisers with their lengths in lines.
    var functions: [(name: String, line: Int, count: Int)] {
        var found: [(String, Int, Int)] = []
        for (index, line) in lines.enumerated() {
            let trimmed = line.drop { $0 == " " }
            let words = trimmed.split(separator: " ")
            let isFunction =
                words.contains("func") || trimmed.hasPrefix("init(")
                || words.contains { $0.hasPrefix("init(") || $0 == "deinit" }
            guard isFunction, !trimmed.hasPrefix("//"), !trimmed.hasPrefix("case"),
                !line.hasSuffix("}")
            else { continue }
            let indent = String(repeating: " ", count: line.count - trimmed.count)
            guard let end = lines[index...].firstIndex(of: indent + "}") else { continue }
            found.append((String(trimmed.prefix(60)), index + 1, end - index + 1))
        }
        return found
    }
}

@Suite struct TidyTests {
    @Test func `the sources are found`() {
        #expect(SourceFile.all.count > 100)
        #expect(SourceFile.all.contains { $0.isPure })
        #expect(SourceFile.all.flatMap(\.functions).count > 500)
    }

    @Test func `pure modules import nothing that does`() {
        let allowed = ["SennitWire", "SennitDocument", "SennitSeal", "CSodium", "CZstd"]
        for file in SourceFile.all where file.isPure {
            for line in file.code where line.text.contains("import ") {
                let words = line.text.split(separator: " ")
                guard let at = words.firstIndex(of: "import"), at + 1 < words.count else {
                    continue
                }
                #expect(allowed.contains(String(words[at + 1])), "\(file):\(line.number)")
            }
        }
    }

    @Test func `pure modules read no clock, draw no randomness and start no task`() {
        let banned = [
            "Date(", "ContinuousClock", "SuspendingClock", ".random(",
            "SystemRandomNumberGenerator",
            "shuffled(", "randomElement(", "randombytes", "Task {", "Task.", "Task(", "async ",
            "await ", "actor ", "crypto_box_seal(",
        ]
        for file in SourceFile.all where file.isPure {
            for line in file.code {
                for word in banned where line.text.contains(word) {
                    Issue.record("\(file):\(line.number) has \(word)")
                }
            }
        }
    }

    @Test func `only wrapper files call C libraries`() {
        for file in SourceFile.all where file.path.hasPrefix("Sources/") {
            for line in file.code where line.text.contains("import CSodium") {
                #expect(file.path.hasSuffix("Sodium+C.swift"), "\(file):\(line.number)")
            }
        }
    }

    @Test func `files and functions stay short`() {
        for file in SourceFile.all {
            #expect(file.lines.count <= 501, "\(file) has \(file.lines.count) lines")
            // A test may spell out a whole scene.
            let limit = file.isProduct ? 70 : 90
            for function in file.functions where function.count > limit {
                Issue.record(
                    "\(file):\(function.line) \(function.name) has \(function.count) lines"
                )
            }
            for (index, line) in file.lines.enumerated() where line.count > 100 {
                Issue.record("\(file):\(index + 1) has \(line.count) columns")
            }
        }
    }

    @Test func `nothing is forced and nothing is left for later`() {
        let banned = ["try" + "!", "as" + "!", "fatal" + "Error("]
        for file in SourceFile.all where file.isProduct {
            for line in file.code {
                for word in banned where line.text.contains(word) {
                    Issue.record("\(file):\(line.number) has \(word)")
                }
            }
            for (index, line) in file.lines.enumerated() where line.contains("FIX" + "ME") {
                Issue.record("\(file):\(index + 1) has a note for later")
            }
        }
    }

    @Test func `the relay knows neither keys nor documents`() {
        for file in SourceFile.all where file.path.hasPrefix("relay/") {
            for line in file.code where line.text.contains("import Sennit") {
                #expect(line.text.contains("import SennitWire"), "\(file):\(line.number)")
            }
        }
    }
}
