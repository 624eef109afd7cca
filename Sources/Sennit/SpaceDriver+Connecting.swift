import NIOCore
import SennitSeal
import SennitStore
import SennitSync
import SennitWire

extension SpaceDriver {
    /// Keeps a connection to one of the space's relays until `disconnect`.
    func connect() {
        guard !link.isWanted, !isClosed else { return }
        link.isWanted = true
        link.backoff.reset()
        link.relayIndex = 0
        link.trouble = nil
        dial()
    }

    /// Hangs up, and stays so.
    func disconnect() {
        link.isWanted = false
        link.reconnect?.cancel()
        hangUp()
        subscribers.tell(SpaceUpdate([.status, .presence]))
        resumeWaiters()
    }

    /// Hangs up and dials the same relay again.
    func redial() {
        hangUp()
        dial()
    }

    private func dial() {
        guard !isClosed, link.isWanted, link.connection == nil else { return }
        link.number += 1
        let number = link.number
        do throws(ConnectionError) {
            guard !record.relays.isEmpty else {
                throw ConnectionError(
                    .invalidAddress,
                    "no relay is known for this space"
                )
            }
            let text = record.relays[link.relayIndex % record.relays.count]
            let address = try RelayAddress(text)
            let (space, enter) = (space, ports.enter)
            link.connection = RelayConnection(
                to: address,
                on: ports.loop,
                trust: try ports.context(for: address)
            ) { event in
                enter(space) { driver in driver.heard(event, from: number) }
            }
            subscribers.tell(SpaceUpdate(.status))
        } catch {
            lose(ConnectionTrouble(error))
        }
    }

    private func heard(_ event: ConnectionEvent, from number: Int) {
        guard number == link.number, link.connection != nil else { return }
        switch event {
        case .opened:
            beginSession()
        case .message(let bytes):
            link.lastHeard = ports.now
            perform { $0.handle(.received(bytes), now: $1) }
            proceed()
        case .closed(let error):
            lose(ConnectionTrouble(error))
        }
    }

    private func beginSession() {
        var version = replica.version
        // What isn't on the disk may not be sent, so for the session it isn't there.
        version[replica.ownLog] = ownTail.committedEnd
        let invite = record.inviteSeed == nil ? nil : replica.invite
        session = Session(
            Session.Configuration(
                space: space,
                identity: replica.identity,
                ownLog: replica.ownLog,
                genesis: replica.genesis,
                access: access,
                token: link.connection.flatMap { ports.tokens.token(for: $0.address) },
                admission: invite?.admission(of: replica.identity.device, in: space),
                version: version,
                comparesOwnFrom: comparesOwnFrom
            ),
            now: ports.now
        )
        let (space, enter) = (space, ports.enter)
        link.lastHeard = ports.now
        link.ticker = ports.loop.scheduleRepeatedTask(
            initialDelay: .seconds(1),
            delay: .seconds(1)
        ) { _ in enter(space) { driver in driver.tick() } }
    }

    private func tick() {
        guard session != nil else { return }
        perform { $0.handle(.tick, now: $1) }
        tickPresence()
        proceed()
    }

    /// Drops the connection and tries again after a while.
    func lose(_ trouble: ConnectionTrouble) {
        hangUp()
        link.trouble = trouble
        link.relayIndex += 1
        joining?.lost(joinError(trouble.error))
        subscribers.tell(SpaceUpdate([.status, .presence]))
        resumeWaiters()
        guard link.isWanted, !isClosed else { return }
        let pause = link.backoff.next(jitter: Double.random(in: 0..<1))
        link.reconnect = ports.schedule(in: pause, space) { driver in driver.dial() }
    }

    private func hangUp() {
        link.number += 1
        link.ticker?.cancel()
        link.ticker = nil
        link.reconnect?.cancel()
        link.connection?.close()
        link.connection = nil
        link.leftLogs = []
        link.refusedOwn = nil
        session = nil
        tracker = nil
        ownPresence.timer?.cancel()
        ownPresence.timer = nil
    }
}
