import Logging
import NIOCore
import NIOWebSocket
import RelayStorage
import SennitWire

/// What all connections of a relay share.
struct RelayContext: Sendable {
    let relayName: Bytes32
    let hub: Hub
    let storage: any RelayStorage & Sendable
    let committer: Committer
    let governor: Governor
    let doorman: Doorman
    let limits: RelayLimits
    let logger: Logger
    let metrics: RelayMetrics
    let verifier = HeadVerifier()
    let ticker = Ticker()
    let live = LiveSettings()
}

/// Performs what `RelayConnection` decides, on one channel.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private static let gatheredByteCount = 8 << 10

    private let relay: RelayContext
    private let visitor: UInt64
    private let strangerGate: StrangerGate
    private let counters: LoopCounters
    private var connection: RelayConnection
    private var reader: MessageReader
    private var context: ChannelHandlerContext?
    private var outlet: Outlet?
    private var space: SpaceID?
    private var gate = AppendGate()
    // Small messages since the last flush, one behind the other.
    private var gathered = ByteBuffer()
    private var isClosing = false
    private var enteredAt = NIODeadline.now()
    private var owesRead = false
    private var needsFlush = false

    /// - Parameter counters: those of the channel's event loop.
    init(
        relay: RelayContext,
        visitor: UInt64,
        gate: StrangerGate,
        counters: LoopCounters,
        openedAt: NIODeadline
    ) {
        self.relay = relay
        self.visitor = visitor
        strangerGate = gate
        self.counters = counters
        var random = SystemRandomNumberGenerator()
        let nonce = (0..<Bytes32.byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
        guard let nonce = Bytes32(nonce) else { preconditionFailure("A nonce has 32 bytes.") }
        connection = RelayConnection(
            challenge: Challenge(relay: relay.relayName, nonce: nonce),
            limits: relay.limits,
            openedAt: openedAt.sinceBoot,
            headChecks: .byDriver
        )
        reader = MessageReader(maximumFragmentCount: relay.limits.maximumFragmentCount)
    }

    private var now: Duration { NIODeadline.now().sinceBoot }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let outlet = Outlet(
            id: relay.hub.makeID(),
            loop: context.eventLoop,
            deliver: { delivery in
                let handler = handler.value
                handler.counters.count(delivery)
                if case .spaceUnknown = delivery { return handler.hold(delivery) }
                handler.perform(handler.connection.receive(delivery, now: handler.now))
            },
            flush: { handler.value.flush() }
        )
        self.outlet = outlet
        relay.hub.add(outlet, from: relay.doorman.address(of: visitor))
        counters.connections.add()
        relay.ticker.add(outlet.id, on: context.eventLoop) {
            let handler = handler.value
            handler.perform(handler.connection.tick(now: handler.now))
            handler.flush()
        }
        relay.logger.debug("connected", metadata: ["connection": "\(outlet.id)"])
        perform(connection.open())
        flush()
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let input = reader.read(unwrapInboundIn(data))
        let now = now
        connection.hear(now: now)
        for output in input.outputs {
            if isClosing {
                if output == .close { context.close(promise: nil) }
                continue
            }
            switch output {
            case .message(let range):
                counters.frames.add()
                counters.receivedBytes.add(range.count)
                receive(input.bytes, range, now)
            case .text: perform(connection.receiveText())
            case .ping(let range): write(.pong, Array(input.bytes[range]))
            case .close: close(with: .normalClosure)
            case .tooLarge: perform(connection.receiveTooLarge())
            case .malformed(let reason): perform(connection.receiveGarbage(reason))
            }
        }
        perform(connection.endRead(now: now))
    }

    /// Appends stay where they are and are gathered; whatever else a message is, it stands alone.
    private func receive(_ bytes: [UInt8], _ range: Range<Int>, _ now: Duration) {
        if connection.member != nil, let tag = bytes[range].first, PackedRange.isAppend(tag),
            let append = try? PackedRange(appendIn: bytes, range)
        {
            perform(connection.gather(append, now: now))
        } else {
            perform(connection.receive(Array(bytes[range]), now: now))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { flush() }

    /// Nothing is read from a device that doesn't read its answers.
    func read(context: ChannelHandlerContext) {
        if context.channel.isWritable || isClosing {
            context.read()
        } else {
            owesRead = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        perform(connection.setWritable(isWritable, now: now))
        flush()
        if isWritable, owesRead {
            owesRead = false
            context.read()
        }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: Actions

    private func perform(_ actions: [RelayConnection.Action]) {
        for action in actions {
            switch action {
            case .send(let frame):
                if case .welcome(let welcome) = frame { enter(welcome) }
                if case .refused(let refusal) = frame { counters.refuse(refusal.code) }
                write(.binary, frame.bytes)
            case .sendShared(let frame):
                counters.deliveries.add()
                writeShared(frame)
            case .submit(let request): submit(request)
            case .answer(let log, let answers): write(answers, of: log)
            case .fanOut(let message, let space): fanOut(message, in: space)
            case .close(let reason):
                relay.logger.debug("closing", metadata: ["reason": "\(reason)"])
                close(with: WebSocketErrorCode(reason))
            case .cut:
                let isFull = context?.channel.isWritable == false
                if isFull { counters.slowReaders.add() } else { counters.idleDevices.add() }
                context?.close(promise: nil)
            }
        }
    }

    private func submit(_ request: Request) {
        if case .enter(let enter) = request {
            space = enter.space
            enteredAt = NIODeadline.now()
            strangerGate.allow(byteCount: relay.limits.maximumNewcomerByteCount)
            if enter.genesis != nil { return found(enter) }
        }
        guard case .append(let run) = request else { return handOn(request) }
        let due = run.appends.indices.filter { index in
            let check = run.appends[index].headCheck
            return check != .done && relay.verifier.isDue(check, now: now)
        }
        counters.checkedHeads.add(due.count)
        counters.uncheckedHeads.add(run.appends.count - due.count)
        perform(gate.take(run, isToBeChecked: !due.isEmpty), due)
    }

    private func perform(_ steps: [AppendGate.Step], _ due: [Int] = []) {
        for step in steps {
            switch step {
            case .submit(let run): handOn(.append(run))
            case .refuse(let run, let refusal):
                perform(connection.receive(Request.append(run).refused(refusal), now: now))
            case .check(let run, let number): check(run, due, number)
            }
        }
    }

    private func check(_ run: AppendRun, _ due: [Int], _ number: UInt64) {
        guard let context else { return }
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let isTaken = relay.verifier.check(run, due, on: context.eventLoop) { bad in
            let handler = handler.value
            let refusal = Refusal(code: .badHead, reason: Refusal.badHeadReason)
            handler.perform(handler.gate.settle(number, refused: bad, refusal))
            handler.flush()
        }
        guard !isTaken else { return }
        let refusal = Refusal(code: .rateLimited, reason: "too many heads wait to be checked")
        perform(gate.settle(number, refused: Array(run.appends.indices), refusal))
    }

    /// Asks whether the space may be kept here, then hands on.
    private func found(_ request: EnterRequest) {
        guard let outlet else { return }
        let handler = NIOLoopBound(self, eventLoop: outlet.loop)
        relay.governor.judgeFounding(request) { refusal in
            outlet.loop.execute {
                let handler = handler.value
                if let refusal {
                    let delivery = Delivery.entryRefused(refusal)
                    handler.perform(handler.connection.receive(delivery, now: handler.now))
                } else {
                    handler.handOn(.enter(request))
                }
                handler.flush()
            }
        }
    }

    /// Answers at a time that doesn't depend on what was looked up, or ids could be scanned by the
    /// clock: a fixed time after the question, or a multiple of that if looking took longer.
    private func hold(_ delivery: Delivery) {
        guard let context else { return }
        let step = TimeAmount(relay.limits.unknownSpaceDelay)
        var due = enteredAt + step
        while due < NIODeadline.now() { due = due + step }
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(deadline: due) {
            let handler = handler.value
            handler.perform(handler.connection.receive(delivery, now: handler.now))
            handler.flush()
        }
    }

    private func handOn(_ request: Request) {
        guard let outlet else { return }
        guard let refusal = relay.committer.submit(request, from: outlet) else { return }
        perform(connection.receive(refusal, now: now))
    }

    private func enter(_ welcome: Welcome) {
        relay.doorman.welcome(visitor)
        context?.pipeline.syncOperations.removeHandler(strangerGate, promise: nil)
        relay.logger.debug("welcomed", metadata: ["logs": "\(welcome.logs.count)"])
    }

    private func fanOut(_ message: [UInt8], in space: SpaceID) {
        let frame = ByteBuffer(sharedFrame: .presence(message))
        var outbox = Outbox()
        for member in relay.hub.members(of: space) where member.id != outlet?.id {
            outbox.add(.presence(frame), for: member)
        }
        outbox.send()
        relay.committer.broadcast(message, in: space)
    }

    private func write(_ answers: [AppendAnswer], of log: LogID) {
        var writer = ByteWriter(capacity: answers.count * (Ack.frameByteCount + 2))
        for answer in answers {
            switch answer {
            case .acked(let end, let chain):
                writer.write(UInt8(0x82))
                writer.write(UInt8(Ack.frameByteCount))
                Ack(log: log, end: end, chain: chain).writeFrame(to: &writer)
            case .refused(let refusal):
                counters.refuse(refusal.code)
                gathered.writeBytes(writer.bytes)
                writer = ByteWriter()
                write(.binary, RelayFrame.refused(refusal).bytes)
            }
        }
        gathered.writeBytes(writer.bytes)
        needsFlush = true
        if gathered.readableBytes > ConnectionHandler.gatheredByteCount { writeGathered() }
    }

    /// Writes a frame whose bytes other connections share, without a copy.
    private func writeShared(_ frame: ByteBuffer) {
        guard let message = frame.sharedMessage else {
            return write(.binary, Array(frame.readableBytesView))
        }
        writeGathered()
        write(message)
    }

    private func write(_ opcode: WebSocketOpcode, _ bytes: [UInt8]) {
        gathered.reserveCapacity(minimumWritableBytes: bytes.count + 10)
        gathered.writeMessageHeader(opcode, byteCount: bytes.count)
        gathered.writeBytes(bytes)
        needsFlush = true
        // Large messages count for the socket's being writable at once.
        if gathered.readableBytes > ConnectionHandler.gatheredByteCount { writeGathered() }
    }

    private func writeGathered() {
        guard gathered.readableBytes > 0 else { return }
        // Writing may call back: the socket is full now, or not any more.
        let message = gathered
        gathered = ByteBuffer()
        write(message)
    }

    private func write(_ message: ByteBuffer) {
        guard let context, context.channel.isActive else { return }
        counters.sentBytes.add(message.readableBytes)
        context.write(wrapOutboundOut(message), promise: nil)
        needsFlush = true
    }

    private func flush() {
        writeGathered()
        guard needsFlush else { return }
        needsFlush = false
        context?.flush()
    }

    /// Says goodbye, then waits a moment for the device to read it: closing at once would make the
    /// kernel throw away what the device hasn't read, the refusal with it.
    private func close(with code: WebSocketErrorCode) {
        guard !isClosing, let context else { return }
        isClosing = true
        var data = ByteBuffer()
        data.write(webSocketErrorCode: code)
        write(.connectionClose, Array(data.readableBytesView))
        flush()
        if code == .normalClosure {
            context.close(promise: nil)
            return
        }
        context.read()
        let channel = context.channel
        context.eventLoop.scheduleTask(in: TimeAmount(relay.limits.lingerTimeout)) {
            channel.close(promise: nil)
        }
    }

    private func leave() {
        context = nil
        guard let outlet else { return }
        self.outlet = nil
        relay.ticker.remove(outlet.id, on: outlet.loop)
        relay.hub.remove(outlet.id, from: space)
        relay.logger.debug("disconnected", metadata: ["connection": "\(outlet.id)"])
    }
}

extension NIODeadline {
    /// Monotonic time as the state machine takes it.
    var sinceBoot: Duration { .nanoseconds(Int64(clamping: uptimeNanoseconds)) }
}

extension WebSocketErrorCode {
    init(_ closing: RelayConnection.Closing) {
        switch closing {
        case .malformed: self = .protocolError
        case .textMessage: self = .unacceptableData
        case .tooLarge: self = .messageTooLarge
        case .refused: self = .policyViolation
        case .goingAway: self = .goingAway
        }
    }
}
