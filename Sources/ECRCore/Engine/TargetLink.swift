import EventLog
import JSON
import LinuxSystem
import RemoteJobs
import RunStore
import SSH

/// The connection to the run's target: makes it, notices its loss, makes it again. Every attempt is an event.
actor TargetLink {
    private let journal: Journal
    private let options: SSHOptions
    /// Seconds of attempts after which a lost link is given up; nil for never.
    private let giveUpAfter: Double?
    private var current: Target?
    private var waiters: [CheckedContinuation<Target, any Error>] = []
    private var failure: (any Error)?
    private var isClosed = false
    /// The last clock reading of the present connection.
    private(set) var clock: ClockReading?
    private var lastBoot: String?
    /// Told when a lost link is not tried for any more.
    private var onGivingUp: (@Sendable (any Error) -> Void)?

    init(journal: Journal, options: SSHOptions, giveUpAfter: Double?) {
        self.journal = journal
        self.options = options
        self.giveUpAfter = giveUpAfter
        lastBoot = journal.state.facts["boot_id"]?.string
    }

    var isConnected: Bool { current != nil }

    func setGivingUpHandler(_ handler: @escaping @Sendable (any Error) -> Void) { onGivingUp = handler }

    /// The first connection; records nothing when it fails.
    func connect() async throws -> Target {
        let target = try await Target.connect(options)
        do {
            clock = try await target.readClock()
            try await recordConnection(target)
        } catch {
            await target.close()
            throw error
        }
        adopt(target)
        return target
    }

    /// The connected target; waits while the link is being made again.
    func target() async throws -> Target {
        if let current { return current }
        if let failure { throw failure }
        return try await withCheckedThrowingContinuation { waiters.append($0) }
    }

    func close() async {
        isClosed = true
        await current?.close()
        current = nil
        give(up: SSHError(.closed, "the run is over"))
    }

    private func adopt(_ target: Target) {
        current = target
        let waiting = waiters
        waiters = []
        waiting.forEach { $0.resume(returning: target) }
        Task {
            let error = await target.session.waitUntilLost()
            await self.lost(target, error)
        }
    }

    private func lost(_ target: Target, _ error: SSHError) async {
        guard !isClosed, current === target else { return }
        current = nil
        await target.close()
        _ = try? await journal.append(
            .connectionLost, ["target": .string(RunEngine.targetName), "reason": .string(error.message)])
        Task { await self.reconnect() }
    }

    /// Tries again with a growing pause, from 0.2 to 5 s, jittered so that many controllers don't come in step.
    private func reconnect() async {
        let began = Clock.boottimeNanoseconds()
        var pause = 0.2
        var attempt: Int64 = 0
        while !isClosed {
            attempt += 1
            do {
                let target = try await Target.connect(options)
                clock = try await target.readClock()
                try await recordConnection(target)
                return isClosed ? await target.close() : adopt(target)
            } catch {
                let seconds = Double(Clock.boottimeNanoseconds() - began) / 1e9
                if isFinal(error) || seconds > giveUpAfter ?? .infinity {
                    give(up: error)
                    onGivingUp?(error)
                    return
                }
                let wait = pause * Double.random(in: 0.8...1.2)
                _ = try? await journal.append(
                    .connectionRetry,
                    [
                        "target": .string(RunEngine.targetName), "attempt": .int(attempt),
                        "reason": .string("\(error)"), "next_in_s": .double((wait * 100).rounded() / 100),
                    ])
                try? await Task.sleep(for: .seconds(wait))
                pause = min(5, pause * 1.7)
            }
        }
    }

    /// Another host key, or a target that lets us in no more: no patience helps.
    private func isFinal(_ error: any Error) -> Bool {
        guard let error = error as? SSHError else { return true }
        return [.hostKeyChanged, .hostKeyRevoked, .hostKeyUnknown].contains(error.code)
    }

    private func give(up error: any Error) {
        failure = error
        let waiting = waiters
        waiters = []
        waiting.forEach { $0.resume(throwing: error) }
    }

    private func recordConnection(_ target: Target) async throws {
        let (session, facts) = (target.session, target.facts)
        let name = JSON.string(RunEngine.targetName)
        journal.post(
            .connectionEstablished,
            [
                "target": name, "host": .string(options.host), "port": JSON(options.port),
                "user": .string(options.user),
                "address": .string(session.address), "host_key": .string(session.hostKeyFingerprint),
                "host_key_type": .string(session.hostKeyType), "server": .string(session.serverBanner),
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
        if let clock {
            journal.post(
                .clockOffset,
                [
                    "target": name, "offset_s": clock.offset.map { .double($0) },
                    "uncertainty_s": .double(clock.uncertainty), "rtt_s": .double(clock.roundTrip),
                    "target_uptime_s": .double(clock.targetUptime),
                ])
        }
        try await journal.append(
            .targetFacts,
            [
                "target": name, "boot_id": .string(facts.boot), "uptime_s": .double(facts.uptime),
                "kernel": .string(facts.kernel), "os": facts.os.map { .string($0) },
                "model": facts.model.map { .string($0) }, "hostname": .string(facts.hostname),
                "user": .string(facts.user), "tools": JSON(strings: facts.tools.sorted()),
                "sftp": .bool(await target.sftp != nil),
            ])
    }
}
