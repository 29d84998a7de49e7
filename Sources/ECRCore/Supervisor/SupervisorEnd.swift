import JSON
import LinuxSystem

/// How a supervisor comes to its end. One that ends without being asked to refuses what is asked for from then on, and
/// tells everybody who still waits why: a client that is left without an answer could only say that it knows nothing.
/// Thread-safe.
final class SupervisorEnd: Sendable {
    private struct Content {
        var failure: ECRFailure?
        /// Requests without an answer, by their numbers.
        var open: [Int: Waiting] = [:]
        var last = 0
    }

    private struct Waiting {
        let isAboutJob: Bool
        let client: ClientConnection
    }

    private let codes = Mailbox<Int32>()
    private let content = Locked(Content())
    private let run: String

    /// - Parameter run: the run's id.
    init(run: String) { self.run = run }

    /// The run is over.
    func send() { codes.send(ExitCode.success.rawValue) }

    /// Waits for the end, and returns the exit code of the process. Blocks its thread.
    func wait() -> Int32 { codes.takeAll()?.first ?? ExitCode.success.rawValue }

    /// Nothing more can be done for the run, which then reads as interrupted, and can be resumed.
    func fail(with failure: ECRFailure) {
        content.withLock { $0.failure = $0.failure ?? failure }
        Task {
            // Origin of 1 s: whoever has met with the failure itself says so better.
            try? await Task.sleep(for: .seconds(1))
            answerAll()
            // The clients' threads write the answers; give them the moment that this takes.
            try? await Task.sleep(for: .milliseconds(50))
            codes.send(failure.exitCode)
        }
    }

    /// Why it is about to end without being asked to; nil while it is not.
    var failure: ECRFailure? { content.withLock { $0.failure } }

    // MARK: Clients

    /// - Parameter isAboutJob: it waits for a job, which goes on without a supervisor.
    /// - Returns: its number.
    /// - Throws: why it is refused.
    func admit(_ client: ClientConnection, isAboutJob: Bool) throws(ECRFailure) -> Int {
        let (number, failure) = content.withLock { content in
            content.last += 1
            if content.failure == nil { content.open[content.last] = Waiting(isAboutJob: isAboutJob, client: client) }
            return (content.last, content.failure)
        }
        if let failure { throw refusal(because: failure) }
        return number
    }

    /// It has its answer.
    func dismiss(_ number: Int) { content.withLock { $0.open[number] = nil } }

    private func answerAll() {
        let (open, failure) = content.withLock { ($0.open.values, $0.failure) }
        guard let failure else { return }
        for waiting in open {
            let answer = waiting.isAboutJob ? unknown(because: failure) : refusal(because: failure)
            waiting.client.finish(["error": JSON(answer)])
        }
    }

    private func refusal(because failure: ECRFailure) -> ECRFailure {
        ECRFailure(
            failure.exitCode, "the supervisor of run \(run) ends: \(failure.message)", hint: failure.hint)
    }

    private func unknown(because failure: ECRFailure) -> ECRFailure {
        let rest = "ecr run resume, then ecr run follow"
        return ECRFailure(
            .unknownOutcome,
            "the supervisor of run \(run) ends, so the outcome is unknown: \(failure.message)", hint: rest)
    }
}
