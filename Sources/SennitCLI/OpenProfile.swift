import Foundation
import Sennit

/// A profile that this process owns while a verb runs.
struct OpenProfile {
    let engine: Engine
    /// What the profile's keys are under, if they are.
    let passphrase: Passphrase?

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
        let (engine, passphrase) = try await open(location, options, verb: verb)
        do {
            try await body(OpenProfile(engine: engine, passphrase: passphrase))
        } catch {
            await engine.close()
            throw error
        }
        await engine.close()
    }

    /// Opens a profile; if its keys are under a passphrase, with that.
    private static func open(
        _ location: ProfileLocation,
        _ options: ProfileOptions,
        verb: String
    ) async throws -> (Engine, Passphrase?) {
        let first = await attempt(location, verb, nil)
        guard case .failure(let error) = first, error.code == .profileLocked else {
            return (try first.get(), nil)
        }
        let passphrase = Passphrase(try options.passphrase())
        return (try await attempt(location, verb, passphrase).get(), passphrase)
    }

    private static func attempt(
        _ location: ProfileLocation,
        _ verb: String,
        _ passphrase: Passphrase?
    ) async -> Result<Engine, SennitError> {
        // The variable by which OpenSSL, curl and git are told of certificates, too.
        let certificates = ProcessInfo.processInfo.environment["SSL_CERT_FILE"]
        let options = Engine.Options(
            certificateFile: certificates.flatMap { $0.isEmpty ? nil : $0 },
            passphrase: passphrase
        )
        do {
            let command = "sennit \(verb)"
            return .success(try await Engine.open(location, command: command, options: options))
        } catch {
            return .failure(error)
        }
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
