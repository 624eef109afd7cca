import Foundation
import SennitSync
import SennitWire

/// Fresh randomness from the system.
enum Random {
    static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    static func bytes32() -> Bytes32 {
        guard let bytes = Bytes32(bytes(Bytes32.byteCount)) else {
            preconditionFailure("As many bytes were drawn as were asked for.")
        }
        return bytes
    }

    /// Tells this process from others of the same device.
    static func life() -> Life {
        var generator = SystemRandomNumberGenerator()
        return Life.random(in: 1 ... .max, using: &generator)
    }

    static func incarnation() -> Incarnation {
        guard let incarnation = Incarnation(bytes(Incarnation.byteCount)) else {
            preconditionFailure("As many bytes were drawn as were asked for.")
        }
        return incarnation
    }
}

/// The time of day, for display only.
enum WallClock {
    /// Milliseconds since 1970.
    static var milliseconds: UInt64 {
        UInt64(max(0, Date().timeIntervalSince1970 * 1000))
    }
}
