import CLibSSH
import Glibc
import LinuxSystem

/// Polls the sockets of all sessions and lets libssh handle those that are ready.
///
/// Every session has an `ssh_event` of its own, and the waiting over all of them is one poll(2) here: in libssh 0.10 a
/// call on one session polls its whole event, and another session's death seen there marks the caller as failed
/// (session.c, `ssh_handle_packets`).
@SSHActor final class Reactor {
    static let shared = Reactor()

    private var sessions: [SSHSession] = []
    private var descriptors: [pollfd] = []

    func add(_ session: SSHSession) { sessions.append(session) }

    func remove(_ session: SSHSession) { sessions.removeAll { $0 === session } }

    /// One look at the sockets: waits when there is nothing else to do.
    func turn() {
        settle()
        let waiting = sessions
        descriptors = [pollfd(fd: PollLoop.shared.wakeUp, events: Int16(POLLIN), revents: 0)]
        descriptors += waiting.map { pollfd(fd: $0.descriptor, events: $0.pollEvents, revents: 0) }
        let ready = poll(&descriptors, nfds_t(descriptors.count), timeout())
        guard ready > 0 else { return }
        if descriptors[0].revents != 0 { drainWakeUp() }
        for (session, descriptor) in zip(waiting, descriptors.dropFirst()) where descriptor.revents != 0 {
            session.handleSocket()
        }
        settle()
    }

    /// Looks after every session. Calls of jobs may have handled packets, too, and waited-for answers with them.
    private func settle() {
        let now = Clock.boottimeNanoseconds()
        for session in sessions { session.settle(now: now) }
    }

    /// Milliseconds for poll(2): none when a job waits, else until the next sign of life is due, else without an end.
    private func timeout() -> Int32 {
        guard PollLoop.shared.isIdle else { return 0 }
        guard let next = sessions.map(\.nextLivenessCheck).min() else { return -1 }
        let milliseconds = (next - Clock.boottimeNanoseconds() + 999_999) / 1_000_000
        return Int32(clamping: max(0, milliseconds))
    }

    private func drainWakeUp() {
        var count: UInt64 = 0
        _ = read(PollLoop.shared.wakeUp, &count, MemoryLayout<UInt64>.size)
    }
}
