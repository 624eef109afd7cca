import SennitDocument
import SennitStore
import SennitSync
import SennitWire

/// What is left to do for a space when its engine closes: both can be derived, and make the next
/// start quick.
struct ClosingWork: Sendable {
    private let space: SpaceID
    private let states: [DocumentID: Document]?
    private let view: IndexedView?

    init(_ driver: SpaceDriver) {
        space = driver.space
        states = driver.storableStates
        view = driver.isSettled ? IndexedView(driver) : nil
    }

    func finish(_ journal: Journal, _ index: Index) {
        guard let view else { return }
        if let states { try? journal.storeDocuments(states, at: view.position, in: space) }
        try? index.follow(journal, space, view.source)
    }
}
