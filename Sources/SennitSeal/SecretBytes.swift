/// Bytes that nobody else may see: a seed, a key. Shared by reference, never copied by Sennit, and
/// wiped when the last holder lets go. What prints it prints no content.
///
/// It is a class for its `deinit`: a value would be copied, and copies can't be wiped.
@safe
public final class SecretBytes: @unchecked Sendable, Equatable, CustomStringConvertible {
    // Sendable: the memory is written before `init` returns and not again before `deinit`.
    private let memory: UnsafeMutablePointer<UInt8>
    private let isGuarded: Bool

    /// How many bytes there are.
    public let count: Int

    /// Copies `bytes`. The copy is wiped in time; the caller's array is the caller's.
    public convenience init(_ bytes: some Collection<UInt8>) {
        unsafe self.init(byteCount: bytes.count) { memory in
            for (index, byte) in bytes.enumerated() { unsafe memory[index] = byte }
        }
    }

    /// Copies `bytes` into pages of their own that are kept out of swap and core dumps where the
    /// system lets a process do so. For secrets that live long; each takes a page.
    public init(guarding bytes: some Collection<UInt8>) {
        count = bytes.count
        isGuarded = true
        unsafe memory = Sodium.guardedMemory(count: count)
        for (index, byte) in bytes.enumerated() { unsafe memory[index] = byte }
    }

    /// Lets `fill` write all of `byteCount` bytes of fresh, zeroed memory.
    init(byteCount: Int, fill: (UnsafeMutablePointer<UInt8>) -> Void) {
        count = byteCount
        isGuarded = false
        unsafe memory = UnsafeMutablePointer<UInt8>.allocate(capacity: byteCount)
        unsafe memory.initialize(repeating: 0, count: byteCount)
        unsafe fill(memory)
    }

    deinit {
        if isGuarded { return unsafe Sodium.releaseGuarded(memory, count: count) }
        unsafe Sodium.wipe(memory, count: count)
        unsafe memory.deallocate()
    }

    /// A copy of the bytes, for the one who must store them. It isn't wiped.
    public var bytes: [UInt8] {
        unsafe Array(UnsafeBufferPointer(start: memory, count: count))
    }

    /// Lends the bytes to `body`, which must not keep the pointer.
    func withMemory<Value>(_ body: (UnsafePointer<UInt8>) -> Value) -> Value {
        unsafe body(UnsafePointer(memory))
    }

    public var description: String { "<secret>" }

    /// Takes the same time for all contents of one length.
    public static func == (left: SecretBytes, right: SecretBytes) -> Bool {
        Sodium.areEqual(left, right)
    }
}

extension SecretBytes: CustomReflectable, CustomDebugStringConvertible {
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
