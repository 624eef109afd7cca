import Foundation
public import RelayStorage

extension AdminDesk {
    func compact(
        _ request: AdminRequest,
        _ progress: (AdminProgress) -> Void
    ) throws -> CompactionReport {
        var share = RelayPolicy.Compaction().pressureLiveShare
        if let text = request.arguments["share"] {
            guard let number = Double(text), (0...1).contains(number) else {
                throw AdminError("share is a number from 0 to 1, not \(text)")
            }
            share = number
        }
        let report = try segments().compact(maximumLiveShare: share) { done, total in
            progress(AdminProgress(done: UInt64(done), total: UInt64(total), unit: "segments"))
        }
        return CompactionReport(
            segments: report.segmentCount,
            rewritten: report.rewrittenCount,
            freedBytes: report.freedByteCount
        )
    }

    /// Copies segments and the control file to a new directory.
    func backup(
        _ request: AdminRequest,
        _ progress: (AdminProgress) -> Void
    ) throws -> BackupReport {
        let directory = try request.required("directory")
        guard directory.hasPrefix("/") else {
            throw AdminError("the directory for a backup is a whole path, from /")
        }
        let segments = try segments()
        let target = try POSIXFiles(directory)
        defer { target.close() }
        var byteCount = 0
        try segments.backup(to: target) { copied in
            byteCount = copied.totalByteCount
            progress(
                AdminProgress(
                    done: UInt64(copied.byteCount),
                    total: UInt64(copied.totalByteCount),
                    unit: "bytes"
                )
            )
        }
        try control.backup(to: directory)
        return BackupReport(directory: directory, bytes: byteCount)
    }

    func verify(
        _ request: AdminRequest,
        _ progress: (AdminProgress) -> Void
    ) throws -> VerifyReport {
        let checksSignatures = request.arguments["signatures"] != "no"
        let report = try stored().verify(checksSignatures: checksSignatures) { proven in
            let isWalking = proven.logCount > 0
            progress(
                AdminProgress(
                    done: isWalking ? proven.entryCount : UInt64(proven.segmentCount),
                    total: 0,
                    unit: isWalking ? "entries" : "segments"
                )
            )
        }
        return VerifyReport(report)
    }

    private func segments() throws(AdminError) -> SegmentStorage {
        guard let segments = try stored() as? SegmentStorage else {
            throw AdminError(
                "this relay doesn't store in segments",
                hint: "use its database's own tools, or `sennit-relay migrate` to copy all of it"
            )
        }
        return segments
    }
}

extension VerifyReport {
    /// What a check found.
    public init(_ report: StorageCheck.Report) {
        segments = report.segmentCount
        spaces = report.spaceCount
        logs = report.logCount
        entries = report.entryCount
        bytes = report.byteCount
        damages = report.damages.map(\.description)
    }
}
