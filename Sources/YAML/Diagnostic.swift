/// One problem of a file, at a place.
///
/// Its description is `file:line:column: error: what, and what to write instead`, then the line of the file, then a
/// caret below the column.
package struct Diagnostic: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Severity: String, Sendable { case error, warning }

    package let severity: Severity
    package let file: String
    package let line: Int
    package let column: Int
    package let message: String
    /// The line of the file as it stands there, cut around the column where it is long; may hold anything, terminal
    /// controls included.
    package let sourceLine: String
    private let caret: Int

    package init(_ severity: Severity, _ message: String, at mark: Mark, in source: SourceText) {
        self.severity = severity
        self.message = message
        file = source.file
        line = mark.line
        column = mark.column
        (sourceLine, caret) = source.excerpt(at: mark)
    }

    /// For a file that has no lines to show.
    init(file: String, message: String) {
        severity = .error
        self.file = file
        self.message = message
        line = 1
        column = 1
        sourceLine = ""
        caret = 1
    }

    package var description: String {
        let head = "\(file):\(line):\(column): \(severity.rawValue): \(message)"
        return DisplayText.safe(head) + "\n" + DisplayText.excerpt(of: sourceLine, caretAt: caret)
    }
}

/// All problems of a file together, in the order of the file; at least one is an error.
package struct Diagnostics: Error, Sendable, Equatable, CustomStringConvertible {
    package let all: [Diagnostic]

    package init(_ all: [Diagnostic]) {
        self.all = all.enumerated().sorted {
            ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
        }.map(\.element)
    }

    package var description: String { all.map(\.description).joined(separator: "\n") }
}
