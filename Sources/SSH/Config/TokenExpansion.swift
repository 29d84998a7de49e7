import Glibc
import LinuxSystem

/// Replaces `%h`, `${HOME}` and their like in the values of ssh_config(5), "TOKENS" and "ENVIRONMENT VARIABLES".
struct TokenExpansion {
    /// By the letter behind the `%`.
    private let tokens: [Character: String]
    private let context: ConfigContext

    struct Problem: Error, Equatable {
        let message: String
    }

    /// The tokens of paths.
    /// - Parameters:
    ///   - original: the host as it was named.
    ///   - alias: HostKeyAlias.
    init(host: String, original: String, alias: String?, port: Int, user: String, context: ConfigContext) {
        self.context = context
        tokens = [
            "d": context.home, "h": host, "i": String(getuid()), "k": alias ?? original,
            "L": String(context.localHost.prefix { $0 != "." }), "l": context.localHost, "n": original,
            "p": String(port), "r": user, "u": context.localUser,
        ]
    }

    /// The one token of HostName.
    init(hostNameOf original: String, context: ConfigContext) {
        self.context = context
        tokens = ["h": original]
    }

    /// - Parameter expandsEnvironment: whether `${NAME}` is replaced, too.
    func expand(_ text: String, expandsEnvironment: Bool = true) throws(Problem) -> String {
        var result = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            if character == "%" {
                guard let letter = rest.popFirst() else { throw Problem(message: "'%' at the end of '\(text)'") }
                if letter == "%" {
                    result.append("%")
                } else if let value = tokens[letter] {
                    result += value
                } else {
                    throw Problem(message: "'%\(letter)' has no meaning in '\(text)'")
                }
            } else if expandsEnvironment, character == "$", rest.first == "{" {
                guard let end = rest.firstIndex(of: "}") else { throw Problem(message: "no '}' in '\(text)'") }
                let name = String(rest[rest.index(after: rest.startIndex)..<end])
                guard let value = context.environment(name) else { throw Problem(message: "$\(name) is not set") }
                result += value
                rest = rest[rest.index(after: end)...]
            } else {
                result.append(character)
            }
        }
        return result
    }

    /// An absolute path: tilde, then tokens, as ssh(1) does it.
    func path(_ text: String) throws(Problem) -> String {
        guard let expanded = context.expandingTilde(text) else { throw Problem(message: "no such user: '\(text)'") }
        return FileSystem.absolute(try expand(expanded))
    }
}
