// The entry that libFuzzer calls, and what each target does with the bytes.
//
// A target reads the bytes as if they had come from outside. Whatever they are, it must return: a
// typed error is right, a trap is a finding. What was read is then used, and used in several ways
// that must agree; where they don't, the target traps itself.
//
//     operations   batches of four authors, merged one by one, as one batch, and by the slow
//                  implementation
//     chunk        a stored chunk of history      } the checksum is put right first, so that
//     head         a stored state of a document   } changed bytes reach the parser
//     frame        a frame of the relay's protocol
//
// Left out: targets that need a key or a file.

import Foundation
import SennitWire

/// What a target is called and does.
enum FuzzTarget: String, CaseIterable {
    case operations
    case chunk
    case head
    case frame

    /// The one that `SENNIT_FUZZ_TARGET` names.
    static let chosen: FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["SENNIT_FUZZ_TARGET"] ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
            fatalError("SENNIT_FUZZ_TARGET is one of \(names).")
        }
        return target
    }()

    func run(_ bytes: [UInt8]) {
        switch self {
        case .operations: OperationsTarget.run(bytes)
        case .chunk: ChunkTarget.run(bytes)
        case .head: HeadTarget.run(bytes)
        case .frame: FrameTarget.run(bytes)
        }
    }
}

/// Called by libFuzzer for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    FuzzTarget.chosen.run(bytes)
    return 0
}

/// Bytes are read, and if they can be, they are what would be written.
enum FrameTarget {
    static func run(_ bytes: [UInt8]) {
        guard let frame = try? RelayFrame(decoding: bytes) else { return }
        precondition(frame.bytes == bytes, "A frame has one encoding.")
    }
}
