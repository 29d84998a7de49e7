package import LinuxSystem
package import SSH

/// Why one file did not come, while the link is fine.
package struct TransferFailure: Error, Sendable, Equatable {
    package let reason: String
    /// The login user may not read it.
    package var isDenied = false
    /// Whoever reads it on the target hangs, and an SFTP server with it.
    package var isStall = false
    /// It is this machine's file, or its disk, that is at fault.
    package var isLocal = false
    /// The file says no true size, as what the kernel makes up.
    package internal(set) var isMadeUp = false
    /// It was taking its place when it was given up, and may have it.
    package internal(set) var isUnsettled = false
    /// The key below `transfers:` of a profile that has refused it.
    package var limit: String?
    /// What to do about it; nil where a look at the target helps.
    package internal(set) var hint: String?

    /// Whether an error says so.
    package static func isStall(_ error: any Error) -> Bool { (error as? TransferFailure)?.isStall == true }

    /// Somebody did not want to wait for it.
    package static let cancelled = TransferFailure("cancelled")

    package init(
        _ reason: String, isDenied: Bool = false, isStall: Bool = false, limit: String? = nil, hint: String? = nil
    ) {
        self.reason = reason
        self.isDenied = isDenied
        self.isStall = isStall
        self.limit = limit
        self.hint = hint
    }

    /// What an SFTP server has refused.
    init(refused error: SSHError, _ path: [UInt8]?) {
        let isTooLong = path?.split(separator: UInt8(ascii: "/")).contains { $0.count > Self.longestName } ?? false
        switch error.code {
        case .sftp(2): self.init("no such file")
        case .sftp(3): self.init("permission denied", isDenied: true)
        // The protocol has no word for it.
        case .sftp where isTooLong: self.init("file name too long")
        default: self.init(error.message)
        }
    }

    /// Bytes (NAME_MAX).
    private static let longestName = 255
}

/// A file that is here, under its temporary name.
package struct ReceivedFile: Sendable, Equatable {
    package let part: String
    package let size: Int64
    package let sha256: String
    package let method: TransferMethod
    /// From this byte on it has come now; the rest was here from an earlier attempt.
    package var resumedAt: Int64 = 0
    /// What became of the target's file meanwhile; nil where it is as it was, or nobody has looked.
    package var change: FileChange?
}

