import LinuxSystem
package import SSH

/// What files travel over: a session, its SFTP channel where the server has one, and the programs of the target.
@SSHActor package final class TransferLine {
    package nonisolated let session: SSHSession
    package nonisolated var tools: TransferTools { knownTools.withLock(\.self) }
    private nonisolated let knownTools: Locked<TransferTools>
    /// nil, too, as long as nobody has asked for it: see `askForSFTP`.
    package nonisolated var sftp: SFTPClient? { sftpStanding.withLock { $0?.client } }
    /// nil where nobody has asked for it.
    private nonisolated let sftpStanding: Locked<SFTPStanding?>
    private var sftpAsking: Task<Void, Never>?
    /// The server has SFTP, but it gives no answer.
    package nonisolated var isSFTPHanging: Bool { sftpStanding.withLock { $0?.isHanging ?? false } }
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
        session: SSHSession, ownsSession: Bool, tools: TransferTools, sftp: SFTPStanding?, window: Int?
    ) {
        self.session = session
        self.ownsSession = ownsSession
        knownTools = Locked(tools)
        sftpStanding = Locked(sftp)
        self.window = window
    }

    deinit {
        guard ownsSession else { return }
        Task { [session] in await session.close() }
    }

    /// Whether whoever begins a transfer may use it.
    fileprivate var isSound: Bool { session.isConnected && sftp?.isOver != true }

    fileprivate nonisolated var hasAskedForSFTP: Bool { sftpStanding.withLock { $0 != nil } }

    /// Starts the SFTP server, if that was not done yet: an archive needs none, and it takes four round trips. Whoever is
    /// cancelled meanwhile does not wait for it.
    /// - Throws: `CancellationError`
    package func askForSFTP() async throws {
        if hasAskedForSFTP { return }
        let asking =
            sftpAsking
            ?? Task {
                let standing = await self.openSFTP()
                self.sftpStanding.withLock { $0 = standing }
            }
        sftpAsking = asking
        guard await asking.value(within: nil) != nil else { throw CancellationError() }
    }

    /// Where the server allows no further channel, one that a script gives back soon may do.
    private func openSFTP() async -> SFTPStanding {
        let end = Clock.boottimeNanoseconds() + Self.patience
        while true {
            let standing = await SFTPOpening(on: session, window: window).end()
            guard case .refused = standing, isBusy, session.isConnected, Clock.boottimeNanoseconds() < end else {
                return standing
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// A channel that is wanted now may be had soon.
    private var isBusy: Bool { running > 0 || Clock.boottimeNanoseconds() - lastEnd < Self.patience }

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

    /// Looks for the target's programs once more.
    fileprivate func probeAgain(_ facts: Set<String>) async throws -> TransferTools {
        try await awaitTurn()
        running += 1
        defer { running -= 1 }
        return try await TransferTools.probe(session, facts: facts)
    }

    fileprivate func use(_ tools: TransferTools) { knownTools.withLock { $0 = tools } }

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
    /// connection, everything goes over the first. Opening one takes the time that a connection may have at most, and ten
    /// seconds more where its SFTP server hangs.
    /// - Parameters:
    ///   - method: what was asked for, which the line shall have if one has it.
    ///   - asksForSFTP: whether files will go one by one; else see `TransferLine.askForSFTP`.
    /// - Throws: `TransferFailure` where the target hangs, `SSHError`, `CancellationError`.
    package func transferLine(
        isBulk: Bool, for method: TransferMethod? = nil, asksForSFTP: Bool = true
    ) async throws -> TransferLine {
        let line = try await chooseLine(isBulk: isBulk, for: method)
        if line.hasAskedForSFTP || !asksForSFTP && method != .sftp { return line }
        try await line.askForSFTP()
        return try await chooseLine(isBulk: isBulk, for: method)
    }

    private func chooseLine(isBulk: Bool, for method: TransferMethod?) async throws -> TransferLine {
        if bulkLine?.isSound == false {
            // Whoever still uses it keeps it; its session ends with the last of them.
            bulkLine = nil
        }
        // Another connection's SFTP server may be well.
        func isFit(_ line: TransferLine) -> Bool {
            if method == .sftp, line.hasAskedForSFTP, line.sftp == nil { return false }
            return !line.isSFTPHanging || isBulk
        }
        if let bulkLine, isFit(bulkLine), isBulk || bulkLine.hasAskedForSFTP { return bulkLine }
        if !isBulk || bulkLine != nil, let line = try await ownLine() { return line }
        if bulkLine == nil, let line = try await openBulkLine(), isFit(line) { return line }
        if let line = try await ownLine() { return line }
        if let bulkLine { return bulkLine }
        throw SSHError(
            .channelRefused, "the server allows neither a further channel nor a second connection for files",
            hint: "raise MaxSessions in the target's sshd_config")
    }

    /// Refuses a way that the target does not have. Its program may have been installed since the target was connected: it
    /// is looked for once more then.
    /// - Throws: `TransferFailure` where it is still not there, and as `transferLine`.
    package func require(_ method: TransferMethod?) async throws {
        let line = try await transferLine(isBulk: false, for: method)
        do throws(TransferFailure) { return try line.ways.require(method) } catch {
            guard method == .tar || method == .scp else { throw error }
        }
        let tools = try await line.probeAgain(facts.tools)
        transferTools = tools
        for line in [line, ownTransferLine, bulkLine] { line?.use(tools) }
        try line.ways.require(method)
    }

    /// Nanoseconds. Origin: what waits for files one after the other need not wait each time.
    private static let lastingFailure: Int64 = 60_000_000_000

    /// Ends the session for bulk transfers; the next transfer opens another.
    package func closeBulkLine() async {
        let line = bulkLine
        bulkLine = nil
        await line?.session.close()
    }

    /// nil where the server allows the session no further channel.
    private func ownLine() async throws -> TransferLine? {
        if let ownTransferLine { return ownTransferLine }
        guard let tools = try await ownTools() else { return nil }
        let line = TransferLine(
            session: session, ownsSession: false, tools: tools, sftp: sftpStanding, window: nil)
        ownTransferLine = line
        return line
    }

    /// nil where the server allows the session no further channel to ask.
    private func ownTools() async throws -> TransferTools? {
        do { return try await knownTools(on: session) } catch let error as SSHError where error.code == .channelRefused
        {
            return nil
        }
    }

    /// nil where there can be none. Two transfers that begin together share one; one that is cancelled meanwhile does not
    /// wait for it.
    private func openBulkLine() async throws -> TransferLine? {
        guard let options, !isBulkRefused else { return nil }
        let opening =
            bulkOpening
            ?? Task {
                let opened = await self.openBulkLine(options)
                self.bulkOpening = nil
                return opened
            }
        bulkOpening = opening
        guard let opened = await opening.value(within: nil) else { throw CancellationError() }
        return try opened.get()
    }

    /// Nobody is asked anything for it: what let the first connection in must do.
    private func openBulkLine(_ options: SSHOptions) async -> Result<TransferLine?, any Error> {
        do { return .success(try await connectBulkLine(options)) } catch { return .failure(error) }
    }

    private func connectBulkLine(_ options: SSHOptions) async throws -> TransferLine? {
        var options = options
        options.ask = nil
        // Where the first session has no channel for the question, the usual cipher does.
        let hasAES = try await ownTools()?.hasAES ?? false
        if hasAES && Host.hasAES { options.algorithms.preferAES() }
        do {
            let session = try await SSHSession.connect(options)
            do {
                let line = TransferLine(
                    session: session, ownsSession: true, tools: try await knownTools(on: session),
                    sftp: sftp == nil ? sftpStanding : nil, window: Self.bulkWindow)
                // The connection may have been given up meanwhile.
                guard self.session.isConnected else { throw SSHError(.connectionLost, "the link was lost") }
                bulkLine = line
                return line
            } catch {
                await session.close()
                throw error
            }
        } catch let error as SSHError {
            if !self.session.isConnected { throw error }
            // A busy server may be quicker the next time.
            isBulkRefused = error.code != .connectionLost
            return nil
        }
    }

    private func knownTools(on session: SSHSession) async throws -> TransferTools {
        if let transferTools { return transferTools }
        if let toolsFailure, Clock.boottimeNanoseconds() - toolsFailure.at < Self.lastingFailure {
            throw toolsFailure.failure
        }
        do {
            let tools = try await TransferTools.probe(session, facts: facts.tools)
            transferTools = tools
            return tools
        } catch let failure as TransferFailure {
            toolsFailure = (failure, Clock.boottimeNanoseconds())
            throw failure
        }
    }
}
