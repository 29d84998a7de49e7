import ECRCore
import Glibc
import JSON
import LinuxSystem

/// Where commands speak: results to stdout, everything else to stderr, and nothing unescaped to a terminal.
enum Terminal {
    enum Style: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    private static let output = File(adopting: STDOUT_FILENO, path: "the standard output")
    private static let error = File(adopting: STDERR_FILENO, path: "the standard error")
    static let outputIsTerminal = isatty(STDOUT_FILENO) == 1
    static let errorIsTerminal = isatty(STDERR_FILENO) == 1

    /// Words before `--`: behind it stands a command for the target.
    private static let isAllowedColour: Bool = {
        let options = CommandLine.arguments.prefix { $0 != "--" }
        return Host.environment("NO_COLOR") == nil && !isDumb && !options.contains("--no-color")
    }()

    /// A terminal that knows no escape sequences.
    static let isDumb = Host.environment("TERM") == "dumb"

    /// Lines of a result, to stdout.
    static func result(_ text: String) { write(text.hasSuffix("\n") ? text : text + "\n", to: output) }

    /// A result as JSON: indented for a person, on one line for a program.
    static func result(_ json: JSON) { result(outputIsTerminal ? json.prettyText : json.text) }

    /// Raw bytes of a job, escaped where stdout is a terminal.
    static func jobOutput(_ bytes: [UInt8], isError: Bool) {
        let isTerminal = isError ? errorIsTerminal : outputIsTerminal
        let shown = isTerminal ? Array(SafeText.output(bytes).utf8) : bytes
        write(shown, to: isError ? error : output)
    }

    /// A line for the operator, to stderr; escaped.
    static func say(_ text: String) { write(SafeText.lines(text) + "\n", to: error) }

    static func warn(_ text: String) { sayLabelled("warning:", .yellow, text) }

    /// Draws a line that the next words replace. A log gets nothing of it.
    static func showStatus(_ text: String) {
        if errorIsTerminal && !isDumb { StatusLine.draw(SafeText.line(text), on: error) }
    }

    static func clearStatus() { StatusLine.clear() }

    /// What went wrong, and what to type next.
    static func complain(_ message: String, hint: String?) {
        sayLabelled("error:", .red, message)
        if let hint { sayLabelled("  try:", .dim, hint) }
    }

    /// For stdout, which has its own idea of colour.
    static func styled(_ text: String, _ style: Style) -> String { paint(text, style, outputIsTerminal) }

    private static func sayLabelled(_ label: String, _ style: Style, _ text: String) {
        write("\(paint(label, style, errorIsTerminal)) \(SafeText.lines(text))\n", to: error)
    }

    private static func paint(_ text: String, _ style: Style, _ isTerminal: Bool) -> String {
        isTerminal && isAllowedColour ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    private static func write(_ text: String, to file: File) { write(Array(text.utf8), to: file) }

    /// A result that cannot be written is lost: that is an error of its own. A closed pipe ends us by SIGPIPE before.
    private static func write(_ bytes: [UInt8], to file: File) {
        let isOnScreen = file === output ? outputIsTerminal : errorIsTerminal
        if isOnScreen { StatusLine.clear() }
        defer { if isOnScreen, let last = bytes.last { StatusLine.isMidLine = last != 0x0A } }
        do { try file.write(bytes) } catch {
            if file === output { complain(error.description, hint: nil) }
            exit(ECRFailure(.storage, "").exitCode)
        }
    }
}

/// The last line of the screen, drawn over in place while something takes long. Written by one thread at a time.
private enum StatusLine {
    /// Where it stands at present. `nonisolated(unsafe)`, as the next one, because a command's threads take
    /// turns: whoever waits for another writes nothing.
    nonisolated(unsafe) private static var drawnOn: File?
    /// Whether the cursor stands within a line of somebody's output, which must not be drawn over.
    nonisolated(unsafe) static var isMidLine = false

    static func draw(_ text: String, on file: File) {
        guard !isMidLine else { return }
        drawnOn = file
        try? file.write(Array("\r\(fitted(text))\u{1B}[K".utf8))
    }

    static func clear() {
        guard let file = drawnOn else { return }
        drawnOn = nil
        try? file.write(Array("\r\u{1B}[K".utf8))
    }

    /// A line that wrapped could not be drawn over.
    private static func fitted(_ text: String) -> String {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1 else { return text }
        return String(text.prefix(Int(size.ws_col) - 1))
    }
}
