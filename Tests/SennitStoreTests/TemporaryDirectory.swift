import Foundation
import SennitStore
import SennitSync
import SennitWire

/// A directory that goes with its holder.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory
            .appending(path: "sennit-store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var profile: String { path + "/profile" }
    var journal: String { Profile.journalPath(in: profile) }
    var index: String { Profile.indexPath(in: profile) }

    func open(_ command: String = "sennit test") throws(StoreError) -> Profile {
        try Profile(directory: profile, command: command, new: .sample)
    }
}

extension NewProfile {
    static let sample = NewProfile(
        deviceSeed: Array(1...32),
        person: PersonRecord(id: .zero, name: "Ada")
    )
}

extension Profile {
    /// A profile's journal with a space and some random steps in it.
    func fill(_ sample: inout SampleSpace, stepCount: Int) throws {
        try journal.createSpace(sample.record, sample.firstChange())
        for _ in 0..<stepCount { try journal.commit([try sample.step()], to: sample.id) }
    }
}

enum Files {
    static func read(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    static func mode(_ path: String) throws -> Int? {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}
