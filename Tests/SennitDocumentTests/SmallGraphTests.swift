import Foundation
import SennitReference
import SennitWire
import Testing

@testable import SennitDocument

/// What the events of a small graph do.
struct SmallHistory {
    /// Delivered before all others, or empty.
    private(set) var base: [OperationRun] = []
    /// The events of the graph, each a run.
    private(set) var runs: [OperationRun] = []
    /// The text after everything, by the slow implementation.
    private(set) var text = ""

    /// A choice of what the events do.
    enum Style: CaseIterable {
        /// All insert one scalar at the start of nothing.
        case onePlace
        /// All insert one scalar somewhere, into nothing.
        case anyPlace
        /// Half insert one scalar, at an end or in the middle; half delete one.
        case both
        /// All but a few delete from a text of two scalars.
        case sameDeletions
        /// Runs of up to three events, followed in the middle, backward deletions, and some
        /// positions that do not exist.
        case runs

        var baseText: String {
            switch self {
            case .onePlace, .anyPlace: ""
            case .both: "xé漢"
            case .sameDeletions: "🚀y"
            case .runs: "abcdef"
            }
        }
    }

    init(_ graph: SmallGraph, style: Style, seed: UInt64) {
        var random = Seeded(seed: seed)
        var reference = ReferenceDocument()
        var numbers: [UInt64] = [0, 0, 0]
        if !style.baseText.isEmpty {
            base = [Fixture.insert(style.baseText, at: 0, Fixture.event(0, 0))]
            numbers[0] = UInt64(base[0].eventCount)
            reference.add(base[0])
        }
        for event in graph.histories.indices {
            var parents = graph.parents(of: event).map { parent in
                let run = runs[parent]
                let isInside = style == .runs && random.below(3) == 0
                let count = isInside ? random.below(run.eventCount) : run.eventCount - 1
                return EventID(log: run.start.log, number: run.start.number + UInt64(count))
            }
            if parents.isEmpty { parents = base.map(\.last) }
            let author = random.below(3)
            let run = OperationRun(
                start: Fixture.event(author, numbers[author]),
                parents: parents.sorted(),
                content: SmallHistory.content(
                    style,
                    scalarCount: reference.text(at: parents).unicodeScalars.count,
                    event: event,
                    random: &random
                )
            )
            reference.add(run)
            runs.append(run)
            numbers[author] += UInt64(run.eventCount)
        }
        text = reference.text
    }

    private static func content(
        _ style: Style,
        scalarCount count: Int,
        event: Int,
        random: inout Seeded
    ) -> OperationRun.Content {
        let name = String(UnicodeScalar(UInt8(ascii: "0") + UInt8(event)))
        let isDeletion =
            switch style {
            case .onePlace, .anyPlace: false
            case .both, .runs: count > 0 && random.below(2) == 0
            case .sameDeletions: count > 0 && random.below(5) > 0
            }
        guard isDeletion else {
            let places = style == .onePlace ? [0] : [0, count, count / 2, min(1, count)]
            let place = places[random.below(places.count)]
            guard style == .runs else { return .insert(position: place, text: .init(name)) }
            let isVoid = random.below(9) == 0
            let text = name + ["", "é", "👩\u{200D}"][random.below(3)]
            return .insert(position: isVoid ? count + 1 : place, text: .init(text))
        }
        guard style == .runs else {
            let low = style == .sameDeletions ? 0 : random.below(count)
            return .delete(range: low..<(low + 1), isBackward: false)
        }
        let low = random.below(count)
        let high = low + 1 + random.below(random.below(9) == 0 ? 3 : min(3, count - low))
        return .delete(range: low..<high, isBackward: high - low > 1 && random.below(2) == 0)
    }
}

/// All orders of delivery of all graphs of a few events.
@Suite struct SmallGraphTests {
    /// What was tried.
    struct Counts {
        var graphs = 0
        var orders = 0
        var merges = 0
        var faults = 0
    }

    /// Delivers each order of each graph in every way.
    private func check(
        eventCount: Int,
        styles: [SmallHistory.Style],
        seed: UInt64,
        until end: Date = .distantFuture
    ) throws -> Counts {
        var counts = Counts()
        for (index, graph) in SmallGraph.all(eventCount: eventCount).enumerated() {
            if Date() > end { return counts }
            let orders = graph.orders
            counts.graphs += 1
            counts.orders += orders.count
            for style in styles {
                let history = SmallHistory(graph, style: style, seed: seed &+ UInt64(index) << 8)
                for order in orders {
                    let runs = order.map { history.runs[$0] }
                    try deliver(runs, of: history, counts: &counts) {
                        "\(eventCount) events, graph \(index), \(style), seed \(seed), \(order): "
                            + "\($0): \(history.base + history.runs)"
                    }
                    if counts.faults > 3 { return counts }
                }
            }
        }
        return counts
    }

