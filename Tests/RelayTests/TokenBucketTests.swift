import Testing

@testable import RelayCore

struct TokenBucketTests {
    /// Times at which one passes, of those at which it is tried.
    private func passing(_ bucket: inout TokenBucket, at milliseconds: [Int]) -> [Int] {
        milliseconds.filter { bucket.take(now: .milliseconds($0)) }
    }

    @Test func `a burst passes, then so many a second`() {
        var bucket = TokenBucket(perSecond: 10, burst: 3, now: .zero)
        #expect(passing(&bucket, at: [0, 0, 0, 0, 99, 100, 100]) == [0, 0, 0, 100])
        // Never more than a burst, and a clock that goes back gives nothing.
        let later = passing(&bucket, at: [100_000, 100_000, 100_000, 100_000, 99_000])
        #expect(later == [100_000, 100_000, 100_000])
    }

    @Test func `what is larger than a burst passes and is waited for`() {
        var bucket = TokenBucket(perSecond: 10, burst: 20, now: .zero)
        #expect(bucket.pause(now: .zero) == nil)
        bucket.spend(25, now: .zero)
        #expect(bucket.pause(now: .zero) == .milliseconds(600))
        #expect(bucket.pause(now: .milliseconds(599)) != nil)
        #expect(bucket.pause(now: .milliseconds(600)) == nil)
    }

    @Test func `a rate below one in a burst's time lets one through at a time`() {
        var bucket = TokenBucket(perSecond: 0.01, burst: 0.1, now: .zero)
        #expect(passing(&bucket, at: [0, 0, 99_000, 100_000]) == [0, 100_000])
    }
}
