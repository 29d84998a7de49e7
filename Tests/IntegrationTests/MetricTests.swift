import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Metrics of actions and the windows of collectors, with a real server and real jobs.
@Suite(.serialized, .timeLimit(.minutes(3))) struct MetricTests {
    private let profile = #"""
        parameters: {file: {default: result.json}}
        actions:
          infer:
            commands:
              - "for i in 1 2 3 4 5; do echo latency: $i.5 ms; sleep 0.1; done; echo did 20 of them >&2"
              - "printf '{\"acc\": 0.97312345678901234567}' >WORK/{file}; printf 'epoch,loss\n1,0.5\n2,0.25\n' >$ECR_OUT/log.csv"
            workdir: WORK
            metrics:
              latency: {regex: 'latency: ([0-9.]+) ms', unit: ms}
              count: {regex: 'did (\d+)', from: stderr}
              accuracy: {from: '{file}', json: acc}
              loss: {from: $ECR_OUT/log.csv, csv: loss}
              absent: {regex: 'nothing (\d+)'}
          strict:
            commands: ["echo score 7"]
            metrics: {score: {regex: 'scor (\d+)', required: true}}
        background_collectors:
          power: {stream: "while :; do echo 5000; sleep 0.05; done", parse: {csv: [vdd], units: {vdd: mW}}}
        """#

    private func metrics(_ fixture: RunFixture, _ arguments: String...) async throws -> JSON {
        try await fixture.ecr(["run", "metrics", "--json"] + arguments).json()
    }

    @Test func theyAreTakenShownAndTakenAgain() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(profile.replacing("WORK", with: fixture.scratch.path))
            let name = "other.json"
            let run = try await fixture.start()
            try await fixture.wait(for: "samples") { try run.state().jobs.first?.samples ?? 0 >= 2 }
            let action = try await fixture.expect(0, "run", "action", "infer", "-p", "file=\(name)")
            #expect(action.errorText.contains("warning: metric absent: not found: nothing matches\n"))
            #expect(
                action.errorText.hasSuffix(
                    "latency 3.5 ms (mean of 5), count 20, accuracy 0.973123, loss 0.375 (mean of 2)\n"))
            let strict = try await fixture.expect(1, "run", "action", "strict")
            #expect(strict.errorText.contains("strict failed: exit 0, a required metric was not found"))

            let failed = try #require(try run.events(.actionFailed).first?.data)
            #expect(failed["reason"] == "metric" && failed["exit"] == 0)
            let values = try run.events(.metric).map {
                ($0.data["name"]?.string, $0.data["value"] ?? $0.data["values"])
            }
            #expect(values.map(\.0) == ["latency", "count", "accuracy", "loss"])
            #expect(values.map(\.1) == [[1.5, 2.5, 3.5, 4.5, 5.5], 20, "0.97312345678901234567", [0.5, 0.25]])
            let derived = try run.events(.metricsDerived).map(\.data)
            #expect(derived.map { $0["derivation"] } == [1, 1])
            #expect(derived[0]["missing"] == [["name": "absent", "reason": "nothing matches", "required": false]])
            // The file was fetched without being listed.
            #expect(
                try run.events(.artifactPulled).compactMap { $0.data["path"]?.string }.contains { $0.hasSuffix(name) })

            try await fixture.expect(0, "run", "complete")
            let job = try #require(try await metrics(fixture)["jobs"]?.array?.first)
            #expect(job["metrics"]?["latency"]?["mean"] == 3.5 && job["metrics"]?["latency"]?["p95"] == 5.3)
            let field = try #require(job["window"]?["fields"]?.array?.first)
            #expect(field["collector"] == "power" && field["field"] == "vdd" && field["mean"] == 5000.0)
            let (energy, covered) = (try #require(field["energy_j"]?.double), try #require(field["covered_s"]?.double))
            #expect(covered > 0.3 && abs(energy - 5 * covered) < 1e-6)
            #expect(field["energy_per_count_j"]?.double == energy / 20)
            let show = try await fixture.expect(0, "run", "show")
            #expect(show.outputText.contains("infer   latency   ms    1     3.5"))
            let table = try await fixture.expect(0, "run", "metrics", "--csv")
            #expect(
                table.outputText.hasPrefix("action,job,metric,index,value,unit\ninfer,0002-infer,latency,0,1.5,ms\n"))
            #expect(table.outputText.contains("infer,0002-infer,accuracy,0,0.97312345678901234567,\n"))

            // A mended pattern finds what was there all the time; how the action has ended stays.
            let text = try FileSystem.read(run.profileSnapshot)
            let mended = String(decoding: text, as: UTF8.self).split(separator: "scor (", maxSplits: 1)
            try fixture.scratch.write("mended.yaml", mended.joined(separator: "score ("))
            let again = try await fixture.expect(0, "run", "metrics", "recompute", "--profile", "mended.yaml")
            #expect(again.errorText.contains("5 metrics of 2 jobs taken by "))
            let jobs = try #require(try await metrics(fixture)["jobs"]?.array)
            #expect(jobs.map { $0["derivation"] } == [2, 2])
            #expect(jobs[1]["metrics"]?["score"]?["values"] == [7] && jobs[1]["outcome"] == "failed")
            #expect(jobs[0]["metrics"] == job["metrics"])
            let people = try await fixture.expect(0, "run", "metrics", "latest")
            #expect(people.outputText.contains("derivation 2, by ecr run metrics recompute"))
            try await fixture.expect(0, "run", "metrics", "recompute", "--json")
            #expect(try await metrics(fixture)["jobs"]?.array?[1]["metrics"]?["score"] == nil)
            try await fixture.expect(0, "verify", "latest")
        }
    }

    @Test func aLiveRunIsAskedAndMistakesAreRefused() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(profile.replacing("WORK", with: fixture.scratch.path))
            let run = try await fixture.start()
            #expect(try await fixture.expect(0, "run", "metrics").errorText.contains("has no metrics"))
            try await fixture.expect(1, "run", "action", "strict")
            let again = try await fixture.expect(0, "run", "metrics", "recompute", "--json")
            #expect(try again.json()["derivation"] == 2)
            #expect(again.errorText.contains("warning: 0002-strict: metric score: not found: nothing matches"))
            #expect(try run.state().job("0002-strict")?.metrics?.by == "recompute")
            // Of a profile with mistakes nothing is recorded.
            try fixture.scratch.write("bad.yaml", "name: x\n")
            let before = try run.state().checkpoint.seq
            try await fixture.expect(65, "run", "metrics", "recompute", "--profile", "bad.yaml")
            try await fixture.expect(66, "run", "metrics", "recompute", "--profile", "none.yaml")
            try await fixture.expect(66, "run", "metrics", "none")
            try await fixture.expect(64, "run", "metrics", "--csv", "--json")
            #expect(try run.events(.metricsDerived).filter { $0.seq >= before }.isEmpty)
        }
    }

    @Test func retriesAreMadeForAMetricThatIsRequired() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                #"""
                actions:
                  a:
                    commands: ["echo x >>tries; [ $(wc -l <tries) = 2 ] && echo score 5; true"]
                    workdir: '\#(fixture.scratch.path)'
                    retries: 3
                    metrics: {score: {regex: 'score (\d+)', required: true}}
                """#)
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "a")
            #expect(try run.state().jobs.map(\.outcome) == [.failed, .completed])
            #expect(try run.state().actionMetrics.map(\.aggregates.count) == [1])
        }
    }

    /// It dies at every sync of an action with metrics: none is lost, and none counts twice.
    @Test(.enabled("needs strace") { await SystemCallFaults.isAvailable() })
    func aDeathAtAnySyncCountsThemOnce() async throws {
        try await RunFixture.with(
            profile: #"""
                actions:
                  a:
                    commands: ["seq 1 5; echo '{\"v\": 3}' >$ECR_OUT/r.json"]
                    metrics: {n: {regex: '(\d+)'}, v: {from: $ECR_OUT/r.json, json: v}}
                """#
        ) { fixture in
            let run = try await fixture.start()
            var deaths = 0
            while deaths < 40 {
                let fault = try SystemCallFaults("fdatasync", .death, when: "\(deaths + 1)")
                let tracer = try await fault.attach(to: try #require(Processes.ids(withArgument: run.path).first))
                let action = try await fixture.ecr("run", "action", "a")
                if action.status == 0 { tracer.signal(2) }
                _ = try await tracer.wait()
                guard fault.hasStruck else { break }
                deaths += 1
                try await fixture.wait(for: "the supervisor's death") { !run.hasSupervisor() }
                try await fixture.expect(0, "run", "resume")
                for job in try run.state().openJobs { try await fixture.expect(0, "run", "follow", job.id) }
            }
            #expect(deaths > 3)
            let jobs = try #require(try await metrics(fixture)["jobs"]?.array)
            #expect(try jobs.count == run.state().jobs.count)
            for job in jobs {
                #expect(job["metrics"]?["n"]?["values"] == [1, 2, 3, 4, 5] && job["metrics"]?["v"]?["values"] == [3])
            }
        }
    }
}
