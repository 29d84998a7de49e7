import EventLog
import JSON
import LinuxSystem
import RemoteJobs
import RunStore
import SSH

/// The connection to the run's target: makes it, notices its loss, makes it again. Every attempt is an event.
actor TargetLink {
    private let journal: Journal
    private var options: SSHOptions
    private let prompts: PromptRelay
    /// Seconds of attempts after which a lost link is given up; nil for never.
    private let giveUpAfter: Double?
    /// How the clients that wait hear of the link.
    nonisolated let feed = LinkFeed()
    private var current: Target?
    private var waiters: [Int: CheckedContinuation<Target, any Error>] = [:]
    private var lastWaiter = 0
    private var failure: (any Error)?
    private var isClosed = false
    /// The first clock reading of the present connection.
    private var clock: ClockReading?
    /// Seconds between two comparisons of the clocks.
    private let clockInterval: Double
    private var clockKeeper: Task<Void, Never>?
    private var lastBoot: String?
    /// Told when a lost link is not tried for any more.
    private var onGivingUp: (@Sendable (any Error) -> Void)?
    /// Told of each connection that stands again, and whether the target was rebooted.
    private var onReturn: (@Sendable (Bool) async -> Void)?
    /// The loss that is being mended.
    private var loss: Loss?
    /// The question without whose answer no attempt can succeed.
    private(set) var needsInput: String?
    /// Ends the pause between two attempts.
    private var pause: Task<Void, any Error>?
    private var attempts: Task<Void, Never>?

    private struct Loss {
        let time: String
        let boottime: Int64
        var attempts: Int64 = 0
        /// Seconds until the attempt after the next failure.
        var pause = 0.2
        var seconds: Double { Double(Clock.boottimeNanoseconds() - boottime) / 1e9 }
    }

    init(
        journal: Journal, options: SSHOptions, giveUpAfter: Double?, clockInterval: Double, prompts: PromptRelay
    ) {
        self.journal = journal
        self.clockInterval = clockInterval
        self.options = options
        self.giveUpAfter = giveUpAfter
        self.prompts = prompts
        lastBoot = journal.state.facts["boot_id"]?.string
        if let moved = journal.state.movedHost { self.options = TargetLink.options(options, at: moved, journal) }
    }

    var isConnected: Bool { current != nil }

    /// What an operator should know of the connection that stands.
    var warning: String? {
        guard let current, current.isSFTPHanging else { return nil }
        return "the target's SFTP server hangs: output and files come by other ways, which are slower; "
            + "ecr target check \(shellWord(options.reference)) tells by which"
    }

    func setGivingUpHandler(_ handler: @escaping @Sendable (any Error) -> Void) { onGivingUp = handler }

    func setReturnHandler(_ handler: @escaping @Sendable (_ isRebooted: Bool) async -> Void) { onReturn = handler }

    /// The first connection; records nothing when it fails.
    func connect() async throws -> Target {
        let target = try await attempt()
        adopt(target)
        return target
    }

    /// The connected target; waits while the link is being made again.
    func target() async throws -> Target {
        if let current { return current }
        if let failure { throw failure }
        try Task.checkCancellation()
        lastWaiter += 1
        let number = lastWaiter
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiters[number] = $0 }
        } onCancel: {
            Task { await self.dismiss(waiter: number) }
        }
    }

    private func dismiss(waiter number: Int) {
        waiters.removeValue(forKey: number)?.resume(throwing: CancellationError())
    }

    /// Tells the target again and again that the controller is there, as long as the task is not cancelled.
    func keepContact(in spool: String) async {
        while !Task.isCancelled {
            if let current { try? await current.signContact(in: spool) }
            // Origin: the shortest silence that a profile may ask for is five seconds.
            try? await Task.sleep(for: .seconds(1))
        }
    }

    func close() async {
        isClosed = true
        clockKeeper?.cancel()
        pause?.cancel()
        await current?.close()
        current = nil
        give(up: SSHError(.closed, "the run is over"))
    }

    /// Connects now, at another address if one is given, and waits for the outcome. The present connection, if there is
    /// one, is left only for a new one that stands.
    /// - Parameter host: `host` or `host:port`; it must show the host key of the last connection.
    func reconnect(host: MovedHost?) async throws {
        if host == nil, current != nil { return }
        attempts?.cancel()
        pause?.cancel()
        let before = options
        if let host { options = TargetLink.options(options, at: host, journal) }
        do {
            let boot = lastBoot
            let target = try await attempt(movedTo: host)
            let old = current
            current = nil
            await adoptAnew(target, after: boot)
            await old?.close()
        } catch {
            options = before
            noteNeededInput()
            if current == nil, !isClosed, needsInput == nil { attempts = Task { await self.mend() } }
            throw error
        }
    }

    /// Another address of the target must show the host key that the run has recorded.
    private static func options(_ options: SSHOptions, at host: MovedHost, _ journal: Journal) -> SSHOptions {
        var options = options
        options.host = host.host
        if let port = host.port { options.port = port }
        options.pinnedHostKey = journal.state.connection["host_key"]?.string ?? options.pinnedHostKey
        return options
    }

    private func attempt(movedTo host: MovedHost? = nil) async throws -> Target {
        prompts.settle()
        let target = try await Target.connect(options)
        do {
            clock = try await target.readClock()
            try await recordConnection(target, isMoved: host != nil || journal.state.movedHost != nil)
            return target
        } catch {
            await target.close()
            throw error
        }
    }

    /// Hands a connection that stands again to those who wait; the engine hears of a reboot before them.
    private func adoptAnew(_ target: Target, after boot: String?) async {
        if let onReturn { await onReturn(boot != nil && boot != target.facts.boot) }
        if isClosed || current != nil { return await target.close() }
        adopt(target)
    }

    private func adopt(_ target: Target) {
        current = target
        if let warning { Supervisor.log(warning) }
        needsInput = nil
        prompts.settle()
        if let loss { feed.tell(.restored(since: loss.time, seconds: loss.seconds)) }
        loss = nil
        let waiting = waiters.values
        waiters = [:]
        waiting.forEach { $0.resume(returning: target) }
        clockKeeper?.cancel()
        clockKeeper = Task { await self.keepClock(of: target) }
        Task {
            let error = await target.session.waitUntilLost()
            await self.lost(target, error)
        }
    }

    private func lost(_ target: Target, _ error: SSHError) async {
        guard !isClosed, current === target else { return }
        current = nil
        clockKeeper?.cancel()
        await target.close()
        let time = Clock.iso8601(microseconds: Clock.wallMicroseconds())
        loss = Loss(time: time, boottime: Clock.boottimeNanoseconds())
        feed.tell(.lost(since: time, retryIn: nil))
        _ = try? await journal.append(
            .connectionLost, ["target": .string(RunEngine.targetName), "reason": .string(error.message)])
        attempts = Task { await self.mend() }
    }

    /// Tries again, the attempts 0.2 s apart at first and 5 s in the end, jittered so that many controllers don't come in
    /// step.
    private func mend() async {
        while !isClosed, !Task.isCancelled, current == nil {
            let boot = lastBoot
            let began = Clock.boottimeNanoseconds()
            do {
                return await adoptAnew(try await attempt(), after: boot)
            } catch {
                noteNeededInput()
                if Task.isCancelled || needsInput != nil { return }
                if isFinal(error) || loss?.seconds ?? 0 > giveUpAfter ?? .infinity {
                    give(up: error)
                    onGivingUp?(error)
                    return
                }
                await rest(after: error, thatTook: Double(Clock.boottimeNanoseconds() - began) / 1e9)
            }
        }
    }

    /// - Parameter seconds: how long the attempt took. One that has waited in vain needs no more rest, in which nobody
    ///   would notice the link's return.
    private func rest(after error: any Error, thatTook seconds: Double) async {
        guard var loss else { return }
        let wait = max(0.2, loss.pause * Double.random(in: 0.8...1.2) - seconds)
        loss.attempts += 1
        loss.pause = min(5, loss.pause * 1.7)
        self.loss = loss
        feed.tell(.lost(since: loss.time, retryIn: wait))
        _ = try? await journal.append(
            .connectionRetry,
            [
                "target": .string(RunEngine.targetName), "attempt": .int(loss.attempts),
                "reason": .string("\(error)"), "next_in_s": .double((wait * 100).rounded() / 100),
            ])
        let pause = Task { try await Task.sleep(for: .seconds(wait)) }
        self.pause = pause
        _ = await pause.result
    }

    /// Where the target asks something and nobody is there to answer, attempts would only lock the account.
    private func noteNeededInput() {
        needsInput = prompts.unanswered.flatMap { $0.kind == Question.sudo ? nil : $0.text }
        guard let needsInput, let loss else { return }
        feed.tell(.needsInput(since: loss.time, question: needsInput))
    }

    /// Another host key, or a target that lets us in no more: no patience helps.
    private func isFinal(_ error: any Error) -> Bool {
        guard let error = error as? SSHError else { return true }
        return [.hostKeyChanged, .hostKeyRevoked, .hostKeyUnknown].contains(error.code)
    }

    private func give(up error: any Error) {
        failure = error
        let waiting = waiters.values
        waiters = [:]
        waiting.forEach { $0.resume(throwing: error) }
    }

    private func recordConnection(_ target: Target, isMoved: Bool) async throws {
        let (session, facts) = (target.session, target.facts)
        let name = JSON.string(RunEngine.targetName)
        journal.post(
            .connectionEstablished,
            [
                "target": name, "host": .string(options.host), "port": JSON(options.port),
                "user": .string(options.user),
                "address": .string(session.address), "host_key": .string(session.hostKeyFingerprint),
                "host_key_type": .string(session.hostKeyType), "server": .string(session.serverBanner),
                "moved": isMoved ? true : nil,
                "jumps": options.jumps.isEmpty ? nil : JSON(strings: options.jumps.map { "\($0.user)@\($0.address)" }),
                "kex": .string(session.algorithms.kex), "cipher": .string(session.algorithms.cipher),
                "mac": .string(session.algorithms.mac), "strict_kex": .bool(session.algorithms.isStrict),
            ])
        if let warning = session.algorithms.warning { Supervisor.log(warning) }
        if let lastBoot, lastBoot != facts.boot {
            journal.post(
                .targetRebooted,
                ["target": name, "boot_id": .string(facts.boot), "previous_boot_id": .string(lastBoot)])
        }
        lastBoot = facts.boot
        if let clock { journal.post(.clockOffset, comparison(clock, facts.boot)) }
        try await journal.append(
            .targetFacts,
            [
                "target": name, "at": "connect", "boot_id": .string(facts.boot), "uptime_s": .double(facts.uptime),
                "kernel": .string(facts.kernel), "os": facts.os.map { .string($0) },
                "model": facts.model.map { .string($0) }, "hostname": .string(facts.hostname),
                "user": .string(facts.user), "tools": JSON(strings: facts.tools.sorted()),
                "sftp": .bool(await target.sftp != nil),
            ])
    }

    // MARK: Clocks

    /// Compares the clocks again and again while the connection stands; at once where the quick look at its beginning has
    /// told whole seconds only.
    private func keepClock(of target: Target) async {
        var isDue = clock?.resolution ?? 0 >= 1
        while !Task.isCancelled, current === target {
            if !isDue { try? await Task.sleep(for: .seconds(clockInterval)) }
            isDue = false
            // A failure is the connection's, whose loss is noticed elsewhere.
            guard !Task.isCancelled, current === target, let reading = try? await target.compareClocks(),
                !Task.isCancelled
            else { continue }
            _ = try? await journal.append(.clockOffset, comparison(reading, target.facts.boot))
        }
    }

    private func comparison(_ clock: ClockReading, _ boot: String) -> JSONObject {
        var data: JSONObject = [
            "target": .string(RunEngine.targetName), "offset_s": clock.offset.map { .double($0) },
            "uncertainty_s": .double(clock.uncertainty), "rtt_s": .double(clock.roundTrip),
            "resolution_s": clock.resolution.map { .double($0) }, "target_uptime_s": .double(clock.targetUptime),
            "boot_id": .string(boot), "boottime_zero": .string(Clock.iso8601(microseconds: clock.boottimeZero)),
            "boottime_uncertainty_s": .double(clock.zeroUncertainty),
        ]
        data["step_s"] = journal.state.clock(ofBoot: boot)?.step(to: data).map { .double($0) }
        return data
    }
}
