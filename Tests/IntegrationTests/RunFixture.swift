import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// The built `ecr` in a working directory of its own, a private SSH server as its target, and a profile for it.
struct RunFixture: Sendable {
    let server: SSHServer
    let scratch: ScratchDirectory
    /// What every profile has in `connection:` beside the server's address and keys, or instead of them.
    var connection: [String: String] = [:]

    /// Starts a server, writes `profile.yaml`, runs a body, and ends every run that the body has left alive: no
    /// supervisor outlives its test.
    /// - Parameter profile: everything below `connection:`.
    static func with(
        _ options: SSHServer.Options = .init(), profile: String = "actions: {hello: {commands: [\"echo hello\"]}}",
        _ body: (RunFixture) async throws -> Void
    ) async throws {
        let fixture = RunFixture(server: try await SSHServer.start(options), scratch: try ScratchDirectory())
        try fixture.write(profile)
        try await fixture.use(body)
    }

    /// The same with dropbear and BusyBox as its target, and no SFTP server.
    /// - Parameters:
    ///   - missing: the applets that it lacks.
    ///   - programs: of this machine's that it has.
    static func withSmallTarget(
        without missing: Set<String> = [], with programs: [String] = [], profile: String,
        _ body: (RunFixture) async throws -> Void
    ) async throws {
        let small = try await DropbearServer.startSmall(without: missing, with: programs)
        let connection = [
            "host": "\"\(small.host)\"", "port": "\(small.port)", "user": "\"\(small.user)\"",
            "key_file": "\"\(small.clientKey)\"", "known_hosts": "\"\(small.knownHosts)\"",
            "spool_dir": "\"\(small.scratch.path("spool"))\"",
        ]
        let fixture = RunFixture(
            server: try await SSHServer.start(.init()), scratch: try ScratchDirectory(), connection: connection)
        try fixture.write(profile)
        try await fixture.use(body)
        try await small.stop()
        small.endSessions()
    }

    /// Runs a body and ends every run that it has left alive.
    func use(_ body: (RunFixture) async throws -> Void) async throws {
        do { try await body(self) } catch {
            await endRuns()
            throw error
        }
        await endRuns()
    }

