import ArgumentParser
import Foundation
import Sennit
import SennitWire

/// How a person names an older version of a document.
enum PastVersion: ExpressibleByArgument, Equatable {
    /// After the entry with that number in `sennit log`.
    case position(UInt64)
    /// As it was at a time, by the clocks of those who wrote.
    case time(Date)

    static let help = """
        A number from `sennit log <path>`, a time such as 2027-01-31, 2027-01-31T18:30 or \
        18:30, or how long ago: 90m, 2h, 3d, 1w.
        """

    init?(argument: String) { self.init(argument, now: Date(), timeZone: .current) }

    init?(_ argument: String, now: Date, timeZone: TimeZone) {
        if let position = UInt64(argument.drop { $0 == "#" }) {
            self = .position(position)
            return
        }
        let units: [Character: Double] = [
            "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400,
        ]
        if let unit = argument.last.flatMap({ units[$0] }),
            let count = Double(argument.dropLast()), count.isFinite, count >= 0
        {
            self = .time(now.addingTimeInterval(-count * unit))
            return
        }
        for (format, needsDay) in [
            ("yyyy-MM-dd'T'HH:mm:ss", false), ("yyyy-MM-dd HH:mm:ss", false),
            ("yyyy-MM-dd'T'HH:mm", false), ("yyyy-MM-dd HH:mm", false), ("yyyy-MM-dd", false),
            ("HH:mm", true), ("HH:mm:ss", true),
        ] {
            let formatter = DateFormatter()
            formatter.locale = Locale(identifier: "en_US_POSIX")
            formatter.timeZone = timeZone
            formatter.dateFormat = needsDay ? "yyyy-MM-dd'T'" + format : format
            formatter.isLenient = false
            var text = argument
            if needsDay {
                let day = DateFormatter()
                day.locale = formatter.locale
                day.timeZone = timeZone
                day.dateFormat = "yyyy-MM-dd"
                text = day.string(from: now) + "T" + argument
            }
            if let date = formatter.date(from: text) {
                self = .time(date)
                return
            }
        }
        return nil
    }
}

extension PastVersion {
    /// The version of a document that is meant.
    func version(of document: DocumentHandle) async throws -> [EventID] {
        let history = try await document.history()
        switch self {
        case .position(let position):
            guard let change = history.last(where: { $0.position <= position }) else {
                return try nothing(history, before: "entry \(position)")
            }
            return change.version
        case .time(let date):
            let limit = UInt64(max(0, date.timeIntervalSince1970 * 1000))
            // What one saw when writing came before, whatever the clocks say.
            let end = history.firstIndex { $0.authorTime > limit } ?? history.endIndex
            guard end > 0 else {
                return try nothing(history, before: Timestamp(date).local)
            }
            return history[end - 1].version
        }
    }

    private func nothing(_ history: [PastChange], before what: String) throws -> [EventID] {
        throw Failure(
            .noDocument,
            "the document didn't exist at \(what)",
            hint: history.first.map {
                "it begins with entry \($0.position), "
                    + Timestamp(milliseconds: $0.authorTime).local
            } ?? "nothing of it was sent yet: `sennit status`"
        )
    }
}
