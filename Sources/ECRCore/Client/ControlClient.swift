import Glibc
package import JSON
import LinuxSystem
package import RunStore

/// One request to a run's supervisor over its Unix socket. Blocks its thread; for one request.
///
/// The protocol, JSON lines: both sides begin with `{"protocol":1,"ecr":"0.1.0"}`. The client sends one request; the
/// supervisor answers with any number of `begun`, `recorded`, `progress` and `event` lines and one last `result` or `error`.
package struct ControlClient {
    /// What comes before the result.
    package enum Message: Sendable {
        /// The job has its id: from now on it may run.
        case begun(job: String)
        /// The raw log of a job's stream holds so many bytes now.
        case recorded(job: String, stream: String, bytes: Int64)
        case progress(String)
        /// A whole event of the stream.
        case event(JSON)
    }

    private let run: RunDirectory
    private let interrupt: InterruptSignal?
    private let trace: (String) -> Void

    /// - Parameters:
    ///   - interrupt: ends the waiting for an answer; nil leaves the signals to their defaults.
    ///   - trace: is told of every line that is sent or received.
    package init(
        _ run: RunDirectory, interrupt: InterruptSignal? = nil, trace: @escaping (String) -> Void = { _ in }
    ) {
        self.run = run
        self.interrupt = interrupt
        self.trace = trace
    }

    /// The signal came before the answer. What was asked for goes on in the supervisor.
    package struct Interrupted: Error {
        package let exitCode: ExitCode
    }

    /// Sends a request and waits for its end.
    /// - Throws: the supervisor's `ECRFailure`, `.unknownOutcome` when it dies before it has answered, `Interrupted`.
    package func request(_ request: JSON, onMessage: (Message) -> Void = { _ in }) throws -> JSON {
        let socket = try connect()
        var lines = LineReceiver(socket, interrupt: interrupt)
        try send(["protocol": .int(ECRVersion.protocol), "ecr": .string(ECRVersion.current)], to: socket)
        try checkHello(try receive(&lines))
        try send(request, to: socket)
        while true {
            let answer = try receive(&lines)
            if let result = answer["result"] { return result }
            if let error = answer["error"] { throw ECRFailure(json: error) }
            if let message = Message(json: answer) { onMessage(message) }
        }
    }

    /// Origin: a supervisor listens a few milliseconds after it has taken its lock; ten seconds is far more than any
    /// machine needs for that.
    private static let patience = (tries: 500, microseconds: UInt32(20_000))

    private func connect() throws(ECRFailure) -> File {
        for _ in 0..<Self.patience.tries {
            if let socket = try? UnixSocket.connect(to: run.socket) { return socket }
            guard run.hasSupervisor() else {
                throw ECRFailure(.busy, "the supervisor of run \(run.id) has just ended", hint: "ecr run status")
            }
            usleep(Self.patience.microseconds)
        }
        throw ECRFailure(
            .busy, "the supervisor of run \(run.id) does not answer on \(run.socket)", hint: "ecr run status")
    }

    private func send(_ json: JSON, to socket: File) throws(ECRFailure) {
        trace("> \(json.text)")
        let bytes = json.bytes + [0x0A]
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                // Without the flag a supervisor's death would end us by SIGPIPE, wordless.
                Glibc.send(socket.descriptor, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw supervisorDied() }
            done += count
        }
    }

    private func receive(_ lines: inout LineReceiver) throws -> JSON {
        switch try lines.next() {
        case .end: throw supervisorDied()
        case .interrupt(let code): throw Interrupted(exitCode: code)
        case .line(let line):
            trace("< \(String(decoding: line, as: UTF8.self))")
            do { return try JSON(parsing: line) } catch {
                throw ECRFailure(.bug, "the supervisor of run \(run.id) sent a line that is not JSON: \(error)")
            }
        }
    }

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
        } else if let text = json["progress"]?.string {
            self = .progress(text)
        } else if let event = json["event"] {
            self = .event(event)
        } else {
            return nil
        }
    }
}
