import Glibc
import LinuxSystem

/// The whole terminal for one command that draws it anew again and again: its second screen, no cursor, keys without
/// Enter. Plain ANSI (ECMA-48) and termios(3); it needs nothing that ssh or tmux would not pass on.
///
/// The terminal is given back on every way out: by `close`, by exit(3), and by a signal, Ctrl-Z and a crash included. For
/// one command per process.
struct Screen {
    /// Takes the terminal; nil where standard input or output is none.
    init?() {
        guard isatty(STDIN_FILENO) == 1, Terminal.outputIsTerminal, !Terminal.isDumb,
            tcgetattr(STDIN_FILENO, &original) == 0
        else { return nil }
        atexit(leave)
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGABRT, SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE] {
            signal(number) { number in
                leave()
                signal(number, SIG_DFL)
                kill(getpid(), number)
            }
        }
        signal(SIGTSTP) { _ in
            leave()
            kill(getpid(), SIGSTOP)
            enter()
        }
        // Only wakes the waiting: the size is asked for at each drawing.
        signal(SIGWINCH) { _ in }
        enter()
    }

    func close() { leave() }

    /// Makes Ctrl-C a key like any other, as long as somebody types.
    func takesInterrupt(_ isKey: Bool) {
        guard interruptIsKey != isKey else { return }
        interruptIsKey = isKey
        setKeys()
    }

    /// Columns and rows at present.
    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Draws lines from the top; what does not fit is cut, what was below is gone.
    /// - Parameter cursor: the column behind the last line's text at which a person types; nil for none.
    func draw(_ lines: [ScreenLine], hasCursor: Bool = false) {
        let (columns, rows) = size
        var text = "\u{1B}[?25l\u{1B}[H"
        for (index, line) in lines.prefix(rows).enumerated() {
            if index > 0 { text += "\r\n" }
            text += line.fitted(to: columns) + "\u{1B}[K"
        }
        if lines.count < rows { text += "\u{1B}[J" }
        if hasCursor {
            let row = min(lines.count, rows)
            let column = min((lines.last?.text.unicodeScalars.count ?? 0) + 1, columns)
            text += "\u{1B}[\(row);\(column)H\u{1B}[?25h"
        }
        writeAll(Array(text.utf8))
    }

    /// What was typed within a time; empty where nothing was, nil once nobody can type any more.
    func keys(within milliseconds: Int32) -> [UInt8]? {
        var wait = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, milliseconds) > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0 && (errno == EINTR || errno == EAGAIN) { return [] }
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }
}

/// One line of the screen: text that is safe for a terminal, and how it looks.
struct ScreenLine {
    let text: String
    let style: Terminal.Style?

    init(_ text: String, _ style: Terminal.Style? = nil) {
        self.text = SafeText.line(text)
        self.style = style
    }

    func fitted(to columns: Int) -> String {
        let cut =
            text.unicodeScalars.count > columns
            ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(max(0, columns - 1)))) + "…" : text
        return style.map { Terminal.styled(cut, $0) } ?? cut
    }
}

// `nonisolated(unsafe)` because they are set before the first handler is installed, and by handlers afterwards, which only
// run on a thread that holds still.
nonisolated(unsafe) private var original = termios()
nonisolated(unsafe) private var isEntered = false
nonisolated(unsafe) private var interruptIsKey = false

/// Only calls that signal-safety(7) allows.
private func enter() {
    setKeys()
    isEntered = true
    // The second screen, cleared, without a cursor.
    writeAll("\u{1B}[?1049h\u{1B}[2J\u{1B}[?25l")
}

private func setKeys() {
    var raw = original
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
    // No byte at all: _POSIX_VDISABLE.
    if interruptIsKey { withUnsafeMutableBytes(of: &raw.c_cc) { $0[Int(VINTR)] = 0 } }
    tcsetattr(STDIN_FILENO, TCSANOW, &raw)
}

private func leave() {
    guard isEntered else { return }
    isEntered = false
    // A line of its own for what follows, on a terminal that has no second screen.
    writeAll("\r\n\u{1B}[?25h\u{1B}[?1049l")
    tcsetattr(STDIN_FILENO, TCSANOW, &original)
}

private func writeAll(_ text: StaticString) { _ = write(STDOUT_FILENO, text.utf8Start, text.utf8CodeUnitCount) }

private func writeAll(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        if count < 0 && errno != EINTR { return }
        rest = rest.dropFirst(max(0, count))
    }
}
