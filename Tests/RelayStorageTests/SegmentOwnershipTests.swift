import Foundation
import SennitWire
import Synchronization
import Testing

@testable import RelayStorage

/// Who holds the storage and its threads, and until when.
struct SegmentOwnershipTests {
    let directory = TestDirectory()

    /// Opens as soon as the directory is free, which it is when the last work has ended.
    private func open() throws -> SegmentStorage {
        for _ in 0..<20_000 {
            do throws(StorageError) {
                return try SegmentStorage(directory: directory.path, options: .small)
            } catch {
                guard case .inUse = error else { throw error }
                Thread.sleep(forTimeInterval: 0.001)
            }
        }
        throw StorageError.inUse(path: directory.path)
    }

    @Test func `a storage that nobody closed goes away, and what it acked is there`() throws {
        for round in 0..<100 {
            // Threads are just starting, at work or done when the last reference goes.
            for _ in 0..<5 { #expect(try open().damages == []) }
            let storage = try open()
            #expect(try storage.spaceCount() == round)
            try storage.commit([.createSpace(FakeLog.genesis(round))])
            if round.isMultiple(of: 3) { Thread.sleep(forTimeInterval: 0.002) }
        }
        let storage = try open()
        #expect(try storage.spaceCount() == 100)
        #expect(storage.damages == [])
        try storage.close()
    }

    @Test func `what was submitted is answered before it is closed`() throws {
        for round in 0..<20 {
            let storage = try open()
            let stored = Mutex(0)
            for number in 0..<20 {
                let genesis = FakeLog.genesis(round * 20 + number)
                storage.submit([[.createSpace(genesis)]]) { results in
                    if results == [nil] { stored.withLock { $0 += 1 } }
                }
            }
            try storage.close()
            #expect(stored.withLock { $0 } == 20)
            // At once: closing let go of the directory.
            try SegmentStorage(directory: directory.path, options: .small).close()
        }
    }

    @Test func `whoever closes it second waits for the first`() throws {
        for _ in 0..<20 {
            let storage = try SegmentStorage(directory: directory.path, options: .small)
            let started = DispatchSemaphore(value: 0)
            let ended = DispatchSemaphore(value: 0)
            for number in 0..<50 {
                storage.submit([[.createSpace(FakeLog.genesis(number))]]) { _ in }
            }
            Thread.detachNewThread {
                started.signal()
                try? storage.close()
                ended.signal()
            }
            started.wait()
            try storage.close()
            try SegmentStorage(directory: directory.path, options: .small).close()
            ended.wait()
        }
    }

    @Test func `stopping a thread waits for the work it is at`() {
        let started = DispatchSemaphore(value: 0)
        let isDone = Mutex(false)
        let thread = StorageThread("test") {
            started.signal()
            Thread.sleep(forTimeInterval: 0.05)
            isDone.withLock { $0 = true }
        }
        thread.wake()
        started.wait()
        thread.stop()
        #expect(isDone.withLock { $0 })
    }

    @Test func `woken during its work, a thread works once more`() {
        let started = DispatchSemaphore(value: 0)
        let mayEnd = DispatchSemaphore(value: 0)
        let thread = StorageThread("test") {
            started.signal()
            mayEnd.wait()
        }
        thread.wake()
        started.wait()
        for _ in 0..<5 { thread.wake() }
        for _ in 0..<2 { mayEnd.signal() }
        started.wait()
        thread.stop()
        // Five wake-ups came to one round: nothing waits for a third.
        #expect(started.wait(timeout: .now()) == .timedOut)
    }

    @Test func `a thread ends with the last reference to it`() {
        final class Held: Sendable {}
        weak var held: Held?
        do {
            let object = Held()
            held = object
            let thread = StorageThread("test") { [object] in _ = object }
            thread.wake()
        }
        for _ in 0..<20_000 where held != nil { Thread.sleep(forTimeInterval: 0.001) }
        #expect(held == nil)
    }
}
