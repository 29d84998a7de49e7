package import LinuxSystem
package import SSH

/// Sends many files in one stream to the target's `tar`, into a temporary directory within the one that they go to, and
/// moves them to their places from there. In bounded memory. Runs on the SSH loop.
@SSHActor package struct ArchiveUpload {
    private let line: TransferLine
    private let worker: Worker
    /// The directory on the target, which is there, and the temporary one in it.
    private let root: [UInt8]
    private let staging: [UInt8]

    /// - Parameter key: see `UploadSeat.temporary`.
    package init(over line: TransferLine, worker: Worker, into root: [UInt8], key: String) {
        self.line = line
        self.worker = worker
        self.root = root
        staging = root + Array("/.ecr-\(key)".utf8)
    }

    /// A file that has its place.
    package struct Placed: Sendable {
        package let sha256: String
        /// nil where the target cannot tell.
        package let remoteSHA256: String?
    }

    /// Sends files whose directories are there.
    /// - Parameter progress: bytes that are on their way or there.
    /// - Returns: for each file what has become of it.
    /// - Throws: `TransferFailure` where nothing can be unpacked there or a file cannot be read here, `SSHError` where the
    ///   link fails. Nothing has its place then.
    package func send(
        _ files: [LocalFile], progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws -> [Result<Placed, TransferFailure>] {
        do {
            let hashes = try await stream(files, progress)
            let remote = try await RemoteHashes(over: line).hashes(of: files.map { path(of: $0, in: staging) })
            var outcomes: [Result<Placed, TransferFailure>] = []
            for (file, hash) in zip(files, hashes) {
                let told = remote[path(of: file, in: staging)]
                let isSound = told == hash || !line.tools.canHash
                let damage = TransferFailure("damaged on the way: both ends differ")
                outcomes.append(isSound ? .success(Placed(sha256: hash, remoteSHA256: told)) : .failure(damage))
            }
            try await move(files, &outcomes)
            try? await UploadSeat(over: line).remove([staging])
            return outcomes
        } catch let error where !(error is SSHError) {
            try? await UploadSeat(over: line).remove([staging])
            throw error
        }
    }

    private func path(of file: LocalFile, in folder: [UInt8]) -> [UInt8] { folder + [0x2F] + Array(file.relative.utf8) }

    // MARK: Sending

    /// - Returns: the files' hashes.
    private func stream(
        _ files: [LocalFile], _ progress: @Sendable (Int64) -> Void
    ) async throws -> [String] {
        let word = shellWord(staging)
        // What an earlier attempt has left cannot be told from what it had not finished.
        let text =
            Array("export LC_ALL=C; umask 077; rm -rf -- ".utf8) + word + Array(" && mkdir -- ".utf8) + word
            + Array(" && exec tar -x -p -m -o -f - -C ".utf8) + word
        let script = try await line.start(text)
        defer { script.close() }
        let source = TarSource(files)
        let archive = ReadAhead(worker) { try source.read() }
        do {
            let all = files.reduce(0) { $0 + $1.size }
            var bytes: Int64 = 0
            while let piece = try await archive.next() {
                try await script.write(piece)
                bytes += Int64(piece.count)
                // Headers and padding count, too, until all is there.
                progress(min(bytes, all))
            }
        } catch let error as SSHError {
            // A `tar` that has ended early says why.
            guard error.code == .closed, line.session.isConnected else { throw error }
        }
        script.endInput()
        while try await script.read() != nil {}
        let hashes = try await worker.run { source.hashes }
        guard script.hasSucceeded, hashes.count == files.count else {
            let words = script.errorLines.last { !$0.contains("not recoverable") && $0.contains(": ") }
            throw TransferFailure(complaint: words ?? script.errorLines.last ?? "")
        }
        return hashes
    }

    // MARK: Places

    /// Moves what is sound; one rename a file, but one program for all files of a directory.
    private func move(_ files: [LocalFile], _ outcomes: inout [Result<Placed, TransferFailure>]) async throws {
        var places: [[UInt8]: Int] = [:]
        var commands: [[UInt8]] = []
        var current: [UInt8]?
        for (place, file) in files.enumerated() {
            guard case .success = outcomes[place] else { continue }
            let source = path(of: file, in: staging)
            places[source] = place
            let folder = UploadSeat.parent(of: source)
            if folder != current || commands.last?.count ?? 0 > UploadSeat.longestCommand {
                let destination = root + folder.dropFirst(staging.count) + [0x2F]
                commands.append(Array("ecr_m ".utf8) + shellWord(folder) + [0x20] + shellWord(destination))
                current = folder
            }
            commands[commands.count - 1] += [0x20] + shellWord(Array(source[(folder.count + 1)...]))
        }
        // What is left behind is told with the reason, each ended by NUL.
        let function = #"""
            export LC_ALL=C
            ecr_m() { ecr_s=$1 ecr_t=$2; shift 2; cd "$ecr_s" || exit; ecr_e=$(mv -f -- "$@" "$ecr_t" 2>&1) && return
            for ecr_f; do [ ! -e "$ecr_f" ] || printf '%s\0%s\0' "$ecr_s/$ecr_f" "$ecr_e"; done; }

            """#
        var rest = commands[...]
        while !rest.isEmpty {
            var text = Array(function.utf8)
            while let command = rest.first, text.count + command.count < UploadSeat.longestScript {
                text += command + [0x0A]
                rest.removeFirst()
            }
            let reply = try await line.run(text + Array("exit 0\n".utf8))
            guard reply.hasSucceeded else { throw reply.failure }
            let fields = reply.output.split(separator: 0, omittingEmptySubsequences: false)
            for index in stride(from: 0, to: fields.count - 1, by: 2) {
                guard let place = places[Array(fields[index])] else { continue }
                let words = String(decoding: fields[index + 1], as: UTF8.self).split(separator: "\n").last
                outcomes[place] = .failure(TransferFailure(complaint: words.map(String.init) ?? ""))
            }
        }
    }
}
