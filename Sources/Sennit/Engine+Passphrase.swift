import Foundation
import SennitSeal
import SennitStore

/// What is asked before a profile is opened whose keys are sealed. Wiped when nobody holds it.
public final class Passphrase: Sendable {
    // A class: what it holds is wiped with it.
    let secret: SecretBytes

    /// The fewest characters of a new passphrase.
    public static let minimumCharacterCount = 8
    /// The most bytes of one.
    public static let maximumByteCount = 1024

    /// Takes what was typed. The caller's copy is the caller's to wipe.
    public init(_ text: String) {
        // The same characters are the same passphrase, whatever keyboard they come from.
        secret = SecretBytes(guarding: Array(text.precomposedStringWithCanonicalMapping.utf8))
    }
}

extension Engine {
    /// Whether the profile's keys are under a passphrase.
    public func hasPassphrase() throws(SennitError) -> Bool {
        do { return try profile.journal.hasPassphrase() } catch { throw SennitError(error) }
    }

    /// Puts the profile's keys under a passphrase, or under another one.
    ///
    /// It keeps who has the disk from acting as this device and from reading what comes later. It
    /// doesn't hide what the profile has read: documents lie in the profile as they are.
    /// - Parameters:
    ///   - text: at least 8 characters.
    ///   - current: the passphrase until now, if there is one.
    ///   - memory: MiB that trying one passphrase takes, 64 to 1024.
    /// - Throws: `weakPassphrase`, `wrongPassphrase`, `profileLocked`, `notSaved`. Then nothing has
    ///   changed.
    public func setPassphrase(
        _ text: String,
        current: Passphrase?,
        memory: Int = 64
    ) throws(SennitError) {
        guard text.count >= Passphrase.minimumCharacterCount,
            text.utf8.count <= Passphrase.maximumByteCount
        else {
            throw SennitError(
                .weakPassphrase,
                "a passphrase has \(Passphrase.minimumCharacterCount) characters or more",
                hint: "several words that don't belong together are easy to keep and hard to guess"
            )
        }
        guard let kibibytes = UInt32(exactly: memory << 10),
            let cost = Vault.Cost(passes: Vault.Cost.minimum.passes, memory: kibibytes)
        else {
            throw SennitError(.weakPassphrase, "the memory is 64 to 1024 MiB, not \(memory)")
        }
        do {
            try profile.journal.setPassphrase(
                Passphrase(text).secret,
                current: current?.secret,
                cost: cost,
                random: Random.bytes(64)
            )
        } catch {
            throw SennitError(error)
        }
    }

    /// Takes the passphrase away.
    /// - Throws: `wrongPassphrase`, `profileLocked`, `notSaved`. Then nothing has changed.
    public func removePassphrase(current: Passphrase?) throws(SennitError) {
        do {
            try profile.journal.removePassphrase(current: current?.secret)
        } catch {
            throw SennitError(error)
        }
    }
}
