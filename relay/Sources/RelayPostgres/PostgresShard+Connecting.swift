#if PostgreSQL
import Foundation
import RelayStorage
import Synchronization

// The committer's connection: made, checked, given up and made again, with longer and longer pauses
// while the database is away.

extension PostgresShard {
    private static let firstPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(2)

    /// Connects for the first time.
    func connect() throws(StorageError) {
        let result: Result<Void, StorageError> = committing.withLock { committing in
            do throws(StorageError) {
                _ = try open(&committing)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// The connection, which is made anew if it is gone.
    func connection(
        _ committing: inout Committing,
        until deadline: Deadline
    ) throws(StorageError) -> PostgresConnection {
        if let connection = committing.connection { return connection }
        while true {
            if let pause = committing.pause, !pause.isOver {
                guard pause < deadline, !isStopping.load(ordering: .sequentiallyConsistent) else {
                    throw outage ?? .unavailable(path: location, reason: "it is away")
                }
                Thread.sleep(forTimeInterval: Double(pause.remainingMilliseconds) / 1000)
            }
            do throws(StorageError) { return try open(&committing) } catch {
                committing.pauseTime = min(
                    max(committing.pauseTime * 2, Self.firstPause),
                    Self.longestPause
                )
                committing.pause = .after(committing.pauseTime)
                if deadline.isOver { throw error }
            }
        }
    }

    private func open(_ committing: inout Committing) throws(StorageError) -> PostgresConnection {
        let deadline = Deadline.after(options.commitTimeout)
        do throws(PostgresFailure) {
            let connection = try PostgresConnection(source, timeout: options.connectTimeout)
            if !options.acceptsUnsafeServer {
                try checkDurability(connection, deadline)
            }
            try connection.run(.addNode, [.bytes(node)], until: deadline)
            connection.clearWarning()
            let rows = try connection.run(.takeNode, [.bytes(node)], until: deadline)
            guard let generation = rows.integer(0, 0), let group = rows.integer(0, 1),
                !connection.hasWarning
            else { throw PostgresFailure(.lost, "its standbys don't confirm") }
            // What was known is of another connection, perhaps of another server.
            committing.ledger = Ledger()
            committing.generation = generation
            committing.lastGroup = group
            committing.connection = connection
            committing.pause = nil
            committing.pauseTime = .zero
            trouble.withLock { $0 = nil }
            return connection
        } catch {
            throw fail(error, &committing)
        }
    }

    private func checkDurability(
        _ connection: PostgresConnection,
        _ deadline: Deadline
    ) throws(PostgresFailure) {
        do throws(StorageError) {
            try PostgresSchema.checkDurability(connection, location, until: deadline)
        } catch {
            if case .failed(_, let reason) = error {
                throw PostgresFailure(.refused(state: ""), reason)
            }
            throw PostgresFailure(.lost, "\(error)")
        }
    }

    /// Gives the connection up if it is gone.
    func fail(
        _ failure: PostgresFailure,
        _ committing: inout Committing
    ) -> StorageError {
        let error = failure.storageError(location)
        if failure.kind == .lost { committing.connection = nil }
        if committing.connection == nil {
            trouble.withLock { trouble in
                let patience = trouble?.patience ?? .after(options.holdTimeout)
                trouble = Trouble(error: error, patience: patience)
            }
        }
        return error
    }
}
#endif
