import Foundation
import GRDB
public import SennitSync
public import SennitWire
import Synchronization

extension Journal {
    /// Writes `changes`, in order, in one transaction with one fsync. When this returns they are on
    /// the disk, whatever happens next; when it throws, none of them is.
    ///
    /// - Parameters:
    ///   - changes: Several are gathered into one transaction; that is what makes them cheap.
    ///   - space: The space they belong to.
    /// - Throws: `diskFull`, `io`, `noSuchSpace`, `contradiction` for an entry or a position that
    ///   is there already, `corrupt`, `closed`. The journal can be used further.
    /// - Complexity: O(rows), about 5 µs each, and one fsync.
    public func commit(
        _ changes: [ReplicaChange],
        to space: SpaceID
    ) throws(StoreError) {
        guard changes.contains(where: { !$0.isEmpty }) else { return }
        try transact { db, writer throws in
            let number = try self.existingSpace(db, space)
            try self.write(changes, to: number, &writer, db)
        }
    }

    /// `commit` without blocking the caller's thread. Cancelling the task doesn't stop it half-way.
    /// - Throws: what the blocking one throws.
    public func commit(
        _ changes: [ReplicaChange],
        to space: SpaceID
    ) async throws(StoreError) {
        let result: Result<Void, StoreError> = await withCheckedContinuation { continuation in
            queue.asyncWriteWithoutTransaction { db in
                do throws(StoreError) {
                    try self.transact(in: db) { db, writer throws in
                        let number = try self.existingSpace(db, space)
                        try self.write(changes, to: number, &writer, db)
                    }
                    continuation.resume(returning: .success(()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        try result.get()
    }

    /// Runs `body` in one transaction. Numbers it gave out are remembered once it is committed.
    func transact(
        _ body: (Database, inout JournalWriter) throws -> Void
    ) throws(StoreError) {
        do {
            try queue.writeWithoutTransaction { db in try transact(in: db, body) }
        } catch {
            throw StoreError(error, path: path)
        }
    }

    private func transact(
        in db: Database,
        _ body: (Database, inout JournalWriter) throws -> Void
    ) throws(StoreError) {
        var writer = JournalWriter(self)
        do {
            try db.inTransaction(.immediate) {
                try body(db, &writer)
                return .commit
            }
        } catch {
            throw StoreError(error, path: path)
        }
        let committed = writer.numbers
        numbers.withLock { $0 = committed }
    }
}
