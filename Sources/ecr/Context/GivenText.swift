import ECRCore
import Glibc
import LinuxSystem

/// Text that a person gives as words of the command line, or on stdin where the only word is `-`.
struct GivenText {
    let text: String

    /// More is a file, not a note.
    private static let limit = 65_536

    /// - Parameter what: names it in messages, such as `note`.
    init(_ words: [String], what: String) throws(ECRFailure) {
        let given = words == ["-"] ? try Self.input(what) : words.joined(separator: " ")
        text = String(given.reversed().drop { $0.isNewline }.reversed())
        guard text.utf8.count <= Self.limit else { throw Self.tooLong(what) }
        guard !text.allSatisfy(\.isWhitespace) else { throw ECRFailure(.usage, "the \(what) is empty") }
    }

    private static func input(_ what: String) throws(ECRFailure) -> String {
        if isatty(STDIN_FILENO) == 1 { Terminal.say("type the \(what); Ctrl-D on a line of its own ends it") }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: limit + 2)
        while bytes.count <= limit + 1 {
            let count: Int
            do {
                count = try check("read", path: "the standard input") { read(STDIN_FILENO, &chunk, chunk.count) }
            } catch {
                throw ECRFailure(error)
            }
            if count == 0 { break }
            bytes += chunk.prefix(count)
        }
        guard bytes.count <= limit + 1 else { throw tooLong(what) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ECRFailure(.usage, "the \(what) is not UTF-8 text")
        }
        return text
    }

    private static func tooLong(_ what: String) -> ECRFailure {
        ECRFailure(.usage, "the \(what) is longer than \(limit) bytes; keep it in a file and note the file's name")
    }
}
