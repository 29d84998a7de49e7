import EventLog
import Hashing
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

@testable import ECRCore

/// What the ledger says of one action and one collector, for every way in which the two ends can disagree.
@Suite struct LedgerTests {
    private let scratch: ScratchDirectory
    private let run: RunDirectory
    private let spool = "/var/tmp/ecr-0/abc"

    init() throws {
        scratch = try ScratchDirectory()
        run = RunDirectory(path: scratch.path)
        try FileSystem.makeDirectories("\(scratch.path)/logs/actions")
        try FileSystem.makeDirectories("\(scratch.path)/logs/collectors")
        try FileSystem.replace(run.actionLog(job: "0001-a", stream: "stdout"), with: Array("hello".utf8))
        try FileSystem.replace(run.actionLog(job: "0001-a", stream: "stderr"), with: [])
        // The collector's second job stands behind its first one in the same log.
        try FileSystem.replace(run.collectorLog("c"), with: Array("oldnew".utf8))
    }

    private func state(
        outcome: EventType = .actionCompleted, masked: Int64? = nil, isAttached: Bool = false,
        more: [(EventType, JSONObject)] = []
    ) -> RunState {
        var state = RunState()
        let spoolName = JSON.string(spool)
        let samples: JSON = [["tick": 0]]
        let events: [(EventType, JSONObject)] = [
            (.actionStarted, ["job": "0001-a", "action": "a", "spool": spoolName, "attached": .bool(isAttached)]),
            (
                .commandOutput,
                [
                    "job": "0001-a", "stream": "stdout", "offset": 0, "length": 5, "masked": masked.map { .int($0) },
                ]
            ),
            (outcome, ["job": "0001-a"]),
            (.collectorStarted, ["job": "0002-c", "collector": "c", "spool": spoolName]),
            (.collectorOutput, ["job": "0002-c", "offset": 0, "length": 3, "rows": samples]),
            (.collectorStopped, ["job": "0002-c"]),
            (.collectorStarted, ["job": "0003-c", "collector": "c", "spool": spoolName]),
            (.collectorOutput, ["job": "0003-c", "offset": 0, "length": 3, "rows": samples]),
            (.collectorStopped, ["job": "0003-c"]),
        ]
        for (index, (type, data)) in (events + more).enumerated() {
            state.apply(
                Event(
                    seq: Int64(index), time: "", boottimeNanoseconds: 0, boot: "", type: type, data: data, previous: "")
            )
        }
        return state
    }

    private typealias Remote = [String: (bytes: Int64, sha256: String)]

    private var remote: Remote {
        func entry(_ text: String) -> (Int64, String) {
            (Int64(text.utf8.count), SHA256.hexDigest(of: Array(text.utf8)))
        }
        return [
            "0001/stdout": entry("hello"), "0001/stderr": entry(""), "0002/stdout": entry("old"),
            "0003/stdout": entry("new"),
        ]
    }

    private func ledger(_ remote: Remote, _ state: RunState? = nil) throws -> Ledger {
        try Ledger(run, state ?? self.state(), spool: spool, remote: remote)
    }

    @Test func equalEndsAreWhole() throws {
        let ledger = try ledger(remote)
        #expect(ledger.isWhole && ledger.missing == [])
        #expect(ledger.json["complete_percent"] == 100)
    }

    @Test func withoutSha256sumTheLengthsDecide() throws {
        var remote = remote
        for key in remote.keys { remote[key]?.sha256 = "" }
        #expect(try ledger(remote).isWhole)
    }

    @Test func otherBytesOfTheSameLengthAreAHole() throws {
        var remote = remote
        remote["0003/stdout"]?.sha256 = String(repeating: "0", count: 64)
        let ledger = try ledger(remote)
        #expect(ledger.missing == ["0003-c stdout: the recorded bytes differ from the target's"])
        #expect(ledger.json["complete_percent"] == .double(72.72))
    }

    @Test func moreOnTheTargetIsAHole() throws {
        var remote = remote
        remote["0001/stdout"]?.bytes = 9
        #expect(try ledger(remote).missing == ["0001-a stdout: the target has 9 bytes, 5 are recorded"])
    }

