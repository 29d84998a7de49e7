import Glibc
import LinuxSystem

/// A wall clock that can be stepped for chosen programs: libfaketime. Their monotonic clocks stay true.
package struct FalseClock: Sendable {
    private let scratch: ScratchDirectory

    private static let library: String? = ["x86_64-linux-gnu", "aarch64-linux-gnu", "."].map {
        "/usr/lib/\($0)/faketime/libfaketimeMT.so.1"
    }.first { FileSystem.exists($0) }

    package static var isAvailable: Bool { library != nil }

    package init() throws {
        scratch = try ScratchDirectory()
        try step(bySeconds: 0)
    }

    /// Moves the clock away from the true time.
    package func step(bySeconds seconds: Int) throws {
        try FileSystem.replace(scratch.path("offset"), with: Array("\(seconds < 0 ? "" : "+")\(seconds)s\n".utf8))
    }

    /// What a program must find in its environment to see this clock.
    package var environment: [String: String?] {
        [
            "LD_PRELOAD": Self.library, "FAKETIME_TIMESTAMP_FILE": scratch.path("offset"), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        ]
    }
}
