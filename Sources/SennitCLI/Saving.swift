import Sennit
import SennitWire

extension OpenSpace {
    /// What a verb that writes into a document tells at its end.
    private struct Report: Encodable {
        let path: String
        let document: String
        let changes: Int
        let saved = true
        let sent: Bool
    }

    /// Waits until what was written is on the disk, says so, then sends it and says how that went.
    /// - Parameter changes: how many places of the text were changed.
    func finish(_ document: DocumentHandle, changes: Int, json: Bool) async throws {
        try await space.saved()
        if !json { console.print("saved \(console.output.safe(document.path))") }
        let isSent = try await send(quietly: json)
        guard json else { return }
        try console.printJSON(
            Report(path: document.path, document: document.id.hex, changes: changes, sent: isSent)
        )
    }
}
