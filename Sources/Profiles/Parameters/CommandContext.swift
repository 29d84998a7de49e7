/// A simple command as far as it has been read: enough to see comments, subscripts, and values that would be
/// interpreted a second time.
struct CommandContext: Sendable {
    /// True within `$(…)`.
    let isNested: Bool
    /// Subshells that are open within it.
    var parentheses = 0
    /// The literal part of the current word, quotes removed.
    private(set) var word: [UInt8] = []
    /// True as soon as the current word has anything, be it `''`.
    var wordStarted = false
    /// True until the word behind a redirection operator has ended.
    var isRedirecting = false
    /// The words before the current one, without redirections.
    private var words: [String] = []

    init(isNested: Bool) { self.isNested = isNested }

    static func endsWord(_ byte: UInt8) -> Bool { " \t\n;&|()<>".utf8.contains(byte) }

    /// `name[` without its `]`: bash evaluates a subscript as arithmetic, which runs commands.
    var isInSubscript: Bool {
        guard let bracket = word.firstIndex(of: UInt8(ascii: "[")), bracket > 0 else { return false }
        let isName = word[..<bracket].enumerated().allSatisfy { isNameByte($1, first: $0 == 0) }
        return isName && !word[bracket...].contains(UInt8(ascii: "]"))
    }

    mutating func addToWord(_ byte: UInt8) {
        word.append(byte)
        wordStarted = true
    }

    mutating func endWord() {
        guard wordStarted else { return }
        if !isRedirecting { words.append(String(decoding: word, as: UTF8.self)) }
        isRedirecting = false
        word = []
        wordStarted = false
    }

    mutating func startCommand() {
        words = []
        isRedirecting = false
    }

    /// The command that would interpret a value at this spot again.
    func interpreter(isWholeWord: Bool) -> String? {
        isRedirecting ? nil : Interpreters.find(in: words, isWholeWord: isWholeWord)
    }
}

/// Commands that read an argument as a program.
private enum Interpreters {
    /// Shell words and commands behind which the real command follows.
    private static let openers: Set<String> = ["if", "then", "elif", "else", "while", "until", "do", "!", "{", "time"]
    private static let carriers: Set<String> = [
        "sudo", "doas", "env", "nohup", "timeout", "nice", "ionice", "chrt", "taskset", "setsid", "stdbuf", "exec",
        "command", "busybox", "toybox", "chroot", "nsenter", "unshare", "find", "flock", "strace", "builtin",
        "systemd-run",
    ]
    /// Every argument is a program or part of one.
    private static let always: Set<String> = [
        "eval", "ssh", "dbclient", "xargs", "trap", "watch", "alias", "let", "[[", "unset", "declare", "typeset",
    ]
    /// The first operand is a program, what follows is data.
    private static let programFirst: Set<String> = ["awk", "gawk", "mawk", "nawk", "sed"]
    /// A program only behind an option, `-c` or `-e`.
    private static let optional: [String: UInt8] = [
        "sh": UInt8(ascii: "c"), "bash": UInt8(ascii: "c"), "dash": UInt8(ascii: "c"), "ash": UInt8(ascii: "c"),
        "zsh": UInt8(ascii: "c"), "ksh": UInt8(ascii: "c"), "su": UInt8(ascii: "c"), "python": UInt8(ascii: "c"),
        "python3": UInt8(ascii: "c"), "python2": UInt8(ascii: "c"), "perl": UInt8(ascii: "e"),
        "ruby": UInt8(ascii: "e"), "node": UInt8(ascii: "e"), "lua": UInt8(ascii: "e"),
    ]

    static func find(in words: [String], isWholeWord: Bool) -> String? {
        let command = words.drop { openers.contains($0) || isAssignment($0) }
        guard let first = command.first.map(baseName) else { return nil }
        guard carriers.contains(first) else { return interpreter(command, isWholeWord) }
        // Options of a carrier may take values, so any of the words behind it may be the command.
        for start in command.indices.dropFirst() {
            if let found = interpreter(command[start...], isWholeWord) { return found }
        }
        return nil
    }

    private static func interpreter(_ command: ArraySlice<String>, _ isWholeWord: Bool) -> String? {
        guard let name = command.first.map(baseName) else { return nil }
        let arguments = command.dropFirst()
        if always.contains(name) { return name }
        if programFirst.contains(name) {
            let followsProgram = arguments.last.map { !$0.hasPrefix("-") } ?? false
            return isWholeWord && followsProgram ? nil : name
        }
        guard let letter = optional[name],
            let option = arguments.firstIndex(where: { takesProgram($0, letter) })
        else { return nil }
        let followsProgram = arguments.index(after: option) < arguments.endIndex
        return isWholeWord && followsProgram ? nil : "\(name) -\(Unicode.Scalar(letter))"
    }

    /// `-c`, also among other letters (`-lc`).
    private static func takesProgram(_ word: String, _ letter: UInt8) -> Bool {
        word.hasPrefix("-") && !word.hasPrefix("--") && word.utf8.contains(letter)
    }

    private static func isAssignment(_ word: String) -> Bool {
        guard let sign = word.utf8.firstIndex(of: UInt8(ascii: "=")), sign > word.utf8.startIndex else { return false }
        return word.utf8[..<sign].enumerated().allSatisfy { isNameByte($1, first: $0 == 0) }
    }

    private static func baseName(_ word: String) -> String {
        word.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(word[word.utf8.index(after: $0)...]) } ?? word
    }
}
