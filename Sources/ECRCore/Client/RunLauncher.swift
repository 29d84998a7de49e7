import Glibc
package import JSON
import LinuxSystem
package import RunStore

/// Starts the supervisor of a run and waits until it is ready: the target connected, `run_started` on disk and the
/// `setup:` actions ended.
package struct RunLauncher {
    /// A supervisor that could not take up its work.
    package struct Failure: Error {
        package let failure: ECRFailure
        /// Whether the run has become one that must be kept: a failed setup is a record, a refused connection is not.
        package let isKept: Bool
        /// The supervisor has removed the run: its name may be another one's by now.
        package var isRemoved = false
        /// The signal that has ended the waiting alone: the run has begun, and its setup goes on.
        package var interruption: ExitCode?
    }

    private let run: RunDirectory
    private let isNew: Bool
    private let interrupt: InterruptSignal?
    private let answer: Answerer?

    /// - Parameters:
    ///   - isNew: the run was made for this, and is to go where it does not begin.
    ///   - answer: answers the supervisor's questions; nil where nobody can.
    package init(_ run: RunDirectory, isNew: Bool = false, interrupt: InterruptSignal?, answer: Answerer?) {
        self.run = run
        self.isNew = isNew
        self.interrupt = interrupt
        self.answer = answer
    }

    /// - Returns: the supervisor's `ready` object: target, host_key and facts; of a drain the ledger.
    package func spawn(
        _ task: Supervisor.Task, onTick: (() -> Void)? = nil, onMessage: (ControlClient.Message) -> Void
    ) throws(Failure) -> JSON {
        do {
            let (pid, link) = try start(task)
            return try wait(pid, link, onTick, onMessage)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(failure: ECRFailure(error), isKept: !task.isBeginning)
        }
    }

    private func start(_ task: Supervisor.Task) throws(SystemError) -> (pid: Int32, link: File) {
        let (ours, theirs) = try UnixSocket.pair()
        let log = try File(path: run.supervisorLog, O_WRONLY | O_CREAT | O_APPEND)
        let arguments = ["supervise", run.path, task.rawValue] + (isNew ? ["--new"] : [])
        let pid = try Spawn.detached(
            executable: Host.executablePath, arguments: arguments, log: log, ready: theirs.descriptor)
        return (pid, ours)
    }

    private func wait(
        _ pid: Int32, _ link: File, _ onTick: (() -> Void)?, _ onMessage: (ControlClient.Message) -> Void
    ) throws -> JSON {
        var lines = LineReceiver(link, interrupt: interrupt)
        var interruption: ExitCode?
        var hasBegun = false
        func note(_ code: ExitCode) throws {
            if hasBegun { throw underWay(code) }
            // The second one does not wait for the supervisor's own end.
            if interruption != nil {
                kill(pid, SIGTERM)
                throw cancelled(code)
            }
            interruption = code
            try? link.send(JSON.object(["cancel": true]).bytes + [0x0A])
        }
        while true {
            switch try lines.next(within: onTick == nil ? -1 : 1000) {
            case .line(let line):
                guard let json = try? JSON(parsing: line) else { continue }
                if let message = ControlClient.Message(json: json) { onMessage(message) }
                if let prompt = PromptLine(json: json) {
                    do { try link.send(prompt.answer(try answer?(prompt.question)).bytes + [0x0A]) } catch let
                        interrupted as ControlClient.Interrupted
                    { try note(interrupted.exitCode) }
                }
                if json["started"] != nil {
                    hasBegun = true
                    if let interruption { throw underWay(interruption) }
                }
                if let ready = json["ready"] { return ready }
                if let error = json["error"] {
                    if let interruption {
                        throw cancelled(interruption, isRemoved: error["removed"]?.bool ?? false)
                    }
                    throw Failure(
                        failure: ECRFailure(json: error), isKept: error["kept"]?.bool ?? true,
                        isRemoved: error["removed"]?.bool ?? false)
                }
            case .interrupt(let code): try note(code)
            case .tick: onTick?()
            case .end:
                if let interruption { throw cancelled(interruption) }
                throw Failure(failure: died(), isKept: hasStarted)
            }
        }
    }

    private func underWay(_ code: ExitCode) -> Failure {
        Failure(
            failure: ECRFailure(code, "the setup of run \(run.id) was not waited for"), isKept: true, interruption: code
        )
    }

    /// A run that is over can only be drained.
    private var isOver: Bool { (try? run.state())?.isOver ?? false }

    /// Whether there is more on record than the making of the run.
    private var hasStarted: Bool { (try? run.state())?.status != .created }

    private func cancelled(_ code: ExitCode, isRemoved: Bool = false) -> Failure {
        if isOver {
            let stopped = ECRFailure(
                code, "run \(run.id) is not drained to its end; what has come is on record",
                hint: "ecr run drain \(run.id), which goes on with the rest")
            return Failure(failure: stopped, isKept: true)
        }
        // A run that is gone has no state to ask for.
        let hasStarted = !isRemoved && hasStarted
        let hint = hasStarted ? "ecr run resume, or ecr run abort: what was begun may still run on the target" : nil
        return Failure(
            failure: ECRFailure(code, "the start of run \(run.id) was cancelled", hint: hint), isKept: hasStarted,
            isRemoved: isRemoved)
    }

    private func died() -> ECRFailure {
        if isOver {
            return ECRFailure(
                .unknownOutcome, "the supervisor that drained run \(run.id) died; what has come is on record",
                hint: "ecr run drain \(run.id)")
        }
        let log = String(decoding: (try? FileSystem.read(run.supervisorLog)) ?? [], as: UTF8.self)
        // Origin of 10: what fits on a screen beside the message; the whole is in the file.
        let tail = log.split(separator: "\n").suffix(10).map { "  \($0)" }.joined(separator: "\n")
        let words = tail.isEmpty ? "" : "; its last words:\n\(tail)"
        return ECRFailure(.bug, "the supervisor of run \(run.id) ended before it was ready\(words)")
    }
}
