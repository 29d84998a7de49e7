import LinuxSystem

/// Durations, ages and sizes as people say them.
enum Amount {
    /// `2.31 s`, `5 min 12 s`, `3 h 20 min`, `2 d 4 h`.
    static func seconds(_ value: Double) -> String {
        guard value >= 60 else { return "\(hundredths(value)) s" }
        let whole = Int(min(value, 1e15))
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        if whole < 86_400 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
        return "\(whole / 86_400) d \(whole % 86_400 / 3600) h"
    }

    /// How long ago an event's time is, in whole seconds; "" for what is no time.
    static func age(since time: String) -> String {
        guard let then = Clock.microseconds(iso8601: time) else { return "" }
        let age = max(0, (Clock.wallMicroseconds() - then) / 1_000_000)
        return age < 60 ? "\(age) s" : seconds(Double(age))
    }

    /// `2026-01-27 15:30:52` of an event's time, by the clock on the wall, as people give times to us.
    static func moment(_ time: String) -> String {
        local(time).prefix(19).split(separator: "T").joined(separator: " ")
    }

    /// `15:30:52` of an event's time, by the clock on the wall; the time itself for what is none.
    static func clock(_ time: String) -> String { timeOfDay(time, length: "15:30:52".count) }

    /// `15:30:52.123` of an event's time, by the clock on the wall.
    static func exactClock(_ time: String) -> String { timeOfDay(time, length: "15:30:52.123".count) }

    private static func timeOfDay(_ time: String, length: Int) -> String {
        guard Clock.microseconds(iso8601: time) != nil else { return time }
        return String(local(time).dropFirst("2026-01-27T".count).prefix(length))
    }

    /// What is no time stays as it is.
    private static func local(_ time: String) -> String {
        Clock.microseconds(iso8601: time).map { Clock.local(microseconds: $0) } ?? time
    }

    /// `0:42`, `12:05`, `1:02:05`.
    static func elapsed(seconds: Int64) -> String {
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
        let rest = "\(two(seconds % 60))"
        return seconds < 3600
            ? "\(seconds / 60):\(rest)" : "\(seconds / 3600):\(two(seconds % 3600 / 60)):\(rest)"
    }

    /// `512 B`, `1.5 KiB`, `3.0 MiB`.
    static func bytes(_ count: Int64) -> String { ByteCount.text(count) }

    /// `1 note`, `2 notes`.
    static func count(_ number: Int64, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private static func hundredths(_ value: Double) -> String {
        let scaled = Int((max(0, value) * 100).rounded())
        return "\(scaled / 100).\(scaled % 100 / 10)\(scaled % 10)"
    }
}
