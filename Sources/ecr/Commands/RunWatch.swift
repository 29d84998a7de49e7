import ArgumentParser
import ECRCore
import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore

struct RunWatch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Watch a run live: its link, its action, its collectors, its notes.",
        discussion: """
            Keys: n adds a note (Enter records it, Esc drops it), p pauses or resumes, r releases what a rule holds, the \
            arrows up and down scroll the collectors, q quits. Watching changes nothing, and a \
            run goes on without it. Where stdout is no terminal, lines are printed as things happen, until the run has ended.

            Example:
              ecr run watch
            """)

    @Argument(help: ArgumentHelp("The run (default: --run, $ECR_RUN, else the current run).", valueName: "run"))
    var name: String?
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosen(name)
        do {
            if let screen = Screen() {
                let isAnswered = try watch(run, on: screen)
                if !isAnswered {
                    Terminal.say("the supervisor does not answer: what was asked for last may not be done")
                }
            } else {
                try WatchLog(run).print()
            }
        } catch { throw ECRFailure(error, in: run.directory) }
    }

    private func watch(_ run: ChosenRun, on screen: Screen) throws -> Bool {
        defer { screen.close() }
        var session = try WatchSession(run)
        try session.run(on: screen)
        return session.finish()
    }
}

/// Somebody at a terminal, with the keys.
private struct WatchSession: ~Copyable {
    private var watched: WatchedRun
    private let run: ChosenRun
    /// What is being typed, and for what; nil while keys are commands.
    private var entry: Entry?
    private var message: String?
    /// What is being done.
    private var request: WatchRequest?
    /// What is to be done next: one thing after the other, in the order of the keys.
    private var wanted: [@Sendable () throws -> String] = []
    private var keys = KeyReader()
    /// How many lines of the collectors are scrolled away.
    private var scrolled = 0

    private struct Entry {
        let purpose: Purpose
        var bytes: [UInt8] = []
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    private enum Purpose: String {
        case note
        case release = "reason of the release"
    }

    init(_ run: ChosenRun) throws {
        self.run = run
        watched = try WatchedRun(run)
    }

    mutating func run(on screen: Screen) throws {
        while true {
            _ = try watched.catchUp()
            advance()
            let (columns, rows) = screen.size
            let view = WatchScreen(watched, columns: columns, rows: rows, scrolled: scrolled)
            // No further than there are lines.
            scrolled = view.scrolled
            screen.draw(view.lines(footer), hasCursor: entry != nil)
            screen.takesInterrupt(entry != nil)
            // Origin of 250: what a person takes for at once, and four drawings a second over a slow link.
            guard let typed = screen.keys(within: 250) else { return }
            for key in typed.isEmpty ? keys.pause() : keys.take(typed) { if take(key) { return } }
        }
    }

    /// Nil for the keys.
    private var footer: String? {
        if let entry { return "\(entry.purpose.rawValue): \(entry.text)" }
        return request == nil ? message : "the supervisor has not answered yet"
    }

    private mutating func ask(_ body: @escaping @Sendable () throws -> String) {
        wanted.append(body)
        advance()
    }

    private mutating func advance() {
        if let result = request?.text { (message, request) = (result, nil) }
        if request == nil, !wanted.isEmpty { request = WatchRequest(wanted.removeFirst()) }
    }

    /// Gives what was asked for a moment to be done. Origin of a second: an answer takes milliseconds, and whoever quits does
    /// not want to wait.
    /// - Returns: whether all of it was.
    mutating func finish() -> Bool {
        for _ in 0..<50 {
            advance()
            if request == nil { return true }
            usleep(20_000)
        }
        return false
    }

    /// - Returns: whether the watching is over.
    private mutating func take(_ key: KeyReader.Key) -> Bool {
        if entry != nil {
            type(key)
            return false
        }
        message = nil
        switch key {
        case .byte(UInt8(ascii: "q")), .byte(0x04): return true
        case .byte(UInt8(ascii: "n")): entry = Entry(purpose: .note)
        case .byte(UInt8(ascii: "r")): entry = Entry(purpose: .release)
        case .byte(UInt8(ascii: "p")): togglePause()
        case .up: scrolled = max(0, scrolled - 1)
        case .down: scrolled += 1
        default: break
        }
        return false
    }

    private mutating func type(_ key: KeyReader.Key) {
        switch key {
        // Esc, and Ctrl-C.
        case .escape, .byte(0x03): entry = nil
        case .byte(0x0A), .byte(0x0D): finishEntry()
        case .byte(0x7F), .byte(0x08):
            // A character of several bytes goes as a whole.
            while let last = entry?.bytes.popLast(), last & 0xC0 == 0x80 {}
        case .byte(let byte) where byte >= 0x20: entry?.bytes.append(byte)
        default: break
        }
    }

    private mutating func finishEntry() {
        guard let entry else { return }
        self.entry = nil
        let text = entry.text
        guard !text.allSatisfy(\.isWhitespace) else { return }
        let directory = run.directory
        switch entry.purpose {
        case .note: ask { "note \(try Self.record(note: text, in: directory)) recorded" }
        case .release:
            ask {
                _ = try ControlClient(directory).request(["request": "release", "reason": .string(text)])
                return "released"
            }
        }
    }

    private static func record(note text: String, in directory: RunDirectory) throws -> Int64 {
        guard directory.hasSupervisor() else {
            return try OfflineRun(directory).record(.note, ["text": .string(text)]).seq
        }
        let answer = try ControlClient(directory).request([
            "request": "record", "type": .string(EventType.note.rawValue), "data": ["text": .string(text)],
        ])
        return answer["seq"]?.int ?? 0
    }

    private mutating func togglePause() {
        let directory = run.directory
        let isPaused = watched.state.status == .paused
        ask {
            _ = try ControlClient(directory).request(["request": isPaused ? "resume" : "pause"])
            return isPaused ? "the run goes on" : "the run is paused"
        }
    }
}

/// Lines for a log: what happens, and once in a while the last values of the collectors.
private struct WatchLog {
    private let run: ChosenRun

    init(_ run: ChosenRun) { self.run = run }

    /// Nanoseconds. Origin: a log that is read by people.
    private static let valuesEvery: Int64 = 10_000_000_000

    func print() throws {
        var watched = try WatchedRun(run)
        var events = try EventTail(run.directory)
        while try events.next() != nil {}
        Terminal.result(line(Clock.iso8601(microseconds: Clock.wallMicroseconds()), "\(run.id) is \(run.condition)"))
        var lastValues: Int64 = 0
        repeat {
            // The tail only tells when it is over.
            while try events.next() != nil {}
            for event in try watched.catchUp() where event.type != .commandOutput && event.type != .collectorOutput {
                Terminal.result(line(event.time, "\(event.type.rawValue)  \(summary(event))"))
            }
            if Clock.boottimeNanoseconds() - lastValues >= Self.valuesEvery {
                let values = watched.series.map { "\($0.name)=\($0.last)" }.joined(separator: " ")
                if !values.isEmpty {
                    lastValues = Clock.boottimeNanoseconds()
                    Terminal.result(line(Clock.iso8601(microseconds: Clock.wallMicroseconds()), values))
                }
            }
        } while events.wait()
    }

    private func line(_ time: String, _ text: String) -> String { SafeText.line("\(Amount.clock(time))  \(text)") }

    private func summary(_ event: Event) -> String {
        let parts = ["job", "text", "rule", "phase", "values", "reason", "collector", "name", "outcome", "path"]
            .compactMap {
                event.data[$0]?.string
            }
        return parts.joined(separator: "  ")
    }
}
