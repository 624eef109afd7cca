import SennitDocument
import SennitStore
import SennitSync
import SennitWire

/// What is left to do for a space when its engine closes: both can be derived, and make the next
/// start quick.
struct ClosingWork: Sendable {
    private let space: SpaceID
    private let states: [DocumentID: DocumentState]
    private let view: IndexedView?

    init(_ driver: SpaceDriver) {
        space = driver.space
        let isSettled = driver.isSettled
        let documents = isSettled ? driver.replica.unstoredDocuments : []
        states = driver.replica.unstoredStates(of: documents)
        view = isSettled ? IndexedView(driver) : nil
    }

    func finish(_ journal: Journal, _ index: Index) {
        guard let view else { return }
        if !states.isEmpty {
            try? journal.storeDocuments(states, at: view.position, in: space)
            for document in states.keys { _ = try? journal.joinChunks(of: document, in: space) }
        }
        try? index.follow(journal, space, view.source)
    }
}
