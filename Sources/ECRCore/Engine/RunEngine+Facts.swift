import EventLog
import JSON
import Profiles
import RemoteJobs
import RunStore
import SSH

/// The target's state at both ends of a run. It never holds up or fails what the run is there for.
extension RunEngine {
    /// Takes down the state at the start, unless that is on record; beside whatever the run does meanwhile.
    func takeFirstBaseline() {
        guard journal.state.baselines.start == nil, firstBaseline == nil else { return }
        firstBaseline = Task {
            for _ in 0..<Self.attempts {
                if await takeBaseline(at: "start", within: Self.longestBaseline) { break }
                if Task.isCancelled { break }
                // The link that broke is noticed by then; the next attempt waits until it stands again.
                try? await Task.sleep(for: .seconds(1))
            }
            firstBaseline = nil
        }
    }

    /// Origin: a link in motion breaks again and again in its first minute; whoever is told nothing five times is not asked
    /// for ever.
    private static let attempts = 5

    /// Takes down the state at the end, while the target is connected.
    /// - Parameter isBrief: nobody wants to wait for it.
    func takeLastBaseline(isBrief: Bool) async {
        guard await link.isConnected else { return }
        if isBrief { firstBaseline?.cancel() }
        await firstBaseline?.value
        await takeBaseline(at: "end", within: isBrief ? Self.briefBaseline : Self.longestBaseline)
    }

    /// Seconds. Origin: each of the user's own facts may take ten, each tool of a vendor five.
    private static let longestBaseline = 60
    /// Seconds. Origin: whoever aborts does not want to wait.
    private static let briefBaseline = 5

    /// - Returns: whether they are on record.
    @discardableResult
    private func takeBaseline(at moment: String, within seconds: Int) async -> Bool {
        do {
            let target = try await link.target()
            let reading = try await target.readClock()
            let baseline = try await target.takeBaseline(
                in: spool, own: profile.facts.own.map { ($0.name, $0.command) },
                identifiers: profile.facts.identifiers, within: seconds)
            try await journal.append(
                .targetFacts, baseline.event(at: moment, uptime: reading.targetUptime, target.facts))
            return true
        } catch {
            noticeFailure(error)
            Supervisor.log("the target's facts at the \(moment) were not taken: \(error)")
            return false
        }
    }
}
