import Glibc
import LinuxSystem
import Synchronization

/// What is known about a running child, shared by its two threads and the test.
final class CommandState: Sendable {
    /// One moment of the child.
    struct Snapshot: Sendable {
        var output: [UInt8] = []
        var error: [UInt8] = []
        /// Set once the child has been reaped.
        var status: Int32?
        /// Both streams have ended, or nobody waits for their end any more.
        var streamsEnded = false
        var timedOut = false

        var isFinished: Bool { streamsEnded && status != nil }
        var result: CommandResult { CommandResult(status: status ?? -1, output: output, error: error) }
    }

    private struct Guarded {
        var snapshot = Snapshot()
        /// Each says whether it was resumed.
        var waiters: [@Sendable (Snapshot) -> Bool] = []
        var input: File?
        /// Bytes for stdin; nil is its end.
        var queue: [[UInt8]?] = []
    }

    private let pid: pid_t
    private let streams: [File]
    private let guarded: Mutex<Guarded>

    init(_ child: ChildProcess) {
        pid = child.pid
        streams = [child.output, child.error]
        guarded = Mutex(Guarded(input: child.input))
    }

    var snapshot: Snapshot { guarded.withLock { $0.snapshot } }

    /// Waits until `probe` has an answer; it is asked again after every change.
    func wait<Answer: Sendable>(_ probe: @escaping @Sendable (Snapshot) -> Answer?) async -> Answer {
        await withCheckedContinuation { continuation in
            let waiter: @Sendable (Snapshot) -> Bool = { snapshot in
                guard let answer = probe(snapshot) else { return false }
                continuation.resume(returning: answer)
                return true
            }
            guarded.withLock { if !waiter($0.snapshot) { $0.waiters.append(waiter) } }
        }
    }

    private func change(_ body: (inout Snapshot) -> Void) {
        guarded.withLock { guarded in
            body(&guarded.snapshot)
            let now = guarded.snapshot
            guarded.waiters.removeAll { $0(now) }
        }
    }

    /// Signals the process group while the child is not reaped, so that the id cannot belong to anybody else.
    func signal(_ number: Int32) {
        guarded.withLock { if $0.snapshot.status == nil { kill(-pid, number) } }
    }

    func queue(_ bytes: [UInt8]?) { guarded.withLock { $0.queue.append(bytes) } }

    /// Body of the thread that reaps the child.
    func awaitExit() {
        var information = siginfo_t()
        // WNOWAIT leaves the child a zombie, so that `signal` cannot hit a new process of the same id.
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) == -1 && errno == EINTR {}
        change { snapshot in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
            let signal = status & 0x7F
            snapshot.status = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
        }
    }

    /// Body of the thread that reads both streams to their ends and feeds stdin.
    func collectStreams(until deadline: ContinuousClock.Instant?) {
        var open = [true, true]
        while open.contains(true) {
            if let deadline, ContinuousClock.now >= deadline { return endByTimeout() }
            feedInput()
            for index in readable(open) { open[index] = readOnce(index) }
        }
        while let deadline, snapshot.status == nil {
            if ContinuousClock.now >= deadline { return endByTimeout() }
            usleep(2000)
        }
        change { $0.streamsEnded = true }
    }

    private func endByTimeout() {
        signal(SIGKILL)
        change {
            $0.timedOut = true
            $0.streamsEnded = true
        }
    }

    /// The streams that have bytes or have ended, after at most 20 ms, so that queued input and the deadline are seen.
    private func readable(_ open: [Bool]) -> [Int] {
        var requests = streams.indices.map {
            pollfd(fd: open[$0] ? streams[$0].descriptor : -1, events: Int16(POLLIN), revents: 0)
        }
        guard poll(&requests, nfds_t(requests.count), 20) > 0 else { return [] }
        return requests.indices.filter { requests[$0].revents != 0 }
    }

    /// Reads what a stream has; false at its end.
    private func readOnce(_ index: Int) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(streams[index].descriptor, &buffer, buffer.count)
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        guard count > 0 else { return false }
        change { snapshot in
            if index == 0 { snapshot.output += buffer[..<count] } else { snapshot.error += buffer[..<count] }
        }
        return true
    }

    /// Writes what stdin takes without waiting; a pipe that nobody reads any more is closed.
    private func feedInput() {
        guarded.withLock { guarded in
            while let input = guarded.input, let next = guarded.queue.first {
                var request = pollfd(fd: input.descriptor, events: Int16(POLLOUT), revents: 0)
                guard poll(&request, 1, 0) > 0 else { return }
                guard let bytes = next else {
                    guarded.input = nil
                    return
                }
                // A writable pipe takes PIPE_BUF (4096) bytes without blocking (pipe(7)).
                let count = write(input.descriptor, bytes, min(bytes.count, 4096))
                guard count >= 0 else {
                    guarded.input = nil
                    return
                }
                let rest = Array(bytes.dropFirst(count))
                if rest.isEmpty { guarded.queue.removeFirst() } else { guarded.queue[0] = rest }
            }
        }
    }
}
