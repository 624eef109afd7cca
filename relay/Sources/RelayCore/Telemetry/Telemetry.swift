// What whoever runs a relay asks it: is it alive, is it ready, what are its figures.
//
// This is made before the relay, so that it can answer while the storage recovers.

import NIOCore
import RelayStorage
import Synchronization

/// A relay's readiness and figures.
public final class Telemetry: Sendable {
    /// How far the relay is.
    public enum Phase: String, Sendable {
        case recovering
        case serving
        case draining
    }

    /// What a running relay is asked when somebody wants its figures.
    struct Source: Sendable {
        let connectionCount: @Sendable () -> Int
        let doorFigures: @Sendable () -> Doorman.Figures
        let figures: @Sendable () -> StorageFigures
        let sizes: @Sendable () -> StorageSizes?
        let certificate: @Sendable () -> CertificateFigures?
        var outage: @Sendable () -> StorageError? = { nil }
    }

    /// Figures about the certificate.
    struct CertificateFigures: Sendable {
        /// Seconds since 1970 until which it is valid.
        var expiry: Int64
        var reloadCount: UInt64 = 0
        var failedReloadCount: UInt64 = 0
    }

    private struct State {
        var phase = Phase.recovering
        var source: Source?
    }

    let metrics = RelayMetrics()
    private let startedAt = ContinuousClock.now
    private let state = Mutex(State())

    /// After a failed sync the relay isn't ready for so long, or until a sync succeeds. Then it is
    /// tried again: nothing would ever succeed if nobody sent it anything.
    private static let failureTime: Duration = .seconds(60)

    /// A relay that has begun to recover.
    public init() {}

    /// How far the relay is.
    public var phase: Phase { state.withLock { $0.phase } }

    /// The relay serves from now on.
    func serve(_ source: Source) {
        state.withLock { state in
            state.source = source
            state.phase = .serving
        }
    }

    /// The relay takes nobody in from now on.
    func drain() { state.withLock { $0.phase = .draining } }

    /// The relay is gone, and its figures with it.
    func end() { state.withLock { $0.source = nil } }

    /// Why the relay isn't ready; `nil` if it is.
    public var hindrance: String? {
        let (phase, source) = state.withLock { ($0.phase, $0.source) }
        switch phase {
        case .recovering: return "recovering: the storage is being opened"
        case .draining: return "draining: the relay stops"
        case .serving: break
        }
        if let outage = source?.outage() { return "failing: \(outage)" }
        guard let failedAt = source?.figures().failedAt,
            failedAt.duration(to: .now) < Telemetry.failureTime
        else { return nil }
        return "failing: the last write to the disk failed"
    }

    /// What isn't as it should be although the relay is ready; `nil` if all is.
    var remark: String? {
        let outages = state.withLock { $0.source }?.figures().databaseOutages ?? []
        let away = outages.compactMap { $0 }
        guard let first = away.first else { return nil }
        return "\(away.count) of \(outages.count) databases can't be used: \(first)"
    }

    /// All figures in Prometheus' format.
    /// - Complexity: O(spaces); the hot path isn't held up.
    public func metricsText() -> String {
        let (phase, source) = state.withLock { ($0.phase, $0.source) }
        var text = MetricsText()
        text.addProcess(
            uptime: startedAt.duration(to: .now) / .seconds(1),
            isReady: hindrance == nil,
            phase: phase
        )
        text.add(metrics.totals(), connectionCount: source?.connectionCount() ?? 0)
        guard let source else { return text.text }
        text.add(source.doorFigures())
        text.add(source.figures())
        if let sizes = source.sizes() { text.add(sizes) }
        if let certificate = source.certificate() { text.add(certificate) }
        return text.text
    }
}
