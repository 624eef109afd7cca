/// Bounds of the store, each with its unit and its reason.
public enum StoreLimits {
    /// Bytes of a search. Longer ones are cut; nobody types them.
    public static let searchByteCount = 1024

    /// Words and phrases of a search. FTS5 refuses expressions deeper than 256.
    public static let searchTermCount = 32

    /// Hits that one search returns.
    public static let searchHitCount = 1000

    /// Words around a hit.
    public static let snippetWordCount = 12

    /// Scalars of a title in the index.
    public static let titleScalarCount = 120

    /// Bytes of the write-ahead log that stay on disk after a large transaction.
    static let journalSizeLimit = 16 << 20

    /// Chunks of one document's history beyond which they are made one.
    static let chunkCount = 16

    /// Findings that one check reports for each space; a ruined file would name every row.
    public static let findingCount = 1000

    /// Bytes read of a lock file: a number and the name of a command.
    static let lockByteCount = 4096
}
