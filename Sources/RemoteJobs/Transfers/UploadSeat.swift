import Hashing
package import SSH

/// The last step of an upload: what was sent is compared, gets its permissions and takes its place by a rename, so that
/// whoever looks finds the old file or the new one, whole. Runs on the SSH loop.
@SSHActor package struct UploadSeat {
    private let line: TransferLine

    package init(over line: TransferLine) { self.line = line }

    /// A file under its temporary name, and where it goes.
    package struct Arrival: Sendable {
        package let temporary: [UInt8]
        package let destination: [UInt8]
        package let size: Int64
        package let sha256: String
        package let permissions: UInt32

        package init(
            temporary: [UInt8], destination: [UInt8], size: Int64, sha256: String, permissions: UInt32
        ) {
            self.temporary = temporary
            self.destination = destination
            self.size = size
            self.sha256 = sha256
            self.permissions = permissions
        }
    }

    /// What a temporary file of the destination's directory is called: the same for the same version of the same file, so
    /// that a later attempt finds it.
    /// - Parameter key: of letters and digits; tells runs and versions from one another.
    package nonisolated static func temporary(_ key: String, for destination: [UInt8]) -> [UInt8] {
        parent(of: destination) + Array("/.ecr-\(key)".utf8)
    }

    /// - Parameters:
    ///   - owner: tells runs and jobs from one another.
    ///   - file: nil for many files.
    package nonisolated static func key(_ owner: String, _ file: LocalFile? = nil) -> String {
        String(SHA256.hexDigest(of: Array("\(owner)\0\(file?.version ?? "")".utf8)).prefix(16))
    }

    nonisolated static func parent(of path: [UInt8]) -> [UInt8] { Array(path[..<(path.lastIndex(of: 0x2F) ?? 0)]) }

    /// Shell text that makes the directory of a file, or ends the script with its failure.
    nonisolated static func preparation(of temporary: [UInt8]) -> [UInt8] {
        let parent = parent(of: temporary)
        if parent.isEmpty { return Array("export LC_ALL=C; umask 077; ".utf8) }
        let word = shellWord(parent)
        return Array("export LC_ALL=C; [ -d ".utf8) + word + Array(" ] || mkdir -p -- ".utf8) + word
            + Array(" || exit; umask 077; ".utf8)
    }

    func makeParent(of temporary: [UInt8]) async throws {
        let reply = try await line.run(Self.preparation(of: temporary))
        if !reply.hasSucceeded { throw reply.failure }
    }

    /// Places one file.
    /// - Returns: the target's own hash; nil where it cannot tell.
    /// - Throws: `TransferFailure`; nothing is left of the temporary file then.
    package func place(_ arrival: Arrival) async throws -> String? {
        let hasher = line.tools.hasher
        let (temporary, destination) = (shellWord(arrival.temporary), shellWord(arrival.destination))
        var text = Array("export LC_ALL=C; \(line.tools.sizeFunction) ecr_f=".utf8) + temporary
        text += Array("; ecr_t=".utf8) + destination
        text += Array(
            """
            ; ecr_h=$(\(hasher?.rawValue ?? ":") <"$ecr_f") || exit
            echo "$ecr_h"; case $ecr_h in \(hasher == nil ? "" : arrival.sha256)*) ;; *) rm -f -- "$ecr_f"; exit 3;; esac
            [ "$(ecr_size "$ecr_f")" = \(arrival.size) ] || { rm -f -- "$ecr_f"; exit 3; }
            if [ -d "$ecr_t" ]; then echo 'mv: a directory of that name is there' >&2; rm -f -- "$ecr_f"; exit 1; fi
            chmod \(String(arrival.permissions, radix: 8)) "$ecr_f" && mv -f -- "$ecr_f" "$ecr_t" \
            || { rm -f -- "$ecr_f"; exit 1; }
            """.utf8)
        let reply = try await line.run(text)
        let hash = RemoteHashes.leadingHash(reply.output)
        if reply.hasSucceeded { return hash }
        guard reply.errorLines.isEmpty else { throw reply.failure }
        // A connection that ended in between is told by the next script.
        guard hash != nil || hasher == nil else { throw SSHError(.closed, "the script was cut off") }
        throw TransferFailure("damaged on the way: both ends differ")
    }

    /// Gives files of the right content the right permissions.
    package func setPermissions(_ permissions: UInt32, of path: [UInt8]) async throws {
        let text = "export LC_ALL=C; chmod \(String(permissions, radix: 8)) "
        let reply = try await line.run(Array(text.utf8) + shellWord(path))
        if !reply.hasSucceeded { throw reply.failure }
    }

    /// Makes the directories of a tree as far as they are missing.
    /// - Parameter root: of the tree on the target.
    package func make(_ folders: [UploadTree.Folder], in root: [UInt8]) async throws {
        var commands: [[UInt8]] = []
        var previous: UInt32?
        for folder in folders {
            // Whoever makes a directory must be able to fill it.
            let permissions = folder.permissions | 0o700
            if permissions != previous || commands.last?.count ?? 0 > Self.longestCommand {
                commands.append(Array("mkdir -p -m \(String(permissions, radix: 8)) --".utf8))
                previous = permissions
            }
            let path = folder.relative.isEmpty ? root : root + [0x2F] + Array(folder.relative.utf8)
            commands[commands.count - 1] += [0x20] + shellWord(path)
        }
        try await carryOut(commands)
    }

    /// Runs commands until one fails, as many in a script as a small board's memory bears.
    private func carryOut(_ commands: [[UInt8]]) async throws {
        var rest = commands[...]
        while !rest.isEmpty {
            var text = Array("export LC_ALL=C\n".utf8)
            while let command = rest.first, text.count + command.count < Self.longestScript {
                text += command + Array(" || exit\n".utf8)
                rest.removeFirst()
            }
            let reply = try await line.run(text)
            if !reply.hasSucceeded { throw reply.failure }
        }
    }

    /// Removes temporary files or directories, as far as the target can be asked.
    package func remove(_ paths: [[UInt8]]) async throws {
        let text = Array("exec 2>/dev/null; rm -rf --".utf8) + paths.flatMap { [0x20] + shellWord($0) }
        _ = try await line.run(text)
    }

    /// Why a file cannot be written, in the words of the target's C library, which SFTP keeps to itself.
    func reason(for temporary: [UInt8]) async throws -> TransferFailure? {
        let word = shellWord(temporary)
        // A block more than there is: what fails now is what failed before.
        let text =
            Array("export LC_ALL=C; : >>".utf8) + word + Array(" && head -c 65536 /dev/zero >>".utf8) + word
        let reply = try await line.run(text)
        return reply.hasSucceeded ? nil : reply.failure
    }

    /// Bytes. Origin: the kernel's limit for one argument list is 128 KiB on the oldest boards.
    nonisolated static let longestCommand = 60_000
    /// Bytes. Origin: a shell holds all of it.
    nonisolated static let longestScript = 256_000
}
