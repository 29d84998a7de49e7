import Glibc
import LinuxSystem
import YAML

/// A time as people write it.
///
/// `14:05` or `14:05:30`: the last such time of the clock on the wall; `2026-11-27T14:05`, with seconds or a zone where
/// wanted, `2026-11-27`; `-5m` or `5m ago`; `now`.
package struct Moment: Sendable, Equatable {
    /// Since 1970.
    package let microseconds: Int64

    /// For help texts and messages.
    package static let accepted = "14:05, 14:05:30, 2026-11-27T14:05, 2026-11-27T14:05:30Z, -5m or now"

    /// As events have it.
    package var text: String { Clock.iso8601(microseconds: microseconds) }

    /// - Throws: for what is no time, and for one that has not come yet.
    package init(_ text: String, now: Int64 = Clock.wallMicroseconds()) throws(ECRFailure) {
        guard let microseconds = Self.parse(text, now: now) else {
            throw ECRFailure(.usage, "'\(text)' is no time; write \(Self.accepted)")
        }
        guard microseconds <= now else { throw ECRFailure(.usage, "'\(text)' is still to come") }
        self.microseconds = microseconds
    }

    private static func parse(_ text: String, now: Int64) -> Int64? {
        if text == "now" { return now }
        if let ago = ago(text) { return now - ago }
        var scanner = DigitScanner(text)
        guard var date = scanner.date() else { return scanner.time().flatMap { scanner.isAtEnd ? last($0, now) : nil } }
        if scanner.isAtEnd { return seconds(of: date, zone: nil).map { $0 * 1_000_000 } }
        guard scanner.take("T") || scanner.take(" "), let time = scanner.time() else { return nil }
        time.put(into: &date)
        let zone = scanner.zone()
        guard scanner.isAtEnd, let seconds = seconds(of: date, zone: zone) else { return nil }
        return seconds * 1_000_000 + time.microseconds
    }

    /// Microseconds of `-5m` or `5m ago`.
    private static func ago(_ text: String) -> Int64? {
        let span =
            text.hasPrefix("-")
            ? text.dropFirst() : text.hasSuffix(" ago") ? text.dropLast(" ago".count) : Substring()
        // Origin: a hundred years, so that the sum stays a time.
        guard let seconds = DurationSpelling.seconds(String(span)), seconds < 3.2e9 else { return nil }
        return Int64(seconds * 1_000_000)
    }

    /// The last time at which the clock on the wall showed this.
    private static func last(_ time: TimeOfDay, _ now: Int64) -> Int64? {
        var today = tm()
        var seconds = time_t(now / 1_000_000)
        localtime_r(&seconds, &today)
        for daysBack: Int32 in 0...1 {
            var date = tm()
            (date.tm_year, date.tm_mon, date.tm_mday) = (today.tm_year, today.tm_mon, today.tm_mday - daysBack)
            time.put(into: &date)
            date.tm_isdst = -1
            let moment = Int64(mktime(&date)) * 1_000_000 + time.microseconds
            if moment <= now { return moment }
        }
        return nil
    }

    /// - Parameter zone: seconds east of Greenwich; nil for the clock on the wall.
    private static func seconds(of date: tm, zone: Int64?) -> Int64? {
        var checked = date
        let universal = Int64(timegm(&checked))
        // timegm(3) makes a real date of 30 February: what it had to change was none.
        guard checked.tm_mon == date.tm_mon, checked.tm_mday == date.tm_mday else { return nil }
        if let zone { return universal - zone }
        var local = date
        local.tm_isdst = -1
        return Int64(mktime(&local))
    }
}

private struct TimeOfDay {
    let hour: Int
    let minute: Int
    let second: Int
    let microseconds: Int64

    func put(into date: inout tm) {
        (date.tm_hour, date.tm_min, date.tm_sec) = (Int32(hour), Int32(minute), Int32(second))
    }
}

/// Reads groups of digits with fixed lengths; a reading that fails moves nothing.
private struct DigitScanner {
    private let bytes: [UInt8]
    private var index = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { index == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func number(digits: Int, in range: ClosedRange<Int>) -> Int? {
        let group = bytes[index...].prefix(digits)
        guard group.count == digits, group.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int(String(decoding: group, as: UTF8.self)), range.contains(value)
        else { return nil }
        index += digits
        return value
    }

    /// `2026-11-27`.
    mutating func date() -> tm? {
        let start = index
        if let year = number(digits: 4, in: 1970...9999), take("-"), let month = number(digits: 2, in: 1...12),
            take("-"), let day = number(digits: 2, in: 1...31)
        {
            var date = tm()
            (date.tm_year, date.tm_mon, date.tm_mday) = (Int32(year - 1900), Int32(month - 1), Int32(day))
            return date
        }
        index = start
        return nil
    }

    /// `14:05`, `9:05`, `14:05:30`, `14:05:30.25`.
    mutating func time() -> TimeOfDay? {
        guard let hour = number(digits: 2, in: 0...23) ?? number(digits: 1, in: 0...9), take(":"),
            let minute = number(digits: 2, in: 0...59)
        else {
            return nil
        }
        guard take(":") else { return TimeOfDay(hour: hour, minute: minute, second: 0, microseconds: 0) }
        guard let second = number(digits: 2, in: 0...59) else { return nil }
        var microseconds: Int64 = 0
        if take(".") {
            var unit: Int64 = 100_000
            guard var digit = number(digits: 1, in: 0...9) else { return nil }
            while true {
                microseconds += Int64(digit) * unit
                unit /= 10
                guard let next = number(digits: 1, in: 0...9) else { break }
                digit = next
            }
        }
        return TimeOfDay(hour: hour, minute: minute, second: second, microseconds: microseconds)
    }

    /// `Z`, `+01:00`, `-0530`: seconds east of Greenwich.
    mutating func zone() -> Int64? {
        if take("Z") || take("z") { return 0 }
        let start = index
        let sign: Int64 = take("-") ? -1 : take("+") ? 1 : 0
        if sign != 0, let hours = number(digits: 2, in: 0...14) {
            _ = take(":")
            if let minutes = number(digits: 2, in: 0...59) { return sign * Int64(hours * 3600 + minutes * 60) }
        }
        index = start
        return nil
    }
}
