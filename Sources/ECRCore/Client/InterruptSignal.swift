import Glibc
package import LinuxSystem

/// SIGINT and SIGTERM as bytes in a pipe, so that one poll(2) waits for them and for the supervisor alike. For one client
/// per process.
package struct InterruptSignal: Sendable {
    /// Holds the signal's number, once for each.
    let pipe: File

    /// Catches both signals from now on, for the rest of the process.
    package init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try check("make a pipe") { Glibc.pipe(&ends) }
        for end in ends { try check("configure a pipe") { fcntl(end, F_SETFD, FD_CLOEXEC) } }
        pipe = File(adopting: ends[0], path: "signal pipe")
        interruptWriter = ends[1]
        for number in [SIGINT, SIGTERM] { signal(number, noteInterrupt) }
    }

    /// Waits until a descriptor can be read.
    /// - Returns: nil when it can, else the exit code that says which signal came.
    package static func wait(for descriptor: Int32, or interrupt: InterruptSignal?) throws(SystemError) -> ExitCode? {
        if case .signal(let code) = try wait(for: descriptor, or: interrupt, milliseconds: -1) { return code }
        return nil
    }

    /// Which signal has come, if one has.
    func came() throws(SystemError) -> ExitCode? {
        var waits = [pollfd(fd: pipe.descriptor, events: Int16(POLLIN), revents: 0)]
        if try check("wait", { poll(&waits, 1, 0) }) == 0 { return nil }
        return try take()
    }

    private func take() throws(SystemError) -> ExitCode {
        var number: UInt8 = 0
        try check("read", path: pipe.path) { read(pipe.descriptor, &number, 1) }
        return Int32(number) == SIGTERM ? .terminated : .interrupted
    }

    enum Wait {
        case readable
        case signal(ExitCode)
        case timeout
    }

    /// - Parameter milliseconds: after which the wait is over; -1 for never.
    static func wait(
        for descriptor: Int32, or interrupt: InterruptSignal?, milliseconds: Int32
    ) throws(SystemError) -> Wait {
        let events = Int16(POLLIN)
        var waits = [pollfd(fd: descriptor, events: events, revents: 0)]
        if let interrupt { waits.append(pollfd(fd: interrupt.pipe.descriptor, events: events, revents: 0)) }
        let count = try check("wait") { poll(&waits, nfds_t(waits.count), milliseconds) }
        if count == 0 { return .timeout }
        guard let interrupt, waits[1].revents != 0 else { return .readable }
        return .signal(try interrupt.take())
    }
}

/// The writing end of the pipe, which stays open as long as the process.
///
/// `nonisolated(unsafe)` because it is set once, before the handler is installed, and only read by it.
nonisolated(unsafe) private var interruptWriter: Int32 = -1

/// Only write(2), which is safe in a signal handler (signal-safety(7)).
private func noteInterrupt(_ number: Int32) {
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(interruptWriter, &byte, 1)
}
