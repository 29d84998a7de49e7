import EventLog
import Glibc
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore
import SSH
import YAML

/// The background process that owns one started run.
///
/// It holds byte 0 (the right to append) and byte 1 (a supervisor lives) of the event stream, the session to the target
/// and the control socket. It ends when the run does; when it dies earlier the kernel releases both bytes, and the run
/// reads as interrupted.
package enum Supervisor {
    /// Runs until the run is over.
    /// - Parameters:
    ///   - directory: the absolute path of the run.
    ///   - task: what is to be done with the run.
    ///   - isNew: the run was made for this start, and is nothing without it.
    /// - Returns: the exit code of the process.
    package static func run(directory: String, task: Task, isNew: Bool) async -> Int32 {
        umask(0o077)
        signal(SIGPIPE, SIG_IGN)
        Host.shareMemoryArenas()
        let launcher = LauncherLink()
        func report(_ error: any Error) {
            let (failure, run) = (ECRFailure(error), RunDirectory(path: directory))
            let isKept = (try? run.state())?.status != .created
            log("cannot \(task.rawValue): \(failure.message)")
            // By us, and before the command is told: it may be dead or dying, since its terminal was closed at a question.
            // Afterwards the name may be that of another run.
            let isRemoved = isNew && !isKept && (try? run.remove()) != nil
            launcher.fail(failure, isKept: isKept, isRemoved: isRemoved)
        }
        do {
            let life = try SupervisorLife(RunDirectory(path: directory))
            do { launcher.ready(try await life.begin(task, launcher)) } catch is EndedMeanwhile {
                launcher.fail(
                    ECRFailure(.experimentSaidNo, "the run was aborted while its setup ran", hint: "ecr run show"),
                    isKept: true)
            } catch {
                report(error)
                await life.end()
                return ECRFailure(error).exitCode
            }
            let code = await life.waitUntilOver()
            await life.end()
            return code
        } catch {
            report(error)
            return ECRFailure(error).exitCode
        }
    }

    /// What a supervisor is started for.
    package enum Task: String, Sendable, CaseIterable {
        /// Begins a run that has only been created.
        case start
        /// The same on a target that another controller uses, beside it.
        case startShared = "start-shared"
        /// The same, taking the target over.
        case startTakingOver = "start-taking-over"
        /// Takes up an interrupted run.
        case resume
        /// Fetches what a run that was completed without its target has left there, and ends.
        case drain
        /// The same, but cancels what still runs instead of waiting for it.
        case drainAtOnce = "drain-at-once"

        var isBeginning: Bool { [.start, .startShared, .startTakingOver].contains(self) }
    }

    /// A line in `logs/supervisor.log`, which is this process's stderr.
    static func log(_ text: String) {
        let line = "\(Clock.iso8601(microseconds: Clock.wallMicroseconds())) \(text)\n"
        _ = Array(line.utf8).withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }
}

/// Descriptor 3: what the command that started the supervisor is told until the run has begun, and how it answers
/// questions, or takes back what it wanted. Writes block: the process may end right after them.
private final class LauncherLink: Sendable {
    private let socket = File(adopting: 3, path: "the launcher")
    private let questions = PendingQuestions()
    private let standing = Locked(Standing())

    private struct Standing {
        /// Something is being made on the target.
        var isCommitted = false
    }

    init() {
        _ = fcntl(3, F_SETFD, FD_CLOEXEC)
        startThread { [self] in
            var received = LineReceiver(socket, interrupt: nil)
            while case .line(let line)? = try? received.next() {
                guard let json = try? JSON(parsing: line) else { continue }
                if json["cancel"] != nil { cancel() }
                questions.take(json)
            }
            questions.end()
        }
    }

    /// Nothing has been made yet, so nothing must be undone: the kernel gives the locks back. Later the command waits
    /// for the start, and aborts the run; a question that is open is answered by nobody.
    private func cancel() {
        standing.withLock { if !$0.isCommitted { _exit(ExitCode.interrupted.rawValue) } }
        questions.end()
    }

    /// To be called before anything is made on the target.
    func commit() { standing.withLock { $0.isCommitted = true } }

    /// The run has begun, and can be reached by other commands.
    func started() { send(["started": true]) }

    func ask(_ question: Question) async -> String? { await questions.ask(question) { self.send($0) } }

    func progress(_ text: String) { send(["progress": .string(text)]) }

    /// - Parameter what: what the launcher's command reports.
    func ready(_ what: JSON) {
        send(["ready": what])
        shutdown(socket.descriptor, Int32(SHUT_RDWR))
    }

    func fail(_ failure: ECRFailure, isKept: Bool, isRemoved: Bool = false) {
        send(["error": JSON(failure, ["kept": .bool(isKept), "removed": .bool(isRemoved)])])
    }

    func send(_ json: JSON) { try? socket.write(json.bytes + [0x0A]) }
}

extension JSON {
    /// An error object of the control protocol.
    init(_ failure: ECRFailure, _ more: JSONObject = [:]) {
        let error: JSONObject = [
            "exit": .int(Int64(failure.exitCode)), "message": .string(failure.message),
            "hint": failure.hint.map { .string($0) },
        ]
        self = .object(JSONObject(error, more))
    }
}

/// One supervisor from its locks to its end.
private final class SupervisorLife: Sendable {
    private let options: SSHOptions
    private let directory: RunDirectory
    private let journal: Journal
    private let engine: RunEngine
    private let prompts: PromptRelay
    private let secrets: SecretValues
    private let ending: SupervisorEnd
    private let notifier: Notifier?

