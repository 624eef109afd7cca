import NIOCore
import NIOPosix
import SennitWire
import Testing

@testable import RelayCore

@Suite(.timeLimit(.minutes(1)))
struct HeadVerifierTests {
    let founder = TestDevice(1)
    let writer = TestDevice(2)

    @Test func `required checks are always due, affordable ones while the budget lasts`() {
        let verifier = HeadVerifier(checksPerSecond: 2, burst: 2, now: .zero)
        #expect(!verifier.isDue(.done, now: .zero))
        #expect(verifier.isDue(.affordable, now: .zero))
        #expect(verifier.isDue(.required, now: .zero))
        #expect(!verifier.isDue(.affordable, now: .zero))
        #expect(verifier.isDue(.required, now: .zero))
        #expect(!verifier.isDue(.affordable, now: .milliseconds(400)))
        #expect(verifier.isDue(.affordable, now: .milliseconds(900)))
        #expect(!verifier.isDue(.affordable, now: .milliseconds(900)))
    }

    @Test func `good heads are told from bad ones, on the loop that asked`() async throws {
        let verifier = HeadVerifier()
        var log = TestLog(founder, founder.genesis().spaceID)
        var other = TestLog(writer, founder.genesis().spaceID)
        let good = (0..<40).map { _ in log.add(count: 1) }
        _ = other.add(count: 40)
        for index in 0..<40 {
            // Another device's signature under the same log's name.
            let isGood = index % 3 != 0
            let range = isGood ? good[index] : good[index].with(head: other.head(index + 1))
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let verdict = loop.makePromise(of: [Int].self)
            let isTaken = verifier.check(log.run(range, of: founder), [0], on: loop) { bad in
                loop.preconditionInEventLoop()
                verdict.succeed(bad)
            }
            #expect(isTaken)
            #expect(try await verdict.futureResult.get() == (isGood ? [] : [0]), "index \(index)")
        }
    }
}
