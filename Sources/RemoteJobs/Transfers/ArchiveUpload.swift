package import LinuxSystem
package import SSH

/// Sends many files in one stream to the target's `tar`, into a temporary directory within the one that they go to, and
/// moves them to their places from there. In bounded memory. Runs on the SSH loop.
@SSHActor package struct ArchiveUpload {
    private let line: TransferLine
    private let worker: Worker
    /// The directory on the target, which is there.
    private let place: UploadPlace
    /// The temporary one in it.
    private let staging: [UInt8]

    /// - Parameter key: see `UploadSeat.key`.
    package init(over line: TransferLine, worker: Worker, into place: UploadPlace, key: String) {
        self.line = line
        self.worker = worker
        self.place = place
        staging = Self.staging(key, in: place)
    }

    package nonisolated static func staging(_ key: String, in place: UploadPlace) -> [UInt8] {
        place.path(of: Array(".ecr-\(key)".utf8))
    }

    /// A file that has its place.
    package struct Placed: Sendable {
        package let sha256: String
        /// nil where the target cannot tell.
        package let remoteSHA256: String?
        /// Whether content and name are on the target's disk.
        package internal(set) var isSynced = false
        /// See `UploadSeat.Placed`.
        package internal(set) var replacesLink = false
    }

    /// Sends files whose directories are there.
    /// - Parameter progress: files and bytes that are there.
    /// - Returns: for each file what has become of it.
    /// - Throws: `TransferFailure` where nothing can be unpacked there or a file cannot be read here, `SSHError` where the
    ///   link fails: nothing has its place then. `UploadSeat.Unsettled` where it fails later.
    package func send(
        _ files: [LocalFile], progress: @escaping @Sendable (Int, Int64) -> Void = { _, _ in }
    ) async throws -> [Result<Placed, TransferFailure>] {
        do {
            let hashes = try await stream(files, progress)
            let (line, names) = (line, files.map { path(of: $0, in: staging) })
            let remote = try await Patience(bytes: bytes(of: files)).whileWaiting {
                try await RemoteHashes(over: line).hashes(of: names)
            }
            var outcomes: [Result<Placed, TransferFailure>] = []
            for (file, hash) in zip(files, hashes) {
                let told = remote[path(of: file, in: staging)]
                let isSound = told == hash || !line.tools.canHash
                let damage = TransferFailure("damaged on the way: both ends differ")
                outcomes.append(isSound ? .success(Placed(sha256: hash, remoteSHA256: told)) : .failure(damage))
            }
            outcomes = try await settle(files, outcomes)
            try? await UploadSeat(over: line).remove([staging])
            return outcomes
        } catch let error where !(error is SSHError || error is UploadSeat.Unsettled || TransferFailure.isStall(error))
        {
            try? await UploadSeat(over: line).remove([staging])
            throw error
        }
    }

    private nonisolated func bytes(of files: [LocalFile]) -> UInt64 {
        files.reduce(0) { $0 + UInt64(max(0, $1.size)) }
    }

    private func path(of file: LocalFile, in folder: [UInt8]) -> [UInt8] { folder + [0x2F] + file.relative }

    // MARK: Sending

    /// - Returns: the files' hashes.
    private func stream(
        _ files: [LocalFile], _ progress: @escaping @Sendable (Int, Int64) -> Void
    ) async throws -> [String] {
        let word = shellWord(staging)
        // What an earlier attempt has left cannot be told from what it had not finished.
        let text =
            Array("export LC_ALL=C; umask 077; rm -rf -- ".utf8) + word + Array(" && mkdir -- ".utf8) + word
            + Array(" || exit \(Self.noPlace); exec tar -x -p -m -o -f - -C ".utf8) + word
        let script = try await line.start(text)
        defer { script.close() }
        let source = TarSource(files)
        let archive = ReadAhead(worker) { try source.read() }
        let sent = Locked(SentPart(files))
        let feed = ScriptFeed(script, line) { position in
            let part = sent.withLock {
                $0.advance(to: position)
                return ($0.count, $0.bytes)
            }
            progress(part.0, part.1)
        }
        try await feed.run { try await archive.next() }
        let hashes = try await worker.run { source.hashes }
        guard script.hasSucceeded, hashes.count == files.count else {
            let words = script.errorLines.last { !$0.contains("not recoverable") && $0.contains(": ") }
            let failure = TransferFailure(complaint: words ?? script.errorLines.last ?? "")
            if script.hasFailed(with: Self.noPlace) { throw failure }
            // Of a full disk `tar` says only how much it has written.
            throw try await UploadSeat(over: line).reason(for: staging + Array("/.ecr-full".utf8)) ?? failure
        }
        return hashes
    }

    /// The status where there is no directory for the archive. Origin: none of tar's.
    private nonisolated static let noPlace: Int32 = 90

    /// How much of the files an archive has brought by now.
    private struct SentPart {
        private let files: [LocalFile]
        /// Files that are sent whole.
        private(set) var count = 0
        private var wholeBytes: Int64 = 0
        /// Of the archive: behind the last whole file, and what is sent.
        private var (end, position): (Int64, Int64) = (0, 0)

        init(_ files: [LocalFile]) { self.files = files }

        var bytes: Int64 {
            guard count < files.count else { return wholeBytes }
            return wholeBytes
                + min(files[count].size, max(0, position - end - TarWriter.headerSize(files[count].relative)))
        }

        mutating func advance(to position: Int64) {
            self.position = position
            while count < files.count {
                let file = files[count]
                let size = TarWriter.headerSize(file.relative) + TarWriter.paddedSize(file.size)
                guard end + size <= position else { return }
                (count, wholeBytes, end) = (count + 1, wholeBytes + file.size, end + size)
            }
        }
    }

    // MARK: Places

    /// Moves what is sound, also where its task is cancelled meanwhile, unless the target hangs.
    private func settle(
        _ files: [LocalFile], _ outcomes: [Result<Placed, TransferFailure>]
    ) async throws -> [Result<Placed, TransferFailure>] {
        let patience = Patience(bytes: bytes(of: files))
        return try await UploadSeat.settling(patience) {
            var outcomes = outcomes
            try await self.move(files, &outcomes, patience)
            return outcomes
        }
    }

    /// One rename a file, but one program for all files of a directory.
    private func move(
        _ files: [LocalFile], _ outcomes: inout [Result<Placed, TransferFailure>], _ patience: Patience
    ) async throws {
        // What is left behind is told with the reason, each ended by NUL; so is a name that could not be synced, and one
        // that was a link.
        let links = #"for ecr_f; do [ ! -L "$ecr_t$ecr_f" ] || printf '%s\0link\0' "$ecr_s/$ecr_f"; done"#
        let functions = #"""
            ecr_m() { ecr_s=$1 ecr_t=$2; shift 2; ecr_q && cd "$ecr_s" || exit
            \#(place.standing == .nothing ? ":" : links)
            ecr_e=$(mv -f -- "$@" "$ecr_t" 2>&1) && return
            for ecr_f; do [ ! -e "$ecr_f" ] || printf '%s\0%s\0' "$ecr_s/$ecr_f" "$ecr_e"; done; }
            ecr_y() { sync -f "$1" 2>/dev/null || sync 2>/dev/null || printf '%s\0\0' "$1"; }

            """#
        var list = CommandList(
            prelude: Array("export LC_ALL=C; ecr_k=".utf8) + shellWord(staging)
                + Array("; \(UploadSeat.keep("ecr_k"))\n\(functions)".utf8))
        let sync = Array("ecr_y".utf8)
        list.add(staging, to: sync)
        var places: [[UInt8]: Int] = [:]
        for (index, file) in files.enumerated() {
            guard case .success = outcomes[index] else { continue }
            let source = path(of: file, in: staging)
            places[source] = index
            let folder = UploadSeat.parent(of: source)
            let inside = folder.dropFirst(staging.count + 1)
            let destination = inside.isEmpty ? place.path : UploadPlace.join(place.path, Array(inside))
            let words = shellWord(folder) + [0x20] + shellWord(UploadPlace.join(destination, []))
            list.add(Array(source[(folder.count + 1)...]), to: Array("ecr_m ".utf8) + words)
        }
        list.add(place.path, to: sync)
        var isSynced = true
        for script in list.scripts {
            let reply = try await line.run(script + Array("exit 0\n".utf8), patience)
            guard reply.hasSucceeded else { throw reply.failure }
            let fields = reply.output.split(separator: 0, omittingEmptySubsequences: false)
            for index in stride(from: 0, to: fields.count - 1, by: 2) {
                guard let place = places[Array(fields[index])] else {
                    isSynced = false
                    continue
                }
                if fields[index + 1].elementsEqual("link".utf8) {
                    outcomes[place] = outcomes[place].map { placed in
                        var placed = placed
                        placed.replacesLink = true
                        return placed
                    }
                    continue
                }
                let words = String(decoding: fields[index + 1], as: UTF8.self).split(separator: "\n").last
                outcomes[place] = .failure(TransferFailure(complaint: words.map(String.init) ?? ""))
            }
        }
        for index in outcomes.indices {
            outcomes[index] = outcomes[index].map { placed in
                var placed = placed
                placed.isSynced = isSynced
                return placed
            }
        }
    }
}
