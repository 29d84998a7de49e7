import LinuxSystem
import Profiles
import RemoteJobs
package import RunStore
import SSH

/// Looks through the spools on a target, judges each by the run that it belongs to, and removes those that are done with.
///
/// What another controller owns is never touched unless it is taken over, which is asked for and said.
package struct SpoolCleaning: Sendable {
    package struct Options: Sendable {
        /// Only the spools of this run.
        package var run: RunDirectory?
        /// Also what nobody here knows, what a run's record lacks, and jobs that still run.
        package var isForced: Bool
        package var takesOver: Bool

        package init(run: RunDirectory?, isForced: Bool, takesOver: Bool) {
            self.run = run
            self.isForced = isForced
            self.takesOver = takesOver
        }
    }

    /// A root as it was found, and what is to become of each of its spools.
    package struct Root: Sendable {
        package let path: String
        /// As `SpoolLock.holder`; nil where nobody holds it.
        package let holder: String?
        /// Another controller's, and not to be taken over: only what runs here have there is looked at (`--share`).
        package let isForeign: Bool
        /// Another controller's, to be taken over.
        package let isTakenOver: Bool
        package var spools: [Verdict]
    }

    package struct Verdict: Sendable {
        let spool: StoredSpool
        package var path: String { spool.path }
        /// Nil where the target has no `du`.
        package var bytes: Int64? { spool.bytes }
        package var runningJobs: [String] { spool.runningJobs }
        /// The run here that has the spool on record.
        package let run: KnownRun?
        package let isDoomed: Bool
        /// Why, or why not.
        package let reason: String
    }

    private let reference: TargetReference
    private let options: Options
    private let known: [String: KnownRun]
    private let target: Target

    /// Connects.
    /// - Parameter runs: where runs may be that have spools on the target.
    package static func begin(
        on reference: TargetReference, in runs: RunsDirectory, _ options: Options, answer: QuestionAnswer?
    ) async throws(ECRFailure) -> SpoolCleaning {
        if let run = options.run, let known = KnownRun(run), known.isUnfinished {
            throw ECRFailure(
                .usage, "run \(run.id) is \(known.condition), so its spool is needed",
                hint: "ecr run complete --run \(run.id), or ecr run abort --run \(run.id)")
        }
        do {
            let target = try await Target.connect(reference.options(answer: answer))
            return SpoolCleaning(
                reference: reference, options: options, known: KnownRun.bySpool(in: runs), target: target)
        } catch { throw ECRFailure(error) }
    }

    /// Says goodbye to the target.
    package func end() async { await target.close() }

    /// What is there, and what would be done.
    package func plan() async throws(ECRFailure) -> [Root] {
        let others = Set(known.values.filter { $0.hostKey == target.session.hostKeyFingerprint }.flatMap(\.roots))
        do {
            let found = try await target.inventory(root: reference.connection.spoolDir, others: others.sorted())
            return found.map(judge)
        } catch { throw ECRFailure(error) }
    }

    /// Removes what the plan says, as far as a second look still says so: time may have passed over a question.
    /// - Returns: what was done: a doomed spool is gone.
    package func carryOut(_ plan: [Root]) async throws(ECRFailure) -> [Root] {
        let doomed = Set(plan.flatMap(\.spools).filter(\.isDoomed).map(\.spool.path))
        var roots = try await self.plan()
        do {
            for index in roots.indices {
                let root = roots[index]
                if root.isTakenOver { try await takeOver(root.path) }
                roots[index].spools = root.spools.filter { !$0.isDoomed || doomed.contains($0.spool.path) }
                for verdict in roots[index].spools where verdict.isDoomed { try await remove(verdict.spool) }
                if options.run == nil && !root.isForeign { try await target.removeLock(ofEmpty: root.path) }
            }
        } catch let error as SSHError {
            throw ECRFailure(error)
        } catch { throw ECRFailure(error) }
        return roots
    }

    private func takeOver(_ root: String) async throws {
        let now = Clock.iso8601(microseconds: Clock.wallMicroseconds())
        guard try await target.takeOver(root: root, for: .thisMachine, now: now) else {
            throw ECRFailure(
                .busy, "the lock of \(root) could not be taken over", hint: "ecr target check \(reference.text)")
        }
    }

    private func remove(_ spool: StoredSpool) async throws(SSHError) {
        for job in spool.runningJobs { try await target.cancel(job: job, in: spool.path) }
        for _ in 0..<Self.patience {
            var isAlive = false
            for job in spool.runningJobs where try await target.standing(of: job, in: spool.path).isAlive {
                isAlive = true
            }
            if !isAlive { break }
            try? await Task.sleep(for: .milliseconds(50))
        }
        try await target.removeSpool(spool.path)
    }

    /// Origin: the wrapper kills a group five seconds after it was asked to end; ten bear a slow board.
    private static let patience = 200

    // MARK: Judging

    private func judge(_ found: SpoolInventory) -> Root {
        let isHeld = found.isHeldByAnother(than: .thisMachine)
        let isForeign = isHeld && !options.takesOver
        let spools = found.spools.filter { !isForeign || known[$0.id] != nil }
        return Root(
            path: found.root,
            holder: found.isLockDamaged ? "a controller whose name cannot be read" : found.lock?.holder,
            isForeign: isForeign,
            isTakenOver: isHeld && options.takesOver,
            spools: spools.map(judge).filter { options.run == nil || $0.run?.directory == options.run })
    }

    private func judge(_ spool: StoredSpool) -> Verdict {
        let run = known[spool.id]
        let (isDoomed, reason) = Self.sentence(spool, run, isForced: options.isForced)
        return Verdict(spool: spool, run: run, isDoomed: isDoomed, reason: reason)
    }

    /// Whether a spool goes, and the reason.
    static func sentence(_ spool: StoredSpool, _ run: KnownRun?, isForced: Bool) -> (isDoomed: Bool, reason: String) {
        if let run, run.isUnfinished { return (false, "the run is \(run.condition)") }
        if let job = spool.runningJobs.first {
            let jobs =
                spool.runningJobs.count == 1 ? "job \(job) still runs" : "\(spool.runningJobs.count) jobs still run"
            return isForced ? (true, "forced, although \(jobs)") : (false, "\(jobs); --force ends them")
        }
        guard let run else {
            return isForced ? (true, "forced, although no run here knows it") : (false, "no run here knows it; --force")
        }
        if run.condition != "created" && !run.isWhole {
            let wayOut = run.mayBeDrained ? ": ecr run drain \(run.id), or --force" : "; --force"
            return isForced
                ? (true, "forced, although the run's record lacks some of it")
                : (false, "the run is \(run.condition), and its record lacks some of it\(wayOut)")
        }
        return (true, "the run is \(run.condition)")
    }
}
