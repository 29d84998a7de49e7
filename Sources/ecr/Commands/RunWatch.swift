import ArgumentParser
import ECRCore
import EventLog
import JSON
import LinuxSystem
import RunStore

struct RunWatch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Watch a run live: its link, its action, its collectors, its notes.",
        discussion: """
            Keys: n adds a note, p pauses or resumes, r releases what a rule holds, q quits. Watching changes nothing, and a \
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
                defer { screen.close() }
                var session = try WatchSession(run)
                try session.run(on: screen)
            } else {
                try WatchLog(run).print()
            }
        } catch { throw ECRFailure(error, in: run.directory) }
    }
}

/// Somebody at a terminal, with the keys.
private struct WatchSession: ~Copyable {
    private var watched: WatchedRun
    private let run: ChosenRun
    /// What is being typed, and for what; nil while keys are commands.
    private var entry: Entry?
    private var message: String?

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

    private static let keys = "n note   p pause/resume   r release   q quit"

    mutating func run(on screen: Screen) throws {
        while true {
            _ = try watched.catchUp()
            let footer = entry.map { "\($0.purpose.rawValue): \($0.text)" } ?? message ?? Self.keys
            screen.draw(WatchScreen(watched).lines(footer, rows: screen.size.rows), hasCursor: entry != nil)
            // Origin of 250: what a person takes for at once, and four drawings a second over a slow link.
            guard let typed = screen.keys(within: 250) else { return }
            for byte in typed { if take(byte) { return } }
        }
    }

    /// - Returns: whether the watching is over.
    private mutating func take(_ byte: UInt8) -> Bool {
        if entry != nil {
            type(byte)
            return false
        }
        message = nil
        switch byte {
        case UInt8(ascii: "q"), 0x04: return true
        case UInt8(ascii: "n"): entry = Entry(purpose: .note)
        case UInt8(ascii: "r"): entry = Entry(purpose: .release)
        case UInt8(ascii: "p"): attempt { try $0.togglePause() }
        default: break
        }
        return false
    }

    private mutating func type(_ byte: UInt8) {
        switch byte {
        case 0x1B, 0x03: entry = nil
        case 0x0A, 0x0D: finishEntry()
        case 0x7F, 0x08:
            // A character of several bytes goes as a whole.
            while let last = entry?.bytes.popLast(), last & 0xC0 == 0x80 {}
        case 0x20...: entry?.bytes.append(byte)
        default: break
        }
    }

    private mutating func finishEntry() {
        guard let entry else { return }
        self.entry = nil
        guard !entry.text.allSatisfy(\.isWhitespace) else { return }
        attempt { session in
            switch entry.purpose {
            case .note: return "note \(try session.run.record(.note, ["text": .string(entry.text)])) recorded"
            case .release:
                _ = try session.run.request(["request": "release", "reason": .string(entry.text)])
                return "released"
            }
        }
    }

    private mutating func attempt(_ body: (borrowing WatchSession) throws -> String) {
        do { message = try body(self) } catch {
            let failure = ECRFailure(error)
            message = "\(failure.message)\(failure.hint.map { "; try: \($0)" } ?? "")"
        }
    }

    private borrowing func togglePause() throws -> String {
        if watched.state.status == .paused {
            _ = try run.request(["request": "resume"])
            return "the run goes on"
        }
        _ = try run.request(["request": "pause"])
        return "the run is paused"
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
