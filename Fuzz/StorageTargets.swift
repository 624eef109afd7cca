import SennitWire

@testable import SennitDocument

/// Where the files of chunks and heads keep their checksum: after the version.
private func withChecksum(_ bytes: [UInt8]) -> [UInt8]? {
    let start = 1 + Checksum.byteCount
    guard bytes.count >= start else { return nil }
    var fixed = bytes
    var sum = Checksum.of(bytes, from: start)
    for index in 1..<start {
        fixed[index] = UInt8(truncatingIfNeeded: sum)
        sum >>= 8
    }
    return fixed
}

/// A chunk of history, read into a history that is empty.
enum ChunkTarget {
    static func run(_ bytes: [UInt8]) {
        guard let file = withChecksum(bytes) else { return }
        var history = History()
        guard let kept = try? HistoryChunk.append(file, to: &history) else {
            precondition(history.count == 0, "What is refused changes nothing.")
            history.checkInvariants()
            return
        }
        // Runs of a million events in few bytes are right, and slow to look at one by one.
        guard history.count < 1 << 16 else { return }
        history.checkInvariants()
        let again = HistoryChunk.encode(history, events: 0..<history.count, keeping: kept)
        var other = History()
        guard let otherKept = try? HistoryChunk.append(again, to: &other) else {
            fatalError("What was written can be read.")
        }
        other.checkInvariants()
        precondition(other.count == history.count, "What was written is all.")
        let third = HistoryChunk.encode(other, events: 0..<other.count, keeping: otherKept)
        precondition(again == third, "A history has one encoding.")
    }
}

/// The state of a document.
enum HeadTarget {
    static func run(_ bytes: [UInt8]) {
        guard let file = withChecksum(bytes) else { return }
        guard let head = try? DocumentHead(decoding: file) else { return }
        let again = head.encode()
        guard let other = try? DocumentHead(decoding: again) else {
            fatalError("What was written can be read.")
        }
        precondition(other.encode() == again, "A head has one encoding.")
        precondition(other.text.elementsEqual(head.text), "The text is the text.")
    }
}
