import SSH

/// Tells how many bytes of a stream the program at its other end has taken. Runs on the SSH loop.
///
/// What is written is not there yet: a channel's window, 2 MiB at OpenSSH, is minutes of a slow link.
@SSHActor final class IntakeWatch {
    private let script: RemoteScript
    private let patience: Patience
    private let progress: @Sendable (Int64) -> Void
    private var written: Int64
    private var taken: Int64

    /// Origin: as often as a long transfer tells how far it is.
    private static let interval: Duration = .milliseconds(200)
    /// Origin: a link of 600 bytes a second carries it while a `Patience` lasts; it costs a fast one nothing.
    private static let piece = 32 << 10

    /// - Parameters:
    ///   - patience: renewed by all that is taken.
    ///   - start: bytes that are there already.
    ///   - progress: bytes that are there.
    init(
        _ script: RemoteScript, _ patience: Patience, from start: Int64 = 0,
        _ progress: @escaping @Sendable (Int64) -> Void
    ) {
        self.script = script
        self.patience = patience
        self.progress = progress
        (written, taken) = (start, start)
    }

    /// Writes the bytes of the stream that follow.
    func write(_ bytes: [UInt8]) async throws(SSHError) {
        for start in stride(from: 0, to: bytes.count, by: Self.piece) {
            let piece = Array(bytes[start..<min(start + Self.piece, bytes.count)])
            try await script.write(piece)
            patience.renew()
            written += Int64(piece.count)
            look()
        }
    }

    /// Looks again and again, also while nothing can be written, and while the end is waited for.
    func whileWatching(_ body: @SSHActor () async throws -> Void) async throws {
        let looks = Task { @SSHActor in
            while true {
                try await Task.sleep(for: Self.interval)
                self.look()
            }
        }
        defer { looks.cancel() }
        try await body()
        guard script.hasSucceeded else { return }
        taken = written
        progress(written)
    }

    private func look() {
        guard let untaken = script.untakenBytes else { return }
        let count = written - Int64(untaken)
        guard count > taken else { return }
        taken = count
        patience.renew()
        progress(count)
    }
}
