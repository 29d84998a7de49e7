import Glibc
package import JSON
import LinuxSystem
package import RunStore

/// One request to a run's supervisor over its Unix socket. Blocks its thread; for one request.
///
/// The protocol, JSON lines: both sides begin with `{"protocol":1,"ecr":"0.1.0"}`. The client sends one request; the
/// supervisor answers with any number of `begun`, `phase`, `recorded`, `progress`, `holding`, `ended`, `transferring`,
/// `transferred`, `link` and `event` lines and one last `result` or `error`.
/// A request with `"input":true` comes from a terminal: it may be asked by `prompt` lines, which it answers by `answer`.
/// A later `{"cancel":true}` calls off a transfer by hand, whose last line then says what has come of it.
package struct ControlClient {
    /// What comes before the result.
    package enum Message: Sendable {
        /// The job has its id: from now on it may run.
        case begun(job: String)
        /// What it does from now on.
        case phase(job: String, JobPhase)
        /// The raw log of a job's stream holds so many bytes now.
        case recorded(job: String, stream: String, bytes: Int64)
        case progress(String)
        /// A rule holds what is waited for; comes again every second.
        case holding(String)
        /// One of several jobs that are waited for has ended: its result object.
        case ended(JSON)
        case link(LinkNews)
        /// Files are on their way.
        case transferring(TransferNews)
        /// A file is in the run: its path there, and its bytes.
        case transferred(path: String, size: Int64)
        /// A whole event of the stream.
        case event(JSON)
    }

    private let run: RunDirectory
    private let interrupt: InterruptSignal?
    private let answer: Answerer?
    private let trace: (String) -> Void

    /// - Parameters:
    ///   - interrupt: ends the waiting for an answer; nil leaves the signals to their defaults.
    ///   - answer: answers the supervisor's questions; nil where nobody can.
    ///   - trace: is told of every line that is sent or received, but not of what a person has answered.
    package init(
        _ run: RunDirectory, interrupt: InterruptSignal? = nil, answer: Answerer? = nil,
        trace: @escaping (String) -> Void = { _ in }
    ) {
        self.run = run
        self.interrupt = interrupt
        self.answer = answer
        self.trace = trace
    }

    /// The signal came before the answer. What was asked for goes on in the supervisor, but for a transfer by hand, which
    /// is cancelled as its client goes.
    package struct Interrupted: Error {
        package let exitCode: ExitCode
        package init(exitCode: ExitCode) { self.exitCode = exitCode }
    }

    /// Sends a request and waits for its end.
    /// - Throws: the supervisor's `ECRFailure`, `.unknownOutcome` when it dies before it has answered, `Interrupted`.
    /// - Parameters:
    ///   - onInterrupt: told of the first signal, which calls the request off; its end is waited for all the same. nil where
    ///     a signal ends the waiting.
    ///   - onTick: called every second in which nothing came; nil where nobody looks at a clock.
    package func request(
        _ request: JSON, onInterrupt: ((ExitCode) -> Void)? = nil, onTick: (() -> Void)? = nil,
        onMessage: (Message) -> Void = { _ in }
    ) throws -> JSON {
        var onInterrupt = onInterrupt
        let socket = try connect()
        var lines = LineReceiver(socket, interrupt: interrupt)
        try ask(["protocol": .int(ECRVersion.protocol), "ecr": .string(ECRVersion.current)], on: socket)
        try checkHello(try receiveHello(&lines))
        try ask(withInput(request), on: socket)
        while true {
            let line: JSON
            do { line = try receive(&lines, onTick) } catch let interrupted as Interrupted {
                guard let told = onInterrupt else { throw interrupted }
                onInterrupt = nil
                told(interrupted.exitCode)
                // A supervisor that takes nothing any more has answered, or has died: the next line tells.
                try? socket.send(Self.cancellation.bytes + [0x0A])
                continue
            }
            if let result = line["result"] { return result }
            if let error = line["error"] { throw ECRFailure(json: error) }
            if let message = Message(json: line) { onMessage(message) }
            if let prompt = PromptLine(json: line) {
                trace("(an answer)")
                try write(prompt.answer(try answer?(prompt.question)), to: socket)
            }
        }
    }

    private static let cancellation: JSON = ["cancel": true]

    private func withInput(_ request: JSON) -> JSON {
        guard answer != nil, var members = request.object else { return request }
        members["input"] = true
        return .object(members)
    }

    /// Origin: a supervisor listens a few milliseconds after it has taken its lock; ten seconds is far more than any
    /// machine needs for that.
    private static let patience = (tries: 500, microseconds: UInt32(20_000))

    private func connect() throws(ECRFailure) -> File {
        for _ in 0..<Self.patience.tries {
            if let socket = try? UnixSocket.connect(to: run.socket) { return socket }
            guard run.hasSupervisor() else {
                throw supervisorLeft()
            }
            usleep(Self.patience.microseconds)
        }
        throw ECRFailure(
            .busy, "the supervisor of run \(run.id) does not answer on \(run.socket)", hint: "ecr run status")
    }

    /// What does not arrive as a whole line has asked for nothing.
    private func ask(_ json: JSON, on socket: File) throws(ECRFailure) {
        trace("> \(json.text)")
        do { try socket.send(json.bytes + [0x0A]) } catch { throw supervisorLeft() }
    }

    private func write(_ json: JSON, to socket: File) throws(ECRFailure) {
        do { try socket.send(json.bytes + [0x0A]) } catch { throw supervisorDied() }
    }

    private func receive(_ lines: inout LineReceiver, _ onTick: (() -> Void)? = nil) throws -> JSON {
        while true {
            switch try lines.next(within: onTick == nil ? -1 : 1000) {
            case .tick: onTick?()
            case .end: throw supervisorDied()
            case .interrupt(let code): throw Interrupted(exitCode: code)
            case .line(let line):
                trace("< \(String(decoding: line, as: UTF8.self))")
                do { return try JSON(parsing: line) } catch {
                    throw ECRFailure(.bug, "the supervisor of run \(run.id) sent a line that is not JSON: \(error)")
                }
            }
        }
    }

    /// A supervisor that is stopped, or hangs, takes connections and says nothing. Nothing has been asked yet.
    private func receiveHello(_ lines: inout LineReceiver) throws -> JSON {
        switch try lines.next(within: Self.helloMilliseconds) {
        case .tick:
            throw ECRFailure(
                .busy, "the supervisor of run \(run.id) does not answer; is it stopped?",
                hint: "ps -C ecr -o pid,stat,args, then kill -CONT its pid")
        case .end: throw supervisorLeft()
        case .interrupt(let code): throw Interrupted(exitCode: code)
        case .line(let line):
            trace("< \(String(decoding: line, as: UTF8.self))")
            guard let hello = try? JSON(parsing: line) else {
                throw ECRFailure(.bug, "the supervisor of run \(run.id) sent a greeting that is not JSON")
            }
            return hello
        }
    }

    /// Origin: a greeting takes less than a millisecond; ten seconds bear a laptop that swaps.
    private static let helloMilliseconds: Int32 = 10_000

    private func checkHello(_ hello: JSON) throws(ECRFailure) {
        if let error = hello["error"] { throw ECRFailure(json: error) }
        guard hello["protocol"]?.int != ECRVersion.protocol else { return }
        let theirs = hello["protocol"]?.int.map { String($0) } ?? "unknown"
        throw ECRFailure(
            .configuration,
            "this is ecr \(ECRVersion.current) (protocol \(ECRVersion.protocol)), but the supervisor of run \(run.id) is "
                + "ecr \(hello["ecr"]?.string ?? "of an unknown version") (protocol \(theirs))",
            hint: "use the ecr that started the run")
    }

    private func supervisorLeft() -> ECRFailure {
        ECRFailure(.busy, "the supervisor of run \(run.id) has just ended", hint: "ecr run status")
    }

    private func supervisorDied() -> ECRFailure {
        ECRFailure(
            .unknownOutcome, "the supervisor of run \(run.id) died before it answered; the outcome is unknown",
            hint: "ecr run resume, then ecr run follow")
    }
}

extension ControlClient.Message {
    init?(json: JSON) {
        if let recorded = json["recorded"], let job = recorded["job"]?.string,
            let stream = recorded["stream"]?.string, let bytes = recorded["bytes"]?.int
        {
            self = .recorded(job: job, stream: stream, bytes: bytes)
        } else if let job = json["begun"]?["job"]?.string {
            self = .begun(job: job)
        } else if let news = json["phase"], let job = news["job"]?.string,
            let phase = JobPhase(rawValue: news["phase"]?.string ?? "")
        {
            self = .phase(job: job, phase)
        } else if let text = json["progress"]?.string {
            self = .progress(text)
        } else if let text = json["holding"]?.string {
            self = .holding(text)
        } else if let ended = json["ended"] {
            self = .ended(ended)
        } else if let news = json["transferring"] {
            self = .transferring(TransferNews(json: news))
        } else if let file = json["transferred"], let path = file["path"]?.string {
            self = .transferred(path: path, size: file["size"]?.int ?? 0)
        } else if let news = LinkNews(json: json) {
            self = .link(news)
        } else if let event = json["event"] {
            self = .event(event)
        } else {
            return nil
        }
    }
}
