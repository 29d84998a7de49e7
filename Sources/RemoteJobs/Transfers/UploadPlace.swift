import SSH

/// Where on the target something goes that is uploaded, and what is there now.
package struct UploadPlace: Sendable, Equatable {
    package enum Standing: Sendable, Equatable {
        case nothing
        case directory
        /// A regular file.
        case file
        /// A device, a socket and the like.
        case other
    }

    /// The absolute path of the file, or of the directory that takes what is in the local one.
    package let path: [UInt8]
    package let standing: Standing
    /// A directory of another name than the local one's, with things in it, none of which are in the local one: perhaps
    /// a slash was forgotten.
    package let isStrange: Bool
    /// Of a file with the size of the one that is to be sent: its SHA-256, and its permissions.
    let sha256: String?
    let permissions: UInt32?

    /// Where a file of the directory goes.
    package func path(of relative: String) -> [UInt8] { Self.join(path, Array(relative.utf8)) }

    /// A name in a directory, which may be `/`.
    static func join(_ folder: [UInt8], _ name: [UInt8]) -> [UInt8] {
        folder.last == 0x2F ? folder + name : folder + [0x2F] + name
    }

    /// - Parameters:
    ///   - text: with a slash at its end it is a directory into which it goes; so is what is a directory already where
    ///     a file is sent. `~/` and a relative path begin in the login folder, the latter in `base` if there is one.
    /// - Throws: `TransferFailure` where it cannot go there, `SSHError` where the link fails.
    @SSHActor package static func find(
        _ tree: UploadTree, to text: String, base: String?, over line: TransferLine
    ) async throws -> UploadPlace {
        let path = absolute(text, base, line.tools.home)
        let isInto = text.hasSuffix("/") || text.hasSuffix("/.") || text == "." || text == "~"
        let inside = tree.name.isEmpty ? path : "\(path == "/" ? "" : path)/\(tree.name)"
        let script = look(path, inside, isInto: isInto, tree, line.tools)
        let reply = try await line.runSoon(script).output.split(separator: 0x0A, omittingEmptySubsequences: false)
        let words = reply.map { String(decoding: $0, as: UTF8.self) }
        guard words.count >= 2 else { throw SSHError(.protocolViolation, "the target's shell gave no answer") }
        let standing: Standing =
            switch words[1] {
            case "d", "s": .directory
            case "f": .file
            case "n": .nothing
            default: .other
            }
        let place = UploadPlace(
            path: Array((words[0] == "into" ? inside : path).utf8), standing: standing,
            isStrange: words[1] == "s",
            sha256: words.count > 3 ? RemoteHashes.leadingHash(words[3].utf8) : nil,
            permissions: words.count > 2 ? UInt32(words[2], radix: 8) : nil)
        try place.requireFit(tree)
        return place
    }

    private func requireFit(_ tree: UploadTree) throws(TransferFailure) {
        switch standing {
        case .nothing: return
        case .directory where tree.isFolder: return
        case .file where !tree.isFolder: return
        case .directory: throw TransferFailure("a directory of that name is there")
        case .file,
            .other where tree.isFolder:
            throw TransferFailure("what is there is no directory")
        case .other: throw TransferFailure("what is there is no regular file")
        }
    }

    private static func absolute(_ text: String, _ base: String?, _ home: String) -> String {
        var text = text
        if text == "~" { text = home } else if text.hasPrefix("~/") { text = home + text.dropFirst(1) }
        if !text.hasPrefix("/") {
            let base = base.map { $0.hasPrefix("/") ? $0 : "\(home)/\($0)" } ?? home
            text = "\(base)/\(text)"
        }
        let parts = text.split(separator: "/").filter { $0 != "." }
        return "/" + parts.joined(separator: "/")
    }

    private static func look(
        _ path: String, _ inside: String, isInto: Bool, _ tree: UploadTree, _ tools: TransferTools
    ) -> [UInt8] {
        let choice =
            isInto
            ? "ecr_t=\(shellWord(inside)); echo into;"
            : tree.isFolder
                ? "ecr_t=\(shellWord(path)); echo itself;"
                : """
                ecr_t=\(shellWord(path)); if [ -d "$ecr_t" ]; then ecr_t=\(shellWord(inside)); echo into
                else echo itself; fi
                """
        let size = tree.files.first?.size ?? 0
        return Array(
            """
            export LC_ALL=C; exec 2>/dev/null; \(tools.sizeFunction)
            \(choice)
            if [ -d "$ecr_t" ]; then \(kind(of: path, isInto: isInto, tree)); elif [ -f "$ecr_t" ]; then echo f; \(tools.permissions(of: "$ecr_t"))
            if [ "$(ecr_size "$ecr_t")" = \(size) ]; then \(tools.hasher?.rawValue ?? ":") <"$ecr_t"; fi
            elif [ -e "$ecr_t" ] || [ -L "$ecr_t" ]; then echo o; else echo n; fi
            """.utf8)
    }
}

extension UploadPlace {
    /// Origin: a name that both have is among the first, or was put there by somebody else.
    private static let mostNames = 100

    /// Shell text that prints the letter of a directory.
    private static func kind(of path: String, isInto: Bool, _ tree: UploadTree) -> String {
        let hasName = isInto || tree.name.isEmpty || path.hasSuffix("/\(tree.name)")
        guard tree.isFolder, !hasName else { return "echo d" }
        var names: [String] = []
        for path in tree.files.map(\.relative) + tree.folders.dropFirst().map(\.relative) {
            let name = String(path.prefix { $0 != "/" })
            if names.last != name, names.count < mostNames { names.append(name) }
        }
        return """
            ecr_k=s; [ -n "$(ls -A "$ecr_t")" ] || ecr_k=d
            for ecr_n in \(names.map { shellWord($0) }.joined(separator: " ")); do [ ! -e "$ecr_t/$ecr_n" ] || ecr_k=d; done
            echo $ecr_k
            """
    }
}

extension TransferTools {
    /// Shell text that makes `ecr_size`, which prints how many bytes a file has.
    var sizeFunction: String {
        // BusyBox's `wc` reads the file, and may print blanks first.
        status == .missing
            ? #"ecr_size() { echo $(wc -c <"$1"); };"# : #"ecr_size() { stat -L -c %s -- "$1"; };"#
    }

    /// Shell text that prints a line with a file's permissions in octal digits; an empty one where nobody can tell.
    fileprivate func permissions(of word: String) -> String {
        status == .missing ? "echo" : "stat -L -c %a -- \"\(word)\" || echo"
    }
}
