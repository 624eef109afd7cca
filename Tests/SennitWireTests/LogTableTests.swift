import SennitWire
import Testing

@Suite("LogTable")
struct LogTableTests {
    private func logs(_ count: Int) -> [LogID] {
        var random = Seeded(seed: 5)
        return (0..<count).map { _ in random.name() }
    }

    @Test func `a log is written in full once and by its index after that`() {
        let logs = logs(2)
        var table = LogTable()
        let bytes = written { writer in
            for log in [logs[0], logs[1], logs[0]] { table.write(log, to: &writer) }
        }
        #expect(bytes == [0] + logs[0].bytes + [0] + logs[1].bytes + [1])
        #expect(table.names == logs)
        #expect(LogTable(names: logs) == table)
    }

    @Test func `a reader of the same references has the same table`() throws {
        let logs = logs(300)
        var random = Seeded(seed: 6)
        let references = (0..<1000).map { _ in logs[random.below(300)] }
        var author = LogTable()
        let bytes = written { writer in
            for log in references { author.write(log, to: &writer) }
        }
        var table = LogTable()
        var reader = ByteReader(bytes)
        for log in references { #expect(try table.read(from: &reader) == log) }
        #expect(reader.isAtEnd)
        #expect(table == author)
    }

    @Test func `an index that nobody assigned is refused`() {
        var table = LogTable(names: logs(3))
        var reader = ByteReader([4])
        #expect(throws: WireError.overLimit(value: 4, limit: 3, byteOffset: 0)) {
            try table.read(from: &reader)
        }
    }

    @Test func `a log that has an index is not named in full again`() {
        let logs = logs(3)
        var table = LogTable(names: logs)
        var reader = ByteReader([0] + logs[1].bytes)
        #expect(throws: WireError.self) { try table.read(from: &reader) }
        #expect(table.names == logs)
    }

    @Test func `a table holds 4096 logs and takes no more`() throws {
        let logs = logs(Limits.maximumLogCount + 1)
        var table = LogTable(names: logs.dropLast(2))
        var reader = ByteReader([0] + logs[Limits.maximumLogCount - 1].bytes)
        _ = try table.read(from: &reader)
        #expect(table.count == Limits.maximumLogCount)
        reader = ByteReader([0] + logs[Limits.maximumLogCount].bytes)
        #expect(throws: WireError.self) { try table.read(from: &reader) }
        #expect(table.count == Limits.maximumLogCount)
    }

    @Test func `what is truncated away may be named again`() throws {
        let logs = logs(4)
        var table = LogTable(names: logs)
        table.truncate(to: 2)
        #expect(table == LogTable(names: Array(logs.prefix(2))))
        var reader = ByteReader([0] + logs[3].bytes + [3])
        #expect(try table.read(from: &reader) == logs[3])
        #expect(try table.read(from: &reader) == logs[3])
    }
}
