import Foundation
import SennitWire

/// Opens a relay's data directory, whatever wrote it.
///
/// A directory with the SQLite file of an older relay and without segments is brought over first.
/// The file then is renamed to `relay.sqlite.migrated`, and stays. Until it is renamed, the next
/// start goes on where this one stopped.
public enum StorageOpening {
    private static let suffix = ".migrated"

    /// Opens the storage in a directory, or makes it.
    /// - Parameters:
    ///   - maximumByteCount: that what is stored may take up; `nil` for no limit.
    ///   - progress: called while an older file is brought over.
    /// - Throws: what `SegmentStorage` throws, and `SQLiteStorage` for an older file.
    public static func open(
        _ directory: String,
        maximumByteCount: Int? = nil,
        progress: (StorageMigration.Progress) -> Void = { _ in }
    ) throws(StorageError) -> SegmentStorage {
        var options = SegmentStorage.Options()
        options.maximumByteCount = maximumByteCount
        guard SQLiteStorage.isPresent(in: directory) else {
            return try SegmentStorage(directory: directory, options: options)
        }
        let old = try SQLiteStorage(directory: directory)
        let storage = try SegmentStorage(
            directory: directory,
            relayName: old.relayName,
            options: options
        )
        do throws(StorageError) {
            guard storage.relayName == old.relayName else {
                throw .unfit(reason: "\(old.path) is another relay's than the segments beside it")
            }
            _ = try StorageMigration.run(from: old, to: storage, report: progress)
            try old.close()
            try rename(old.path)
        } catch {
            try storage.close()
            throw error
        }
        return storage
    }

    private static func rename(_ path: String) throws(StorageError) {
        do {
            try FileManager.default.moveItem(atPath: path, toPath: path + suffix)
        } catch {
            throw .failed(path: path, reason: "it can't be renamed")
        }
    }
}
