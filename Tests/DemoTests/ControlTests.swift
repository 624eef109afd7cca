import NIOPosix
import Testing

@testable import SennitDemo

@Suite struct ControlTests {
    @Test func `lines are cut wherever the pieces end`() throws {
        var order = StageOrder(stage: .typed, link: "sennit:1#x")
        order.bases = [LogBase(log: "00", firstEvent: 3)]
        order.scalarCount = 12
        let bytes = ControlLine.encode(order) + ControlLine.encode(order)
        for size in [1, 2, 7, bytes.count] {
            var splitter = LineSplitter()
            var lines: [[UInt8]] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                lines += try splitter.take(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(
                try lines.map { try ControlLine.decode(StageOrder.self, from: $0) } == [
                    order, order,
                ]
            )
        }
    }

    @Test func `a line without an end is refused`() {
        var splitter = LineSplitter()
        #expect(throws: DemoError.self) {
            _ = try splitter.take([UInt8](repeating: 65, count: ControlLine.maximumByteCount + 1))
        }
        #expect(throws: DemoError.badMessage("{}")) {
            _ = try ControlLine.decode(StageOrder.self, from: Array("{}".utf8))
        }
    }

    @Test func `a client that calls again is heard, and hanging up is told`() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let directory = try RunDirectory.new(at: nil)
        defer { directory.remove() }
        let server = try await ControlServer(path: directory.controlSocket, group: group)
        var heard: [String] = []
        var calls = 0
        func call() async throws -> ControlClient {
            calls += 1
            let client = try await ControlClient(path: directory.controlSocket, group: group)
            var hello = ClientReport(kind: .hello, client: 0)
            hello.processID = Int32(calls)
            client.send(hello)
            return client
        }
        var client = try await call()
        for await event in server.events {
            switch event {
            case .report(let report) where report.kind == .hello:
                heard.append("hello \(report.processID)")
                server.send(StageOrder(stage: .joined, link: "l\(report.processID)"), to: 0)
                var orders = client.orders.makeAsyncIterator()
                heard.append(await orders.next()?.link ?? "")
                await client.close(ClientReport(kind: .progress, client: 0))
            case .report(let report): heard.append(report.kind.rawValue)
            case .hungUp(_, let processID):
                heard.append("gone \(processID)")
                if processID == 1 { client = try await call() }
            case .tick: break
            }
            if heard.count == 8 { break }
        }
        await server.close()
        #expect(
            heard == [
                "hello 1", "l1", "progress", "gone 1", "hello 2", "l2", "progress", "gone 2",
            ]
        )
    }
}