    private func deliver(
        _ runs: [OperationRun],
        of history: SmallHistory,
        counts: inout Counts,
        _ describe: (String) -> String
    ) throws {
        func expect(_ followed: FollowedDocument, _ way: String) {
            counts.merges += 1
            guard let fault = followed.fault(expected: history.text) else { return }
            counts.faults += 1
            Issue.record(Comment(rawValue: describe("\(way): \(fault)")))
        }
        var live = FollowedDocument()
        for run in history.base + runs { try live.merge([run], by: .live) }
        expect(live, "one by one")
        for cut in 0..<runs.count {
            var two = FollowedDocument()
            if !history.base.isEmpty || cut > 0 {
                try two.merge(history.base + runs[..<cut], by: .batch)
            }
            try two.merge(Array(runs[cut...]), by: .batch)
            expect(two, "batches cut at \(cut)")
        }
        // A tracker that a batch has left is gone on with, and the other way round.
        let cut = runs.count / 2
        var mixed = FollowedDocument()
        try mixed.merge(history.base + runs[..<cut], by: .batch)
        for run in runs[cut...] { try mixed.merge([run], by: .live) }
        expect(mixed, "a batch, then one by one from \(cut)")
    }

    @Test func `there are as many graphs as there are`() {
        let graphs = (1...6).map { SmallGraph.all(eventCount: $0) }
        // OEIS A000112 and A006455: partial orders, and partial orders with a numbering.
        #expect(graphs.map(\.count) == [1, 2, 5, 16, 63, 318])
        let numbered = (1...6).map { SmallGraph.numbered(eventCount: $0).count }
        #expect(numbered == [1, 2, 7, 40, 357, 4824])
        // Of n events without order there are n! orders of delivery, of a chain there is one.
        #expect(graphs.map { $0.map(\.orders.count).max() } == [1, 2, 6, 24, 120, 720])
        #expect(graphs.map { $0.map(\.orders.count).min() } == [1, 1, 1, 1, 1, 1])
    }

    @Test(.internalChecks, arguments: 1...4)
    func `all orders of all graphs of up to 4 events, checked inside`(eventCount: Int) throws {
        for seed in UInt64(1)...3 {
            let counts = try check(
                eventCount: eventCount,
                styles: SmallHistory.Style.allCases,
                seed: seed
            )
            #expect(counts.graphs == [1, 2, 5, 16][eventCount - 1] && counts.faults == 0)
        }
    }

    @Test(arguments: SmallHistory.Style.allCases)
    func `all orders of all graphs of 5 events`(style: SmallHistory.Style) throws {
        for seed in UInt64(10)...12 {
            let counts = try check(eventCount: 5, styles: [style], seed: seed)
            #expect(counts.graphs == 63 && counts.orders == 895 && counts.faults == 0)
        }
    }

    /// More than 5 seconds: a million deliveries, each order in 8 ways.
    @Test(arguments: SmallHistory.Style.allCases)
    func `all orders of all graphs of 6 events`(style: SmallHistory.Style) throws {
        for seed in UInt64(20)...21 {
            let counts = try check(eventCount: 6, styles: [style], seed: seed)
            #expect(counts.graphs == 318 && counts.orders == 11_751 && counts.faults == 0)
            #expect(counts.merges == 8 * counts.orders)
        }
    }

    private static let environment = ProcessInfo.processInfo.environment

    @Test(.enabled(if: environment["SENNIT_SEED"]?.isEmpty == false))
    func `soak: all small graphs with one seed again`() throws {
        let seed = try #require(UInt64(SmallGraphTests.environment["SENNIT_SEED"] ?? ""))
        _ = try check(eventCount: 6, styles: SmallHistory.Style.allCases, seed: seed)
    }

    @Test(.enabled(if: environment["SENNIT_SOAK_SECONDS"]?.isEmpty == false))
    func `soak: all small graphs with fresh seeds`() throws {
        let text = SmallGraphTests.environment["SENNIT_SOAK_SECONDS"] ?? ""
        let end = Date().addingTimeInterval(try #require(Double(text)))
        var seed = UInt64(Date().timeIntervalSince1970 * 1000)
        let first = seed
        var merges = 0
        while Date() < end {
            let styles = SmallHistory.Style.allCases
            let counts = try check(eventCount: 6, styles: styles, seed: seed, until: end)
            merges += counts.merges
            seed += 1
            if counts.faults > 0 { break }
        }
        print("soak: \(seed - first) seeds from \(first), \(merges) deliveries of small graphs")
    }
}