/// Fetches one file, in bounded memory, and goes on where an earlier attempt was cut. Runs on the SSH loop.
@SSHActor package struct FileTransfer {
    private let line: TransferLine
    /// Writes away from the SSH loop.
    private let worker: Worker
    private let method: TransferMethod

    /// Origin: `dd` skips whole blocks, and reads faster by large ones.
    private nonisolated static let block: Int64 = 64 << 10
    /// Origin: what has no size beforehand is one of the kernel's texts; none is longer.
    private static let mostOfUnsized: UInt64 = 64 << 20

    package init(over line: TransferLine, by method: TransferMethod, worker: Worker) {
        self.line = line
        self.worker = worker
        self.method = method
    }

    /// - Parameters:
    ///   - part: where the bytes go; what is there already is kept if the target's file begins with it.
    ///   - progress: bytes that are here.
    ///   - resumed: bytes that are here already, before anything comes.
    /// - Throws: `TransferFailure` where there is no such file any more or it cannot be read, `SSHError` where the link
    ///   fails (the part stays), `SystemError` from the local disk, `CancellationError`.
    package func fetch(
        _ file: RemoteFile, to part: String, progress: @escaping @Sendable (Int64) -> Void = { _ in },
        resumed: @Sendable (Int64) -> Void = { _ in }
    ) async throws -> ReceivedFile {
        let (worker, expected) = (worker, Int64(clamping: file.size))
        let sink = try await worker.run { try PartFile(resuming: part, block: Self.block, expected: expected) }
        do {
            try await keepWhatIsSame(file, sink)
            resumed(sink.size)
            return try await fetch(file, to: part, sink, progress)
        } catch {
            try? await worker.run { try sink.flush() }
            throw error
        }
    }

    private func fetch(
        _ file: RemoteFile, to part: String, _ sink: PartFile, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> ReceivedFile {
        let worker = worker
        let start = sink.size
        // A file that grows is taken as long as it was; else it might never end.
        let end = file.size == 0 ? Self.mostOfUnsized : file.size
        let patience = Patience()
        let take: @Sendable ([[UInt8]]) async throws -> Void = { pieces in
            try Task.checkCancellation()
            progress(
                try await patience.whileWorking {
                    try await worker.run {
                        for bytes in pieces { try sink.append(bytes) }
                        return sink.size
                    }
                })
        }
        let change = try await patience.whileWaiting {
            let change = try await read(file, start, end, sink, take)
            // What was cancelled reads like what has ended.
            try Task.checkCancellation()
            // The kernel's texts have the times and sizes of the moment.
            return file.isOfTheKernel ? nil : change
        }
        let isExecutable = file.permissions & 0o100 != 0
        return try await worker.run {
            try sink.finish(isExecutable: isExecutable, isSynced: true)
            return ReceivedFile(
                part: part, size: sink.size, sha256: sink.sha256, method: method, resumedAt: start,
                change: change)
        }
    }

    private func read(
        _ file: RemoteFile, _ start: Int64, _ end: UInt64, _ sink: PartFile,
        _ take: @Sendable ([[UInt8]]) async throws -> Void
    ) async throws -> FileChange? {
        switch method {
        case .sftp: return try await readBySFTP(file, start, end, take)
        case .exec: return try await readByCopy(file, start, end) { try await take([$0]) }
        case .scp, .tar: return try await readBySCP(file, end, sink) { try await take([$0]) }
        }
    }

    /// Begins anew unless the target's file begins with what is here.
    private func keepWhatIsSame(_ file: RemoteFile, _ sink: PartFile) async throws {
        guard sink.size > 0 else { return }
        if sink.size <= file.size, method == .sftp || method == .exec && line.tools.reader.hasOffsets {
            let (line, size) = (line, sink.size)
            let hash = try await Patience(bytes: UInt64(size)).whileWaiting {
                try await RemoteHashes(over: line).hash(of: file.path, first: size)
            }
            if hash == sink.sha256 { return }
        }
        try await worker.run { try sink.restart() }
    }

    private func readBySFTP(
        _ file: RemoteFile, _ start: Int64, _ end: UInt64, _ take: @Sendable ([[UInt8]]) async throws -> Void
    ) async throws -> FileChange? {
        guard let sftp = line.sftp else { throw TransferFailure("the target's SSH server offers no SFTP") }
        do {
            let handle = try await sftp.open(file.path, .read)
            do {
                try await sftp.download(handle, from: UInt64(start), to: end, take)
            } catch {
                if line.session.isConnected { try? await sftp.close(handle) }
                throw error
            }
            return FileChange(of: file, now: try await sftp.close(handle, lookingAt: file.path))
        } catch let error as SSHError {
            guard case .sftp = error.code else { throw error }
            throw TransferFailure(refused: error, file.path)
        }
    }

    private func readByCopy(
        _ file: RemoteFile, _ start: Int64, _ end: UInt64, _ take: @Sendable ([UInt8]) async throws -> Void
    ) async throws -> FileChange? {
        let reader = line.tools.reader
        let text =
            Array("export LC_ALL=C; [ -f ".utf8) + shellWord(file.path) + Array(" ] || exit 1; ".utf8)
            + reader.command(file.path, from: start, block: Self.block) + FileLook.script(file.path, line.tools.status)
        let script = try await line.start(text)
        defer { script.close() }
        script.endInput()
        var left = end - UInt64(start)
        while let bytes = try await script.read() {
            let isLonger = UInt64(bytes.count) > left
            if left > 0 { try await take(isLonger ? Array(bytes.prefix(Int(left))) : bytes) }
            if isLonger { return .grown }
            left -= UInt64(bytes.count)
        }
        guard left == 0 || script.hasSucceeded else {
            try Task.checkCancellation()
            throw Self.failure(script, "\(reader.rawValue): ")
        }
        return FileLook(script.errorLines).change(of: file)
    }

    /// `scp` fills up with zeros what was cut off a file while it was read: that begins anew.
    private func readBySCP(
        _ file: RemoteFile, _ end: UInt64, _ sink: PartFile, _ take: @Sendable ([UInt8]) async throws -> Void
    ) async throws -> FileChange? {
        guard line.tools.hasSCP else { throw TransferFailure("the target has no scp") }
        for _ in 0..<Self.mostShrinks {
            if let end = try await readOnceBySCP(file, end, take) { return end.change }
            let worker = worker
            try await worker.run { try sink.restart() }
        }
        throw TransferFailure("it became shorter each time that it was read")
    }

    /// Origin: a log is cut once in a while; what is cut each time that it is read may be cut for ever.
    private nonisolated static let mostShrinks = 3

    /// How a file that came by `scp` was found afterwards.
    private struct End {
        let change: FileChange?
    }

    /// - Returns: nil where the file was cut meanwhile.
    private func readOnceBySCP(
        _ file: RemoteFile, _ end: UInt64, _ take: @Sendable ([UInt8]) async throws -> Void
    ) async throws -> End? {
        let text =
            Array("export LC_ALL=C; scp -f -- ".utf8) + shellWord(file.path)
            + FileLook.script(file.path, line.tools.status)
        let script = try await line.start(text)
        defer { script.close() }
        let (size, failure) = try await readStream(of: script, end, take)
        if size > end { return End(change: .grown) }
        let look = FileLook(script.errorLines)
        guard let failure else { return End(change: look.change(of: file)) }
        if let now = look.name(of: file), now.size < size { return nil }
        throw failure
    }

    /// What is no SCP is this file's fault alone: it has a channel of its own.
    private func readStream(
        of script: RemoteScript, _ end: UInt64, _ take: @Sendable ([UInt8]) async throws -> Void
    ) async throws -> (size: UInt64, failure: TransferFailure?) {
        var source = SCPSource(script)
        do { return try await source.read(most: end, take) } catch let error as SSHError
            where error.code == .protocolViolation
        { throw TransferFailure(error.message) }
    }

    /// What a program that failed has said of the file.
    private static func failure(_ script: RemoteScript, _ program: String) -> TransferFailure {
        if let line = script.errorLines.last(where: { $0.hasPrefix(program) }) { return TransferFailure(reading: line) }
        // `[ -f FILE ]` says nothing.
        return TransferFailure(
            script.hasFailed(with: 1) ? "no such file" : "what reads it on the target was killed")
    }
}
