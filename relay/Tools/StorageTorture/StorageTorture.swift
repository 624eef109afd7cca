// A process to be killed, the one that kills it, and a benchmark of the store by itself.
//
//     storage-torture soak DIRECTORY ITERATIONS SEED      kill -9 at random; checks what was acked
//     storage-torture append DIRECTORY SEED               the process that soak kills
//     storage-torture bench DIRECTORY SECONDS             the store beside a bare write and sync
//     storage-torture fill DIRECTORY LOGS ENTRIES         many logs, then killed without closing
//     storage-torture open DIRECTORY                      opens, appends once, says how long
//
// `append` writes a line to standard output for each ack, after the ack: the parent holds the other
// end of the pipe, so what is acked is known outside of the process and its files.

import Foundation
import RelayStorage
import SennitWire

@main
enum StorageTorture {
    static func main() {
        do {
            try run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            FileHandle.standardError.write(Data("storage-torture: error: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func run(_ arguments: [String]) throws {
        guard arguments.count >= 2 else { throw UsageError() }
        let directory = arguments[1]
        let numbers = arguments.dropFirst(2).compactMap { Int($0) }
        switch (arguments[0], numbers.count) {
        case ("append", 1): try Appender(directory, seed: UInt64(numbers[0])).run()
        case ("soak", 2):
            var soak = Soak(directory, seed: UInt64(numbers[1]))
            try soak.run(iterations: numbers[0])
        case ("bench", 1): try Bench(directory).run(seconds: numbers[0])
        case ("fill", 2): try Filling.fill(directory, logs: numbers[0], entries: numbers[1])
        case ("open", 0): try Filling.open(directory)
        default: throw UsageError()
        }
    }
}

/// The arguments are none of the above.
struct UsageError: Error, CustomStringConvertible {
    let description =
        "soak DIR ITERATIONS SEED | append DIR SEED | bench DIR SECONDS | "
        + "fill DIR LOGS ENTRIES | open DIR"
}

/// A log whose entries follow from their offsets.
struct NumberedLog {
    let descriptor: LogDescriptor
    let id: LogID
    let entryByteCount: Int

    static let genesis = Genesis(
        nonce: .zero,
        founder: DeviceKey(value: .zero),
        founderAgreement: AgreementKey(value: .zero)
    )
    static let space = genesis.spaceID

    init(_ number: Int, entryByteCount: Int = 256) {
        let bytes = (0..<32).map { UInt8(truncatingIfNeeded: number >> (8 * ($0 % 8))) }
        guard let value = Bytes32(bytes), let incarnation = Incarnation(Array(bytes[..<16])) else {
            preconditionFailure("A key has 32 bytes.")
        }
        descriptor = LogDescriptor(device: DeviceKey(value: value), incarnation: incarnation)
        id = descriptor.logID(in: NumberedLog.space)
        self.entryByteCount = entryByteCount
    }

    func entry(_ offset: UInt64) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: offset &* 7), count: entryByteCount)
    }

    func batch(_ from: UInt64, _ end: UInt64) -> Batch {
        Batch(
            first: Offset(from),
            entries: (from..<end).map(entry),
            head: Head(
                end: Offset(end),
                chain: ChainHash(value: .zero),
                byteCount: end * UInt64(entryByteCount),
                membership: .zero,
                epoch: EpochKeyID(value: .zero),
                signature: [UInt8](repeating: UInt8(truncatingIfNeeded: end), count: 64)
            )
        )
    }
}

/// SplitMix64.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
