import SSH

/// Writes a stream of bytes to a script that takes all of it and then ends. Runs on the SSH loop.
@SSHActor struct ScriptFeed {
    private let script: RemoteScript
    private let line: TransferLine
    private let patience = Patience()
    private let watch: IntakeWatch

    /// - Parameters:
    ///   - start: bytes that are there already.
    ///   - progress: bytes that are there.
    init(
        _ script: RemoteScript, _ line: TransferLine, from start: Int64 = 0,
        _ progress: @escaping @Sendable (Int64) -> Void
    ) {
        self.script = script
        self.line = line
        watch = IntakeWatch(script, patience, from: start, progress)
    }

    /// Returns at the script's end, also where that came before the stream's: the script says why.
    /// - Parameter source: gives the bytes that follow, nil at their end.
    /// - Throws: `TransferFailure` where the script takes nothing any more; `SSHError`, and what the source throws.
    func run(_ source: @escaping @Sendable () async throws -> [UInt8]?) async throws {
        try await patience.whileWaiting { try await watch.whileWatching { try await feed(source) } }
    }

    private func feed(_ source: @Sendable () async throws -> [UInt8]?) async throws {
        while let bytes = try await patience.whileWorking(source) {
            do throws(SSHError) { try await watch.write(bytes) } catch {
                try Task.checkCancellation()
                guard error.code == .closed, line.session.isConnected else { throw error }
                break
            }
        }
        script.endInput()
        try await script.readToEnd()
    }
}