    /// Takes the locks and reads the profile as it was given at the run's making.
    init(_ directory: RunDirectory) throws {
        self.directory = directory
        let ending = SupervisorEnd(run: directory.id)
        self.ending = ending
        journal = try Journal(directory) { Self.noticeStorageFailure($0, ending) }
        guard try journal.file.lock(byte: EventWriter.supervisorByte) else {
            throw ECRFailure(.busy, "run \(directory.id) has a supervisor already", hint: "ecr run status")
        }
        notifier = Notifier(journal.state.notify, directory)
        if let notifier { journal.listen { notifier.take($0) } }
        let bytes = try FileSystem.read(directory.profileSnapshot)
        let profile = try Profile.parse(bytes, file: directory.profileSnapshot)
        secrets = try SecretValues(profile)
        for value in secrets.byVariable.values { journal.secrets.add(value) }
        prompts = PromptRelay(secrets: journal.secrets)
        var options = try SSHOptions(profile.connection, profileFile: journal.state.profileFile)
        options.ask = prompts.ask
        self.options = options
        engine = RunEngine(
            journal: journal, profile: profile, options: options, prompts: prompts, secrets: secrets)
    }

    /// Brings the run to life, and listens on the control socket.
    /// - Returns: what the command that started us reports.
    func begin(_ task: Supervisor.Task, _ launcher: LauncherLink) async throws -> JSON {
        let ending = ending
        await engine.setFatalHandler { Self.noticeStorageFailure($0, ending) }
        await engine.setOverHandler { ending.send() }
        await engine.link.setReturnHandler { [engine] in await engine.linkReturned(isRebooted: $0) }
        await engine.link.setGivingUpHandler { error in
            Supervisor.log("the link is given up: \(error)")
            ending.fail(
                with: ECRFailure(
                    .unreachable, "the link is given up: \(ECRFailure(error).message)", hint: "ecr run resume"))
        }
        let asked = prompts.add { await launcher.ask($0) }
        defer { prompts.remove(asked) }
        let tell: @Sendable (String) -> Void = { launcher.progress($0) }
        let hear: RunEngine.Listener = { job, news in launcher.send(JSON(news, of: job)) }
        secrets.warnings.forEach { tell("warning: \($0)") }
        let tellWarning: @Sendable () async -> Void = { [engine] in
            if let warning = await engine.link.warning { tell("warning: \(warning)") }
        }
        switch task {
        case .start, .startShared, .startTakingOver:
            let claim: SpoolClaim = task == .start ? .refuse : task == .startShared ? .share : .takeOver
            try await engine.start(claim: claim) { launcher.commit() }
            await tellWarning()
            try listen()
            launcher.started()
            try await engine.setUp(progress: tell, listener: hear)
            await journal.saveManifest()
            return report
        case .resume:
            _ = try await engine.resume(progress: tell)
            await tellWarning()
        case .drain, .drainAtOnce:
            try listen()
            let result = try await engine.drain(cancelRunning: task == .drainAtOnce, progress: tell, listener: hear)
            ending.send()
            return result
        }
        await journal.saveManifest()
        try listen()
        return report
    }

    private static func noticeStorageFailure(_ error: any Error, _ ending: SupervisorEnd) {
        Supervisor.log("cannot record: \(error)")
        ending.fail(with: ECRFailure(error))
    }

    private func listen() throws { try ControlServer(engine: engine, ending: ending).listen(at: directory.socket) }

    private var report: JSON {
        let (connection, facts) = (journal.state.connection, journal.state.facts)
        return [
            "target": ["host": connection["host"], "port": connection["port"], "user": connection["user"]],
            "host_key": connection["host_key"],
            "facts": [
                "kernel": facts["kernel"], "os": facts["os"], "model": facts["model"], "hostname": facts["hostname"],
            ],
        ]
    }

    func waitUntilOver() async -> Int32 {
        let manifests = Task { await self.keepManifest() }
        let clocks = Task { await self.watchClocks() }
        let code = await withCheckedContinuation { continuation in
            startThread { [ending] in continuation.resume(returning: ending.wait()) }
        }
        manifests.cancel()
        clocks.cancel()
        return code
    }

    private func watchClocks() async {
        var watch = ClockWatch()
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(2))
            if let jump = watch.look() { _ = try? await journal.append(.clockJump, jump) }
        }
    }

    /// Gives the run back. What is told of its last events then goes on for a while without holding it.
    func end() async {
        await withCheckedContinuation { continuation in
            startThread { [directory, journal, notifier] in
                unlink(directory.socket)
                journal.close()
                journal.file.unlock(byte: EventWriter.supervisorByte)
                notifier?.finish()
                continuation.resume()
            }
        }
    }

    /// The manifest's checkpoint moves along every few seconds, so that readers fold only a short tail.
    private func keepManifest() async {
        var saved = journal.state.checkpoint.seq
        var pause = Duration.seconds(5)
        while !Task.isCancelled {
            try? await Task.sleep(for: pause)
            let seq = journal.state.checkpoint.seq
            if seq == saved || Task.isCancelled { continue }
            // That of a hundred thousand files takes a second to write: it may take a twentieth of the time.
            let took = await ContinuousClock().measure { await journal.saveManifest() }
            pause = max(.seconds(5), took * 20)
            saved = seq
        }
    }
}
