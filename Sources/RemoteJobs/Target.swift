package import SSH

/// A connected target: one session with its resident shell, one SFTP channel where the server has it, and what was
/// probed. Runs on the SSH loop. It lives as long as its connection; a reconnect makes a new one.
@SSHActor package final class Target {
    package nonisolated let session: SSHSession
    package nonisolated let facts: TargetFacts
    package let dispatcher: Dispatcher
    /// Nil where the server offers no SFTP: spools are read by `reader` then.
    package let sftp: SFTPClient?
    package nonisolated var reader: OffsetReader { OffsetReader(tools: facts.tools) }
    /// How it was reached, for further sessions; nil where there shall be none.
    let options: SSHOptions?
    var transferTools: TransferTools?
    var ownTransferLine: TransferLine?
    var bulkLine: TransferLine?
    var bulkOpening: Task<Result<TransferLine?, SSHError>, Never>?
    /// The server wants no second connection.
    var isBulkRefused = false

    private init(
        session: SSHSession, dispatcher: Dispatcher, sftp: SFTPClient?, facts: TargetFacts, options: SSHOptions?
    ) {
        self.session = session
        self.dispatcher = dispatcher
        self.sftp = sftp
        self.facts = facts
        self.options = options
    }

    /// Connects, starts the shell, opens SFTP and probes.
    package static func connect(_ options: SSHOptions) async throws(SSHError) -> Target {
        let session = try await SSHSession.connect(options)
        do throws(SSHError) { return try await start(on: session, options) } catch {
            await session.close()
            throw error
        }
    }

    /// Starts the shell, opens SFTP and probes on a session that stands; it stays open when that fails.
    /// - Parameter options: how it was reached, if there may be a second session for files.
    /// - Throws: `protocolViolation` where the shell works but `/proc` doesn't.
    package static func start(on session: SSHSession, _ options: SSHOptions? = nil) async throws(SSHError) -> Target {
        async let client = openSFTP(session)
        let dispatcher = try await Dispatcher(on: session)
        let facts = TargetFacts(reply: try await dispatcher.run(JobProtocol.probe).text)
        guard !facts.boot.isEmpty else {
            throw SSHError(.protocolViolation, "the target's shell gave no boot id: is it Linux with a POSIX sh?")
        }
        return Target(session: session, dispatcher: dispatcher, sftp: await client, facts: facts, options: options)
    }

    private static func openSFTP(_ session: SSHSession) async -> SFTPClient? { try? await session.openSFTP() }

    package func close() async {
        dispatcher.close()
        await closeBulkLine()
        await session.close()
    }
}
