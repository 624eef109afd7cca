import RelayStorage
import SennitDocument
import SennitReference
import SennitSeal
import SennitSync
import SennitWire

@testable import RelayCore

// What must hold after a run.

extension World {
    func checkAll() throws {
        try checkConvergence()
        try checkRestart()
        try checkRelay()
        try checkFindings()
        try checkReference()
        try checkMarks()
    }

    func require(_ isTrue: Bool, _ sentence: @autoclosure () -> String) throws {
        if !isTrue { throw Failure(description: sentence()) }
    }

    /// Equal versions mean equal documents.
    private func checkConvergence() throws {
        guard let first = devices[0].replica else { throw Failure(description: "no device 0") }
        for device in devices {
            guard let replica = device.replica else {
                throw Failure(description: "device \(device.index) does not run")
            }
            try require(replica.version == first.version, "versions differ")
            for document in World.documents + [.directory] {
                let mine = replica.documents[document] ?? Document()
                let theirs = first.documents[document] ?? Document()
                try require(
                    mine.hasSameState(as: theirs),
                    "device \(device.index) has another document \(document.short)"
                )
            }
            try require(
                replica.membership?.hash == first.membership?.hash,
                "device \(device.index) has other members"
            )
            try require(
                replica.membership?.members.count == deviceCount,
                "somebody is missing"
            )
            for log in replica.logSummaries {
                try require(
                    first.chain(of: log.log, at: log.end)
                        == replica.chain(of: log.log, at: log.end),
                    "two histories of one log"
                )
            }
        }
    }

    /// What the journal holds is what the process had.
    private func checkRestart() throws {
        for device in devices {
            guard let before = device.replica else { continue }
            device.crash()
            try device.restart()
            guard let after = device.replica else { continue }
            try require(after.version == before.version, "a restart changed the version")
            try require(after.position == before.position, "a restart changed the position")
            try require(
                after.membership?.hash == before.membership?.hash,
                "a restart changed members"
            )
            try require(after.nextOwnEvent == before.nextOwnEvent, "event numbers went back")
            for (id, document) in before.documents where document.eventCount > 0 {
                try require(
                    after.documents[id]?.hasSameState(as: document) ?? false,
                    "a restart changed document \(id.short) of device \(device.index)"
                )
            }
        }
    }

    /// The relay has every entry, acked ones among them.
    private func checkRelay() throws {
        guard let replica = devices[0].replica else { return }
        for log in replica.logSummaries {
            let head = relay.storage.log(log.log)?.head
            try require(head?.end == log.end, "the relay lacks entries of log \(log.log.short)")
            try require(
                head?.chain == replica.chain(of: log.log, at: log.end),
                "the relay has another history"
            )
        }
        for device in devices {
            for (log, acked) in device.ackedEnds {
                let end = relay.storage.log(log)?.head?.end ?? .zero
                try require(acked <= end, "an acked entry of device \(device.index) is lost")
            }
        }
    }

    /// Nobody is blamed for what honest parties and a bad network do.
    private func checkFindings() throws {
        for device in devices {
            for (log, status) in device.replica?.findings ?? [:] {
                if case .copied = status, plan.copiesDevices || plan.restoresDevices { continue }
                throw Failure(
                    description: "device \(device.index) says of log \(log.short): \(status)"
                )
            }
        }
    }

    /// The slow second implementation, given the same operations, has the same texts.
    private func checkReference() throws {
        for document in World.documents {
            var reference = ReferenceDocument()
            for stored in devices[0].journal.operations where stored.document == document {
                for run in try stored.batch().runs {
                    try World.add(run, to: &reference)
                }
            }
            let text = devices[0].replica?.documents[document]?.text.string ?? ""
            try require(
                text.unicodeScalars.elementsEqual(reference.text.unicodeScalars),
                "the second implementation disagrees about document \(document.short)"
            )
        }
    }

    static func add(_ run: OperationRun, to reference: inout ReferenceDocument) throws {
        switch run.content {
        case .insert(let position, let text):
            reference.add(
                author: run.start.log,
                firstNumber: run.start.number,
                parents: run.parents,
                operation: .insert(position: position, text: text.string)
            )
        case .delete(let range, let isBackward):
            // The reference deletes forwards; a backward run is one operation for each scalar.
            var parents = run.parents
            for index in 0..<range.count {
                let number = run.start.number + UInt64(index)
                let at = isBackward ? range.upperBound - 1 - index : range.lowerBound
                reference.add(
                    author: run.start.log,
                    firstNumber: number,
                    parents: parents,
                    operation: .delete(at..<(at + 1))
                )
                parents = [EventID(log: run.start.log, number: number)]
            }
        case .gather:
            throw Failure(description: "the reference has no such operation: \(run)")
        case .mapSet, .mapRemove, .unknown:
            break
        }
    }
}
