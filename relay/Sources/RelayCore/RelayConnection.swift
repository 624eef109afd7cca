// One connection's conversation. SPEC.md section 10.
//
//     greeted ──hello──► entering ──entered──► member
//                         │    ▲
//               spaceUnknown   │ found (founder's device)
//                         ▼    │
//                       unknown ──found──► ownerless ──putAccess──► entering
//
// A space without an access list is unknown to all but its founder. Another member brings it back
// to a relay that lost it with two frames, `found` and a `putAccess` that the founder signed.
//
// The signatures of heads are checked here, or left to the driver where they cost an event loop too
// much; which of them have to be is said here (`HeadVerifier` has the rule).
//
// Frames that come while the storage thread is asked about the handshake are put aside, within
// bounds, so a device need not wait for `welcome` before it goes on. So is word of what others did.
//
// Appends that come together are gathered to runs (`AppendRun`), which `endRead` hands on.
//
// Pure: time and answers come in, actions go out. `ConnectionHandler` performs them.

import NIOCore
import SennitWire

/// The state of one connection.
struct RelayConnection {
    /// What the driver has to do, in order.
    enum Action {
        case send(RelayFrame)
        /// A frame that other connections are sent too.
        case sendShared(ByteBuffer)
        case submit(Request)
        /// What appends to a log came to.
        case answer(LogID, [AppendAnswer])
        /// Presence for all other connections of the space.
        case fanOut([UInt8], SpaceID)
        /// Closes once everything before it was sent. Nothing more is received.
        case close(Closing)
        /// Closes now; nothing is waited for.
        case cut
    }

    /// Why a connection is closed.
    enum Closing: Hashable {
        case malformed
        case textMessage
        case tooLarge
        case refused
        case goingAway
    }

    /// Who checks the signatures of heads.
    enum HeadChecks {
        /// The connection itself, when the append comes.
        case atOnce
        /// The driver, as each request says, before it submits it.
        case byDriver
    }

    private enum State {
        case greeted
        case entering(EnterRequest)
        case unknown(EnterRequest)
        case ownerless(EnterRequest)
        case member
        case closed
    }

    struct Member {
        let device: DeviceKey
        var access: SpaceAccess
        var subscription: Subscription
        var presence: TokenBucket
        var appends: RateBucket
        var accessLists: TokenBucket
        var pendingAppendCount = 0
        /// How many heads of the device's own log may be checked.
        var heads: TokenBucket
        /// Whether a head of the device's own log was handed on to be checked.
        var hasOwnHead = false
        var hadBadHead = false
        /// The log that was appended to last.
        var last: LastLog?
        /// What was gathered and not handed on yet.
        var runs: [AppendRun] = []

        var rights: AccessList.Rights { access.rights(of: device) }
    }

    let challenge: Challenge
    let limits: RelayLimits
    let headChecks: HeadChecks
    private let handshakeDeadline: Duration
    private var state = State.greeted
    // Invariant: there is one in the state `member`, and in no other. It is not in the state
    // itself, so that it is changed in place.
    var member: Member?
    private var heardAt: Duration
    private var fullSince: Duration?
    private var aside: [RelayFrame] = []
    // Word of what others did since the space was entered, before the device is a member.
    private var news: [LogID: CommittedTail] = [:]
    private var accessNews: (SpaceAccess, ByteBuffer)?
    var pendingByteCount = 0

    /// Begins a conversation.
    /// - Parameters:
    ///   - openedAt: when the device connected; the time for the handshake runs from there.
    init(
        challenge: Challenge,
        limits: RelayLimits,
        openedAt: Duration,
        headChecks: HeadChecks = .atOnce
    ) {
        self.challenge = challenge
        self.headChecks = headChecks
        self.limits = limits
        handshakeDeadline = openedAt + limits.handshakeTimeout
        heardAt = openedAt
    }

    /// Whether the connection takes nothing in any more.
    var isClosed: Bool { if case .closed = state { true } else { false } }

    private var isWritable: Bool { fullSince == nil }

    /// The first word.
    func open() -> [Action] { [.send(.challenge(challenge))] }

    // MARK: What comes from the device

    /// Anything at all came from the device, a WebSocket ping for example.
    mutating func hear(now: Duration) { heardAt = max(heardAt, now) }

    /// A binary message by itself.
    mutating func receive(_ message: [UInt8], now: Duration) -> [Action] {
        hear(now: now)
        if isClosed { return [] }
        let before = endRead(now: now)
        do throws(WireError) {
            let frame = try RelayFrame(decoding: message)
            return before + receive(frame, byteCount: message.count, now: now) + endRead(now: now)
        } catch .unknown(field: "protocol version", let value, _) {
            return before
                + refuse(.unsupportedVersion, "this relay doesn't speak version \(value)")
        } catch {
            return before + refuseMalformed("the frame does not parse: \(error)")
        }
    }

    /// A text message, which the protocol doesn't have.
    mutating func receiveText() -> [Action] {
        if isClosed { return [] }
        end()
        let refusal = Refusal(code: .malformed, reason: "messages are binary")
        return [.send(.refused(refusal)), .close(.textMessage)]
    }

