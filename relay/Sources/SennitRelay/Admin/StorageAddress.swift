import Foundation
import RelayCore
import RelayStorage
import SennitWire

/// Where a relay's data is and in which form, in one word: `segments:DIRECTORY`.
struct StorageAddress {
    private enum Place {
        case segments(String)
        case sqlite(String)
        case databases(RelaySettings)
    }

    private let place: Place
    /// Where the operator's decisions are; `nil` if the address doesn't say.
    private let controlDirectory: String?

    static let forms = "segments:DIRECTORY, sqlite:DIRECTORY, postgres:ADDRESS or config:FILE"

    /// Reads an address.
    init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw StorageAddress.misread(text) }
        let rest = parts[1]
        switch parts[0] {
        case "segments": (place, controlDirectory) = (.segments(rest), rest)
        case "sqlite": (place, controlDirectory) = (.sqlite(rest), rest)
        case "postgres":
            var settings = SettingsOptions.defaults
            settings.storageEngine = "postgres"
            settings.databases = rest.split(separator: ";").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard !settings.databases.isEmpty else { throw StorageAddress.misread(text) }
            (place, controlDirectory) = (.databases(settings), nil)
        case "config":
            let settings = try SettingsOptions.settings(ofFile: rest)
            controlDirectory = settings.directory
            let isShared = settings.storageEngine == "postgres"
            place = isShared ? .databases(settings) : .segments(settings.directory)
        default: throw StorageAddress.misread(text)
        }
    }

    /// What a relay left in a directory, in whichever form.
    init(directory: String) {
        let isOld = SQLiteStorage.isPresent(in: directory)
        let hasSegments = SegmentStorage.isPresent(in: directory)
        place = isOld || !hasSegments ? .sqlite(directory) : .segments(directory)
        controlDirectory = directory
    }

    /// Not with what stands after the form, which may have a password in it.
    private static func misread(_ text: String) -> AdminError {
        let form = text.prefix { $0 != ":" }
        return AdminError("\(form) is no storage", hint: "it is written \(forms)")
    }

    /// Opens what is there; nothing is made.
    func openForReading() throws -> any StorageReading {
        switch place {
        case .segments(let directory):
            guard SegmentStorage.isPresent(in: directory) else {
                throw StorageError.notRelayStorage(path: directory)
            }
            return try SegmentStorage(directory: directory)
        case .sqlite(let directory): return try SQLiteStorage(directory: directory)
        case .databases(let settings): return try shared(settings, isMade: false)
        }
    }

    /// Opens what is there, or makes it under a relay's name.
    func openForWriting(relayName: Bytes32) throws -> any RelayStorage {
        switch place {
        case .segments(let directory):
            return try SegmentStorage(directory: directory, relayName: relayName)
        case .sqlite:
            throw AdminError(
                "nothing is written to sqlite any more",
                hint: "it is the form of older relays; migrate to segments:DIRECTORY"
            )
        case .databases(let settings): return try shared(settings, relayName, isMade: true)
        }
    }

    private func shared(
        _ settings: RelaySettings,
        _ relayName: Bytes32? = nil,
        isMade: Bool
    ) throws -> any RelayStorage {
        let storage = try SharedStorage.open(settings, relayName: relayName, isMade: isMade)
        guard let storage else { throw AdminError("the settings name no databases") }
        return storage
    }

    /// Copies what the operator decided, where the target has nothing of it.
    /// - Returns: whether both have a directory for it.
    func copyControl(to target: StorageAddress) throws -> Bool {
        guard let from = controlDirectory, let to = target.controlDirectory else { return false }
        guard ControlStore.isPresent(in: from), !ControlStore.isPresent(in: to) else {
            return true
        }
        if case .databases = target.place { try POSIXFiles(to).close() }
        let control = try ControlStore(directory: from)
        try control.backup(to: to)
        try control.close()
        return true
    }
}
