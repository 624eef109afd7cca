import Foundation

extension Console {
    /// Prints a value as one line of JSON, its keys in the order of the alphabet.
    func printJSON(_ value: some Encodable) throws(Failure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            print(String(decoding: try encoder.encode(value), as: UTF8.self))
        } catch {
            throw Failure(.softwareFault, "this can't be written as JSON: \(error)")
        }
    }
}

/// A point in time as other devices state it: milliseconds since 1970. It is for people to read;
/// nothing depends on it.
struct Timestamp: Encodable, Equatable {
    let date: Date

    init(milliseconds: UInt64) { date = Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

    init(_ date: Date) { self.date = date }

    /// Such as `2026-11-22 21:24:05`, in the time zone of this machine.
    var local: String {
        date.formatted(
            Date.ISO8601FormatStyle(timeZone: .current)
                .year().month().day()
                .dateTimeSeparator(.space)
                .time(includingFractionalSeconds: false)
        )
    }

    /// Such as `21:24:05`.
    var localTime: String {
        date.formatted(
            Date.ISO8601FormatStyle(timeZone: .current).time(includingFractionalSeconds: false)
        )
    }

    /// In UTC, such as `2026-11-22T21:24:05Z`.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(date.formatted(Date.ISO8601FormatStyle()))
    }
}
