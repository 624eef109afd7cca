/// Changes of a text as they happen, joined where they touch.
struct PatchList {
    /// In order, each on the text that the one before it left.
    private(set) var patches: [Patch] = []
    /// How many scalars the last patch's text has.
    private var lastCount = 0
    /// If nobody asks, nothing is collected.
    private let isRecording: Bool

    /// Collects changes, or drops them.
    init(isRecording: Bool = true) { self.isRecording = isRecording }

    /// Adds an insertion of valid UTF-8.
    mutating func insert(_ bytes: ArraySlice<UInt8>, count: Int, at position: Int) {
        guard isRecording else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        if let last = patches.indices.last,
            patches[last].range.lowerBound + lastCount == position
        {
            patches[last].text += text
            lastCount += count
        } else {
            patches.append(Patch(range: position..<position, text: text))
            lastCount = count
        }
    }

    /// Adds a deletion.
    mutating func delete(_ range: Range<Int>) {
        guard isRecording else { return }
        if let last = patches.indices.last, lastCount == 0 {
            let before = patches[last].range
            if range.lowerBound <= before.lowerBound && before.lowerBound <= range.upperBound {
                patches[last].range = range.lowerBound..<(before.count + range.upperBound)
                return
            }
        }
        patches.append(Patch(range: range, text: ""))
        lastCount = 0
    }
}
