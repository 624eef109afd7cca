import Testing

@testable import SennitRelay

struct TopScreenTests {
    private func sample(
        uptime: Double,
        appends: Int,
        buckets: [Int] = [0, 0, 0]
    ) -> MetricsSample {
        MetricsSample(
            """
            # TYPE sennit_relay_uptime_seconds gauge
            sennit_relay_build_info{version="1.2.3"} 1
            sennit_relay_uptime_seconds \(uptime)
            sennit_relay_ready 1
            sennit_relay_connections 12
            sennit_relay_appends_total \(appends)
            sennit_relay_refusals_total{code="gap"} 3
            sennit_relay_refusals_total{code="conflict"} 4
            sennit_relay_sync_seconds_bucket{le="0.001"} \(buckets[0])
            sennit_relay_sync_seconds_bucket{le="0.01"} \(buckets[1])
            sennit_relay_sync_seconds_bucket{le="+Inf"} \(buckets[2])
            sennit_relay_storage_bytes 3670016
            sennit_relay_live_share 0.5
            other_thing 5
            sennit_relay_broken x
            """
        )
    }

    @Test func `figures are read by name, and what isn't a relay's is passed over`() {
        let sample = sample(uptime: 5, appends: 7)
        #expect(sample.isRelay && sample.version == "1.2.3")
        #expect(sample["appends_total"] == 7 && sample.refusalCount == 7)
        #expect(sample.values["broken"] == nil && sample.values["thing"] == nil)
        #expect(!MetricsSample("<html>").isRelay)
    }

    @Test func `rates are what was added in the time`() {
        let (one, two) = (sample(uptime: 5, appends: 10), sample(uptime: 7, appends: 50))
        #expect(MetricsInterval(from: one, to: two, seconds: 2).rate("appends_total") == 20)
    }

    @Test func `a relay that was started again counts from nothing`() {
        let (one, two) = (sample(uptime: 100, appends: 1000), sample(uptime: 4, appends: 20))
        #expect(MetricsInterval(from: one, to: two, seconds: 1).rate("appends_total") == 5)
    }

    @Test func `percentiles come from the buckets of the interval alone`() {
        let one = sample(uptime: 1, appends: 0, buckets: [1000, 1000, 1000])
        let two = sample(uptime: 2, appends: 0, buckets: [1050, 1100, 1100])
        let interval = MetricsInterval(from: one, to: two, seconds: 1)
        #expect(interval.syncTime(share: 0.5) == 0.001)
        #expect(interval.syncTime(share: 0.25) == 0.0005)
        #expect(abs((interval.syncTime(share: 1) ?? 0) - 0.01) < 1e-9)
        #expect(MetricsInterval(from: two, to: two, seconds: 1).syncTime(share: 0.5) == nil)
        // Beyond the last bound nothing is known but that it was exceeded.
        let slow = sample(uptime: 2, appends: 0, buckets: [1000, 1000, 1001])
        let beyond = MetricsInterval(from: one, to: slow, seconds: 1)
        #expect(beyond.syncTime(share: 0.99) == 0.01)
    }

    @Test func `the screen fits the terminal and has color only if it may`() {
        let one = sample(uptime: 5, appends: 10)
        let two = sample(uptime: 3725, appends: 1300, buckets: [10, 90, 100])
        let interval = MetricsInterval(from: one, to: two, seconds: 1)
        var screen = TopScreen()
        for _ in 0..<300 { screen.add(interval) }
        let plain = screen.lines(interval, url: "http://x", width: 80, height: 24, isColored: false)
        #expect(plain.allSatisfy { $0.count <= 80 && !$0.contains("\u{1b}") })
        #expect(plain[0] == "sennit-relay 1.2.3  ready  up 1 h 2 min  http://x")
        #expect(
            plain.contains { $0.hasPrefix("appends/s                 1290  ▁") || $0.contains("█") }
        )
        #expect(plain.contains { $0.contains("3.5 MiB") && $0.contains("50 % live") })
        #expect(!plain.contains { $0.hasPrefix("databases") || $0.contains("segments") })
        let colored = screen.lines(interval, url: "x", width: 80, height: 24, isColored: true)
        #expect(colored[0].contains("\u{1b}[32mready"))
        for (width, height) in [(1, 1), (20, 5), (300, 100)] {
            let lines = screen.lines(
                interval,
                url: "u",
                width: width,
                height: height,
                isColored: false
            )
            #expect(lines.count <= height)
            #expect(lines.allSatisfy { $0.count <= width })
        }
    }

    @Test(
        arguments: [
            (0.0, "0"), (0.5, "0.50"), (9.999, "10.00"), (12.34, "12.3"), (1234.5, "1235"),
        ]
    )
    func `rates have digits that mean something`(value: Double, text: String) {
        #expect(TopText.rate(value) == text)
    }

    @Test(arguments: [
        (0.0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5_368_709_120, "5.0 GiB"),
    ])
    func `bytes have units`(value: Double, text: String) {
        #expect(TopText.bytes(value) == text)
    }
}
