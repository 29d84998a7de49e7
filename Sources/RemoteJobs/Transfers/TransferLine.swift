import LinuxSystem
package import SSH

/// What files travel over: a session, its SFTP channel where the server has one, and the programs of the target.
@SSHActor package final class TransferLine {
    package nonisolated let session: SSHSession
    package nonisolated let tools: TransferTools
    package nonisolated let sftp: SFTPClient?
    /// See `SSHChannel.widen`; nil on the session that jobs share.
    private let window: Int?
    /// Scripts that have a channel.
    private var running = 0
    /// One is about to have one.
    private var isOpening = false
    /// Whether the session is this line's own, and nobody's once nothing travels over the line.
    private nonisolated let ownsSession: Bool
    /// When the last of them, the probe at first, gave its channel back; the server may learn of it later.
    private var lastEnd = Clock.boottimeNanoseconds()

    /// Nanoseconds. Origin: two round trips over a satellite, and a slow server's reaping.
    private static let patience: Int64 = 5_000_000_000

    fileprivate init(
        session: SSHSession, ownsSession: Bool, tools: TransferTools, sftp: SFTPClient?, window: Int?
    ) {
        self.session = session
        self.ownsSession = ownsSession
        self.tools = tools
        self.sftp = sftp
        self.window = window
    }

    deinit {
        guard ownsSession else { return }
        Task { [session] in await session.close() }
    }

    /// Whether whoever begins a transfer may use it.
    fileprivate var isSound: Bool { session.isConnected && sftp?.isOver != true }

    /// Seconds after which a transfer that was cancelled, and waits for the SFTP server, gives that up. Origin: a slow link
    /// needs some for a request that is half written; and the session that jobs share is not to be lost for less than a
    /// hang.
    nonisolated var graceOfCancelled: Int { ownsSession ? 10 : Patience.usual }

    /// Gives up an SFTP server that hangs. What goes over other channels of the session goes on.
    package func abandonSFTP() async {
        // Output and samples need one: a session has no second for them.
        if ownsSession { sftp?.close() } else { await session.close() }
    }

    /// dropbear (2022.83) takes a channel whose program was not asked for yet for one that is over when another one's
    /// program ends, and may die of the request that follows: on the session that jobs share, scripts come one after the
    /// other there. One for bulk transfers alone is not worth so much: what was cut goes on.
    private func awaitTurn() async throws(SSHError) {
        guard !ownsSession, session.serverBanner.contains("dropbear") else { return }
        while running > 0 || isOpening {
            if Task.isCancelled { throw SSHError(.closed, "the script is not wanted any more") }
            Patience.current?.renew()
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Starts a script; where the server allows no further channel, once another script has ended.
    package func start(_ script: [UInt8]) async throws(SSHError) -> RemoteScript {
        while true {
            do throws(SSHError) {
                try await awaitTurn()
                isOpening = true
                defer { isOpening = false }
                let started = try await RemoteScript.start(script, on: session, window: window)
                running += 1
                started.onClose = {
                    self.running -= 1
                    self.lastEnd = Clock.boottimeNanoseconds()
                }
                return started
            } catch {
                let isBusy = running > 0 || Clock.boottimeNanoseconds() - lastEnd < Self.patience
                guard error.code == .channelRefused, isBusy, !Task.isCancelled else { throw error }
                Patience.current?.renew()
                // Origin: short beside a script's own round trips.
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}

extension Target {
    /// Origin: 68 MB/s at a round trip of 25 ms, where libssh's choice made 24.
    private static let bulkWindow = 4 << 20

    /// The line for so much. Little goes over the session that stands; much goes over one of its own, which is opened
    /// when it is first wanted, so that output and samples don't wait behind it. Where the server wants no second
    /// connection, everything goes over the first.
    package func transferLine(isBulk: Bool) async throws(SSHError) -> TransferLine {
        if let bulkLine {
            if bulkLine.isSound { return bulkLine }
            // Whoever still uses it keeps it; its session ends with the last of them.
            self.bulkLine = nil
        }
        if !isBulk, let line = try await ownLine() { return line }
        if let line = try await openBulkLine() { return line }
        if let line = try await ownLine() { return line }
        throw SSHError(
            .channelRefused, "the server allows neither a further channel nor a second connection for files",
            hint: "raise MaxSessions in the target's sshd_config")
    }

    /// Ends the session for bulk transfers; the next transfer opens another.
    package func closeBulkLine() async {
        let line = bulkLine
        bulkLine = nil
        await line?.session.close()
    }

    /// nil where the server allows the session no further channel.
    private func ownLine() async throws(SSHError) -> TransferLine? {
        if let ownTransferLine { return ownTransferLine }
        do throws(SSHError) {
            let line = TransferLine(
                session: session, ownsSession: false, tools: try await knownTools(on: session), sftp: sftp, window: nil)
            ownTransferLine = line
            return line
        } catch {
            guard error.code == .channelRefused else { throw error }
            return nil
        }
    }

    /// nil where there can be none. Two transfers that begin together share one.
    private func openBulkLine() async throws(SSHError) -> TransferLine? {
        guard let options, !isBulkRefused else { return nil }
        let opening = bulkOpening ?? Task { await self.openBulkLine(options) }
        bulkOpening = opening
        let opened = await opening.value
        bulkOpening = nil
        return try opened.get()
    }

    /// Nobody is asked anything for it: what let the first connection in must do.
    private func openBulkLine(_ options: SSHOptions) async -> Result<TransferLine?, SSHError> {
        do throws(SSHError) { return .success(try await connectBulkLine(options)) } catch { return .failure(error) }
    }

    private func connectBulkLine(_ options: SSHOptions) async throws(SSHError) -> TransferLine? {
        var options = options
        options.ask = nil
        // Where the first session has no channel for the question, the usual cipher does.
        let hasAES = (try? await knownTools(on: session))?.hasAES ?? false
        if hasAES && Host.hasAES { options.algorithms.preferAES() }
        do throws(SSHError) {
            let session = try await SSHSession.connect(options)
            do throws(SSHError) {
                let client = self.sftp == nil ? nil : try? await session.openSFTP(window: Self.bulkWindow)
                let line = TransferLine(
                    session: session, ownsSession: true, tools: try await knownTools(on: session), sftp: client,
                    window: Self.bulkWindow)
                // The connection may have been given up meanwhile.
                guard self.session.isConnected else { throw SSHError(.connectionLost, "the link was lost") }
                bulkLine = line
                return line
            } catch {
                await session.close()
                throw error
            }
        } catch {
            if !self.session.isConnected { throw error }
            // A busy server may be quicker the next time.
            isBulkRefused = error.code != .connectionLost
            return nil
        }
    }

    private func knownTools(on session: SSHSession) async throws(SSHError) -> TransferTools {
        if let transferTools { return transferTools }
        let tools = try await TransferTools.probe(session, facts: facts.tools)
        transferTools = tools
        return tools
    }
}
