import Foundation
import SennitDocument
import SennitReference
import SennitWire
import Testing

@testable import SennitDemo

/// A directory of a test's own.
private func withDirectory(_ body: (String) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "/sennit-leak-\(UInt64.random(in: 0...UInt64.max))"
    try FileManager.default.createDirectory(
        atPath: path + "/inner",
        withIntermediateDirectories: true
    )
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
}

private func write(_ bytes: [UInt8], _ path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
}

private func noise(_ count: Int) -> [UInt8] {
    var random = SplitMix(seed: 99)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
}

private func windows(of text: String) -> WindowSet {
    var windows = WindowSet()
    windows.insert(windowsOf: text.utf8)
    return windows
}

/// One WebSocket frame.
private func frame(
    _ payload: [UInt8],
    mask: [UInt8]?,
    opcode: UInt8 = 2,
    isLast: Bool = true
) -> [UInt8] {
    var bytes = [(isLast ? 0x80 : 0) | opcode]
    let masked: UInt8 = mask == nil ? 0 : 0x80
    switch payload.count {
    case ..<126: bytes.append(masked | UInt8(payload.count))
    case ..<65536:
        bytes += [masked | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    default:
        bytes.append(masked | 127)
        bytes += (0..<8).reversed().map { UInt8(payload.count >> ($0 * 8) & 255) }
    }
    guard let mask else { return bytes + payload }
    return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
}

private let request = Array("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n".utf8)
private let response = Array("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n".utf8)

@Suite struct LeakScanTests {
    @Test func `a leak anywhere in a file is found, across the pieces that are read too`() throws {
        let secret = "the quick brown fox"
        try withDirectory { path in
            for offset in [0, 1, 65_530, 65_536, 130_000] {
                var bytes = noise(140_000)
                bytes.replaceSubrange(offset..<offset + 8, with: Array("ick brow".utf8))
                try write(bytes, path + "/inner/data.bin")
                let report = try LeakScan.disk(path, for: windows(of: secret))
                #expect(report.hits(beyond: LeakReport()).map(\.endOffset) == [offset + 8])
                #expect(report.hits.values.first?.place == "inner/data.bin")
            }
        }
    }

    @Test func `seven bytes of the text, or noise, are no leak`() throws {
        try withDirectory { path in
            try write(noise(100_000) + Array("ick bro".utf8), path + "/data.bin")
            let report = try LeakScan.disk(path, for: windows(of: "the quick brown fox"))
            #expect(report.hits.isEmpty)
            #expect(report.byteCount == 100_007)
        }
    }

    @Test func `what a control run has as well is no leak, but all else is`() throws {
        try withDirectory { path in
            let words = windows(of: "CREATE TABLE of contents")
            try write(Array("CREATE TABLE x".utf8), path + "/inner/control")
            let control = try LeakScan.disk(path, for: words)
            #expect(!control.hits.isEmpty)
            try write(Array("CREATE TABLE of".utf8), path + "/inner/control")
            let report = try LeakScan.disk(path, for: words)
            #expect(report.hits(beyond: report).isEmpty)
            #expect(
                report.hits(beyond: control).map(\.window).map(RollingWindow.bytes).contains(
                    Array(" of cont".utf8)
                ) == false
            )
            #expect(!report.hits(beyond: control).isEmpty)
        }
    }

    @Test func `a leak in a masked frame is found, whatever the mask`() throws {
        let secret = "nobody may read this"
        for mask: [UInt8] in [[1, 2, 3, 4], [0xFF, 0, 0x80, 0x55], [9, 9, 9, 9]] {
            try withDirectory { path in
                let leak = noise(13) + Array("may read".utf8) + noise(300)
                let stream = request + frame(noise(70_000), mask: mask) + frame(leak, mask: mask)
                try write(stream, path + "/1" + TrafficFile.fromClient)
                // The bytes as they lie in the file don't show it.
                let raw = try LeakScan.disk(path, for: windows(of: secret))
                #expect(raw.hits.isEmpty)
                let report = try LeakScan.traffic(path, for: windows(of: secret))
                #expect(report.hits(beyond: LeakReport()).count == 1)
                #expect(report.unreadable.isEmpty)
            }
        }
    }

    @Test func `a leak is found that frames of a fragmented message share`() throws {
        try withDirectory { path in
            let stream =
                response + frame(Array("may ".utf8), mask: nil, isLast: false)
                + frame(Array("read".utf8), mask: nil, opcode: 0)
            try write(stream, path + "/1" + TrafficFile.fromRelay)
            let report = try LeakScan.traffic(path, for: windows(of: "may read"))
            #expect(report.hits(beyond: LeakReport()).count == 1)
        }
    }

    @Test func `a stream that ends in the middle of a frame is scanned up to there`() throws {
        try withDirectory { path in
            let whole = frame(Array("0123may read".utf8) + noise(500), mask: [7, 7, 7, 7])
            try write(request + whole.prefix(60), path + "/1" + TrafficFile.fromClient)
            let report = try LeakScan.traffic(path, for: windows(of: "may read"))
            #expect(report.hits.count == 1)
            #expect(report.unreadable.isEmpty)
        }
    }

    /// Recorded traffic that can't be scanned, and why.
    struct Unreadable: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let suffix: String
        let stream: [UInt8]
    }

    static let unreadable = [
        Unreadable(
            testDescription: "a device's frame without a mask",
            suffix: TrafficFile.fromClient,
            stream: request + frame([1], mask: nil)
        ),
        Unreadable(
            testDescription: "a reserved bit",
            suffix: TrafficFile.fromRelay,
            stream: response + [0xC2, 0x01, 0x00]
        ),
        Unreadable(
            testDescription: "no handshake",
            suffix: TrafficFile.fromRelay,
            stream: noise(40_000)
        ),
        Unreadable(
            testDescription: "compression",
            suffix: TrafficFile.fromRelay,
            stream: response.dropLast(2)
                + Array("Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n".utf8)
        ),
    ]

    @Test(arguments: unreadable)
    func `traffic that can't be read fails the scan`(what: Unreadable) throws {
        try withDirectory { path in
            try write(what.stream, path + "/1" + what.suffix)
            let report = try LeakScan.traffic(path, for: windows(of: "may read"))
            #expect(report.unreadable.count == 1)
        }
    }

    @Test func `a set of windows holds what was put in, and nothing else`() {
        var set = WindowSet()
        var random = SplitMix(seed: 5)
        let inside = (0..<20_000).map { _ in random.next() } + [0]
        for window in inside {
            let isNew = set.insert(window)
            #expect(isNew)
        }
        #expect(set.count == 20_001)
        let isNew = set.insert(0)
        #expect(!isNew)
        #expect(inside.allSatisfy(set.contains))
        let outside = (0..<20_000).map { _ in random.next() }
        #expect(!outside.contains(where: set.contains))
    }

    @Test func `windows of deleted text, of what was typed and of what was read are all there`()
        throws
    {
        var script = Script(clientCount: 2)
        func event(_ client: Int, _ number: UInt64) -> ScriptEvent {
            ScriptEvent(client: client, number: number)
        }
        // "abcdefgh" is typed in two halves around each other, deleted, and replaced.
        script.append(Patch(range: 0..<0, text: "abgh"), by: 0, after: [])
        script.append(Patch(range: 2..<2, text: "cdef"), by: 1, after: [event(0, 3)])
        script.append(Patch(range: 0..<8, text: ""), by: 0, after: [event(1, 3)])
        script.append(Patch(range: 0..<0, text: "12345678"), by: 0, after: [event(0, 11)])
        let windows = try WindowSet(
            script,
            secrets: ["the space's name"],
            logs: [Trace.log(ofAgent: 0), Trace.log(ofAgent: 1)]
        )
        func has(_ text: String) -> Bool {
            var rolling = RollingWindow()
            return text.utf8.allSatisfy { rolling.take($0).map(windows.contains) ?? true }
        }
        #expect(has("abcdefgh"))
        #expect(has("12345678"))
        #expect(has("abgh1234"))
        #expect(has("the space's name"))
        #expect(!has("cdef1234"))
    }
}
