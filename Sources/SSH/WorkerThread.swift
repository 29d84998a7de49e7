import Glibc

/// A short-lived thread for calls that block: name resolution, key exchange, the agent. Never Swift's cooperative pool,
/// where two blocked calls freeze a machine with two cores.
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
