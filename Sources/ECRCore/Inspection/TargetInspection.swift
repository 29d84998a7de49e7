import LinuxSystem
import Profiles
import RemoteJobs
import SSH

/// Looks at a target as runs would use it: every check is told as soon as it is done, and nothing stays behind.
package struct TargetInspection: Sendable {
    private let reference: TargetReference
    private let options: SSHOptions
    private let report: @Sendable (Finding) -> Void
    /// Told before each step that takes a while.
    private let progress: @Sendable (String) -> Void

    package init(
        _ reference: TargetReference, answer: QuestionAnswer?, report: @escaping @Sendable (Finding) -> Void,
        progress: @escaping @Sendable (String) -> Void
    ) {
        self.reference = reference
        options = reference.options(answer: answer)
        self.report = report
        self.progress = progress
    }

    /// Makes every check that can be made.
    /// - Returns: success with warnings at most; what the connection failed of; `.experimentSaidNo` when something that
    ///   a run needs is missing.
    package func run() async -> ExitCode {
        progress("connecting to \(reference.address)")
        tell([ConnectionFindings.ignoredSettings(options)].compactMap { $0 })
        let began = Clock.boottimeNanoseconds()
        do {
            let session = try await SSHSession.connect(options)
            let seconds = Double(Clock.boottimeNanoseconds() - began) / 1e9
            tell(
                ConnectionFindings(
                    options: options, address: session.address, banner: session.serverBanner, seconds: seconds,
                    hostKey: (session.hostKeyType, session.hostKeyFingerprint), algorithms: session.algorithms,
                    credentials: session.credentials
                ).all)
            return try await examine(session) ? .success : .experimentSaidNo
        } catch let error as SSHError {
            tell(ConnectionFindings.failed(error))
            return ExitCode(rawValue: ECRFailure(error).exitCode) ?? .unreachable
        } catch {
            tell([Finding("link", .failed, "\(error)")])
            return .bug
        }
    }

    /// Origin: far beyond what any of the steps takes on a slow board, a sleeping disk included.
    private static let patience = 30.0

    /// - Returns: whether nothing has failed.
    @discardableResult
    private func tell(_ findings: [Finding]) -> Bool {
        findings.forEach(report)
        return findings.allSatisfy { $0.state != .failed }
    }

    /// Closes the session at the end: a process that exits while the loop still works on one may crash.
    private func examine(_ session: SSHSession) async throws -> Bool {
        do {
            let isSound = try await makeChecks(on: session)
            await session.close()
            return isSound
        } catch {
            await session.close()
            throw error
        }
    }

    private func makeChecks(on session: SSHSession) async throws -> Bool {
        progress("looking at the shell")
        let login = try await session.bounded(seconds: Self.patience) { try await LoginShell.probe(on: session) }
        guard tell([ShellFindings.login(login, user: options.user)]) else { return false }
        let target: Target
        do {
            target = try await session.bounded(seconds: Self.patience) { try await start(on: session) }
        } catch let error as SSHError where [.protocolViolation, .closed, .channelRefused].contains(error.code) {
            tell([ShellFindings.failed(error)])
            return false
        }
        let survey = try await session.bounded(seconds: Self.patience) { try await target.survey() }
        var isSound = true
        for step in [tools, spool, clock] {
            let findings = try await session.bounded(seconds: Self.patience) { try await step(target, survey) }
            if !tell(findings) { isSound = false }
        }
        // Last, since it ends the session.
        if !tell([try await disconnection(target, survey)]) { isSound = false }
        return isSound
    }

    /// A server that allows one channel only frees the last one a moment after it has said that it is closed.
    @SSHActor private func start(on session: SSHSession) async throws -> Target {
        var attempts = 10
        while true {
            do throws(SSHError) { return try await Target.start(on: session) } catch {
                attempts -= 1
                guard error.code == .channelRefused, attempts > 0 else { throw error }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    @SSHActor private func tools(_ target: Target, _ survey: TargetSurvey) async throws -> [Finding] {
        progress("looking for tools")
        let channels = try await target.countChannels()
        let hasSFTP = target.sftp != nil
        return [
            ShellFindings.shell(survey), ShellFindings.proc(target.facts), ShellFindings.sudo(survey),
            ToolFindings.sftp(
                hasSFTP: hasSFTP, isHanging: target.isSFTPHanging, channels: channels, tools: target.facts.tools),
            ToolFindings.channels(channels),
        ] + ToolFindings.tools(target.facts.tools, hasSFTP: hasSFTP)
    }

    @SSHActor private func spool(_ target: Target, _ survey: TargetSurvey) async throws -> [Finding] {
        progress("looking at the spool")
        let places = try await target.spoolPlaces(root: reference.connection.spoolDir)
        guard let place = places.first(where: \.isWritable) else {
            return [SpoolFindings.notWritable(places, user: target.facts.user)]
        }
        let mount = survey.mounts.mount(of: place.physicalPath)
        var block: String?
        if let mount { block = try await target.blockName(of: mount.device) }
        let findings = SpoolFindings(
            place: place, mount: mount, storage: survey.mounts.storage(of: place.physicalPath, block: block),
            block: block, controller: .thisMachine, reference: reference.text)
        return findings.all
    }

    @SSHActor private func clock(_ target: Target, _ survey: TargetSurvey) async throws -> [Finding] {
        progress("comparing the clocks")
        return [ClockFinding.finding(try await target.readClock(), options)]
    }

    /// Leaves a job behind, comes back, and looks whether it lives.
    private func disconnection(_ target: Target, _ survey: TargetSurvey) async throws -> Finding {
        progress("leaving a job behind and coming back")
        guard let scratch = try await ScratchSpool.make(on: target, lifetime: 120) else {
            return DisconnectionFinding.noPlace
        }
        while try await scratch.janitorStanding(on: target) == .claimedOnly {}
        await target.close()
        // systemd ends what a session has left behind with the session's own end, which takes it a moment.
        try await Task.sleep(for: .milliseconds(survey.hasSystemd ? 2000 : 300))
        let again = try await Target.connect(options)
        do {
            let standing = try await again.session.bounded(seconds: Self.patience) {
                let standing = try await scratch.janitorStanding(on: again)
                try await scratch.remove(from: again)
                return standing
            }
            await again.close()
            return DisconnectionFinding.finding(standing, hasSystemd: survey.hasSystemd)
        } catch {
            await again.close()
            throw error
        }
    }
}
