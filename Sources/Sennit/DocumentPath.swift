/// Where a document stands in its space: a name, or names with slashes between them.
///
/// 1 to 512 bytes of UTF-8 without NUL and line breaks. It neither begins nor ends with a slash,
/// and no part is empty, "." or "..", so that it can be a file's path in a mirror of the space.
enum DocumentPath {
    static let maximumByteCount = 512

    /// What is wrong with a path, in words; `nil` if nothing is.
    static func fault(of path: String) -> String? {
        if path.isEmpty { return "it is empty" }
        if path.utf8.count > maximumByteCount {
            return "it has more than \(maximumByteCount) bytes"
        }
        if path.unicodeScalars.contains(where: isForbidden) {
            return "it has a line break or NUL in it"
        }
        for part in path.split(separator: "/", omittingEmptySubsequences: false) {
            if part.isEmpty { return "a slash stands at its beginning or end, or beside another" }
            if part == "." || part == ".." { return "\"\(part)\" means another directory" }
        }
        return nil
    }

    /// Fails unless `path` is one.
    static func check(_ path: String) throws(SennitError) {
        if let fault = fault(of: path) {
            throw SennitError(
                .invalidPath,
                "\"\(path)\" is not a path of a document: \(fault)",
                hint: "a path looks like notes.txt or plans/2027.md"
            )
        }
    }

    // Every line break that Unicode knows, since one in a name would tear a listing apart.
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0, 0x0A...0x0D, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }
}
