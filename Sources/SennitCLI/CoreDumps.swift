import Foundation

/// What a crash may leave on the disk.
enum CoreDumps {
    /// Forbids core dumps of this process: they would hold keys and texts.
    static func forbid() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    }
}
