import PostgresServer
import Testing

/// That PostgreSQL was tested, or a sentence that it wasn't.
struct PresenceOfPostgresTests {
    @Test func `storage in PostgreSQL is tested here, or it is said that it isn't`() {
        var reason: String?
        #if !PostgreSQL
        reason = "the package was built without its trait PostgreSQL"
        #endif
        if PostgresServer.programs == nil { reason = "there is no PostgreSQL; make setup-tests" }
        guard let reason else { return }
        if PostgresServer.isRequired {
            Issue.record("storage in PostgreSQL wasn't tested: \(reason)")
        } else {
            print("skipped: storage in PostgreSQL, because \(reason)")
        }
    }
}
