// What merging and keeping a document takes of the heap, counted in a process of its own, so that
// neither the trace nor earlier measurements lie in it and nothing that is timed is slowed:
//
//     sennit-bench trace ──► folder/exchange, folder/stored ──► sennit-bench count-heap folder
//
// In that process the counter of Benchmarks/HeapCount sees every block. What it says is held
// against the allocator's own mallinfo2(); with the cache of free blocks off, the two agree to the
// block.
//
//     peak     from an empty document to the merged one with its text; the bytes that came in are
//              not counted
//     merged   what is left when the text is let go, after `rest`
//     rest     a document that was opened from its store and has been let alone
//
// Left out: fragmentation and what the libraries take of themselves; for that there is the growth
// of the resident size, which is told beside.

import CHeapCount
import Foundation
import SennitDocument

/// The counting of memory.
enum HeapPass {
    /// Bytes of the heap.
    struct Result: Codable {
        var peak: Int64
        var merged: Int64
        var rest: Int64
        /// The largest disagreement between counter and allocator, as a share.
        var disagreement: Double
        /// By how much the process grew at most while it merged.
        var residentGrowth: Int64
    }

    /// Above this the counts are doubtful.
    static let tolerance = 0.05

    /// Counts in a new process.
    static func run(
        exchangeForm: [UInt8],
        storedForm: [UInt8],
        expectedByteCount: Int
    ) throws -> Result {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("sennit-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(exchangeForm).write(to: folder.appendingPathComponent("exchange"))
        try Data(storedForm).write(to: folder.appendingPathComponent("stored"))
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["count-heap", folder.path, String(expectedByteCount)]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"]
        ) { $1 }
        process.standardOutput = output
        do {
            try process.run()
        } catch {
            throw BenchError.counting(reason: "\(error)")
        }
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0,
            let result = try? JSONDecoder().decode(Result.self, from: data)
        else { throw BenchError.counting(reason: "the counting process failed") }
        return result
    }

    /// What the new process does.
    static func count(in folder: String, expectedByteCount: Int) throws -> Result {
        let folder = URL(fileURLWithPath: folder)
        let exchange = [UInt8](try Data(contentsOf: folder.appendingPathComponent("exchange")))
        let stored = folder.appendingPathComponent("stored")
        // What the libraries set up at first use is not the document's.
        _ = try merged(exchange, expectedByteCount)
        _ = try opened(stored, expectedByteCount)

        var result = Result(peak: 0, merged: 0, rest: 0, disagreement: 0, residentGrowth: 0)
        heap_count_trim()
        let resident = residentBytes("VmRSS:")
        try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .ascii)
        var before = heap_count_mallinfo()
        heap_count_start()
        var document = try merged(exchange, expectedByteCount)
        result.peak = heap_count_peak()
        result.residentGrowth = max(residentBytes("VmHWM:") - resident, 0)
        DocumentCalls.rest(&document)
        result.merged = heap_count_current()
        result.disagreement = disagreement(result.merged, heap_count_mallinfo() - before)
        heap_count_stop()
        // Let go of any earlier, they would count as what the document gives back.
        withExtendedLifetime(exchange) { document = Document() }

        before = heap_count_mallinfo()
        heap_count_start()
        document = try opened(stored, expectedByteCount)
        result.rest = heap_count_current()
        result.disagreement = max(
            result.disagreement,
            disagreement(result.rest, heap_count_mallinfo() - before)
        )
        heap_count_stop()
        guard document.text.utf8Count == expectedByteCount else {
            throw BenchError.counting(reason: "the text has another length")
        }
        return result
    }

    private static func merged(_ bytes: [UInt8], _ expectedByteCount: Int) throws -> Document {
        var document = Document()
        try DocumentCalls.merge(wholeForm: bytes, into: &document)
        guard DocumentCalls.text(of: document).utf8.count == expectedByteCount else {
            throw BenchError.counting(reason: "the merged text has another length")
        }
        return document
    }

    /// Reads the file itself, so that bytes that the document keeps count as the document's.
    private static func opened(_ file: URL, _ expectedByteCount: Int) throws -> Document {
        var document = try DocumentCalls.open([UInt8](try Data(contentsOf: file)))
        guard DocumentCalls.text(of: document).utf8.count == expectedByteCount else {
            throw BenchError.counting(reason: "the opened text has another length")
        }
        DocumentCalls.rest(&document)
        return document
    }

    private static func disagreement(_ counted: Int64, _ allocator: Int64) -> Double {
        allocator == 0 ? 0 : abs(Double(counted - allocator)) / Double(abs(allocator))
    }

    private static func residentBytes(_ field: String) -> Int64 {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(field) }),
            let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst()
                .first
        else { return 0 }
        return (Int64(kilobytes) ?? 0) * 1024
    }
}
