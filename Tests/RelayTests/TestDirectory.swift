import Foundation

/// A folder of its own for a test, removed with it.
final class TestDirectory {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.path + "/relay-test-" + UUID().uuidString
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
