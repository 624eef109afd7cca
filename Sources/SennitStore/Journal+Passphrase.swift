import Foundation
import GRDB
public import SennitSeal
import SennitWire
import Synchronization

// A profile under a passphrase: what its secrets are sealed with lies in a vault (SennitSeal).
//
//     setting vault          the profile key, under the passphrase
//     setting device-seed    the device's seed, under the profile key; zeros stand in its column
//     epochs.secret          each under the profile key
//
// Setting, changing and removing a passphrase is one transaction each: after a crash the old state
// holds or the new one. What SQLite leaves of old rows in the file is overwritten (secure_delete)
// and the file is written anew (VACUUM); what a disk or a file system keeps of it is out of reach.
//
// Not sealed: documents, entries' operations, relays' tokens, an invite that is being used. A
// passphrase keeps a thief of the disk from acting as this device and from reading on; it doesn't
// hide what the profile has read.

extension Journal {
    private static let vaultKey = "vault"
    private static let seedKey = "device-seed"
    private static let seedPlace = Array("sennit/device-seed/1\n".utf8)

    /// Whether the profile has a passphrase.
    /// - Throws: `corrupt`, `io`, `closed`.
    public func hasPassphrase() throws(StoreError) -> Bool { try vault() != nil }

    /// Takes the profile key out of its vault, if there is one.
    /// - Throws: `locked` without a passphrase, `wrongPassphrase`, `corrupt`, `io`.
    func unlock(_ passphrase: SecretBytes?) throws(StoreError) {
        guard let vault = try vault() else { return }
        guard let passphrase else { throw .locked(path: path) }
        do {
            let key = try vault.open(with: passphrase)
            profileKey.withLock { $0 = key }
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// Seals the profile's secrets under a passphrase, or under another one.
    /// - Parameter random: 64 fresh random bytes.
    /// - Throws: `wrongPassphrase` if there is one and `current` is another; `diskFull`, `io`.
    ///   Then nothing has changed.
    public func setPassphrase(
        _ passphrase: SecretBytes,
        current: SecretBytes?,
        cost: Vault.Cost,
        random: [UInt8]
    ) throws(StoreError) {
        precondition(random.count == 64, "It takes 64 random bytes.")
        let known = try confirmed(current)
        let key = known ?? SecretBytes(guarding: random.prefix(Vault.keyByteCount))
        let fresh = Bytes32(Array(random.suffix(32))) ?? .zero
        let vault: Vault
        do {
            vault = try Vault(sealing: key, under: passphrase, cost: cost, random: fresh)
        } catch {
            throw StoreError(error, path: path)
        }
        let seed = try deviceSeed()
        try rewriteSecrets { db in
            try self.keep(Data(vault.bytes), Journal.vaultKey, db)
            guard known == nil else { return }
            let sealed = self.seal(seed, as: Journal.seedPlace, under: key)
            try self.keep(Data(sealed), Journal.seedKey, db)
            try self.rewriteSeed([UInt8](repeating: 0, count: 32), db)
            try self.rewriteEpochs(from: nil, to: key, db)
        }
        profileKey.withLock { $0 = key }
    }

    /// Takes the passphrase away.
    /// - Throws: `wrongPassphrase`, `diskFull`, `io`. Then nothing has changed.
    public func removePassphrase(current: SecretBytes?) throws(StoreError) {
        guard let key = try confirmed(current) else { return }
        let seed = try deviceSeed()
        try rewriteSecrets { db in
            try self.keep(nil, Journal.vaultKey, db)
            try self.keep(nil, Journal.seedKey, db)
            try self.rewriteSeed(seed.bytes, db)
            try self.rewriteEpochs(from: key, to: nil, db)
        }
        profileKey.withLock { $0 = nil }
    }

    /// The profile key that a passphrase gives; `nil` if there is none to give.
    private func confirmed(_ passphrase: SecretBytes?) throws(StoreError) -> SecretBytes? {
        guard let vault = try vault() else { return nil }
        guard let passphrase else { throw .locked(path: path) }
        do {
            return try vault.open(with: passphrase)
        } catch {
            throw StoreError(error, path: path)
        }
    }

    private func vault() throws(StoreError) -> Vault? {
        guard let bytes = try setting(Journal.vaultKey) else { return nil }
        do {
            return try Vault(decoding: bytes)
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// The device's seed, if it is sealed.
    func sealedDeviceSeed() throws(StoreError) -> SecretBytes? {
        guard let key = profileKey.withLock({ $0 }) else { return nil }
        let bytes = try setting(Journal.seedKey) ?? []
        guard let seed = SealedSecret.open(bytes, as: Journal.seedPlace, under: key) else {
            throw .corrupt(path: path, place: .file, reason: "the device's seed doesn't open")
        }
        return seed
    }

    // MARK: Epochs

    /// The bytes that are kept of an epoch's secret.
    func kept(_ key: EpochKey) -> [UInt8] {
        guard let profileKey = profileKey.withLock({ $0 }) else { return key.secret.bytes }
        return seal(key.secret, as: Journal.epochPlace(key.id.bytes), under: profileKey)
    }

    /// The secret of an epoch from what is kept of it; `nil` if it doesn't open.
    func epochSecret(_ bytes: [UInt8], id: [UInt8]) -> SecretBytes? {
        guard let profileKey = profileKey.withLock({ $0 }) else {
            return bytes.count == EpochKey.secretByteCount ? SecretBytes(guarding: bytes) : nil
        }
        return SealedSecret.open(bytes, as: Journal.epochPlace(id), under: profileKey)
    }

    private static func epochPlace(_ id: [UInt8]) -> [UInt8] {
        Array("sennit/epoch-secret/1\n".utf8) + id
    }

    private func rewriteEpochs(from old: SecretBytes?, to new: SecretBytes?, _ db: Database) throws
    {
        var rows: [(number: Int64, id: [UInt8], secret: [UInt8])] = []
        let sql = "SELECT number, id, secret FROM epochs"
        try db.forEachRow(sql, path: path, place: .file) { row in
            rows.append((try row.number(0), try row.bytes(1), try row.bytes(2)))
        }
        for (number, id, bytes) in rows {
            let place = Journal.epochPlace(id)
            let secret =
                old.map { SealedSecret.open(bytes, as: place, under: $0) }
                ?? SecretBytes(bytes)
            guard let secret else {
                throw StoreError.corrupt(
                    path: path,
                    place: .file,
                    reason: "the secret of an epoch doesn't open"
                )
            }
            let kept = new.map { seal(secret, as: place, under: $0) } ?? secret.bytes
            try db.execute(
                sql: "UPDATE epochs SET secret = ? WHERE number = ?",
                arguments: [Data(kept), number]
            )
        }
    }

    // MARK: Rows

    private func seal(
        _ secret: SecretBytes,
        as place: [UInt8],
        under key: SecretBytes
    ) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let random = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return SealedSecret.seal(secret, as: place, under: key, random: Bytes32(random) ?? .zero)
    }

    private func keep(_ value: Data?, _ key: String, _ db: Database) throws {
        guard let value else {
            return try db.execute(sql: "DELETE FROM settings WHERE key = ?", arguments: [key])
        }
        try db.execute(
            sql: "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)",
            arguments: [key, value]
        )
    }

    /// Runs `body` in one transaction, and leaves nothing of what it replaced in the file.
    private func rewriteSecrets(_ body: @escaping (Database) throws -> Void) throws(StoreError) {
        do {
            try queue.inDatabase { try $0.execute(sql: "PRAGMA secure_delete = ON") }
            try queue.write(body)
            // The change is on the disk by now. What follows only cleans up.
            try? queue.vacuum()
            try? queue.inDatabase { _ = try $0.checkpoint(.truncate) }
        } catch {
            throw StoreError(error, path: path)
        }
    }
}

extension StoreError {
    init(_ fault: Vault.Fault, path: String) {
        self =
            switch fault {
            case .wrongPassphrase: .wrongPassphrase(path: path)
            case .outOfMemory: .io(path: path, reason: "not enough memory for the passphrase")
            case .damaged:
                .corrupt(path: path, place: .file, reason: "the vault of the keys is damaged")
            case .impossibleCost:
                .corrupt(path: path, place: .file, reason: "the vault's cost is out of bounds")
            }
    }
}
