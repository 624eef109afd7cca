/// What a run was asked for.
struct Settings {
    var port: Int
    var relay: RelayProcess
    var connections: Int
    var window: Int
    var payload: Int
    /// Entries in each append.
    var batch: Int
    /// Appends that are signed beforehand, of all connections together.
    var count: Int
    var seconds: Double
    /// Readers in fanout that read a byte a second.
    var slow: Int
    /// Makes other spaces and keys, so that one relay can be loaded twice.
    var seed: UInt64

    /// Seconds after which what hasn't come won't come.
    let patience = 30.0

    func outcome(_ scenario: String) -> Outcome {
        var outcome = Outcome(
            scenario: scenario,
            connections: connections,
            window: window,
            payload: payload
        )
        outcome.residentByteCountBefore = relay.memory.resident
        return outcome
    }
}
