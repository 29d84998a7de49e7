/// Owns every session, channel and transfer. Its executor is the poll loop: a job runs on the one thread that may call
/// libssh, between two polls.
@globalActor package actor SSHActor {
    package static let shared = SSHActor()

    nonisolated package var unownedExecutor: UnownedSerialExecutor { PollLoop.shared.asUnownedSerialExecutor() }

    /// Enters the actor from code that already runs on the loop's thread: the loop itself and libssh's callbacks.
    ///
    /// A global actor of one's own lacks what `MainActor.assumeIsolated` does; this is the same cast behind the same check.
    static func assumeIsolated<Success>(_ body: @SSHActor () -> Success) -> Success {
        shared.preconditionIsolated()
        return withoutActuallyEscaping(body) { unsafeBitCast($0, to: (() -> Success).self)() }
    }
}
