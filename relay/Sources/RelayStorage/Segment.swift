import SennitWire
import Synchronization

/// A segment's file, opened when it is first needed, and its index once it has one.
///
/// Compaction puts another object in its place; who reads the old file goes on reading it.
final class Segment: Sendable {
    /// How batches are found.
    enum Index {
        case footer(SegmentFooter)
        /// Rebuilt from the frames, because the footer can't be read.
        case table(SegmentTable)
    }

    fileprivate struct Content {
        var file: (any StorageFile)?
        var epoch: UInt32?
        var index: Index?
        /// Where the frames end, for a segment without a footer.
        var end: Int?
    }

    let number: UInt32
    private let files: any StorageFiles
    private let content: Mutex<Content>

    static let suffix = ".segment"

    /// A segment that is opened later.
    /// - Parameter end: where the frames end if there is no footer, where that is known.
    init(
        _ number: UInt32,
        in files: any StorageFiles,
        file: (any StorageFile)? = nil,
        epoch: UInt32? = nil,
        end: Int? = nil
    ) {
        self.number = number
        self.files = files
        content = Mutex(Content(file: file, epoch: epoch, end: end))
    }

    static func name(_ number: UInt32) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 10 - digits.count)) + digits + suffix
    }

    /// The number in a segment's name; `nil` for another file.
    static func number(_ name: String) -> UInt32? {
        guard name.hasSuffix(suffix), let number = UInt32(name.dropLast(suffix.count)),
            Segment.name(number) == name
        else { return nil }
        return number
    }

    var name: String { Segment.name(number) }
    var path: String { files.path + "/" + name }

    /// The file and its epoch.
    func open() throws(StorageError) -> (file: any StorageFile, epoch: UInt32) {
        if let known = content.withLock({ $0.opened }) { return known }
        do throws(FileFailure) {
            let file = try files.open(name)
            let reading = SegmentHeader.read(try file.read(SegmentHeader.byteCount, at: 0))
            guard case .header(let header) = reading, header.number == number else {
                throw FileFailure(name: path, reason: "both copies of its header are unreadable")
            }
            return content.withLock { content in
                if let known = content.opened { return known }
                (content.file, content.epoch) = (file, header.epoch)
                return (file, header.epoch)
            }
        } catch {
            throw .damagedFile(path: path, reason: error.reason)
        }
    }

    /// The index, read from the footer or rebuilt.
    func index() throws(StorageError) -> Index {
        if let known = content.withLock({ $0.index }) { return known }
        let (file, epoch) = try open()
        do throws(FileFailure) {
            let index: Index
            if let footer = try SegmentFooter.open(file, epoch: epoch) {
                index = .footer(footer)
            } else {
                let size = try file.size()
                let end = content.withLock { $0.end } ?? size
                index = .table(
                    SegmentScan.table(try file.read(end, at: 0), epoch: epoch, end: end)
                )
            }
            content.withLock { $0.index = index }
            return index
        } catch {
            throw StorageError(error)
        }
    }

    /// From now on the footer tells where batches are.
    func setFooter(_ footer: SegmentFooter) { content.withLock { $0.index = .footer(footer) } }

    // MARK: Frames

    /// A frame with its header, its checksum proven.
    /// - Parameter length: of the frame, where it is known.
    /// - Throws: `damagedFile`; `failed` if the file can't be read.
    func frame(
        at position: UInt32,
        length: UInt32? = nil
    ) throws(StorageError) -> (bytes: [UInt8], header: FrameHeader) {
        let (file, epoch) = try open()
        do throws(FileFailure) {
            var bytes = try file.read(length.map { Int($0) } ?? 4096, at: Int(position))
            if length == nil, let header = Frame.header(bytes, at: 0, epoch: epoch),
                Int(header.length) > bytes.count
            {
                bytes = try file.read(Int(header.length), at: Int(position))
            }
            guard
                let header = Frame.checked(bytes, at: 0, epoch: epoch, seed: Frame.seed(of: epoch))
            else {
                throw FileFailure(name: path, reason: "the frame at \(position) is damaged")
            }
            return (bytes, header)
        } catch {
            throw .damagedFile(path: path, reason: error.reason)
        }
    }
}

extension Segment.Content {
    fileprivate var opened: (file: any StorageFile, epoch: UInt32)? {
        guard let file, let epoch else { return nil }
        return (file, epoch)
    }
}
