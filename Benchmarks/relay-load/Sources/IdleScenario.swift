import SennitWire

/// Many devices are connected, welcomed and subscribed, and say nothing.
struct IdleScenario {
    let settings: Settings

    func run() throws -> Outcome {
        var outcome = settings.outcome("idle")
        let stopwatch = Stopwatch(settings.relay)
        let before = settings.relay.memory
        let audience = AudienceOf(LoadDevice(founder: settings.seed &* 1_000_003), settings)
        try audience.admit()
        let sockets = try audience.connect(settings.connections)
        defer { for socket in sockets { socket.close() } }
        let connecting = stopwatch.elapsed
        var poller = try Poller()
        defer { poller.close() }
        let idle = Stopwatch(settings.relay)
        while idle.elapsed < settings.seconds { _ = poller.wait(milliseconds: 100) }
        idle.stop(&outcome)
        let after = settings.relay.memory
        outcome.operations = sockets.count
        let each = (after.resident - before.resident) / max(sockets.count, 1)
        let handshakes = Int(Double(sockets.count) / max(connecting, 0.001))
        outcome.note =
            "\(each) bytes a connection, \(handshakes) handshakes/s; before: "
            + "\(before.resident / 1_000_000) MB; idle processor use "
            + "\(Int(outcome.relaySeconds / max(outcome.seconds, 0.001) * 1000)) ms/s"
        return outcome
    }
}
