import Foundation
import Sennit

/// A profile that this process owns while a verb runs.
struct OpenProfile {
    let engine: Engine

    /// Opens the profile, runs `body`, and closes the profile however that ends.
    /// - Parameter makesProfile: whether a profile that isn't there is made.
    static func with(
        _ options: ProfileOptions,
        verb: String,
        makesProfile: Bool = false,
        _ body: (OpenProfile) async throws -> Void
    ) async throws {
        let location = try options.location()
        if !makesProfile, !location.holdsProfile {
            throw Failure(
                .noSpace,
                "there is no profile in \(location.directory)",
                hint: "`sennit new` founds a space, `sennit join` joins one"
            )
        }
        // The variable by which OpenSSL, curl and git are told of certificates, too.
        let certificates = ProcessInfo.processInfo.environment["SSL_CERT_FILE"]
        let engine = try await Engine.open(
            location,
            command: "sennit \(verb)",
            options: Engine.Options(certificateFile: certificates.flatMap { $0.isEmpty ? nil : $0 })
        )
        do {
            try await body(OpenProfile(engine: engine))
        } catch {
            await engine.close()
            throw error
        }
        await engine.close()
    }

    /// A space as verbs work with it.
    func space(
        _ space: Space,
        _ console: Console,
        _ network: NetworkOptions
    ) async throws(SennitError) -> OpenSpace {
        guard let info = await engine.spaces.first(where: { $0.id == space.id }) else {
            throw SennitError(.noSuchSpace, "there is no space \(space.name) in this profile")
        }
        return OpenSpace(space: space, info: info, console: console, network: network)
    }
}
