package import LinuxSystem
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
    /// Of a file with the size of the one that is to be sent: its SHA-256, and its permissions; special bits are left as
    /// they are there.
    let sha256: String?
    let permissions: UInt32?

    /// Where a file of the directory goes.
    package func path(of relative: [UInt8]) -> [UInt8] { Self.join(path, relative) }

    /// The directory that a file is in, or gets into.
    package var folder: UploadPlace {
        let parent = UploadSeat.parent(of: path)
        return UploadPlace(
            path: parent.isEmpty ? [0x2F] : parent, standing: .directory, isStrange: false, sha256: nil,
            permissions: nil)
    }

    /// A name in a directory, which may be `/`.
    static func join(_ folder: [UInt8], _ name: [UInt8]) -> [UInt8] {
        folder.last == 0x2F ? folder + name : folder + [0x2F] + name
    }

    /// - Parameters:
    ///   - name: with a slash at its end it is a directory into which it goes; so is what is a directory already where
    ///     a file is sent. `~/` and a relative path begin in the login folder, the latter in `base` if there is one.
    ///   - shortestWait: see `Patience`.
    /// - Throws: `TransferFailure` where it cannot go there, `SSHError` where the link fails.
    @SSHActor package static func find(
        _ tree: UploadTree, to name: RawPath, base: String?, over line: TransferLine,
        shortestWait: Int = Patience.usual
    ) async throws -> UploadPlace {
        // A shell would look up that user's home; here it would become a directory of that name.
        if name.bytes.first == UInt8(ascii: "~"), name.bytes.count > 1, name.bytes[1] != UInt8(ascii: "/") {
            var failure = TransferFailure("only ~ and ~/ are known, for the login folder")
            failure.hint = "name the place from / on; ./~ begins a name with a ~"
            throw failure
        }
        let path = absolute(name, base, line.tools.home)
        let isInto = name.name.isEmpty || name.name == Array(".".utf8) || name == RawPath("~")
        let inside = tree.name.isEmpty ? path : join(path, tree.name)
        let script = look(path, inside, isInto: isInto, tree, line.tools)
        // A file of the same size is read for its hash.
        let patience = Patience(bytes: tree.isFolder ? 0 : UInt64(max(0, tree.bytes)), shortest: shortestWait)
        let reply = try await line.runSoon(script, patience).output
        let words = reply.split(separator: 0x0A, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard words.count >= 2 else { throw SSHError(.protocolViolation, "the target's shell gave no answer") }
        let standing: Standing =
            switch words[1] {
            case "d", "s": .directory
            case "f": .file
            case "n": .nothing
            default: .other
            }
        let place = UploadPlace(
            path: words[0] == "into" ? inside : path, standing: standing,
            isStrange: words[1] == "s",
            sha256: words.count > 3 ? RemoteHashes.leadingHash(words[3].utf8) : nil,
            permissions: words.count > 2 ? UInt32(words[2], radix: 8).map { $0 & 0o777 } : nil)
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

    private static func absolute(_ name: RawPath, _ base: String?, _ home: String) -> [UInt8] {
        let (slash, home) = (UInt8(ascii: "/"), RawPath(home))
        var path = name
        if name.bytes.first == UInt8(ascii: "~"), name.bytes.dropFirst().first ?? slash == slash {
            path = RawPath(home.bytes + name.bytes.dropFirst())
        }
        if !path.isAbsolute {
            let base = base.map { RawPath($0) }.map { $0.isAbsolute ? $0 : home.appending($0.bytes) } ?? home
            path = base.appending(path.bytes)
        }
        let parts = path.bytes.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }
        return [slash] + Array(parts.joined(separator: [slash]))
    }

    private static func look(
        _ path: [UInt8], _ inside: [UInt8], isInto: Bool, _ tree: UploadTree, _ tools: TransferTools
    ) -> [UInt8] {
        let choice =
            isInto
            ? #"ecr_t=$ecr_i; echo into"#
            : tree.isFolder
                ? "echo itself" : #"if [ -d "$ecr_t" ]; then ecr_t=$ecr_i; echo into; else echo itself; fi"#
        let size = tree.files.first?.size ?? 0
        let head = "export LC_ALL=C; exec 2>/dev/null; \(tools.sizeFunction) ecr_t="
        var script = Array(head.utf8) + shellWord(path) + Array(" ecr_i=".utf8) + shellWord(inside)
        script += Array("\n\(choice)\nif [ -d \"$ecr_t\" ]; then ".utf8) + kind(of: path, isInto: isInto, tree)
        script += Array(
            """
            ; elif [ -f "$ecr_t" ]; then echo f; \(tools.permissions(of: "$ecr_t"))
            if [ "$(ecr_size "$ecr_t")" = \(size) ]; then \(tools.hasher?.rawValue ?? ":") <"$ecr_t"; fi
            elif [ -e "$ecr_t" ] || [ -L "$ecr_t" ]; then echo o; else echo n; fi
            """.utf8)
        return script
    }
}

extension UploadPlace {
    /// Origin: a name that both have is among the first, or was put there by somebody else.
    private static let mostNames = 100

    /// Shell text that prints the letter of a directory.
    private static func kind(of path: [UInt8], isInto: Bool, _ tree: UploadTree) -> [UInt8] {
        let hasName = isInto || tree.name.isEmpty || RawPath(path).name == tree.name
        guard tree.isFolder, !hasName else { return Array("echo d".utf8) }
        var names: [[UInt8]] = []
        for path in tree.files.map(\.relative) + tree.folders.dropFirst().map(\.relative) {
            let name = Array(path.prefix { $0 != 0x2F })
            if names.last != name, names.count < mostNames { names.append(name) }
        }
        return Array(#"ecr_k=s; [ -n "$(ls -A "$ecr_t")" ] || ecr_k=d; for ecr_n in"#.utf8)
            + names.flatMap { [0x20] + shellWord($0) }
            + Array(#"; do [ ! -e "$ecr_t/$ecr_n" ] || ecr_k=d; done; echo $ecr_k"#.utf8)
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
