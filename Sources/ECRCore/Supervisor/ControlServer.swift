import Glibc
import JSON
import LinuxSystem

/// Listens on the control socket: a thread that accepts, and a thread for each client's lines. Requests run as tasks.
struct ControlServer: Sendable {
    private let handler: RequestHandler

    /// - Parameter ending: is told when a request has ended the run and its answer is on its way.
    init(engine: RunEngine, ending: SupervisorEnd) { handler = RequestHandler(engine: engine, ending: ending) }

    func listen(at path: String) throws(SystemError) {
        let listener = try UnixSocket.listen(at: path)
        startThread { [handler] in
            while true {
                do {
                    guard let socket = try UnixSocket.accept(on: listener) else { continue }
                    startThread { ClientConnection(socket).serve(handler) }
                } catch {
                    Supervisor.log("\(error)")
                    usleep(100_000)
                }
            }
        }
    }
}

/// One client: reads its request, then writes what the request's task sends until the last line, and reads the answers
/// to questions meanwhile. `send` and `ask` may be called from anywhere.
final class ClientConnection: Sendable {
    private let socket: File
    private let lines = ClientLines()
    private let questions = PendingQuestions()
    private let presence = Locked(Presence.here(whenGone: nil))

    private enum Presence {
        case here(whenGone: (@Sendable () -> Void)?)
        /// Before it had its answer; or it has called its request off, and waits for what has come of it.
        case gone
        case answered
    }

    init(_ socket: File) { self.socket = socket }

    /// Queues a line; a client that is gone or slow never holds up the run.
    func send(_ json: JSON) { lines.send(json) }

    /// Queues what goes on with a job.
    func tell(_ news: JobNews, of job: String) { lines.tell(news, of: job) }

    /// Queues the last line.
    func finish(_ json: JSON) {
        lines.send(json)
        lines.close()
    }

    /// Asks the person at the client's terminal.
    func ask(_ question: Question) async -> String? { await questions.ask(question) { self.send($0) } }

    /// - Parameter body: called once the client has gone before its answer, or has called its request off, from the client's
    ///   thread; at once where it has already.
    func whenGone(_ body: @escaping @Sendable () -> Void) {
        let isGone = presence.withLock { presence in
            switch presence {
            case .here: presence = .here(whenGone: body)
            case .gone: return true
            case .answered: break
            }
            return false
        }
        if isGone { body() }
    }

    private func noticeDeparture() {
        let body = presence.withLock { presence in
            guard case .here(let body) = presence else { return (@Sendable () -> Void)?.none }
            presence = .gone
            return body
        }
        body?()
    }

    fileprivate func serve(_ handler: RequestHandler) {
        var received = LineReceiver(socket, interrupt: nil)
        let hello: JSON = ["protocol": .int(ECRVersion.protocol), "ecr": .string(ECRVersion.current)]
        guard write(hello), let theirs = next(&received) else { return }
        guard theirs["protocol"]?.int == ECRVersion.protocol else {
            let failure = ECRFailure(
                .configuration,
                "the supervisor is ecr \(ECRVersion.current) (protocol \(ECRVersion.protocol)), the command is ecr "
                    + "\(theirs["ecr"]?.string ?? "of an unknown version")",
                hint: "use the ecr that started the run")
            _ = write(["error": JSON(failure)])
            return
        }
        guard let request = next(&received) else { return }
        startThread { self.writeLines() }
        Task { await handler.handle(request, self) }
        while let line = next(&received) {
            if line["cancel"]?.bool == true { noticeDeparture() } else { questions.take(line) }
        }
        questions.end()
        noticeDeparture()
    }

    private func writeLines() {
        var isThere = true
        while let batch = lines.takeAll() {
            for line in batch where isThere {
                isThere = write(line)
                if !isThere { lines.close() }
            }
        }
        if isThere { presence.withLock { $0 = .answered } }
        // Ends the reading, too: a client that has its answer has nothing more to say.
        shutdown(socket.descriptor, Int32(SHUT_RDWR))
    }

    private func next(_ received: inout LineReceiver) -> JSON? {
        guard case .line(let line)? = try? received.next() else { return nil }
        return try? JSON(parsing: line)
    }

    private func write(_ json: JSON) -> Bool { write(json.bytes + [0x0A]) }

    private func write(_ line: [UInt8]) -> Bool { (try? socket.write(line)) != nil }
}
