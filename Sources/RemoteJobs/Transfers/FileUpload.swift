package import LinuxSystem
package import SSH

/// A file that is on the target, under its temporary name.
package struct SentFile: Sendable, Equatable {
    package let sha256: String
    package let method: TransferMethod
    /// From this byte on it was sent now; the rest was there from an earlier attempt.
    package let resumedAt: Int64
}

/// Sends one file to a temporary name on the target, in bounded memory, and goes on where an earlier attempt was cut. Runs
/// on the SSH loop.
@SSHActor package struct FileUpload {
    private let line: TransferLine
    private let method: TransferMethod
    /// Reads away from the SSH loop.
    private let worker: Worker

    /// Origin: as for pulls: `dd` begins at whole blocks, and writes faster by large ones.
    private nonisolated static let block: Int64 = 64 << 10

    package init(over line: TransferLine, by method: TransferMethod, worker: Worker) {
        self.line = line
        self.worker = worker
        self.method = method
    }

    /// - Parameters:
    ///   - temporary: where the bytes go; its directory is made if it is missing.
    ///   - mayResume: whether an earlier attempt may have left something there.
    ///   - progress: bytes that are there.
    ///   - resumed: bytes that an earlier attempt has left there, before anything is sent.
    /// - Throws: `TransferFailure` where the file cannot be read here or written there (nothing of it is left),
    ///   `SSHError` where the link fails, `CancellationError`: what is there stays if a later attempt can go on with it.
    package func send(
        _ file: LocalFile, to temporary: [UInt8], mayResume: Bool,
        progress: @escaping @Sendable (Int64) -> Void = { _ in },
        resumed: @Sendable (Int64) -> Void = { _ in }
    ) async throws -> SentFile {
        do {
            let stream = try await LocalStream(file, worker)
            let start = mayResume && isResumable(file) ? try await keptBytes(file, temporary, stream) : 0
            resumed(start)
            switch method {
            case .sftp: try await sendBySFTP(stream, temporary, start, progress)
            case .exec: try await sendByCopy(stream, temporary, start, progress)
            case .scp, .tar: try await sendBySCP(file, stream, temporary, progress)
            }
            return SentFile(sha256: try await stream.finish(), method: method, resumedAt: start)
        } catch let error where !(error is SSHError || mayGoOn(file, after: error)) {
            try? await UploadSeat(over: line).remove([temporary])
            throw error
        }
    }

    /// A target that hangs would hold up whoever removes something there; the name is on record.
    private func mayGoOn(_ file: LocalFile, after error: any Error) -> Bool {
        error is CancellationError && isResumable(file) || TransferFailure.isStall(error)
    }

    /// Whether what is cut of it can go on where it was.
    package nonisolated func isResumable(_ file: LocalFile) -> Bool {
        file.size >= Self.block && (method == .sftp || method == .exec && line.tools.reader == .dd)
    }

    /// How much of the file is there already, as its hash tells; whole blocks. What is no beginning of it is removed: an
    /// earlier program that still writes to it then harms nothing.
    private func keptBytes(_ file: LocalFile, _ temporary: [UInt8], _ stream: LocalStream) async throws -> Int64 {
        let text =
            Array("\(line.tools.sizeFunction) ecr_size ".utf8) + shellWord(temporary) + Array(" 2>/dev/null".utf8)
        let digits = String(decoding: try await line.runSoon(text).output.prefix { $0 != 0x0A }, as: UTF8.self)
        guard let size = Int64(digits) else { return 0 }
        let kept = size / Self.block * Self.block
        if kept > 0, size <= file.size {
            let line = line
            let hash = try await Patience(bytes: UInt64(kept)).whileWaiting {
                try await RemoteHashes(over: line).hash(of: temporary, first: kept)
            }
            if let hash, try await stream.skip(kept, hash: hash) { return kept }
        }
        try await UploadSeat(over: line).remove([temporary])
        return 0
    }

    // MARK: SFTP

    private func sendBySFTP(
        _ stream: LocalStream, _ temporary: [UInt8], _ start: Int64, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        guard let sftp = line.sftp else { throw TransferFailure("the target's SSH server offers no SFTP") }
        let mode: SFTPOpenMode = start > 0 ? [.write, .create] : [.write, .create, .exclusive]
        let patience = Patience()
        do {
            try await patience.whileWaiting {
                try await freeingWhenCancelled {
                    try await upload(stream, temporary, mode, start, sftp, patience, progress)
                }
            }
        } catch let failure as TransferFailure where failure.isStall {
            await line.abandonSFTP()
            throw failure
        } catch let error as SSHError {
            guard case .sftp = error.code else { throw error }
            throw try await UploadSeat(over: line).reason(for: temporary) ?? TransferFailure(error.message)
        }
    }

    private func upload(
        _ stream: LocalStream, _ temporary: [UInt8], _ mode: SFTPOpenMode, _ start: Int64, _ sftp: SFTPClient,
        _ patience: Patience, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        let handle = try await open(temporary, mode, sftp)
        let confirmed: @Sendable (UInt64) -> Void = {
            patience.renew()
            progress(Int64(clamping: $0))
        }
        do {
            try await sftp.upload(handle, from: UInt64(start), confirmed: confirmed) {
                try await patience.whileWorking { try await stream.next() }
            }
        } catch {
            if line.session.isConnected { try? await sftp.close(handle) }
            throw error
        }
        try await sftp.close(handle)
    }

    /// A request that is half written cannot be called back: whoever waits for a server that hangs is free only once its
    /// channel is closed.
    private func freeingWhenCancelled(_ body: @SSHActor () async throws -> Void) async throws {
        let line = line
        let watch = Locked<Task<Void, Never>?>(nil)
        defer { watch.withLock { $0?.cancel() } }
        try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            let task = Task {
                do { try await Task.sleep(for: .seconds(line.graceOfCancelled)) } catch { return }
                await line.abandonSFTP()
            }
            watch.withLock { $0 = task }
        }
    }

    private func open(
        _ temporary: [UInt8], _ mode: SFTPOpenMode, _ sftp: SFTPClient
    ) async throws -> SFTPHandle {
        do throws(SSHError) { return try await sftp.open(temporary, mode, permissions: 0o600) } catch {
            // The usual case costs no question.
            switch error.code {
            // No such directory.
            case .sftp(2): try await UploadSeat(over: line).makeParent(of: temporary)
            // The protocol's one word for all else; here an earlier attempt's file, above all.
            case .sftp(4): try await UploadSeat(over: line).remove([temporary])
            default: throw error
            }
        }
        return try await sftp.open(temporary, mode, permissions: 0o600)
    }

    // MARK: Programs

    /// An earlier attempt that is in its last step moves its own file, not one that is begun anew under its name.
    private func preparation(of temporary: [UInt8], _ start: Int64) -> [UInt8] {
        let preparation = UploadSeat.preparation(of: temporary)
        return start > 0 ? preparation : preparation + Array("rm -f -- ".utf8) + shellWord(temporary) + Array("; ".utf8)
    }

    private func sendByCopy(
        _ stream: LocalStream, _ temporary: [UInt8], _ start: Int64, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        let word = shellWord(temporary)
        // What an earlier `dd` still writes is the same in the same places.
        let place = start > 0 ? " seek=\(start / Self.block) conv=notrunc" : ""
        let copy =
            line.tools.reader == .dd
            ? Array("exec dd bs=\(Self.block)\(place) of=".utf8) + word : Array("exec cat >".utf8) + word
        let script = try await line.start(preparation(of: temporary, start) + copy)
        defer { script.close() }
        let feed = ScriptFeed(script, line, from: start, progress)
        try await feed.run { try await stream.next() }
        guard script.hasSucceeded else { throw Self.failure(script) }
    }

    private func sendBySCP(
        _ file: LocalFile, _ stream: LocalStream, _ temporary: [UInt8], _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        guard line.tools.hasSCP else { throw TransferFailure("the target has no scp") }
        let copy = Array("exec scp -t -- ".utf8) + shellWord(temporary)
        let script = try await line.start(preparation(of: temporary, 0) + copy)
        defer { script.close() }
        let patience = Patience()
        try await patience.whileWaiting { @SSHActor in
            var sink = SCPSink(script, patience)
            try await sink.write(size: file.size, progress) { try await stream.next() }
        }
    }

    private static func failure(_ script: RemoteScript) -> TransferFailure {
        // `dd` ends with its counts, behind what went wrong.
        TransferFailure(complaint: script.errorLines.last { $0.contains(": ") } ?? "")
    }
}
