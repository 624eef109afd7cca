internal import CZstd
internal import SennitWire

// The only file that calls libzstd: one frame in, one frame out, sizes known beforehand.
// Source: RFC 8878; https://facebook.github.io/zstd/zstd_manual.html.

/// Zstandard frames, each written and read at once.
enum Zstd {
    /// The frame of some bytes, with their count in its header.
    /// - Parameter level: 1 is fast, 19 is small.
    static func compress(_ bytes: [UInt8], level: Int32) -> [UInt8] {
        // "Hint : compression runs faster if dstCapacity >= ZSTD_compressBound(srcSize)", and it
        // cannot run out of room then.
        unsafe [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(bytes.count)) {
            buffer,
            count in
            unsafe bytes.withUnsafeBytes { source in
                count = unsafe ZSTD_compress(
                    buffer.baseAddress,
                    buffer.count,
                    source.baseAddress,
                    source.count,
                    level
                )
            }
            precondition(ZSTD_isError(count) == 0, "A frame of bytes in memory can be written.")
        }
    }

    /// Reads frames one after another, so that the tables of libzstd are allocated once.
    @safe struct Reader: ~Copyable {
        private let context = unsafe ZSTD_createDCtx()

        deinit { unsafe ZSTD_freeDCtx(context) }

        /// Reads the frame that is `bytes[source]` into `output[target]`.
        /// - Returns: Whether there is one frame that says beforehand, and then gives, exactly so
        ///   many bytes. Nothing is allocated for another count.
        func read(
            _ bytes: [UInt8],
            _ source: Range<Int>,
            into output: inout [UInt8],
            _ target: Range<Int>
        ) -> Bool {
            precondition(
                source.upperBound <= bytes.count && target.upperBound <= output.count,
                "A frame lies in its bytes, and its content in the output."
            )
            return unsafe bytes.withUnsafeBytes { all in
                let frame = unsafe UnsafeRawBufferPointer(rebasing: all[source])
                // "ZSTD_CONTENTSIZE_UNKNOWN if the size cannot be determined": both that and
                // ZSTD_CONTENTSIZE_ERROR are no size that a target has.
                let size = unsafe ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
                let byteCount = unsafe ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
                guard size == UInt64(target.count), byteCount == frame.count else { return false }
                let count = unsafe output.withUnsafeMutableBytes { whole in
                    let room = unsafe UnsafeMutableRawBufferPointer(rebasing: whole[target])
                    return unsafe ZSTD_decompressDCtx(
                        context,
                        room.baseAddress,
                        room.count,
                        frame.baseAddress,
                        frame.count
                    )
                }
                return count == target.count
            }
        }
    }
}
