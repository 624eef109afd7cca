import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

// What NIO's errors mean to a person.

extension ConnectionError {
    /// TCP didn't come about.
    init(connecting error: any Error, to address: RelayAddress) {
        let goesOn = "check the address and the network; Sennit goes on trying"
        guard let failure = error as? NIOConnectionError else {
            self.init(greeting: error, of: address)
            return
        }
        if failure.connectionErrors.isEmpty {
            self.init(
                .unreachable,
                "the name \(address.host) isn't known on this network",
                hint: goesOn
            )
            return
        }
        let errors = failure.connectionErrors.map(\.error)
        let isRefused = errors.allSatisfy { ($0 as? IOError)?.errnoCode == ECONNREFUSED }
        if isRefused {
            self.init(
                .unreachable,
                "nothing answers at \(address)",
                hint: "is the relay running? check host and port; Sennit goes on trying"
            )
        } else {
            let reason = errors.first.map { ConnectionError.sentence(for: $0) } ?? "no answer"
            self.init(.unreachable, "can't reach \(address): \(reason)", hint: goesOn)
        }
    }

    /// TLS or HTTP didn't come about.
    init(greeting error: any Error, of address: RelayAddress) {
        switch error {
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            let reason = String(describing: error)
            if reason.contains("CERTIFICATE_VERIFY_FAILED") || error is NIOSSLExtraError {
                self.init(
                    .insecure,
                    "the certificate of \(address) doesn't hold",
                    hint: "is the host's name right? a certificate of one's own making must be "
                        + "known to this system, or be named with SENNIT_CA_FILE"
                )
            } else if reason.contains("WRONG_VERSION_NUMBER") {
                self.init(
                    .insecure,
                    "\(address) doesn't speak TLS",
                    hint: "if the relay is meant to be without TLS, its address begins with ws://"
                )
            } else {
                self.init(.insecure, "no secure connection to \(address): \(reason)")
            }
        case is HTTPParserError, is NIOHTTPClientUpgradeError:
            self.init(
                .notARelay,
                "\(address) is not a relay: its answer isn't a WebSocket's",
                hint: "check the address"
            )
        default:
            let reason = ConnectionError.sentence(for: error)
            self.init(.unreachable, "can't reach \(address): \(reason)")
        }
    }

    /// An error in a few words.
    static func sentence(for error: any Error) -> String {
        switch error {
        case let error as IOError:
            switch error.errnoCode {
            case ECONNRESET, EPIPE: return "the other side hung up"
            case ETIMEDOUT: return "no answer"
            case EHOSTUNREACH, ENETUNREACH: return "no way there from this network"
            default: return String(describing: error)
            }
        case ChannelError.connectTimeout: return "no answer"
        case ChannelError.eof, ChannelError.inputClosed, ChannelError.ioOnClosedChannel:
            return "the other side hung up"
        case NIOSSLError.uncleanShutdown: return "the other side hung up"
        default: return String(describing: error)
        }
    }
}
