import CLinux
import Glibc

/// The clocks of the controller (clock_gettime(2)).
package enum Clock {
    /// Nanoseconds since boot, suspend included: the only clock for durations.
    package static func boottimeNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Nanoseconds since boot without the time of suspends; beside boottime it tells how long the machine slept.
    package static func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Wall-clock microseconds since 1970-01-01 UTC; may step.
    package static func wallMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// The kernel's id of the current boot (proc_sys_kernel(5)): boottimes compare within one id only.
    package static let bootID: String = {
        let bytes = (try? FileSystem.read("/proc/sys/kernel/random/boot_id")) ?? []
        return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    }()

    /// Whether a time source disciplines this machine's wall clock; nil where the kernel does not tell.
    package static var isSynchronised: Bool? {
        let answer = clinux_clock_is_synchronised()
        return answer < 0 ? nil : answer == 1
    }

    /// ISO 8601 with microseconds in UTC: `2026-01-27T14:30:52.123456Z`.
    package static func iso8601(microseconds: Int64) -> String {
        let parts = components(microseconds)
        let fraction = microseconds - floorSeconds(microseconds) * 1_000_000
        return "\(pad(parts.year, 4))-\(pad(parts.month, 2))-\(pad(parts.day, 2))T"
            + "\(pad(parts.hour, 2)):\(pad(parts.minute, 2)):\(pad(parts.second, 2)).\(pad(Int(fraction), 6))Z"
    }

    /// The same moment by the clock on the wall (localtime_r(3)), without a zone: `2026-01-27T15:30:52.123456`.
    package static func local(microseconds: Int64) -> String {
        var seconds = time_t(floorSeconds(microseconds))
        var time = tm()
        localtime_r(&seconds, &time)
        return String(iso8601(microseconds: microseconds + Int64(time.tm_gmtoff) * 1_000_000).dropLast())
    }

    /// The UTC stamp of a run's directory name: `2026-01-27_143052`.
    package static func directoryStamp(microseconds: Int64) -> String {
        let parts = components(microseconds)
        return "\(pad(parts.year, 4))-\(pad(parts.month, 2))-\(pad(parts.day, 2))_"
            + "\(pad(parts.hour, 2))\(pad(parts.minute, 2))\(pad(parts.second, 2))"
    }

    /// The inverse of `iso8601`: microseconds since 1970, or nil for any other form.
    package static func microseconds(iso8601 text: String) -> Int64? {
        let bytes = Array(text.utf8)
        let form = Array("0000-00-00T00:00:00.000000Z".utf8)
        guard bytes.count == form.count else { return nil }
        for (byte, expected) in zip(bytes, form) {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            guard expected == UInt8(ascii: "0") ? isDigit : byte == expected else { return nil }
        }
        func number(_ range: Range<Int>) -> Int? { Int(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), let fraction = number(20..<26)
        else { return nil }
        var time = tm()
        time.tm_year = Int32(year - 1900)
        time.tm_mon = Int32(month - 1)
        time.tm_mday = Int32(day)
        time.tm_hour = Int32(hour)
        time.tm_min = Int32(minute)
        time.tm_sec = Int32(second)
        let seconds = Int64(timegm(&time))
        // timegm(3) makes a real date of 30 February: what it had to change was none.
        guard Int(time.tm_mon) == month - 1, Int(time.tm_mday) == day, Int(time.tm_hour) == hour,
            Int(time.tm_min) == minute, Int(time.tm_sec) == second
        else { return nil }
        return seconds * 1_000_000 + Int64(fraction)
    }

    private static func components(_ microseconds: Int64) -> (
        year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int
    ) {
        var seconds = time_t(floorSeconds(microseconds))
        var time = tm()
        gmtime_r(&seconds, &time)
        return (
            Int(time.tm_year) + 1900, Int(time.tm_mon) + 1, Int(time.tm_mday), Int(time.tm_hour), Int(time.tm_min),
            Int(time.tm_sec)
        )
    }

    private static func floorSeconds(_ microseconds: Int64) -> Int64 {
        microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