    @Test func aLostCopyIsAHole() throws {
        var remote = remote
        remote["0001/stdout"] = nil
        #expect(try ledger(remote).missing == ["0001-a stdout: the target's copy is gone, 5 bytes are recorded"])
    }

    @Test func anUnknownOutcomeIsAHoleAndAFailureIsNone() throws {
        let unknown = try ledger(remote, state(outcome: .actionUnknown))
        #expect(unknown.missing == ["0001-a: its outcome is unknown"])
        let failed = try ledger(remote, state(outcome: .actionFailed))
        #expect(failed.isWhole && failed.remarks == ["0001-a failed"])
    }

    @Test func aMaskedStreamIsComparedAsItCame() throws {
        try FileSystem.replace(run.actionLog(job: "0001-a", stream: "stdout"), with: Array("h***o".utf8))
        let came = SHA256.hexDigest(of: Array("hello".utf8))
        let whole = try Ledger(run, state(masked: 3), spool: spool, remote: remote, unmasked: ["0001-a/stdout": came])
        #expect(whole.isWhole)
        let entry = try #require(whole.entries.first)
        #expect(entry["masked"]?.int == 3)
        #expect(entry["sha256"]?.string == SHA256.hexDigest(of: Array("h***o".utf8)))
        // Nobody shall find out by trying what the three letters were.
        #expect(!JSON.object(whole.json).text.contains(came))
        let differs = ["0001-a stdout: the recorded bytes differ from the target's"]
        #expect(try ledger(remote, state(masked: 3)).missing == differs)
        let other = try Ledger(run, state(masked: 3), spool: spool, remote: remote, unmasked: ["0001-a/stdout": "0"])
        #expect(other.missing == differs)
    }

    @Test func aJobWithoutASpoolIsNamedAndNoHole() throws {
        var remote = remote
        remote["0001/stdout"] = nil
        remote["0001/stderr"] = nil
        let ledger = try ledger(remote, state(isAttached: true))
        #expect(ledger.isWhole)
        #expect(ledger.remarks == ["0001-a ran without a spool: recorded, not comparable"])
        let unknown = try self.ledger(remote, state(outcome: .actionUnknown, isAttached: true))
        #expect(unknown.missing == ["0001-a: its outcome is unknown"])
    }

    @Test func jobsOfALostSpoolAreNotComparedWithANewOne() throws {
        let ledger = try Ledger(run, state(), spool: "/var/tmp/ecr-0/other", remote: remote)
        #expect(ledger.missing.count == 4)
    }

    @Test func aLogThatWasLostHereIsAHole() throws {
        var remote = remote
        for key in remote.keys { remote[key]?.sha256 = "" }
        try FileSystem.replace(run.collectorLog("c"), with: Array("old".utf8))
        #expect(try ledger(remote).missing == ["0003-c stdout: the controller's own log has lost bytes"])
        try run.remove()
        #expect(try ledger(remote).missing.count == 3)
    }

    // MARK: Samples

    private func collector(_ ledger: Ledger) -> JSON? { ledger.json["collectors"]?.array?.first }

