import ECRCore
import Glibc
import LinuxSystem

/// Asks the person at the terminal, also where stdin and stdout lead elsewhere (tty(4)).
struct TerminalPrompt {
    private let terminal: File
    private let interrupt: InterruptSignal?

    /// Nil where there is no terminal.
    /// - Parameter interrupt: set where the command catches signals itself, so that one of them ends the question.
    init?(interrupt: InterruptSignal?) {
        guard let terminal = try? File(path: "/dev/tty", O_RDWR | O_CLOEXEC) else { return nil }
        self.terminal = terminal
        self.interrupt = interrupt
    }

    /// Shows a question and reads a line.
    /// - Returns: nil where the person gives no answer (Ctrl-D).
    /// - Throws: `ControlClient.Interrupted` on Ctrl-C or a signal.
    func ask(_ question: Question) throws -> String? {
        Terminal.clearStatus()
        return try withoutEcho {
            // Only now: what is typed before the terminal has changed its ways is lost.
            write(SafeText.lines(question.text) + (question.text.hasSuffix(" ") ? "" : " "))
            return try readLine(isEchoed: question.isEchoed)
        }
    }

    /// The terminal hands over each key as it is typed, Ctrl-C too: no signal can leave it without its echo.
    private func withoutEcho<Value>(_ body: () throws -> Value) throws -> Value {
        var before = termios()
        guard tcgetattr(terminal.descriptor, &before) == 0 else { return try body() }
        var raw = before
        raw.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        tcsetattr(terminal.descriptor, TCSAFLUSH, &raw)
        defer { tcsetattr(terminal.descriptor, TCSAFLUSH, &before) }
        return try body()
    }

    private func readLine(isEchoed: Bool) throws -> String? {
        var line: [UInt8] = []
        while true {
            switch try key() {
            case 0x0A, 0x0D:
                write("\n")
                return String(decoding: line, as: UTF8.self)
            case 0x03:
                write("\n")
                throw ControlClient.Interrupted(exitCode: .interrupted)
            case nil, 0x04:
                write("\n")
                return nil
            case 0x7F, 0x08:
                if isEchoed && !line.isEmpty { write("\u{8} \u{8}") }
                // A character of several bytes goes as a whole.
                while let last = line.popLast(), last & 0xC0 == 0x80 {}
            case 0x15:
                if isEchoed {
                    write(String(repeating: "\u{8} \u{8}", count: String(decoding: line, as: UTF8.self).count))
                }
                line = []
            case let byte?:
                line.append(byte)
                if isEchoed && byte >= 0x20 { try? terminal.write([byte]) }
            }
        }
    }

    /// The next byte; nil when the terminal is gone.
    private func key() throws -> UInt8? {
        if let code = try InterruptSignal.wait(for: terminal.descriptor, or: interrupt) {
            throw ControlClient.Interrupted(exitCode: code)
        }
        var byte: UInt8 = 0
        return read(terminal.descriptor, &byte, 1) == 1 ? byte : nil
    }

    private func write(_ text: String) { try? terminal.write(Array(text.utf8)) }
}

extension CommonOptions {
    /// Answers questions at the terminal; nil with `--no-input` and where there is no terminal.
    func answerer(_ interrupt: InterruptSignal? = nil) -> Answerer? {
        guard !noInput, let prompt = TerminalPrompt(interrupt: interrupt) else { return nil }
        return { try prompt.ask($0) }
    }

    /// The same for a connection that the command makes itself, on a thread of its own: Ctrl-C at the question is the
    /// end of the command, which has begun nothing yet.
    var questioner: QuestionAnswer? {
        guard !noInput, let prompt = TerminalPrompt(interrupt: nil) else { return nil }
        return { question in
            // Not `exit`: this thread stands within libssh, which must not be torn down around it.
            do { return try prompt.ask(question) } catch { _exit(Exit.report(error)) }
        }
    }
}
