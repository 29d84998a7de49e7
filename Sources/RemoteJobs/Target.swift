import LinuxSystem
package import SSH

/// A connected target: one session with its resident shell, one SFTP channel where the server has it, and what was
/// probed. Runs on the SSH loop. It lives as long as its connection; a reconnect makes a new one.
@SSHActor package final class Target {
    package nonisolated let session: SSHSession
    package nonisolated let facts: TargetFacts
    package let dispatcher: Dispatcher
    /// Nil where the server offers no SFTP: spools are read by `reader` then.
    package var sftp: SFTPClient? { sftpStanding.client }
    nonisolated let sftpStanding: SFTPStanding
    /// The server has SFTP, but it gives no answer.
    package nonisolated var isSFTPHanging: Bool { sftpStanding.isHanging }
    package nonisolated var reader: OffsetReader { OffsetReader(tools: facts.tools) }
    /// How it was reached, for further sessions; nil where there shall be none.
    let options: SSHOptions?
    var transferTools: TransferTools?
    /// Why they are not known, and since when: see `Clock.boottimeNanoseconds`.
    var toolsFailure: (failure: TransferFailure, at: Int64)?
    var ownTransferLine: TransferLine?
    var bulkLine: TransferLine?
    var bulkOpening: Task<Result<TransferLine?, any Error>, Never>?
    /// The server wants no second connection.
    var isBulkRefused = false

    private init(
        session: SSHSession, dispatcher: Dispatcher, sftp: SFTPStanding, facts: TargetFacts, options: SSHOptions?
    ) {
        self.session = session
        self.dispatcher = dispatcher
        sftpStanding = sftp
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
    ///
    /// The time that was given for the connection is given once more to what is behind its login.
    /// - Parameter options: how it was reached, if there may be a second session for files.
    /// - Throws: `protocolViolation` where the shell works but `/proc` doesn't; `connectionLost` where the shell hangs, with
    ///   which the session is closed.
    package static func start(on session: SSHSession, _ options: SSHOptions? = nil) async throws(SSHError) -> Target {
        let opening = SFTPOpening(on: session)
        let began = Clock.boottimeNanoseconds()
        let (dispatcher, facts): (Dispatcher, TargetFacts)
        do throws(SSHError) { (dispatcher, facts) = try await startShell(on: session, options) } catch {
            opening.giveUp()
            throw error
        }
        guard !facts.boot.isEmpty else {
            opening.giveUp()
            throw SSHError(.protocolViolation, "the target's shell gave no boot id: is it Linux with a POSIX sh?")
        }
        // What the shell has taken shows what the link and the target need; the greeting needs no more.
        let left = (options?.timeout ?? .infinity) - Double(Clock.boottimeNanoseconds() - began) / 1e9
        let sftp = await opening.end(within: min(SFTPOpening.patience, max(1, left)))
        return Target(session: session, dispatcher: dispatcher, sftp: sftp, facts: facts, options: options)
    }

    private static func startShell(
        on session: SSHSession, _ options: SSHOptions?
    ) async throws(SSHError) -> (Dispatcher, TargetFacts) {
        guard let options else { return try await startShell(on: session) }
        return try await session.bounded(
            seconds: options.timeout, "\(options.address) has let us in, but its shell gave no answer",
            hint: "see what holds its account up: ssh … 'exec sh'; for a slow target raise `timeout:`"
        ) { () async throws(SSHError) in try await startShell(on: session) }
    }

    private static func startShell(on session: SSHSession) async throws(SSHError) -> (Dispatcher, TargetFacts) {
        let dispatcher = try await Dispatcher(on: session)
        return (dispatcher, TargetFacts(reply: try await dispatcher.run(JobProtocol.probe).text))
    }

    package func close() async {
        dispatcher.close()
        await closeBulkLine()
        await session.close()
    }
}
