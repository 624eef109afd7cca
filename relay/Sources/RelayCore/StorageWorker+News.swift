// What other relays on the same storage did.
//
// It goes the way of a commit of this relay's own: who is here is sent the same frames. What was
// noted in memory is forgotten and read again when it is needed next.

import NIOCore
import RelayStorage
import SennitWire

extension StorageWorker {
    /// Takes news in.
    func hear(_ news: [StorageNews]) {
        var announcements = Announcements()
        var outbox = Outbox()
        for item in news {
            switch item {
            case .grew(let growth): hear(growth, &announcements, &outbox)
            case .changed(let space): hearChange(of: space, &outbox)
            case .said(let message, let space):
                let frame = ByteBuffer(sharedFrame: .presence(message))
                for member in hub.members(of: space) { outbox.add(.presence(frame), for: member) }
            }
        }
        announcements.send(to: hub, &outbox)
        outbox.send()
    }

    private func hear(
        _ growth: LogGrowth,
        _ announcements: inout Announcements,
        _ outbox: inout Outbox
    ) {
        if let tail = tails[growth.log], tail.end < growth.end { forget(growth.log) }
        for batch in growth.batches {
            announcements.add(
                batch,
                of: growth.log,
                growth.descriptor,
                in: growth.space,
                author: nil
            )
        }
        guard growth.batches.last?.end ?? .zero < growth.end else { return }
        // The rest is only pointed at: each reads it from storage.
        let tail = CommittedTail(
            log: growth.log,
            descriptor: growth.descriptor,
            from: growth.end,
            end: growth.end,
            frame: nil
        )
        for audience in hub.audiences(of: growth.space) {
            outbox.add(.committed(tail), for: audience)
        }
    }

    private func hearChange(of space: SpaceID, _ outbox: inout Outbox) {
        let before = spaces[space]
        guard forget(space), hub.isInside(space) else { return }
        do throws(StorageError) {
            guard let access = try access(of: space), access != before else { return }
            announceAccess(of: space, &outbox)
        } catch {
            // The next look at the space tells it again.
            spaces[space] = nil
        }
    }

    /// Forgets a log's end, unless it is of something that is on its way to storage.
    /// - Returns: whether it did.
    @discardableResult
    func forget(_ log: LogID) -> Bool {
        guard inFlight.logs[log] == nil else { return false }
        tails[log] = nil
        return true
    }

    /// Forgets a space's rules, unless they are on their way to storage.
    /// - Returns: whether it did.
    @discardableResult
    func forget(_ space: SpaceID) -> Bool {
        guard inFlight.spaces[space] == nil else { return false }
        spaces[space] = nil
        return true
    }
}