    @Test func samplesOfAllJobsAreCounted() throws {
        let ledger = try ledger(remote)
        #expect(
            collector(ledger) == ["collector": "c", "expected": 2, "received": 2, "overruns": 0, "gaps": 0])
        #expect(ledger.json["totals"]?["samples"] == 2 && ledger.json["totals"]?["expected_samples"] == 2)
    }

    @Test func skippedTicksAreNamedAndNoHole() throws {
        let ledger = try ledger(
            remote,
            state(more: [
                (.collectorOutput, ["job": "0003-c", "offset": 3, "length": 0, "rows": [], "skipped": [[1, 9]]])
            ]))
        #expect(ledger.isWhole && ledger.remarks == ["c: 9 ticks skipped, the sample before still ran"])
        #expect(
            collector(ledger) == ["collector": "c", "expected": 2, "received": 2, "overruns": 9, "gaps": 0])
    }

    private func gap(_ data: JSONObject) -> (EventType, JSONObject) {
        var all: JSONObject = [
            "collector": "c", "job": "0003-c", "from": "2026-01-27T14:02:11.000000Z",
            "to": "2026-01-27T14:02:51.000000Z",
            "reason": "the target was rebooted",
        ]
        all.merge(data)
        return (.collectorGap, all)
    }

    @Test func aGapIsAHoleWithItsSamplesAndItsTime() throws {
        let ledger = try ledger(remote, state(more: [gap(["samples": 38])]))
        #expect(
            ledger.missing == [
                "c: 38 samples from 2026-01-27 14:02:11 to 2026-01-27 14:02:51: the target was rebooted"
            ])
        #expect(collector(ledger) == ["collector": "c", "expected": 40, "received": 2, "overruns": 0, "gaps": 1])
        #expect(ledger.json["complete_percent"] == 5.0)
        #expect(ledger.json["gaps"]?.array?.count == 1)
    }

    @Test func aGapOfAnUnknownNumberOfSamplesIsAHole() throws {
        let ledger = try ledger(remote, state(more: [gap([:])]))
        #expect(!ledger.isWhole && ledger.json["complete_percent"] == .null && ledger.json["compared"] == true)
        #expect(collector(ledger)?["expected"] == 2)
    }

    @Test func lostTicksAreCountedOnce() throws {
        let more: [(EventType, JSONObject)] = [
            gap(["samples": 4, "first_tick": 1, "last_tick": 4]),
            (.collectorOutput, ["job": "0003-c", "offset": 3, "length": 0, "rows": [["tick": 5]]]),
        ]
        let ledger = try ledger(remote, state(more: more))
        #expect(collector(ledger) == ["collector": "c", "expected": 7, "received": 3, "overruns": 0, "gaps": 1])
        #expect(ledger.missing.count == 1)
    }

    @Test func ticksThatNoEventAccountsForAreAHole() throws {
        let ledger = try ledger(
            remote,
            state(more: [(.collectorOutput, ["job": "0003-c", "offset": 3, "length": 0, "rows": [["tick": 5]]])]))
        #expect(ledger.missing == ["0003-c: 4 samples are missing"])
        #expect(collector(ledger)?["expected"] == 7)
    }

    @Test func ofACollectorWithAnUnknownEndTheGapIsTheHole() throws {
        let unknown: (EventType, JSONObject) = (.collectorStopped, ["job": "0003-c", "outcome": "unknown"])
        let open = try ledger(remote, state(more: [unknown]))
        #expect(open.missing == ["0003-c: its outcome is unknown"])
        let ledger = try ledger(remote, state(more: [unknown, gap(["samples": 38])]))
        #expect(ledger.missing.count == 1 && ledger.missing[0].hasPrefix("c: 38 samples"))
        #expect(ledger.json["unknown"] == ["0003-c"])
    }

    @Test func aRebootIsNamedAndNoHole() throws {
        let ledger = try ledger(remote, state(more: [(.targetRebooted, ["boot_id": "b"])]))
        #expect(ledger.isWhole && ledger.remarks.count == 1)
        #expect(ledger.json["totals"]?["reboots"] == 1)
    }

    @Test func failedArtifactsAreNamedAndTheRestIsCounted() throws {
        func failures(_ count: Int) -> [(EventType, JSONObject)] {
            (0..<count).map { number in
                (
                    .artifactPullFailed,
                    [
                        "job": "0001-a", "remote": .string("/\(number)"), "reason": "stale",
                        "required": .bool(number == 1),
                    ]
                )
            }
        }
        func ledger(_ count: Int) throws -> Ledger {
            try Ledger(run, state(more: failures(count)), spool: spool, remote: nil)
        }
        #expect(try ledger(0).json["failed_artifacts"] == nil)
        #expect(
            try ledger(2).remarks == [
                "artifact /1 of 0001-a (required) was not pulled: stale", "artifact /0 of 0001-a was not pulled: stale",
            ])
        let many = try ledger(7)
        #expect(many.remarks.count == 6)
        #expect(many.remarks.last == "2 more artifacts were not pulled: ecr run events --type artifact_pull_failed")
        let told = try #require(many.json["failed_artifacts"])
        #expect(told["count"]?.int == 7 && told["first"]?.array?.count == 5)
        #expect(try ledger(6).remarks.last?.hasPrefix("1 more artifact was not pulled") == true)
    }
}
