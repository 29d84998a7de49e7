import LinuxSystem
import Hashing
package import SSH

/// The last step of an upload: what was sent is compared, gets its permissions and takes its place by a rename, so that
/// whoever looks finds the old file or the new one, whole, also after a power cut. Runs on the SSH loop.
@SSHActor package struct UploadSeat {
    private let line: TransferLine
    /// See `Patience`.
    private let shortestWait: Int

    package init(over line: TransferLine, shortestWait: Int = Patience.usual) {
        self.line = line
        self.shortestWait = shortestWait
    }

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

    /// Files were taking their places when the link failed, the target hung, or somebody cancelled it: each of them may
    /// have its own, or get it yet, or not.
    package struct Unsettled: Error {
        package let cause: any Error

        /// For the record.
        package var failure: TransferFailure {
            let what =
                switch cause {
                case let stall as TransferFailure: "\(stall.reason) while it took its place (sync, rename)"
                case is CancellationError: "cancelled while it took its place (sync, rename)"
                default: "the link was lost while it took its place"
                }
            var failure = TransferFailure("\(what): it may be there", isStall: TransferFailure.isStall(cause))
            failure.isUnsettled = true
            return failure
        }
    }

    /// Runs a last step, of which nobody knows how far it came where it does not end.
    nonisolated static func settling<Value: Sendable>(
        _ patience: Patience, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        do { return try await patience.toItsEnd(body) } catch {
            if let failure = error as? TransferFailure, !failure.isStall { throw failure }
            throw Unsettled(cause: error)
        }
    }

    /// Shell text: descriptor 3 is what a temporary name stands for; `ecr_q` fails once that is something else, made by a
    /// later attempt, so that a script which a disk held up for long moves nothing that is not its own.
    /// - Parameter name: a shell variable.
    nonisolated static func keep(_ name: String) -> String {
        // A shell whose `test` knows no `-ef` cannot tell.
        """
        ecr_q() { :; }; exec 3<"$\(name)" || exit; ! [ "$\(name)" -ef /proc/self/fd/3 ] || \
        ecr_q() { [ "$\(name)" -ef /proc/self/fd/3 ] || ! echo 'mv: a later attempt has taken its place' >&2; }
        """
    }

    /// A file that has its place.
    package struct Placed: Sendable, Equatable {
        /// By the target itself; nil where it cannot tell.
        package let sha256: String?
        /// Whether content and name are on the target's disk.
        package let isSynced: Bool
        /// Whether a link was there; what that led to is as it was.
        package var replacesLink = false
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

    package func makeParent(of path: [UInt8]) async throws {
        let reply = try await line.runSoon(Self.preparation(of: path))
        if !reply.hasSucceeded { throw reply.failure }
    }

    /// Places one file, also where its task is cancelled meanwhile: what has begun to take its place has it in the end,
    /// unless the target hangs.
    /// - Throws: `TransferFailure` where it cannot (nothing is left of the temporary file), `Unsettled`.
    package func place(_ arrival: Arrival) async throws -> Placed {
        let patience = Patience(bytes: UInt64(max(0, arrival.size)), shortest: shortestWait)
        return try await Self.settling(patience) { try await self.finish(arrival, patience) }
    }

    private func finish(_ arrival: Arrival, _ patience: Patience) async throws -> Placed {
        let hasher = line.tools.hasher
        let (temporary, destination) = (shellWord(arrival.temporary), shellWord(arrival.destination))
        var text = Array("export LC_ALL=C; \(line.tools.sizeFunction) ecr_f=".utf8) + temporary
        text += Array("; ecr_t=".utf8) + destination
        // A `sync` that takes no names writes out everything.
        text += Array(
            """
            ; \(Self.keep("ecr_f")); ecr_x() { ! ecr_q 2>/dev/null || rm -f -- "$ecr_f"; exit "$1"; }
            sync "$ecr_f" </dev/null >/dev/null 2>&1 & ecr_p=$!
            ecr_h=$(\(hasher?.rawValue ?? ":") <"$ecr_f") || ecr_x 1
            echo "$ecr_h"; case $ecr_h in \(hasher == nil ? "" : arrival.sha256)*) ;; *) ecr_x 3;; esac
            [ "$(ecr_size "$ecr_f")" = \(arrival.size) ] || ecr_x 3
            if [ -d "$ecr_t" ]; then echo 'mv: a directory of that name is there' >&2; ecr_x 1; fi
            wait $ecr_p; ecr_y=$?
            [ ! -L "$ecr_t" ] || echo link
            ecr_q && chmod \(String(arrival.permissions, radix: 8)) "$ecr_f" && mv -f -- "$ecr_f" "$ecr_t" || ecr_x 1
            [ $ecr_y -ne 0 ] || ! sync "${ecr_t%/*}/" 2>/dev/null || echo synced
            """.utf8)
        let reply = try await line.run(text, patience)
        let hash = RemoteHashes.leadingHash(reply.output)
        if reply.hasSucceeded {
            let words = reply.output.split(separator: 0x0A, omittingEmptySubsequences: false).dropFirst()
            return Placed(
                sha256: hash, isSynced: words.contains { $0.elementsEqual("synced".utf8) },
                replacesLink: words.contains { $0.elementsEqual("link".utf8) })
        }
        guard reply.errorLines.isEmpty else { throw reply.failure }
        // A connection that ended in between is told by the next script.
        guard hash != nil || hasher == nil else { throw SSHError(.closed, "the script was cut off") }
        throw TransferFailure("damaged on the way: both ends differ")
    }

    /// Gives files of the right content the right permissions.
    /// - Returns: those whose permissions are not to be changed.
    package func setPermissions(_ files: [(path: [UInt8], permissions: UInt32)]) async throws -> Set<[UInt8]> {
        let prelude = """
            export LC_ALL=C
            ecr_c() { ecr_o=$1; shift; chmod "$ecr_o" "$@" 2>/dev/null && return
            for ecr_f; do chmod "$ecr_o" "$ecr_f" 2>/dev/null || printf '%s\\0' "$ecr_f"; done; }

            """
        var list = CommandList(prelude: prelude)
        for (path, permissions) in files.sorted(by: { $0.permissions < $1.permissions }) {
            list.add(path, to: Array("ecr_c \(String(permissions, radix: 8))".utf8))
        }
        var refused: Set<[UInt8]> = []
        for script in list.scripts {
            let reply = try await line.runSoon(script)
            if !reply.hasSucceeded { throw reply.failure }
            refused.formUnion(reply.output.split(separator: 0).map { Array($0) })
        }
        return refused
    }

    /// Makes the directories of a tree as far as they are missing.
    package func make(_ folders: [UploadTree.Folder], in place: UploadPlace) async throws {
        var list = CommandList(end: " || exit\n")
        for folder in folders {
            // Whoever makes a directory must be able to fill it.
            let permissions = String(folder.permissions | 0o700, radix: 8)
            list.add(folder.path(in: place), to: Array("mkdir -p -m \(permissions) --".utf8))
        }
        for script in list.scripts {
            let reply = try await line.runSoon(script)
            if !reply.hasSucceeded { throw reply.failure }
        }
    }

    /// The directories of a tree that have setuid, setgid or sticky bits here and not there.
    package func withoutBits(_ folders: [UploadTree.Folder], in place: UploadPlace) async throws -> [[UInt8]] {
        let prelude = """
            export LC_ALL=C
            ecr_b() { ecr_o=$1; shift; for ecr_f; do for ecr_w in $ecr_o; do
            [ "$ecr_w" "$ecr_f" ] || { printf '%s\\0' "$ecr_f"; break; }; done; done; }

            """
        var list = CommandList(prelude: prelude)
        for folder in folders where folder.specialBits != 0 {
            let bits: [(UInt32, String)] = [(0o4000, "-u"), (0o2000, "-g"), (0o1000, "-k")]
            let words = bits.filter { folder.specialBits & $0.0 != 0 }.map(\.1).joined(separator: " ")
            list.add(folder.path(in: place), to: Array("ecr_b '\(words)'".utf8))
        }
        var found: [[UInt8]] = []
        for script in list.scripts {
            let reply = try await line.runSoon(script)
            if !reply.hasSucceeded { throw reply.failure }
            found += reply.output.split(separator: 0).map { Array($0) }
        }
        return found
    }

    /// Removes temporary files or directories, as far as the target can be asked, also where its task is cancelled.
    package func remove(_ paths: [[UInt8]]) async throws {
        var list = CommandList(end: " 2>/dev/null\n")
        for path in paths { list.add(path, to: Array("rm -rf --".utf8)) }
        let scripts = list.scripts
        let patience = Patience(shortest: shortestWait)
        try await patience.toItsEnd { for script in scripts { _ = try await line.run(script, patience) } }
    }

    /// Why a file cannot be written, in the words of the target's C library, which SFTP keeps to itself, and so does a `tar`
    /// that says how much it could write.
    func reason(for temporary: [UInt8]) async throws -> TransferFailure? {
        let word = shellWord(temporary)
        // A block more than there is: what fails now is what failed before.
        let text =
            Array("export LC_ALL=C; : >>".utf8) + word + Array(" && head -c 65536 /dev/zero >>".utf8) + word
        let reply = try await line.runSoon(text)
        return reply.hasSucceeded ? nil : reply.failure
    }
}

extension UploadTree.Folder {
    /// Where it goes.
    func path(in place: UploadPlace) -> [UInt8] { relative.isEmpty ? place.path : place.path(of: relative) }
}