    /// Bytes that aren't WebSocket.
    mutating func receiveGarbage(_ reason: String) -> [Action] {
        isClosed ? [] : refuseMalformed(reason)
    }

    /// A message over the limit of all frames.
    mutating func receiveTooLarge() -> [Action] {
        if isClosed { return [] }
        end()
        let refusal = Refusal(code: .tooLarge, reason: "the frame is over the limit")
        return [.send(.refused(refusal)), .close(.tooLarge)]
    }

    // MARK: What comes from the clock and the socket

    /// Looks at the deadlines; called about once a second.
    mutating func tick(now: Duration) -> [Action] {
        if isClosed { return [] }
        if let fullSince, now - fullSince >= limits.writeTimeout { return cut() }
        if member != nil {
            return now - heardAt >= limits.idleTimeout ? cut() : []
        }
        return now >= handshakeDeadline
            ? refuse(.notMember, "no proof of membership came in time") : []
    }

    /// Whether the socket takes more.
    mutating func setWritable(_ isWritable: Bool, now: Duration) -> [Action] {
        guard isWritable else {
            fullSince = fullSince ?? now
            return []
        }
        fullSince = nil
        return member?.subscription.resume().map(Action.init) ?? []
    }

    // MARK: What comes from the relay

    /// An answer, or word of what others did.
    mutating func receive(_ delivery: Delivery, now: Duration) -> [Action] {
        if isClosed { return [] }
        switch delivery {
        case .entered(let access, let logs): return enter(access, logs, now: now)
        case .spaceUnknown: return findSpaceUnknown(now: now)
        case .entryRefused(let refusal): return close(after: refusal)
        case .answered(let run, let answers): return answer(run, answers)
        case .accessRefused(let refusal, let current):
            return [.send(.refused(refusal))] + (current.map { [.send(.access($0))] } ?? [])
        case .accessKnown(let list): return [.send(.access(list))]
        case .accessChanged(let access, let frame): return changeAccess(access, frame)
        case .presence(let frame):
            guard isWritable, member?.rights.contains(.read) == true else { return [] }
            return [.sendShared(frame)]
        case .shutDown:
            end()
            let refusal = Refusal(code: .shuttingDown, reason: "the relay stops; connect again")
            return [.send(.refused(refusal)), .close(.goingAway)]
        case .read, .unreadable, .committed: return serve(delivery)
        }
    }

    // MARK: Helpers

    private mutating func receive(
        _ frame: RelayFrame,
        byteCount: Int,
        now: Duration
    ) -> [Action] {
        switch (state, frame) {
        case (_, .ping(let value)): return [.send(.pong(value))]
        case (_, .pong): return []
        case (.greeted, .hello(let hello)): return greet(hello)
        case (.entering, _): return putAside(frame, byteCount: byteCount)
        case (.unknown(let request), .found(let genesis, let token)):
            return find(genesis, token, for: request)
        // Sent before the device knew that the relay doesn't know the space.
        case (.unknown, .subscribe), (.unknown, .append), (.unknown, .presence),
            (.unknown, .putAccess), (.ownerless, .subscribe), (.ownerless, .append),
            (.ownerless, .presence):
            return []
        case (.ownerless(var request), .putAccess(let list)):
            guard list.space == request.space else {
                return refuseMalformed("the access list is another space's")
            }
            request.list = list
            return enter(request)
        case (.member, .append(let range)): return gather(PackedRange(range), now: now)
        case (.member, .putAccess(let list)):
            guard list.space == member?.access.space else {
                return refuseMalformed("the access list is another space's")
            }
            guard member?.accessLists.take(now: now) == true else {
                let reason = "too many access lists at once"
                return [.send(.refused(Refusal(code: .rateLimited, reason: reason)))]
            }
            return [.submit(.putAccess(list))]
        case (.member, .subscribe(let positions)):
            guard member?.rights.contains(.read) == true else {
                return [.send(.refused(.notMember("the key may not read")))]
            }
            let isWritable = isWritable
            return member?.subscription.subscribe(positions, isWritable: isWritable)
                .map(Action.init) ?? []
        case (.member, .presence(let message)):
            guard let space = member?.access.space, member?.presence.take(now: now) == true
            else { return [] }
            return [.fanOut(message, space)]
        default: return refuseMalformed("the frame has no place here")
        }
    }

    private mutating func greet(_ hello: Hello) -> [Action] {
        let proof = challenge.signedBytes(space: hello.space, device: hello.device)
        guard Signature.isValid(hello.signature, of: proof, by: hello.device) else {
            return close(after: .notMember())
        }
        var request = EnterRequest(space: hello.space, device: hello.device)
        if let admission = hello.admission {
            let word = Admission.signedBytes(space: hello.space, device: hello.device)
            guard Signature.isValid(admission.signature, of: word, by: admission.invite) else {
                return close(after: .notMember())
            }
            request.invite = admission.invite
        }
        return enter(request)
    }

