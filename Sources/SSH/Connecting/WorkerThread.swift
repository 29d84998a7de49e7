import Glibc

/// A short-lived thread for calls that block: name resolution, key exchange, the agent, a person. Never Swift's
/// cooperative pool, where two blocked calls freeze a machine with two cores.
enum WorkerThread {
    /// Starts a detached thread with every signal blocked: a `send` of libssh to a closed socket must not raise SIGPIPE,
    /// and the process's signals belong to its own threads.
    static func start(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(run: body)).toOpaque()
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { WorkerThread.enter($0) }, box)
        precondition(code == 0, "no thread can be started: \(String(cString: strerror(code)))")
        pthread_detach(thread)
    }

    /// Runs steps of a connection and waits for them.
    ///
    /// Name resolution and a locked agent block where no deadline reaches; the caller is then told without them, and
    /// what comes of it later is discarded.
    static func run<Value: Sendable>(
        until deadline: Deadline, place: String, discard: @escaping @Sendable (Value) -> Void = { _ in },
        _ body: @escaping @Sendable () throws(SSHError) -> Value
    ) async throws(SSHError) -> Value {
        let reply = FirstReply<Result<Value, SSHError>>()
        let watchdog = Task {
            try await deadline.wait(beyond: grace)
            let message = "cannot reach \(place): timed out after \(deadline.description)"
            _ = reply.give(.failure(SSHError(.unreachable, message)))
        }
        defer { watchdog.cancel() }
        let result = await reply.value {
            start {
                let result = Result { () throws(SSHError) in try body() }
                if !reply.give(result), case .success(let unwanted) = result { discard(unwanted) }
            }
        }
        return try result.get()
    }

    /// Seconds in which the worker's own deadline, which knows more, may speak first.
    private static let grace = 0.5

    private static func enter(_ box: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        Unmanaged<Body>.fromOpaque(box!).takeRetainedValue().run()
        return nil
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
