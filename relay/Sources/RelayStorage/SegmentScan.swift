// Going through the frames of a segment, and telling its end from damage.
//
//     |header|frame|frame|####|frame|frame|0000
//                        ^ a place that doesn't check out, with frames behind it
//
// - In a segment whose end is known it is damage: what lies there once was synced.
// - In the last segment it is damage too if any frame behind it says `synced` > its place.
// - Else nothing that was acked is there. A power cut lost a part of the last group, and the log
//   ends before the unit that is torn.
//
// Damage is stepped over and reported. Where the damaged frame's header still says which log it was
// for and that agrees with the log's end, its place in the log is kept: reading there tells of the
// damage, and the log isn't shorter than it was.

import SennitWire

/// A frame and where it lies.
struct PlacedFrame {
    let header: FrameHeader
    let position: Int
    /// The frame's checksum is wrong; only its header could be read.
    var isDamaged = false
}

/// What a walk over a segment's frames finds.
struct SegmentScan {
    private(set) var frames: [PlacedFrame] = []
    /// Ranges of the file that are damaged.
    private(set) var damages: [Range<Int>] = []
    /// Where the frames end.
    private(set) var end = SegmentHeader.byteCount

    /// Walks over the frames in `bytes`, which begin with the segment's header.
    /// - Parameter knownEnd: where the frames end; `nil` for the last segment, where a torn tail
    ///   may follow.
    init(_ bytes: [UInt8], epoch: UInt32, knownEnd: Int?) {
        let seed = Frame.seed(of: epoch)
        let limit = min(bytes.count, knownEnd ?? bytes.count)
        var at = SegmentHeader.byteCount
        var unit: [PlacedFrame] = []
        while at + FrameHeader.byteCount <= limit {
            if let header = Frame.checked(bytes, at: at, epoch: epoch, seed: seed),
                at + Int(header.length) <= limit
            {
                unit.append(PlacedFrame(header: header, position: at))
                at += header.stride
                if header.isLastOfUnit {
                    frames += unit
                    unit = []
                    end = at
                }
                continue
            }
            let next = Self.nextFrame(bytes, from: at, limit, epoch, seed)
            guard knownEnd != nil || Self.wasSynced(bytes, at, next, limit, epoch, seed) else {
                return
            }
            damages.append(at..<(next ?? limit))
            // What is left of a unit that once was whole counts.
            frames += unit
            unit = []
            if let header = Frame.header(bytes, at: at, epoch: epoch), header.kind == .batch,
                at + header.stride == (next ?? limit)
            {
                frames.append(PlacedFrame(header: header, position: at, isDamaged: true))
            }
            at = next ?? limit
            end = at
        }
        if let knownEnd {
            frames += unit
            if bytes.count < knownEnd { damages.append(bytes.count..<knownEnd) }
            end = max(end, knownEnd)
        }
    }

    private static func nextFrame(
        _ bytes: [UInt8],
        from start: Int,
        _ limit: Int,
        _ epoch: UInt32,
        _ seed: UInt32
    ) -> Int? {
        var at = start + FrameHeader.alignment
        while at + FrameHeader.byteCount <= limit {
            if bytes.field(at: at, as: UInt32.self) == epoch,
                Frame.checked(bytes, at: at, epoch: epoch, seed: seed) != nil
            {
                return at
            }
            at += FrameHeader.alignment
        }
        return nil
    }

    /// Whether a frame behind `place` says that `place` was on disk when it was written.
    private static func wasSynced(
        _ bytes: [UInt8],
        _ place: Int,
        _ next: Int?,
        _ limit: Int,
        _ epoch: UInt32,
        _ seed: UInt32
    ) -> Bool {
        var candidate = next
        while let at = candidate {
            if let header = Frame.checked(bytes, at: at, epoch: epoch, seed: seed) {
                if Int(header.synced) > place { return true }
                candidate = at + header.stride
                continue
            }
            candidate = nextFrame(bytes, from: at, limit, epoch, seed)
        }
        return false
    }

    /// The index of a segment whose footer is lost. What came before it in each log isn't known.
    static func table(_ bytes: [UInt8], epoch: UInt32, end: Int) -> SegmentTable {
        var table = SegmentTable()
        for frame in SegmentScan(bytes, epoch: epoch, knownEnd: end).frames {
            let (header, position) = (frame.header, UInt32(frame.position))
            guard header.kind == .batch else {
                table.addControl(header.kind, number: header.number, position: position)
                continue
            }
            table.addBatch(
                log: header.number,
                first: header.first,
                place: BatchPlace(
                    end: header.first + UInt64(header.count),
                    position: position,
                    length: header.length
                ),
                byteCount: frame.isDamaged ? 0 : Frame.byteCount(bytes, at: frame.position),
                previous: LogRun.unknownPrevious
            )
        }
        return table
    }
}

extension LogRun {
    /// The batches before these lie in some earlier segment, which has to be looked for.
    static let unknownPrevious = UInt32.max - 1
}

extension Effect {
    /// What the frame at `position` does; `nil` if its body has another form.
    init?(_ header: FrameHeader, _ bytes: [UInt8], at position: Int) {
        let body = position + FrameHeader.byteCount
        let end = position + Int(header.length)
        guard end <= bytes.count else { return nil }
        switch header.kind {
        case .batch:
            guard end - body >= Head.byteCount else { return nil }
            self = .batch(
                log: header.number,
                first: header.first,
                end: header.first + UInt64(header.count),
                byteCount: Frame.byteCount(bytes, at: position)
            )
        case .space:
            do throws(WireError) {
                let genesis = try Genesis(decoding: Frame.body(bytes, at: position, header))
                self = .space(header.number, genesis.spaceID)
            } catch {
                return nil
            }
        case .access: self = .access(space: header.number)
        case .admission:
            guard let device: DeviceKey = bytes.name(at: body),
                let invite: DeviceKey = bytes.name(at: body + Bytes32.byteCount)
            else { return nil }
            self = .admission(space: header.number, device: device, invite: invite)
        case .dismissal:
            var devices: [DeviceKey] = []
            for at in Swift.stride(from: body, to: end, by: Bytes32.byteCount) {
                guard let device: DeviceKey = bytes.name(at: at) else { return nil }
                devices.append(device)
            }
            self = .dismissal(space: header.number, devices)
        case .log:
            guard let id: LogID = bytes.name(at: body), let space = UInt32(exactly: header.first)
            else { return nil }
            self = .log(header.number, id, space: space)
        case .floor:
            guard end - body >= Head.byteCount else { return nil }
            self = .floor(
                log: header.number,
                end: header.first,
                byteCount: Frame.byteCount(bytes, at: position)
            )
        case .removal: self = .removal(space: header.number)
        }
    }
}