    /// Writes a profile for the server.
    /// - Parameter connection: changes to the keys of `connection:`.
    @discardableResult
    func write(
        _ profile: String, as name: String = "profile.yaml", connection changes: [String: String] = [:]
    ) throws -> String {
        var connection: [String: String] = [
            "host": "\"\(server.host)\"", "port": "\(server.port)", "user": "\"\(server.user)\"",
            "key_file": "\"\(server.clientKey)\"", "known_hosts": "\"\(server.knownHosts)\"",
            "spool_dir": "\"\(server.scratch.path("spool"))\"", "timeout": "30",
        ]
        for (key, value) in self.connection.merging(changes, uniquingKeysWith: { $1 }) { connection[key] = value }
        let keys = connection.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)\n" }.joined()
        return try scratch.write(name, "name: bench\nconnection:\n\(keys)\(profile)\n")
    }

    /// Without settings of the person who runs the tests.
    static let settings: [String: String?] = [
        "ECR_RUN": nil, "ECR_RUNS_DIR": nil, "ECR_PROFILES_DIR": nil, "ECR_AUTHOR": nil, "ECR_LICENCE": nil,
        "XDG_CONFIG_HOME": "/nonexistent", "ECR_SSH_CONFIG": "none", "SSH_AUTH_SOCK": nil, "CI": nil, "TERM": "xterm",
    ]

    func ecr(_ arguments: String..., environment: [String: String?] = [:]) async throws -> CommandResult {
        try await ecr(arguments, environment: environment)
    }

    func ecr(_ arguments: [String], environment: [String: String?] = [:]) async throws -> CommandResult {
        try await Command.run(
            try BuiltProducts.ecr(), arguments, environment: Self.settings.merging(environment) { $1 },
            workingDirectory: scratch.path)
    }

    /// Runs a command that must exit with a status.
    @discardableResult
    func expect(
        _ status: Int32, _ arguments: String..., at location: SourceLocation = #_sourceLocation
    ) async throws -> CommandResult {
        let result = try await ecr(arguments)
        #expect(
            result.status == status,
            "ecr \(arguments.joined(separator: " "))\nstdout: \(result.outputText)\nstderr: \(result.errorText)",
            sourceLocation: location)
        return result
    }

    /// A command that runs beside the test.
    func background(_ arguments: String..., environment: [String: String?] = [:]) throws -> RunningCommand {
        try background(arguments, environment: environment)
    }

    func background(_ arguments: [String], environment: [String: String?] = [:]) throws -> RunningCommand {
        try RunningCommand(
            try BuiltProducts.ecr(), arguments, environment: Self.settings.merging(environment) { $1 },
            workingDirectory: scratch.path)
    }

    /// Starts a run of the profile.
    func start(_ options: String..., at location: SourceLocation = #_sourceLocation) async throws -> RunDirectory {
        let result = try await ecr(["run", "start", "profile.yaml"] + options)
        try #require(result.status == 0, "\(result.errorText)", sourceLocation: location)
        return run(result)
    }

    /// The run whose id a command has printed.
    func run(_ result: CommandResult) -> RunDirectory {
        RunDirectory(path: scratch.path("runs/\(result.outputText.prefix { $0 != "\n" })"))
    }

    /// The ids of all runs; the names of files that are none are left out by the leading dot.
    func runs() throws -> [String] {
        guard FileSystem.exists(scratch.path("runs")) else { return [] }
        return try FileSystem.list(scratch.path("runs")).filter { !$0.hasPrefix(".") }
    }

    /// Waits until a condition holds.
    /// - Throws: when it takes more than 30 seconds, far beyond any step of a test.
    func wait(for what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            guard ContinuousClock.now < deadline else { throw Waited(what: what) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Waits until some of the first file that is on its way has come, or gone.
    func waitForTransfer() async throws {
        try await wait(for: "the transfer") {
            let told = try await expect(0, "status", "--json").json()["transfers"]?.array?.first
            return told?["bytes"]?.int ?? 0 > 0
        }
    }

    /// Stops a transfer by hand as Ctrl-C does, and waits until it is known: what a link held back may come now.
    func interrupt(_ transfer: RunningCommand) async throws {
        transfer.signal(SIGINT)
        try await wait(for: "the signal") { transfer.errorText.contains("stopping; Ctrl-C again") }
    }

    struct Waited: Error { let what: String }

    private func endRuns() async {
        for id in (try? runs()) ?? [] {
            let run = RunDirectory(path: scratch.path("runs/\(id)"))
            guard run.hasSupervisor() else { continue }
            _ = try? await ecr("run", "abort", "--run", id)
            if run.hasSupervisor() { try? await killSupervisor(of: run) }
        }
        try? await server.stop()
        server.endSessions()
    }

    /// As the kernel's out-of-memory killer would do it; returns once it is gone.
    func killSupervisor(of run: RunDirectory) async throws {
        try await Processes.end(Processes.ids(withArgument: run.path))
    }
}

extension RunDirectory {
    /// All events, checked line by line: numbers, chain, fields as specified, and nothing torn at the end once nobody
    /// appends.
    func allEvents() throws -> [Event] {
        let isAtRest = !hasSupervisor()
        var reader = try EventReader(path: events)
        var all: [Event] = []
        while let event = try reader.next() {
            #expect(event.departures == [])
            all.append(event)
        }
        if isAtRest { #expect(reader.checkpoint.byteOffset == (try File(path: events, 0).size())) }
        return all
    }

    func events(_ type: EventType) throws -> [Event] { try allEvents().filter { $0.type == type } }

    /// The recorded output of a job's stream, put together from its events; it must be what the raw log holds.
    func output(_ job: String, _ stream: String = "stdout") throws -> [UInt8] {
        let raw = try FileSystem.read(actionLog(job: job, stream: stream))
        var next: Int64 = 0
        for event in try events(.commandOutput)
        where event.data["job"]?.string == job && event.data["stream"]?.string == stream {
            #expect(event.data["offset"]?.int == next)
            let length = try #require(event.data["length"]?.int)
            let piece = raw.dropFirst(Int(next)).prefix(Int(length))
            if let text = event.data["text"]?.string { #expect(Array(text.utf8).elementsEqual(piece)) }
            next += length
        }
        #expect(next == Int64(raw.count))
        return raw
    }

    func text(_ job: String, _ stream: String = "stdout") throws -> String {
        String(decoding: try output(job, stream), as: UTF8.self)
    }
}

extension CommandResult {
    func json() throws -> JSON { try JSON(parsing: output) }
}

extension Event {
    /// What is not as `ecr help events` says: fields that are missing, and those that nobody has specified.
    var departures: [String] {
        guard let row = EventType.specification.first(where: { $0.type == type }) else {
            return ["\(type.rawValue) is not specified"]
        }
        let present = data.members.map(\.key)
        let missing = row.fields.filter { !$0.isOptional && !$0.names.contains(where: present.contains) }
        let known = row.fields.flatMap(\.names)
        return missing.map { "\(type.rawValue) has no \($0.notation)" }
            + present.filter { !known.contains($0) }.map { "\(type.rawValue) has a field '\($0)'" }
    }
}
