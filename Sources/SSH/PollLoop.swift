import CLinux
import Glibc
import LinuxSystem
import Synchronization

/// The executor of `SSHActor`: one thread that alternates between the actor's jobs and waiting for sockets.
///
/// Jobs come in through a mailbox; an eventfd ends the wait when one arrives. The thread starts with the first job.
final class PollLoop: SerialExecutor {
    static let shared = PollLoop()

    /// Becomes readable when a job arrives.
    let wakeUp: Int32
    private let mailbox = Locked(Mailbox())
    /// `pthread_t` of the loop, 0 before it runs.
    private let thread = Atomic<UInt>(0)

    private struct Mailbox {
        var jobs: [UnownedJob] = []
        var isStarted = false
    }

    private init() {
        wakeUp = clinux_eventfd()
        precondition(wakeUp >= 0, "no eventfd: \(String(cString: strerror(errno)))")
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (isFirst, mustStart) = mailbox.withLock { mailbox in
            mailbox.jobs.append(job)
            defer { mailbox.isStarted = true }
            return (mailbox.jobs.count == 1, !mailbox.isStarted)
        }
        if mustStart { WorkerThread.start { self.run() } }
        if isFirst, !isCurrentThread { wake() }
    }

    func checkIsolated() {
        precondition(isCurrentThread, "libssh must be called on the loop's thread")
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    /// Whether the loop may wait: no job is there.
    var isIdle: Bool { mailbox.withLock { $0.jobs.isEmpty } }

    private var isCurrentThread: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    private func wake() {
        var one: UInt64 = 1
        // The counter cannot overflow, and a full one is readable all the same.
        _ = write(wakeUp, &one, MemoryLayout<UInt64>.size)
    }

    private func run() {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        let reactor = SSHActor.assumeIsolated { Reactor.shared }
        while true {
            runJobs()
            SSHActor.assumeIsolated { reactor.turn() }
        }
    }

    /// Runs what is there now. Jobs that these add come after the next look at the sockets.
    private func runJobs() {
        let jobs = mailbox.withLock { mailbox in
            defer { mailbox.jobs = [] }
            return mailbox.jobs
        }
        for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
    }
}
