import RelayCore
import RelayStorage
import SennitWire

#if PostgreSQL
import RelayPostgres
#endif

/// Storage that isn't in the data directory.
enum SharedStorage {
    /// Opens it, if the settings name one.
    /// - Parameters:
    ///   - relayName: the name for a storage that is made; a random one if it is `nil`.
    ///   - isMade: whether it is made where there is none.
    static func open(
        _ settings: RelaySettings,
        relayName: Bytes32? = nil,
        isMade: Bool = true
    ) throws(RelayError) -> (any RelayStorage & Sendable)? {
        guard settings.storageEngine == "postgres" else { return nil }
        #if PostgreSQL
        var options = PostgresStorage.Options()
        options.makesTables = isMade
        options.acceptsUnsafeServer = settings.acceptsUnsafeDatabase
        do throws(StorageError) {
            return try PostgresStorage(settings.databases, relayName: relayName, options: options)
        } catch {
            throw RelayError(error)
        }
        #else
        throw .storage(.unfit(reason: "this sennit-relay was built without PostgreSQL"))
        #endif
    }
}
