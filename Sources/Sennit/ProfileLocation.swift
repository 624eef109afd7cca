/// Where a profile lies on the disk.
public struct ProfileLocation: Hashable, Sendable {
    /// The directory. It is made on first use.
    public let directory: String

    /// A profile in a directory of one's choice.
    public init(directory: String) {
        self.directory = directory
    }

    /// Where a person's profile lies unless they say otherwise: `$SENNIT_PROFILE`, else
    /// `$XDG_DATA_HOME/sennit`, else `~/.local/share/sennit`.
    /// - Parameter environment: The variables of the process.
    /// - Throws: `profileUnusable` if none of these variables is there.
    public static func standard(
        environment: [String: String]
    ) throws(SennitError) -> ProfileLocation {
        if let directory = environment["SENNIT_PROFILE"], !directory.isEmpty {
            return ProfileLocation(directory: directory)
        }
        // "All paths set in these environment variables must be absolute. If an implementation
        // encounters a relative path in any of these variables it should consider the path invalid
        // and ignore it." (XDG Base Directory Specification)
        if let base = environment["XDG_DATA_HOME"], base.hasPrefix("/") {
            return ProfileLocation(directory: base + "/sennit")
        }
        if let home = environment["HOME"], home.hasPrefix("/") {
            return ProfileLocation(directory: home + "/.local/share/sennit")
        }
        throw SennitError(
            .profileUnusable,
            "nothing says where the profile is to lie",
            hint: "set HOME or name a directory with --profile"
        )
    }
}
