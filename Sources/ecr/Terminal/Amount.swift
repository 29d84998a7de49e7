import Glibc
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

    /// `2026-01-27 14:30:52` of an event's time, in UTC.
    static func moment(_ time: String) -> String {
        time.prefix(19).split(separator: "T").joined(separator: " ")
    }

    /// `14:02:11` of an event's time, by the local clock; the time itself for what is none.
    static func clock(_ time: String) -> String {
        guard let microseconds = Clock.microseconds(iso8601: time) else { return time }
        var seconds = time_t(microseconds / 1_000_000)
        var local = tm()
        localtime_r(&seconds, &local)
        return [local.tm_hour, local.tm_min, local.tm_sec].map { ($0 < 10 ? "0" : "") + String($0) }.joined(
            separator: ":")
    }

    /// `0:42`, `12:05`, `1:02:05`.
    static func elapsed(seconds: Int64) -> String {
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
        let rest = "\(two(seconds % 60))"
        return seconds < 3600
            ? "\(seconds / 60):\(rest)" : "\(seconds / 3600):\(two(seconds % 3600 / 60)):\(rest)"
    }

    /// `512 B`, `1.5 KiB`, `3.0 MiB`.
    static func bytes(_ count: Int64) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 || unit == "GiB" {
                return unit == "B" ? "\(count) B" : "\(tenths(value)) \(unit)"
            }
            value /= 1024
        }
        return "\(count) B"
    }

    /// `1 note`, `2 notes`.
    static func count(_ number: Int64, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private static func hundredths(_ value: Double) -> String {
        let scaled = Int((max(0, value) * 100).rounded())
        return "\(scaled / 100).\(scaled % 100 / 10)\(scaled % 10)"
    }

    private static func tenths(_ value: Double) -> String {
        let scaled = Int((value * 10).rounded())
        return "\(scaled / 10).\(scaled % 10)"
    }
}