    private mutating func find(
        _ genesis: Genesis,
        _ token: RelayToken?,
        for known: EnterRequest
    ) -> [Action] {
        guard genesis.spaceID == known.space else {
            return refuseMalformed("the genesis is another space's")
        }
        var request = known
        request.genesis = genesis
        request.token = token
        if genesis.founder == request.device { return enter(request) }
        state = .ownerless(request)
        return []
    }

    private mutating func enter(_ request: EnterRequest) -> [Action] {
        state = .entering(request)
        return [.submit(.enter(request))]
    }

    private mutating func putAside(_ frame: RelayFrame, byteCount: Int) -> [Action] {
        pendingByteCount += byteCount
        guard aside.count < limits.maximumPendingAppendCount,
            pendingByteCount <= limits.maximumPendingByteCount
        else { return refuse(.rateLimited, "too much came before the welcome") }
        aside.append(frame)
        return []
    }

    private mutating func takeAside(now: Duration) -> [Action] {
        let frames = aside
        aside = []
        pendingByteCount = 0
        var actions: [Action] = []
        for frame in frames where !isClosed {
            if case .append = frame {} else { actions += endRead(now: now) }
            actions += receive(frame, byteCount: 0, now: now)
        }
        return actions + endRead(now: now)
    }

    private mutating func enter(
        _ access: SpaceAccess,
        _ logs: [Welcome.Log],
        now: Duration
    ) -> [Action] {
        guard case .entering(let request) = state else { return [] }
        state = .member
        member = Member(
            device: request.device,
            access: access,
            subscription: Subscription(logs: logs, in: access.space),
            presence: TokenBucket(
                perSecond: limits.presencePerSecond,
                burst: limits.presenceBurst,
                now: now
            ),
            appends: RateBucket(limits.appendRate, now: now),
            accessLists: TokenBucket(
                perSecond: limits.accessListsPerSecond,
                burst: limits.accessListBurst,
                now: now
            ),
            heads: TokenBucket(
                perSecond: limits.headChecksPerSecond,
                burst: limits.headCheckBurst,
                now: now
            )
        )
        let welcome = Welcome(access: access.list, logs: logs)
        return [.send(.welcome(welcome))] + takeNews() + takeAside(now: now)
    }

    /// What happened since the space was entered; the device hasn't subscribed yet.
    private mutating func takeNews() -> [Action] {
        let tails = news.values
        let isWritable = isWritable
        news = [:]
        for tail in tails { _ = member?.subscription.grow(tail, isWritable: isWritable) }
        guard let (access, frame) = accessNews else { return [] }
        accessNews = nil
        return changeAccess(access, frame)
    }

    private mutating func findSpaceUnknown(now: Duration) -> [Action] {
        guard case .entering(let request) = state else { return [] }
        state = .unknown(request)
        let refusal = Refusal(code: .unknownSpace, reason: "the relay has no such space for you")
        return [.send(.refused(refusal))] + takeAside(now: now)
    }

    private mutating func changeAccess(_ access: SpaceAccess, _ frame: ByteBuffer) -> [Action] {
        if case .entering = state { accessNews = (access, frame) }
        guard member != nil else { return [] }
        member?.access = access
        // Who may append where may have changed.
        member?.last = nil
        return member?.rights.isEmpty == true
            ? close(after: .notMember()) : [.sendShared(frame)]
    }

    private mutating func serve(_ delivery: Delivery) -> [Action] {
        guard let rights = member?.rights else {
            if case .entering = state, case .committed(let tail) = delivery {
                let isBounded = news.count < Limits.maximumLogCount || news[tail.log] != nil
                if isBounded { news[tail.log] = tail.withoutFrame }
            }
            return []
        }
        // A device that may not read any more is not told what is written.
        guard rights.contains(.read) else { return [] }
        let isWritable = isWritable
        switch delivery {
        case .read(let log, let from, let range):
            return member?.subscription
                .receive(range, of: log, from: from, isWritable: isWritable)
                .map(Action.init) ?? []
        case .unreadable(let log, let refusal):
            let steps = member?.subscription.abandon(log, isWritable: isWritable) ?? []
            return [.send(.refused(refusal))] + steps.map(Action.init)
        case .committed(let tail):
            return member?.subscription.grow(tail, isWritable: isWritable).map(Action.init) ?? []
        default: return []
        }
    }

    private mutating func end() {
        state = .closed
        member = nil
    }

    private mutating func refuse(_ code: Refusal.Code, _ reason: String) -> [Action] {
        close(after: Refusal(code: code, reason: reason))
    }

    private mutating func refuseMalformed(_ reason: String) -> [Action] {
        end()
        let refusal = Refusal(code: .malformed, reason: reason)
        return [.send(.refused(refusal)), .close(.malformed)]
    }

    private mutating func close(after refusal: Refusal) -> [Action] {
        end()
        return [.send(.refused(refusal)), .close(.refused)]
    }

    private mutating func cut() -> [Action] {
        end()
        return [.cut]
    }
}
