import ArgumentParser
import Foundation
import Sennit

/// Where the profile lies, and how to print. Every verb takes these.
struct ProfileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where keys and documents lie (or $SENNIT_PROFILE; else $XDG_DATA_HOME/sennit).",
            valueName: "dir"
        ),
        completion: .directory
    )
    var profile: String?

    @Option(
        help: ArgumentHelp(
            "Read the profile's passphrase from this file descriptor instead of asking.",
            valueName: "number"
        )
    )
    var passphraseFd: Int32?

    @Flag(help: "Print without colours (or $NO_COLOR).")
    var noColor = false

    var console: Console { Console(noColor: noColor) }

    func location() throws(SennitError) -> ProfileLocation {
        if let profile { return ProfileLocation(directory: profile) }
        return try ProfileLocation.standard(environment: ProcessInfo.processInfo.environment)
    }
}

/// How a verb deals with the relay.
struct NetworkOptions: ParsableArguments {
    @Flag(help: "Don't use the network.")
    var offline = false

    @Option(
        help: ArgumentHelp(
            "How long to try to reach the relay (or $SENNIT_WAIT; else 3 seconds).",
            valueName: "seconds"
        )
    )
    var wait: Seconds?

    /// What the person said, on the command line or in the environment.
    var chosenWait: Seconds? {
        wait ?? ProcessInfo.processInfo.environment["SENNIT_WAIT"].flatMap(Seconds.init(argument:))
    }
}

/// How a verb prints its data.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON, an object a line, with the keys named above.")
    var json = false
}

/// What every verb takes that works in one space.
struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The space, by its name or the beginning of its id; needed if there are several.",
            valueName: "name"
        )
    )
    var space: String?

    @OptionGroup var output: OutputOptions
    @OptionGroup var network: NetworkOptions
    @OptionGroup var profile: ProfileOptions

    var json: Bool { output.json }
}

/// A span of time on the command line.
struct Seconds: ExpressibleByArgument, Equatable {
    let duration: Duration

    /// How long verbs try unless they are told.
    static let standard = Seconds(duration: .seconds(3))

    private init(duration: Duration) { self.duration = duration }

    init?(argument: String) {
        guard let seconds = Double(argument), (0...86_400).contains(seconds) else { return nil }
        duration = .seconds(seconds)
    }
}
