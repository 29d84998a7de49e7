import Hashing
package import SSH

/// The last step of an upload: what was sent is compared, gets its permissions and takes its place by a rename, so that
/// whoever looks finds the old file or the new one, whole, also after a power cut. Runs on the SSH loop.
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

    /// The link has failed while files took their places: each of them may have its own, or not.
    package struct Unsettled: Error {
        package let cause: SSHError
    }

    /// A file that has its place.
    package struct Placed: Sendable, Equatable {
        /// By the target itself; nil where it cannot tell.
        package let sha256: String?
        /// Whether content and name are on the target's disk.
        package let isSynced: Bool
    }

    /// What a temporary file of the destination's directory is called: the same whenever the same file goes there, so
    /// that a later attempt finds it.
    /// - Parameter key: see `key`.
    package nonisolated static func temporary(_ key: String, for destination: [UInt8]) -> [UInt8] {
        UploadPlace.join(parent(of: destination), Array(".ecr-\(key)".utf8))
    }

    /// - Parameter words: what tells it from others: run, action, place, lane, file. Not the file's content: what an older
    ///   one has left is found by the newer one, too.
    package nonisolated static func key(_ words: [UInt8]...) -> String {
        String(SHA256.hexDigest(of: Array(words.joined(separator: [0]))).prefix(16))
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

    /// Places one file, also where its task is cancelled meanwhile: what has begun to take its place has it in the end.
    /// - Throws: `TransferFailure` where it cannot (nothing is left of the temporary file), `Unsettled`.
    package func place(_ arrival: Arrival) async throws -> Placed {
        do { return try await Task { try await finish(arrival) }.value } catch let error as SSHError {
            throw Unsettled(cause: error)
        }
    }

    private func finish(_ arrival: Arrival) async throws -> Placed {
        let hasher = line.tools.hasher
        let (temporary, destination) = (shellWord(arrival.temporary), shellWord(arrival.destination))
        var text = Array("export LC_ALL=C; \(line.tools.sizeFunction) ecr_f=".utf8) + temporary
        text += Array("; ecr_t=".utf8) + destination
        // A `sync` that takes no names writes out everything.
        text += Array(
            """
            ; ecr_x() { rm -f -- "$ecr_f"; exit "$1"; }
            sync "$ecr_f" </dev/null >/dev/null 2>&1 & ecr_p=$!
            ecr_h=$(\(hasher?.rawValue ?? ":") <"$ecr_f") || ecr_x 1
            echo "$ecr_h"; case $ecr_h in \(hasher == nil ? "" : arrival.sha256)*) ;; *) ecr_x 3;; esac
            [ "$(ecr_size "$ecr_f")" = \(arrival.size) ] || ecr_x 3
            if [ -d "$ecr_t" ]; then echo 'mv: a directory of that name is there' >&2; ecr_x 1; fi
            wait $ecr_p; ecr_y=$?
            chmod \(String(arrival.permissions, radix: 8)) "$ecr_f" && mv -f -- "$ecr_f" "$ecr_t" || ecr_x 1
            [ $ecr_y -ne 0 ] || ! sync "${ecr_t%/*}/" 2>/dev/null || echo synced
            """.utf8)
        let reply = try await line.run(text)
        let hash = RemoteHashes.leadingHash(reply.output)
        if reply.hasSucceeded {
            return Placed(sha256: hash, isSynced: reply.output.suffix(7).elementsEqual("synced\n".utf8))
        }
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
    package func make(_ folders: [UploadTree.Folder], in place: UploadPlace) async throws {
        var list = CommandList(end: " || exit\n")
        for folder in folders {
            // Whoever makes a directory must be able to fill it.
            let permissions = String(folder.permissions | 0o700, radix: 8)
            let path = folder.relative.isEmpty ? place.path : place.path(of: folder.relative)
            list.add(path, to: Array("mkdir -p -m \(permissions) --".utf8))
        }
        for script in list.scripts {
            let reply = try await line.run(script)
            if !reply.hasSucceeded { throw reply.failure }
        }
    }

    /// Removes temporary files or directories, as far as the target can be asked, also where its task is cancelled.
    package func remove(_ paths: [[UInt8]]) async throws {
        var list = CommandList(end: " 2>/dev/null\n")
        for path in paths { list.add(path, to: Array("rm -rf --".utf8)) }
        let scripts = list.scripts
        try await Task { for script in scripts { _ = try await line.run(script) } }.value
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
}
