import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// From a profile to a dataset that anybody can open.
@Suite(.serialized, .timeLimit(.minutes(2))) struct MainJobTests {
    private static func profile(_ folder: String) -> String {
        """
        parameters: {size: {type: int, default: 4}}
        setup: [prepare]
        actions:
          prepare: {commands: ["echo prepared"]}
          measure:
            commands:
              - "echo size {size}; echo careful >&2"
              - |
                echo '{{"size": 1}' >"$ECR_OUT/result.json"; mkdir "$ECR_OUT/sub"; echo deep >"$ECR_OUT/sub/deep.txt"
                echo fresh >'\(folder)/fresh.csv'
            artifacts: ["\(folder)/*.csv", "\(folder)/missing.bin"]
          fail: {commands: ["echo before; exit 7"]}
        background_collectors:
          load: {command: "cat /proc/loadavg", interval: 0.2}
        finally: [prepare]
        """
    }

    @Test func aWholeExperimentBecomesADataset() async throws {
        try await RunFixture.with { fixture in
            let folder = fixture.server.scratch.path("data")
            try fixture.server.scratch.write("data/stale.csv", "old")
            try await Command.runSuccessfully("/usr/bin/touch", ["-d", "2001-01-01", "\(folder)/stale.csv"])
            try fixture.write(Self.profile(folder))

            let run = try await fixture.start("--name", "cold", "--tag", "lab")
            let measured = try await fixture.expect(0, "run", "action", "measure", "-p", "size=16")
            #expect(measured.outputText == "size 16\n")
            #expect(measured.errorText.hasPrefix("careful\n"))
            #expect(measured.errorText.contains("stale.csv: stale"))
            #expect(measured.errorText.contains("missing.bin: no such file"))
            try await fixture.expect(0, "note", "fan", "replaced")
            let printed = try await fixture.expect(0, "run", "exec", "--", "printf", "%s|", "a b", "$HOME")
            #expect(printed.outputText == "a b|$HOME|")
            try await fixture.wait(for: "samples") {
                let list = try await fixture.expect(0, "run", "collector", "list", "--json").json()
                return list["collectors"]?.array?.first?["samples"]?.int ?? 0 >= 4
            }
            let completed = try await fixture.expect(0, "run", "complete", "--json")
            #expect(try completed.json()["complete_percent"]?.double == 100)
            #expect(try completed.json()["missing"]?.array?.isEmpty == true)
            try checkRecord(run)
            #expect(!run.hasSupervisor())
            // The target is left as it was found.
            #expect(try FileSystem.list(fixture.server.scratch.path("spool")).isEmpty)

            try await fixture.expect(0, "run", "export", "-o", "out.zip")
            let zip = fixture.scratch.path("out.zip")
            try await Command.runSuccessfully(try #require(Command.find("unzip")), ["-tq", zip])
            try await Command.runSuccessfully(
                try #require(Command.find("unzip")), ["-q", zip, "-d", fixture.scratch.path("unzipped")])
            let dataset = fixture.scratch.path("unzipped/\(run.id)")
            try await Command.runSuccessfully(
                "/usr/bin/sha256sum", ["--strict", "--quiet", "-c", "SHA256SUMS"], workingDirectory: dataset)
            let copy = RunDirectory(path: dataset)
            #expect(try copy.allEvents() == run.allEvents().filter { $0.type != .exported })
            #expect(try copy.text("0003-measure") == "size 16\n")
            #expect(try run.events(.exported).count == 1)
        }
    }

    private func checkRecord(_ run: RunDirectory) throws {
        let types = try run.allEvents().map(\.type)
        #expect(types.first == .runCreated)
        #expect(types.last == .runCompleted)
        // Setup is the first job, then comes the collector; the measurement, the exec, and `finally:` follow.
        let state = try run.state()
        #expect(state.jobs.map(\.id) == ["0001-prepare", "0002-load", "0003-measure", "0004-exec", "0005-prepare"])
        #expect(state.jobs.map(\.outcome) == [.completed, .stopped, .completed, .completed, .completed])
        #expect(state.tags == ["lab"])
        #expect(try run.text("0003-measure") == "size 16\n")
        #expect(try run.text("0003-measure", "stderr") == "careful\n")
        let started = try #require(try run.events(.actionStarted).first { $0.data["job"] == "0003-measure" })
        #expect(started.data["parameters"]?["size"]?.string == "16")

        let artifacts = try run.events(.artifactPulled)
        #expect(
            artifacts.compactMap { $0.data["path"]?.string }.sorted() == [
                "artifacts/0003-measure/fresh.csv", "artifacts/0003-measure/result.json",
                "artifacts/0003-measure/sub/deep.txt",
            ])
        for artifact in artifacts {
            let bytes = try FileSystem.read("\(run.path)/\(artifact.data["path"]?.string ?? "")")
            #expect(artifact.data["size"]?.int == Int64(bytes.count))
        }
        let failures = try run.events(.artifactPullFailed).compactMap { $0.data["reason"]?.string }
        #expect(
            failures == ["stale: older than the job; `allow_old: true` in the profile takes it", "no such file"])
        #expect(try run.events(.note).map { $0.data["text"]?.string } == ["fan replaced"])
        try checkSamples(run)
        // The manifest is exactly what the events tell.
        let manifest = try JSON(parsing: try FileSystem.read(run.manifest))
        #expect(manifest["head_hash"]?.string == state.checkpoint.hash)
        #expect(manifest["state"]?.string == "completed")
        #expect(manifest["checkpoint"]?["seq"]?.int == Int64(types.count))
    }

    private func checkSamples(_ run: RunDirectory) throws {
        let rows = try run.events(.collectorOutput).flatMap { $0.data["rows"]?.array ?? [] }
        #expect(rows.count >= 4)
        let ticks = rows.compactMap { $0["tick"]?.int }
        #expect(ticks == ticks.sorted() && Set(ticks).count == ticks.count)
        #expect(rows.allSatisfy { $0["exit"]?.int == 0 && $0["text"]?.string?.split(separator: " ").count == 5 })
        let table = String(decoding: try FileSystem.read(run.collectorRows("load")), as: UTF8.self)
        let lines = table.split(separator: "\n")
        #expect(lines.first == "time,target_time,boottime_s,tick,exit,text")
        #expect(lines.count == rows.count + 1)
        #expect(lines.last?.split(separator: ",").dropFirst(3).first.flatMap { Int64($0) } == ticks.last)
        #expect(try run.state().job("0002-load")?.samples == Int64(rows.count))
    }

    @Test func commandsChainInAScript() async throws {
        try await RunFixture.with { fixture in
            let ecr = try BuiltProducts.ecr()
            let script = """
                e=$0; $e run start profile.yaml && $e run action hello && $e run complete && $e run export -o out.zip
                """
            let result = try await Command.run(
                "/bin/sh", ["-c", script, ecr],
                environment: ["ECR_RUN": nil, "ECR_RUNS_DIR": nil, "SSH_AUTH_SOCK": nil],
                workingDirectory: fixture.scratch.path)
            #expect(result.status == 0, "\(result.errorText)")
            // Results only: the run's id, the action's output, the file's name.
            let id = try #require(try fixture.runs().first)
            #expect(result.outputText == "\(id)\nhello\n\(fixture.scratch.path("out.zip"))\n")
            #expect(result.errorText.contains("complete: 100"))
        }
    }

    @Test func aFailureEndsTheChain() async throws {
        try await RunFixture.with(profile: "actions: {fail: {commands: [\"exit 3\"]}}") { fixture in
            let script = "$0 run start profile.yaml && $0 run action fail && $0 run complete"
            let result = try await Command.run(
                "/bin/sh", ["-c", script, try BuiltProducts.ecr()],
                environment: ["ECR_RUN": nil, "ECR_RUNS_DIR": nil, "SSH_AUTH_SOCK": nil],
                workingDirectory: fixture.scratch.path)
            #expect(result.status == 1)
            #expect(try fixture.run(result).state().status == .running)
        }
    }
}
