import EventLog
import JSON
import Testing

@testable import RunStore

/// Which artifacts are missing at the end: only what has not come since, each once.
@Suite struct MissingArtifactsTests {
    private typealias Line = (type: EventType, data: JSONObject)

    /// Folds events, and lets the state go through the manifest behind each of them.
    private func missing(_ lines: [Line]) throws -> MissingArtifacts {
        var state = RunState()
        for (seq, line) in lines.enumerated() {
            state.apply(
                Event(
                    seq: Int64(seq), time: "2026-01-27T14:30:00.000000Z", boottimeNanoseconds: 0, boot: "b",
                    type: line.type, data: line.data, previous: Event.noHash))
            let read = try #require(RunState(json: state.json(id: "")))
            #expect(read.missingArtifacts == state.missingArtifacts)
            state.missingArtifacts = read.missingArtifacts
        }
        return state.missingArtifacts
    }

    private func names(_ lines: [Line]) throws -> [String] {
        let missing = try missing(lines)
        #expect(missing.count == Int64(missing.first.count))
        return missing.first.map { "\($0["remote"]?.string ?? "?") \($0["reason"]?.string ?? "?")" }
    }

    private func failed(_ remote: String, job: String? = nil, _ reason: String = "no") -> Line {
        (.artifactPullFailed, ["remote": .string(remote), "job": job.map { .string($0) }, "reason": .string(reason)])
    }

    private func pulled(_ remote: String, job: String? = nil) -> Line {
        (.artifactPulled, ["remote": .string(remote), "job": job.map { .string($0) }])
    }

    private func started(_ entry: String, _ files: Int64, job: String? = nil) -> Line {
        (.artifactPullStarted, ["entry": .string(entry), "files": .int(files), "job": job.map { .string($0) }])
    }

    private func action(_ job: String, attempt: Int64 = 1) -> Line {
        (
            .actionStarted,
            ["job": .string(job), "action": .string(String(job.dropFirst(5))), "attempt": .int(attempt)]
        )
    }

    @Test func oneThatFailsAgainIsTheSameOneAndItsLastReasonCounts() throws {
        let lines = [failed("/a", "no such file"), failed("/b"), failed("/a", "cancelled")]
        #expect(try names(lines) == ["/a cancelled", "/b no"])
    }

    @Test func requiredOnesAreNamedFirst() throws {
        var lines = (0..<600).map { failed("/\($0)") }
        for name in ["/needed", "/more"] {
            lines.append((.artifactPullFailed, ["remote": .string(name), "reason": "no", "required": true]))
        }
        let missing = try missing(lines)
        #expect(missing.count == 602)
        #expect(missing.first.prefix(3).map { $0["remote"]?.string } == ["/needed", "/more", "/0"])
        #expect(missing.first.count == 10)
    }

    @Test func requiredOnesThatFailManyTimesOver() throws {
        let required = (0..<30).map { number -> Line in
            (.artifactPullFailed, ["remote": .string("/\(number)"), "reason": "no", "required": true])
        }
        #expect(try missing(required).first.compactMap { $0["remote"]?.string } == (0..<10).map { "/\($0)" })
    }

    @Test func whatHasComeSinceIsNotMissing() throws {
        #expect(try names([failed("/a"), failed("/b"), pulled("/a"), pulled("/c")]) == ["/b no"])
        #expect(try names([failed("/a"), pulled("/a"), failed("/a", "again")]) == ["/a again"])
        let raw: JSONObject = ["remote_base64": "/w==", "reason": "no"]
        #expect(try missing([(.artifactPullFailed, raw), pulled("/w==")]).count == 1)
        #expect(try missing([(.artifactPullFailed, raw), (.artifactPulled, raw)]).count == 0)
    }

    @Test func aJobsFileComesForThatJobOrByHand() throws {
        let jobs = [action("0001-a"), action("0002-a")]
        let both = [failed("/f", job: "0001-a"), failed("/f", job: "0002-a")]
        #expect(try names(jobs + both + [pulled("/f", job: "0001-a")]) == ["/f no"])
        // By hand it is what the last one has left.
        let last = try missing(jobs + both + [pulled("/f")])
        #expect(last.first.map { $0["job"]?.string } == ["0001-a"])
        // Another job's file is another one.
        #expect(try names(jobs + [failed("/f", job: "0001-a"), pulled("/f", job: "0002-a")]) == ["/f no"])
        // What was asked for by hand is here, whoever brings it.
        #expect(try names(jobs + [failed("/f"), pulled("/f", job: "0002-a")]) == [])
    }

    @Test func whatAnotherAttemptBringsIsNotMissing() throws {
        let attempts = [action("0001-a"), action("0002-b"), action("0003-a", attempt: 2), action("0004-a")]
        let failure = failed("/f", job: "0001-a")
        #expect(try names(attempts + [failure, pulled("/f", job: "0003-a")]) == [])
        #expect(try names(attempts + [failure, failed("/f", job: "0003-a", "later")]) == ["/f later"])
        #expect(try names(attempts + [failure, pulled("/f", job: "0004-a")]) == ["/f no"])
    }

    @Test func aPatternHasComeWithAllThatItNames() throws {
        let again = [failed("/d/*"), started("/d/*", 3), pulled("/d/a"), failed("/d/b", "denied")]
        #expect(try names(again) == ["/d/* no", "/d/b denied"])
        #expect(try names(again + [pulled("/d/c")]) == ["/d/b denied"])
        // Cut by the link and gone on with, or stopped.
        #expect(try names(again + [started("/d/*", 1), pulled("/d/c")]) == ["/d/b denied"])
        #expect(try names(again + [failed("/d/*", "cancelled")]) == ["/d/* cancelled", "/d/b denied"])
        let stopped = [failed("/d/*"), started("/d/*", 2), failed("/d/*", "cancelled"), pulled("/d/a")]
        #expect(try names(stopped) == ["/d/* cancelled"])
        // An empty directory is all that there is; another job's files are others.
        #expect(try names([failed("/d"), started("/d", 0)]) == [])
        let other = [failed("/d", job: "0001-a"), started("/d", 1, job: "0002-b"), pulled("/d/x", job: "0002-b")]
        #expect(try names([action("0001-a"), action("0002-b")] + other) == ["/d no"])
    }

    @Test func fewAreNamedAndNoMoreThanSoManyAreKnown() throws {
        let twelve = (0..<12).map { failed("/\($0)") }
        let first = try missing(twelve)
        #expect(first.count == 12 && first.first.map { $0["remote"]?.string } == (0..<10).map { "/\($0)" })
        let left = try missing(twelve + (1..<12).map { pulled("/\($0)") } + [failed("/x")])
        #expect(left.count == 2 && left.first.map { $0["remote"]?.string } == ["/0", "/x"])

        var state = RunState()
        func apply(_ lines: [Line]) {
            for line in lines {
                state.apply(
                    Event(
                        seq: 0, time: "", boottimeNanoseconds: 0, boot: "b", type: line.type, data: line.data,
                        previous: Event.noHash))
            }
        }
        apply((0..<10_005).map { failed("/\($0)") })
        #expect(state.missingArtifacts.count == 10_005)
        apply((0..<10_005).map { pulled("/\($0)") })
        #expect(state.missingArtifacts.count == 5 && state.missingArtifacts.first.isEmpty)
    }
}
