import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore
import SSH

/// What follows a reboot of the target, or the loss of its spool: a spool again, setup again, collectors again. Actions
/// are held until that has succeeded.
extension RunEngine {
    /// Why nothing new starts although the run is not paused.
    enum Hold: Equatable {
        /// Setup runs for the first time.
        case starting
        /// Setup runs again after a reboot, or is about to.
        case settingUp
        /// The spool was lost and is made anew.
        case makingSpool
        /// That has failed; the text says how.
        case failed(String)

        /// As a sentence for the operator.
        var reason: String {
            switch self {
            case .starting: "the setup actions run"
            case .settingUp: "the target was rebooted and is set up again"
            case .makingSpool: "the spool on the target was lost and is made anew"
            case .failed(let reason): reason
            }
        }
    }

    /// Told by the link of a connection that stands again, before anybody may use it.
    func linkReturned(isRebooted: Bool) {
        guard isRebooted, !isEnding else { return }
        beginRecovery(isReboot: true)
    }

    /// Looks after a job that came to nothing whether its spool is still there.
    func repairSpoolIfLost() async {
        guard hold == nil, !isEnding, await link.isConnected, let target = try? await link.target() else { return }
        guard (try? await target.hasSpool(spool)) == false, hold == nil, !isEnding else { return }
        beginRecovery(isReboot: false)
    }

    /// Runs a failed recovery once more.
    func repeatRecovery() async throws {
        beginRecovery(isReboot: true)
        await recovery?.value
        if case .failed(let reason) = hold {
            throw ECRFailure(.experimentSaidNo, reason, hint: "ecr run exec to mend it, then ecr run resume")
        }
    }

    /// Whether every setup action has completed, and every automatic collector was started, since the target's boot.
    func isSetUp(under boot: String) -> Bool {
        let jobs = journal.state.jobs
        let isPrepared = profile.setup.allSatisfy { name in isDone(name, under: boot) }
        let isSampled = profile.collectors.allSatisfy { collector in
            collector.start == .manual || wasStarted(collector)
        }
        return isPrepared && isSampled && !jobs.contains { $0.outcome == .running && $0.boot != boot }
    }

    private func wasStarted(_ collector: Collector) -> Bool {
        !journal.state.jobs(ofCollector: collector.name).isEmpty
    }

    private func isDone(_ setup: String, under boot: String) -> Bool {
        journal.state.jobs.contains { $0.name == setup && $0.boot == boot && $0.outcome == .completed }
    }

    func beginRecovery(isReboot: Bool) {
        hold = isReboot ? .settingUp : .makingSpool
        recoveries += 1
        let (number, before) = (recoveries, recovery)
        // Those that ran before the last failed attempt are meant, too.
        interruptedCollectors.formUnion(collectors.keys)
        // Nor were these started, where the supervisor died within the start.
        for collector in profile.collectors where collector.start == .auto {
            if !wasStarted(collector) { interruptedCollectors.insert(collector.name) }
        }
        recovery = Task {
            await before?.value
            if number == self.recoveries { await self.recover(number, isReboot: isReboot) }
        }
    }

    private func recover(_ number: Int, isReboot: Bool) async {
        do {
            try await awaitVerdicts(isReboot: isReboot)
            try await makeSpoolAnew()
            if isReboot { try await repeatSetup() }
        } catch {
            // Another reboot meanwhile begins everything again.
            guard number == recoveries, !isEnding else { return }
            noticeFailure(error)
            hold = .failed(ECRFailure(error).message)
            return
        }
        guard number == recoveries, !isEnding else { return }
        hold = nil
        for name in interruptedCollectors.sorted() { try? restartCollector(name) }
        interruptedCollectors = []
        openGate()
    }

    /// Jobs of the earlier boot, or of the lost spool, each find out by themselves what has become of them.
    private func awaitVerdicts(isReboot: Bool) async throws {
        let boot = try await link.target().facts.boot
        func isOver(_ id: String) -> Bool {
            guard let job = journal.state.job(id) else { return false }
            return isReboot ? job.boot != boot : job.spool == spool
        }
        for (id, job) in live where isOver(id) || job.invocation == .setup { _ = try? await job.end.value }
        for collector in collectors.values where isOver(collector.job) { _ = try? await collector.task.value }
    }

    private func makeSpoolAnew() async throws {
        let target = try await link.target()
        if try await target.hasSpool(spool) { return }
        let lost = spool
        // Who may use the target was settled at the start.
        spool = try await makeSpool(on: target, claim: .share).path
        try await journal.append(
            .spoolMade,
            ["target": .string(Self.targetName), "spool": .string(spool), "lost": .string(lost)])
    }

    private func repeatSetup() async throws {
        let boot = try await link.target().facts.boot
        for name in profile.setup where !isDone(name, under: boot) {
            let end = try await perform(try plan(name, given: []), .setup, stage: nil) { _, _ in }
            guard end.outcome == .completed else {
                let exit = end.exit.map { ": exit \($0)" } ?? ""
                throw ECRFailure(
                    .experimentSaidNo,
                    "setup action \(name) \(end.outcome.rawValue)\(exit) after the target's reboot, so nothing new starts"
                )
            }
        }
    }
}
