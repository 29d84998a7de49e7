import LinuxSystem
package import SSH

/// The resident shell on a target: takes snippets by stdin, answers each with a frame on stdout, and passes on, by
/// stderr, the exits that wrappers announce. Runs on the SSH loop.
@SSHActor package final class Dispatcher {
    package struct Reply: Sendable {
        package let status: Int32
        package let body: [UInt8]
        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    private let channel: SSHChannel
    /// Random, so that no output of a snippet can look like the end of a frame.
    private let token = "ecr" + Host.randomHex(12)
    private var frames: ReplyFrames
    private var pending: [(id: Int, resume: (Result<Reply, SSHError>) -> Void)] = []
    private var nextID = 0
    private var announcements: [UInt8] = []
    private var exits: [String: ExitRecord] = [:]
    private var exitWaiters: [String: [Int: CheckedContinuation<ExitRecord?, Never>]] = [:]
    private var failure: SSHError?
    /// Whether the shell has run anything.
    private var hasAnswered = false
    /// What it has complained of before that.
    private var complaint = ""

    /// Starts the shell and waits for its first frame; what login scripts print before it is dropped.
    package init(on session: SSHSession) async throws(SSHError) {
        channel = try await session.openExec("exec sh")
        frames = ReplyFrames(token: token)
        Task { await self.pump() }
        Task { await self.watch() }
        try await write(JobProtocol.library + "\n")
        _ = try await run("true")
    }

    /// What has ended may be written to before its last words are here: those who read them say why it has.
    private func write(_ text: String) async throws(SSHError) {
        do throws(SSHError) { try await channel.write(Array(text.utf8)) } catch {
            if error.code != .closed { throw error }
        }
    }

    /// Runs a snippet with stdin from /dev/null and stderr dropped, after all snippets before it.
    package func run(_ snippet: String) async throws(SSHError) -> Reply {
        if let failure { throw failure }
        nextID += 1
        let id = nextID
        let text = "{ \(snippet)\n} </dev/null 2>/dev/null; printf '\\n%s %s %s\\n' \(token) \(id) $?\n"
        let result: Result<Reply, SSHError> = await withCheckedContinuation { continuation in
            pending.append((id, { continuation.resume(returning: $0) }))
            Task {
                do throws(SSHError) { try await self.write(text) } catch { self.fail(error) }
            }
        }
        return try result.get()
    }

    /// Waits for a job's exit to be announced, at most `milliseconds`; nil when nothing came, or the shell is gone.
    package func announcedExit(of job: String, within milliseconds: Int) async -> ExitRecord? {
        let job = SpoolFolder.name(of: job)
        if let record = exits[job] { return record }
        if failure != nil { return nil }
        nextID += 1
        let id = nextID
        let timer = Task { @SSHActor in
            try await Task.sleep(for: .milliseconds(milliseconds))
            self.exitWaiters[job]?.removeValue(forKey: id)?.resume(returning: nil)
        }
        let record = await withCheckedContinuation { exitWaiters[job, default: [:]][id] = $0 }
        timer.cancel()
        return record
    }

    /// Forgets an announced exit.
    package func forget(job: String) { exits[SpoolFolder.name(of: job)] = nil }

    package func close() { channel.close() }

    private func pump() async {
        do throws(SSHError) {
            while let output = try await channel.read() {
                switch output {
                case .stdout(let bytes): answer(bytes)
                case .stderr(let bytes): hear(bytes)
                }
            }
            fail(ended)
        } catch {
            fail(error)
        }
    }

    private var ended: SSHError {
        if hasAnswered { return SSHError(.closed, "the shell on the target has ended") }
        let how =
            switch channel.exit {
            case .status(let status): " (exit \(status))"
            case .signal(let name): " (signal \(name))"
            case nil: ""
            }
        return SSHError(
            .closed,
            "the target's login shell ended before it ran anything\(how)\(complaint.isEmpty ? "" : ": \(complaint)")",
            hint: "see what the target's account says to: ssh … 'exec sh'")
    }

    /// The channel stays open as long as a wrapper holds its stderr, so the shell's own end must be looked for.
    private func watch() async {
        while failure == nil {
            try? await Task.sleep(for: .seconds(2))
            if channel.exit != nil { fail(ended) }
        }
    }

    private func answer(_ bytes: [UInt8]) {
        for frame in frames.take(bytes) {
            hasAnswered = true
            guard let index = pending.firstIndex(where: { $0.id == frame.id }) else { continue }
            pending.remove(at: index).resume(.success(Reply(status: frame.status, body: frame.body)))
        }
        if frames.isExcessive {
            fail(SSHError(.protocolViolation, "the shell on the target has sent a reply without an end"))
            channel.close()
        }
    }

    private func hear(_ bytes: [UInt8]) {
        announcements += bytes
        while let newline = announcements.firstIndex(of: 0x0A) {
            let line = String(decoding: announcements[..<newline], as: UTF8.self)
            announcements.removeFirst(newline + 1)
            if !hasAnswered { complaint = String(line.prefix(Self.longestComplaint)) }
            let words = line.split(separator: " ", maxSplits: 2)
            guard words.count == 3, words[0] == "X", let record = ExitRecord(line: words[2]) else { continue }
            let folder = String(words[1])
            exits[folder] = record
            for waiter in (exitWaiters.removeValue(forKey: folder) ?? [:]).values { waiter.resume(returning: record) }
        }
        // A target that floods its stderr must not fill our memory.
        if announcements.count > 65_536 { announcements = [] }
    }

    /// Origin: a line of a terminal, and some.
    private static let longestComplaint = 200

    private func fail(_ error: SSHError) {
        guard failure == nil else { return }
        failure = error
        pending.forEach { $0.resume(.failure(error)) }
        pending = []
        let waiters = exitWaiters.values.flatMap(\.values)
        exitWaiters = [:]
        waiters.forEach { $0.resume(returning: nil) }
    }
}

/// Cuts the dispatcher's stdout into replies: a body of any bytes, ended by `\n<token> <id> <status>\n`.
struct ReplyFrames {
    struct Frame: Equatable {
        let id: Int
        let status: Int32
        let body: [UInt8]
    }

    private let marker: [UInt8]
    private var buffer: [UInt8] = []
    /// Bytes before this place hold no marker.
    private var searched = 0

    init(token: String) { marker = Array("\n\(token) ".utf8) }

    /// Whether it waits for the end of what no snippet prints. Origin: hashes of a hundred thousand jobs' output are a
    /// tenth of it.
    var isExcessive: Bool { buffer.count > 64 << 20 }

    /// Adds bytes and returns the frames that they complete.
    mutating func take(_ bytes: [UInt8]) -> [Frame] {
        buffer += bytes
        var frames: [Frame] = []
        while let frame = next() { frames.append(frame) }
        return frames
    }

    private mutating func next() -> Frame? {
        guard let start = find() else {
            searched = max(0, buffer.count - marker.count)
            return nil
        }
        let tail = buffer[(start + marker.count)...]
        guard let newline = tail.firstIndex(of: 0x0A) else {
            searched = start
            return nil
        }
        let words = String(decoding: tail[..<newline], as: UTF8.self).split(separator: " ")
        let body = Array(buffer[..<start])
        buffer.removeFirst(newline + 1)
        searched = 0
        guard words.count == 2, let id = Int(words[0]), let status = Int32(words[1]) else { return nil }
        return Frame(id: id, status: status, body: body)
    }

    private func find() -> Int? {
        var place = searched
        while place + marker.count <= buffer.count {
            guard let newline = buffer[place...].firstIndex(of: 0x0A) else { return nil }
            if newline + marker.count > buffer.count { return nil }
            if buffer[newline..<newline + marker.count].elementsEqual(marker) { return newline }
            place = newline + 1
        }
        return nil
    }
}
