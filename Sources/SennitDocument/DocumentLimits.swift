/// The bounds of what a document accepts from outside.
public enum DocumentLimits {
    // MARK: Of the format (SPEC.md section 12). A peer that exceeds one of these is refused.

    /// Scalars in one inserted run: more than anybody types, and as UTF-8 it fits an entry.
    public static let maximumInsertScalarCount = 1 << 18
    /// Events in one run. A deletion names many events in few bytes, so its text is no bound.
    public static let maximumRunEventCount = 1 << 20
    /// Parents of one run. Whoever has more concurrent versions gathers them first.
    public static let maximumParentCount = 64
    /// Runs in one batch: one for each few bytes of an entry.
    public static let maximumBatchRunCount = 1 << 16
    /// Bytes of UTF-8 in a key of a map.
    public static let maximumKeyByteCount = 1024
    /// Bytes in a value of a map.
    public static let maximumValueByteCount = 1 << 16
    /// Bytes of an operation of a kind that this version doesn't know.
    public static let maximumUnknownByteCount = 1 << 20
    /// Positions and event numbers lie below this, so that every language can hold them.
    public static let endOfNumbers = 1 << 53

    // MARK: Of this implementation. They may change between versions.

    /// Bytes of the body of any known kind: the longest insert and its position.
    static let maximumBodyByteCount = 4 * maximumInsertScalarCount + 10
    /// Events in one document; far below the overflow of any sum of counts.
    static let maximumDocumentEventCount = 1 << 48
    /// Bytes that were ever inserted into one document, so that counts of text fit 32 bits.
    static let maximumTextByteCount = 1 << 30
    /// Inserted scalars in one stored operation, which bounds the walk to a scalar inside it.
    static let maximumStoredScalarCount = 2048
    /// Scalars and bytes of one change up to which it is noted as typing.
    static let maximumTypedCount = 256
    /// Chunks in one stored document.
    static let maximumChunkCount = 16
    /// Steps of walks that compare the parents of added runs one by one, beside four for each run
    /// of the graph. What takes more is compared all at once, which is slower for few.
    static let minimumComparingStepCount = 1 << 16
    /// New operations in one merge from which on they are replayed as a batch.
    static let minimumBatchCount = 16
    /// Bytes of inserted text that are gathered before the text gets them.
    static let maximumGatheredByteCount = 1 << 15
    /// Spans of a tracker beyond which it is given up as soon as a newer base allows.
    static let maximumKeptSpanCount = 1 << 20
    /// How long a pause in typing may be without beginning another group of what is undone.
    static let undoPause = Duration.seconds(1)
    /// Groups that may be undone; the oldest is forgotten.
    static let maximumUndoGroupCount = 1000
    /// Stretches of text that were inserted again and are known as copies.
    static let maximumUndoCopyCount = 10_000
}
