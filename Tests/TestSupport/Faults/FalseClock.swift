import Glibc
import LinuxSystem

/// A wall clock that can be stepped for chosen programs: libfaketime. Their monotonic clocks stay true.
///
/// libfaketime 0.9.10 shifts absolute timers of the monotonic clock, too. Ahead of the true time they only fire early;
/// behind it every sleep would take that much longer, so the clock is never behind.
package final class FalseClock: Sendable {
    private let scratch: ScratchDirectory

    private static let library: String? = ["x86_64-linux-gnu", "aarch64-linux-gnu", "."].map {
        "/usr/lib/\($0)/faketime/libfaketimeMT.so.1"
    }.first { FileSystem.exists($0) }

    package static var isAvailable: Bool { library != nil }

    /// - Parameter seconds: how far it is ahead.
    package init(aheadBy seconds: Double = 0) throws {
        scratch = try ScratchDirectory()
        try set(aheadBy: seconds)
    }

    /// Programs that were killed have left what they shared with their children in memory.
    deinit {
        let folder = "/dev/shm"
        for name in (try? FileSystem.list(folder)) ?? [] {
            for kind in ["faketime_shm_", "sem.faketime_sem_"] where name.hasPrefix(kind) {
                if !FileSystem.exists("/proc/\(name.dropFirst(kind.count))") { unlink("\(folder)/\(name)") }
            }
        }
    }

    package func set(aheadBy seconds: Double) throws {
        precondition(seconds >= 0, "a clock that is behind stops every sleep")
        try FileSystem.replace(scratch.path("offset"), with: Array("+\(seconds)s\n".utf8))
    }

    /// What a program must find in its environment to see this clock.
    package var environment: [String: String?] {
        [
            "LD_PRELOAD": Self.library, "FAKETIME_TIMESTAMP_FILE": scratch.path("offset"), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        ]
    }

    /// A line of sshd_config(5) that gives this clock to every program of a login, `date` among them; what the shell
    /// reads in /proc is true.
    package var serverLine: String {
        "SetEnv "
            + environment.compactMap { name, value in value.map { "\(name)=\($0)" } }.sorted().joined(separator: " ")
    }
}
