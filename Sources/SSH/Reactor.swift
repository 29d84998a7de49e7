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
    /// Who waits for a descriptor that is no session's.
    private var waiters: [(request: pollfd, continuation: CheckedContinuation<Void, Never>)] = []
    private var descriptors: [pollfd] = []

    func add(_ session: SSHSession) { sessions.append(session) }

    func remove(_ session: SSHSession) { sessions.removeAll { $0 === session } }

    /// Waits until a descriptor is ready, or broken. It must stay open until then.
    func wait(for events: Int16, on descriptor: Int32) async {
        await withCheckedContinuation {
            waiters.append((pollfd(fd: descriptor, events: events, revents: 0), $0))
        }
    }

    /// One look at the sockets: waits when there is nothing else to do.
    func turn() {
        settle()
        let waiting = sessions
        descriptors = [pollfd(fd: PollLoop.shared.wakeUp, events: Int16(POLLIN), revents: 0)]
        descriptors += waiting.map { pollfd(fd: $0.descriptor, events: $0.pollEvents, revents: 0) }
        descriptors += waiters.map(\.request)
        let ready = poll(&descriptors, nfds_t(descriptors.count), timeout())
        guard ready > 0 else { return }
        if descriptors[0].revents != 0 { drainWakeUp() }
        resumeWaiters(descriptors.dropFirst(1 + waiting.count).map { $0.revents != 0 })
        for (session, descriptor) in zip(waiting, descriptors.dropFirst()) where descriptor.revents != 0 {
            session.handleSocket()
        }
        settle()
    }

    /// - Parameter isReady: for each of the waiters that were there before the wait.
    private func resumeWaiters(_ isReady: [Bool]) {
        let ready = zip(waiters, isReady).filter(\.1).map(\.0)
        guard !ready.isEmpty else { return }
        waiters = zip(waiters, isReady).filter { !$0.1 }.map(\.0) + waiters.dropFirst(isReady.count)
        for waiter in ready { waiter.continuation.resume() }
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
