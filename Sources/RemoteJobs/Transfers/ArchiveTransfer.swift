package import LinuxSystem
package import SSH

/// Fetches many files over one channel: the target's own hashes of a batch, then its `tar` of it, and so on, in bounded
/// memory. Runs on the SSH loop.
///
/// What does not come, or not whole, must be fetched by itself: `tar` cannot tell its reasons file by file.
@SSHActor package final class ArchiveTransfer {
    /// A file that has come whole. It is not synced.
    package struct Arrived: Sendable {
        /// The file's index in the list.
        package let place: Int
        package let file: ReceivedFile
        /// What the target says; nil where it cannot tell.
        package let remoteSHA256: String?
    }

    private let line: TransferLine
    private let worker: Worker
    private let script: RemoteScript
    private let intake: ArchiveIntake
    private let writer: Task<Void, Never>
    private let progress: @Sendable (Int, Int64) -> Void
    private var isOver = false
    /// Why the stream ended before its time.
    private var failure: SSHError?

    /// - Parameters:
    ///   - parts: where the files' bytes go, in their order.
    ///   - progress: files and bytes that are here.
    package init(
        _ files: [RemoteFile], over line: TransferLine, worker: Worker, to parts: [String],
        progress: @escaping @Sendable (Int, Int64) -> Void = { _, _ in }
    ) async throws(SSHError) {
        let marker = ArchiveFrames.makeMarker()
        (self.line, self.worker, self.progress) = (line, worker, progress)
        intake = ArchiveIntake(files, parts: parts, marker: marker)
        let script = try await line.start(Self.script(marker, line.tools.hasher, Self.batch(of: files)))
        self.script = script
        // Written and read side by side: neither waits for the other's buffers.
        writer = Task { try? await script.writeNames(files.lazy.map(\.path)) }
    }

    /// Origin: what the target reads twice, for the hash and for the archive, should be in its memory still.
    private nonisolated static let batchBytes: UInt64 = 64 << 20

    /// Files in a batch: of some 64 MiB.
    private nonisolated static func batch(of files: [RemoteFile]) -> Int {
        let bytes = files.reduce(0) { $0 &+ $1.size }
        return max(16, min(1024, Int(batchBytes / max(1, bytes / UInt64(max(1, files.count))))))
    }

    /// See `ArchiveFrames`.
    private nonisolated static func script(
        _ marker: String, _ hasher: TransferTools.Hasher?, _ batch: Int
    ) -> [UInt8] {
        let hash = hasher.map { #"\#($0.rawValue) \#($0 == .openssl ? "" : "--") "$@"; "# } ?? ""
        // Names have their first slash, which `tar` takes away with a remark: no name begins with a dash.
        let look = #"printf '%s\n' \#(marker); \#(hash)printf '\0'; tar -cf - -- "$@""#
        return Array("export LC_ALL=C; exec xargs -0 -n \(batch) sh -c \(shellWord(look)) ecr 2>/dev/null".utf8)
    }

    /// Nanoseconds. Origin: what comes whole in it may be lost by a cancel; on a fast link much more than a sync is worth
    /// comes meanwhile.
    private nonisolated static let longestWait: Int64 = 1_000_000_000

    /// What has come next, as soon as so much is here, or for a second; nothing at the end.
    /// - Throws: `SSHError` where the link fails, once what had come before is given out; `SystemError` from the local
    ///   disk; `CancellationError`.
    package func next(files: Int, bytes: UInt64) async throws -> [Arrived] {
        let (intake, progress) = (intake, progress)
        let due = Clock.boottimeNanoseconds() + Self.longestWait
        while !isOver, let piece = try await read() {
            let state = try await worker.run {
                let state = try intake.take(piece)
                progress(intake.count, intake.bytes)
                return state
            }
            if !state.isSound { end() }
            if state.files >= files || UInt64(state.bytes) >= bytes { break }
            if state.files > 0, Clock.boottimeNanoseconds() >= due { break }
        }
        let arrived = try await worker.run { intake.takeOut() }
        if arrived.isEmpty, let failure { throw failure }
        return arrived
    }

    private func read() async throws -> [UInt8]? {
        try Task.checkCancellation()
        do throws(SSHError) {
            if let piece = try await script.read() { return piece }
            if !line.session.isConnected { failure = SSHError(.connectionLost, "the link was lost") }
        } catch {
            failure = error
        }
        end()
        return nil
    }

    private func end() {
        isOver = true
        script.close()
    }

    /// Ends it, wherever it is. What was cut stays for whoever fetches its file alone.
    package func close() async {
        end()
        await writer.value
        let intake = intake
        try? await worker.run { intake.close() }
    }
}
