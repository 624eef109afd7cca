/// Which relay this is.
public enum RelayVersion {
    /// As `--version` and the metrics say it.
    public static let text = "0.1.0"
}
