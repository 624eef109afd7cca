import Foundation
import Logging
import Synchronization
import Testing

@testable import RelayCore

struct RelayLogTests {
    private let date = Date(timeIntervalSince1970: 1_800_000_000.25)

    @Test func `an event is one line of text`() {
        let line = RelayLog.line(
            .info,
            "listening",
            [("port", "1"), ("reason", "a \"b\"\nc")],
            .text,
            at: date
        )
        #expect(
            line == "2027-01-15T08:00:00.250Z info listening port=1 reason=\"a \\\"b\\\"\\nc\"\n"
        )
    }

    @Test func `an event is one object of JSON`() throws {
        let fields = [("reason", "a\u{1b}[31m\n"), ("url", "ws://é")]
        let line = RelayLog.line(.error, "it \"fails\"", fields, .json, at: date)
        #expect(line.filter { $0 == "\n" }.count == 1)
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        #expect(
            object == [
                "time": "2027-01-15T08:00:00.250Z", "level": "error", "message": "it \"fails\"",
                "reason": "a\u{1b}[31m\n", "url": "ws://é",
            ]
        )
    }

    @Test func `systemd's journal is told the priority and keeps the time itself`() {
        let line = RelayLog.line(.warning, "no metrics", [("a", "")], .journal, at: date)
        #expect(line == "<4>no metrics a=\"\"\n")
    }

    @Test func `nothing from a stranger can end a line or move the cursor`() {
        let hostile = (0..<0x100).compactMap { Unicode.Scalar($0) }.map { String(Character($0)) }
        for format in [RelayLog.Format.text, .json, .journal] {
            for text in hostile {
                let line = RelayLog.line(.info, text, [("key", text)], format, at: date)
                let controls = line.dropLast().unicodeScalars.filter { scalar in
                    scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
                }
                #expect(controls.isEmpty, "\(format)")
                #expect(line.hasSuffix("\n"))
            }
        }
    }

    @Test func `the level holds for every logger, and can be changed`() {
        let lines = Mutex<[String]>([])
        let log = RelayLog(level: "warning", format: .text) { line in
            lines.withLock { $0.append(String(line.dropFirst(25))) }
        }
        let logger = log.logger
        logger.info("one")
        logger.warning("two")
        log.setLevel("debug")
        logger.debug("three", metadata: ["n": "3"])
        logger.trace("four")
        #expect(lines.withLock { $0 } == ["warning two\n", "debug three n=3\n"])
    }
}
