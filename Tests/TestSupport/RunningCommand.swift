import Glibc
import LinuxSystem
import Synchronization

/// A program that runs beside the test: its output can be read as it comes, and it can be signalled and waited for.
///
/// Thread-safe. A thread of its own collects the streams, another waits for the end; when the last reference goes, or
/// the timeout passes, the whole process group is killed.
package final class RunningCommand: Sendable {
    package let commandLine: [String]
    /// The process id, which is also the id of its process group.
    package let pid: Int32
    private let state: CommandState

    /// Starts a program; see `Command.run` for the parameters.
    /// - Parameters:
    ///   - hasInput: stdin is a pipe for `write` and `closeInput`, else /dev/null.
    ///   - timeout: nil for a server, which lives as long as this object.
    package init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String?] = [:], hasInput: Bool = false,
        workingDirectory: String? = nil, timeout: Duration? = Command.defaultTimeout
    ) throws {
        let commandLine = [executable] + arguments
        // Swift's Glibc lacks posix_spawn_file_actions_addchdir_np, so env(1) changes the directory.
        let whole = workingDirectory.map { ["/usr/bin/env", "-C", $0] + commandLine } ?? commandLine
        let child = try ChildProcess.start(
            whole[0], Array(whole.dropFirst()), environment: environment, hasInput: hasInput)
        self.commandLine = commandLine
        pid = child.pid
        let state = CommandState(child)
        self.state = state
        let deadline = timeout.map { ContinuousClock.now + $0 }
        startThread { state.awaitExit() }
        startThread { state.collectStreams(until: deadline) }
    }

    deinit { state.signal(SIGKILL) }

    /// Everything that came on stdout so far.
    package var output: [UInt8] { state.snapshot.output }
    package var outputText: String { String(decoding: output, as: UTF8.self) }
    /// Everything that came on stderr so far.
    package var errorText: String { String(decoding: state.snapshot.error, as: UTF8.self) }
    package var isRunning: Bool { state.snapshot.status == nil }

    /// Queues bytes for stdin, in order; they are dropped when the program no longer reads.
    package func write(_ bytes: [UInt8]) { state.queue(bytes) }

    /// Ends stdin behind the queued bytes.
    package func closeInput() { state.queue(nil) }

    /// Sends a signal to the whole process group; nothing happens once the program has ended.
    package func signal(_ number: Int32) { state.signal(number) }

    /// Waits until stdout contains a text.
    /// - Throws: `CommandFailure` when the output ends, or the timeout passes, without it.
    package func waitForOutput(_ text: String) async throws {
        try await wait(for: text, in: \.output)
    }

    /// As `waitForOutput` for stderr.
    package func waitForError(_ text: String) async throws {
        try await wait(for: text, in: \.error)
    }

    private func wait(for text: String, in stream: any KeyPath<CommandState.Snapshot, [UInt8]> & Sendable) async throws
    {
        let found = await state.wait { snapshot in
            if String(decoding: snapshot[keyPath: stream], as: UTF8.self).contains(text) { return true }
            return snapshot.isFinished ? false : nil
        }
        if !found { throw failure("ended without saying \"\(text)\"") }
    }

    /// Waits for the end of the program and of both its streams.
    /// - Throws: `CommandFailure` when the timeout had to end it.
    package func wait() async throws -> CommandResult {
        let timedOut = await state.wait { $0.isFinished ? $0.timedOut : nil }
        if timedOut { throw failure("did not end in time") }
        return state.snapshot.result
    }

    private func failure(_ message: String) -> CommandFailure {
        CommandFailure(message: message, commandLine: commandLine, result: state.snapshot.result)
    }
}

/// Runs a body on a new thread. A thread that cannot be made is the end of the test process.
func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { argument in
            Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    precondition(code == 0, "cannot start a thread: \(String(cString: strerror(code)))")
    pthread_detach(thread)
}
