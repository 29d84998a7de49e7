import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

@testable import ECRCore
@testable import RemoteJobs

/// Which spools go, by what is known of their runs.
@Suite struct SpoolCleaningTests {
    private let scratch: ScratchDirectory
    private let runs: RunsDirectory

    init() throws {
        scratch = try ScratchDirectory()
        runs = RunsDirectory(path: scratch.path("runs"))
    }

    /// A run with a spool, ended by some events.
    private func run(_ events: [(EventType, JSONObject)] = []) throws -> KnownRun {
        let run = try runs.makeRun(name: "a")
        let writer = try EventWriter(path: run.events)
        try writer.appendBlocking(.runCreated, ["name": "a"])
        try writer.appendBlocking(.runStarted, ["spool": "/s/0123456789abcdef"])
        for (type, data) in events { try writer.appendBlocking(type, data) }
        writer.close()
        return try #require(KnownRun(run))
    }

    private func sentence(_ run: KnownRun?, running: [String] = [], isForced: Bool = false) -> Bool {
        var spool = StoredSpool(path: "/s/0123456789abcdef")
        spool.runningJobs = running
        return SpoolCleaning.sentence(spool, run, isForced: isForced).isDoomed
    }

    @Test func aRunThatMayGoOnKeepsItsSpoolInAnyCase() throws {
        let run = try run()
        #expect(run.condition == "interrupted")
        #expect(!sentence(run))
        #expect(!sentence(run, isForced: true))
    }

    @Test func aCompletedRunNeedsAWholeRecord() throws {
        let whole = try run([(.ledger, ["complete": true]), (.runCompleted, ["complete": true])])
        #expect(sentence(whole))
        let lacking = try run([(.ledger, ["complete": false]), (.runCompleted, ["complete": false])])
        #expect(!sentence(lacking))
        #expect(sentence(lacking, isForced: true))
        let blind = try run([(.runCompleted, [:])])
        #expect(!sentence(blind))
    }

    @Test func anAbortedRunIsDoneWith() throws {
        let aborted = try run([(.runAborted, [:])])
        #expect(sentence(aborted))
        #expect(!sentence(aborted, running: ["0001"]))
        #expect(sentence(aborted, running: ["0001"], isForced: true))
    }

    @Test func whatAnAbortedRunHasNotFetchedStays() throws {
        let began: (EventType, JSONObject) = (.actionStarted, ["action": "a", "job": "0001-a"])
        let end: (EventType, JSONObject) = (.actionCompleted, ["action": "a", "job": "0001-a", "exit": 0])
        let failure: (EventType, JSONObject) = (
            .artifactPullFailed, ["job": "0001-a", "remote": "$ECR_OUT", "reason": "cancelled", "only_copy": true]
        )
        let unfetched = try run([began, failure, end, (.runAborted, [:])])
        #expect(!sentence(unfetched))
        #expect(sentence(unfetched, isForced: true))
        let unknown = try run([began, (.actionUnknown, ["action": "a", "job": "0001-a"]), (.runAborted, [:])])
        #expect(!sentence(unknown))
        let fetched = try run([began, end, (.runAborted, [:])])
        #expect(sentence(fetched))
    }

    @Test func whatNobodyKnows() {
        #expect(!sentence(nil))
        #expect(sentence(nil, isForced: true))
        #expect(!sentence(nil, running: ["0001", "0002"]))
    }

    @Test func runsAreFoundByTheirSpools() throws {
        let known = try run()
        #expect(KnownRun.bySpool(in: runs).mapValues(\.id) == ["0123456789abcdef": known.id])
        #expect(known.roots == ["/s"])
    }

    @Test func onlyDirectoriesOfRunsAreTakenForSpools() {
        let roots = SpoolInventory.all(
            in: """
                running /s/0123456789abcdef/0001
                root /s
                lock lock 1 c0ffee me@laptop 2026-01-27T14:30:52Z end
                spool 12 /s/0123456789abcdef
                running /s/0123456789abcdef/0003
                running /s/fedcba9876543210/0004
                spool 12 /s/notes
                spool 12 /elsewhere/0123456789abcdef
                spool ? /s/fedcba9876543210
                spool 8 /s/0123456789ABCDEF
                root /t
                lock lock 1 half
                """)
        #expect(roots.map(\.root) == ["/s", "/t"])
        #expect(roots[0].spools.map(\.id) == ["0123456789abcdef", "fedcba9876543210"])
        #expect(roots[0].spools[0].runningJobs == ["0003"])
        #expect(roots[0].spools[0].bytes == 12 << 10)
        #expect(roots[0].spools[1].bytes == nil)
        let me = ControllerIdentity(id: "c0ffee", name: "me@laptop")
        #expect(!roots[0].isHeldByAnother(than: me))
        #expect(roots[0].isHeldByAnother(than: ControllerIdentity(id: "beef", name: "me@laptop")))
        #expect(roots[1].isHeldByAnother(than: me))
    }
}
