import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What an operator is told of files that come, do not come, or come later.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PullAccountTests {
    // MARK: At the end

    @Test func theEndNamesOnlyWhatIsStillMissing() async throws {
        try await RunFixture.with { fixture in
            let path = { (name: String) in fixture.scratch.path("target/\(name)") }
            try fixture.write(
                """
                actions:
                  a: {commands: ["true"], artifacts: ["\(path("late"))", "\(path("never"))"]}
                  again:
                    commands: ['test -e "\(path("second"))" && echo 1 >"\(path("out"))"; touch "\(path("second"))"']
                    artifacts: [{path: "\(path("out"))", required: true}]
                    retries: 1
                """)
            try FileSystem.makeDirectory(fixture.scratch.path("target"))
            let run = try await fixture.start()
            let action = try await fixture.expect(0, "run", "action", "a")
            #expect(action.errorText.contains("artifact \(path("late")): no such file"))
            for _ in 1...2 {
                try await fixture.expect(1, "run", "pull", path("never"), path("*.csv"), path("gone"))
            }
            for name in ["late", "x.csv", "y.csv"] { try fixture.scratch.write("target/\(name)", name) }
            try await fixture.expect(0, "run", "pull", path("late"), path("*.csv"))
            try await fixture.expect(0, "run", "action", "again")

            let end = try await fixture.expect(0, "run", "complete")
            let told = end.errorText.split(separator: "\n").filter { $0.contains("not pulled") }
            #expect(
                told == [
                    "remark: artifact \(path("never")) of 0001-a was not pulled: no such file",
                    "remark: artifact \(path("never")) was not pulled: no such file",
                    "remark: artifact \(path("gone")) was not pulled: no such file",
                ])
            let ledger = try run.state().ledger?["failed_artifacts"]
            #expect(ledger?["count"]?.int == 3 && ledger?["first"]?.array?.count == 3)
            let manifest = try JSON(parsing: FileSystem.read(run.manifest))
            #expect(manifest["first_failed_pulls"]?.array?.count == 3)
        }
    }

    /// A rootfs has thousands of links that lead nowhere.
    @Test(.enabled("needs strace") { await SystemCallFaults.isAvailable() })
    func whatDoesNotComeIsOnRecordWithFewSyncs() async throws {
        try await RunFixture.with { fixture in
            let tree = fixture.scratch.path("tree")
            try FileSystem.makeDirectory(tree)
            let make = "cd \"$0\"; for n in $(seq 300); do ln -s gone dead$n; : >old$n; done; touch -d 2001-01-01 old*"
            try await Command.runSuccessfully("/bin/sh", ["-c", make, tree])
            try fixture.write("actions: {a: {commands: [\"true\"], artifacts: [\"\(tree)\"]}}")
            let run = try await fixture.start()
            let fault = try SystemCallFaults("fdatasync", .error("EIO"), when: "150+")
            let tracer = try await fault.attach(to: #require(Processes.ids(withArgument: run.path).first))
            try await fixture.expect(0, "run", "action", "a")
            tracer.signal(SIGINT)
            _ = try await tracer.wait()
            #expect(!fault.hasStruck)
            let reasons = try run.events(.artifactPullFailed).map { $0.data["reason"]?.string ?? "" }
            #expect(reasons.count { $0.hasPrefix("stale: ") } == 300)
            #expect(reasons.count { $0 == "a link that leads nowhere, to gone" } == 300)
            try await fixture.expect(0, "run", "complete")
        }
    }

    // MARK: What to type next

    /// - Parameter servesSFTP: whether the target does.
    @Test(arguments: [true, false]) func whatDoesNotComeIsToldWithACommandThatHelps(_ servesSFTP: Bool) async throws {
        try await RunFixture.with(.init(servesSFTP: servesSFTP)) { fixture in
            let odd = fixture.scratch.path("it's/odd  \"folder\"")
            try fixture.scratch.write("it's/odd  \"folder\"/there", "x")
            try check("link") { symlink("../gone/away", "\(odd)/dead") }
            _ = try await fixture.start()
            let long = String(repeating: "n", count: 300)
            for (name, reason) in [
                ("-x", "no such file"), ("nothere", "no such file"), ("*.nothere", "no such file"),
                ("\(odd)/none", "no such file"), ("\(odd)/*.csv", "no such file"),
                ("\(odd)/dead", "a link that leads nowhere, to ../gone/away"),
                ("\(odd)/d*", "a link that leads nowhere, to ../gone/away"), ("\(odd)/\(long)", "file name too long"),
            ] {
                let pull = try await fixture.expect(1, "run", "pull", "--", name)
                #expect(pull.errorText.contains(": \(reason)\n"), "\(pull.errorText)")
                let hint = try #require(pull.errorText.split(separator: "  try: ").last?.split(separator: "\n").first)
                let script = "PATH=$0:$PATH; \(hint)"
                let folder = FileSystem.parent(of: try BuiltProducts.ecr())
                let typed = try await Command.run(
                    "/bin/sh", ["-c", script, folder], environment: RunFixture.settings,
                    workingDirectory: fixture.scratch.path)
                #expect(typed.status == 0, "\(hint): \(typed.errorText)")
                if name.hasPrefix(odd) { #expect(typed.outputText.contains(" there\n"), "\(typed.outputText)") }
            }
        }
    }

    /// As `/etc/mtab` is one: what it leads to is another file for each who looks.
    @Test(arguments: [true, false]) func aLinkToWhatIsEverybodysOwnLeadsOut(_ servesSFTP: Bool) async throws {
        try await RunFixture.with(.init(servesSFTP: servesSFTP)) { fixture in
            try fixture.scratch.write("tree/f", "x")
            try check("link") { symlink("/proc/self/mounts", fixture.scratch.path("tree/mtab")) }
            let run = try await fixture.start()
            let pull = try await fixture.expect(1, "run", "pull", fixture.scratch.path("tree"))
            #expect(pull.errorText.contains("/tree/mtab: a link that leads out of the folder\n"), "\(pull.errorText)")
            try await fixture.expect(0, "run", "pull", fixture.scratch.path("tree/mtab"))
            let pulled = try #require(try run.events(.artifactPulled).last?.data)
            #expect(pulled["size"]?.int ?? 0 > 0, "\(pulled)")
        }
    }

    @Test func theLoginFolderIsKnownByItsShortName() async throws {
        try await RunFixture.with(
            profile: "actions: {hello: {commands: [\"echo hello\"]}}\ntransfers: {max_files: 1}"
        ) { fixture in
            _ = try await fixture.start()
            let none = try await fixture.expect(1, "run", "pull", "~/no such file here")
            #expect(none.errorText.contains("error: ~/no such file here: no such file\n"))
            // Whatever is in it.
            let all = try await fixture.ecr("run", "pull", "~")
            #expect(!all.errorText.contains("no such file"), "\(all.errorText)")
        }
    }

    // MARK: On the way

    @Test func theRateIsOfWhatHasComeSinceTheResume() async throws {
        // A link that stalls is not taken for lost here.
        try await FaultBench.with(connection: ["keepalive": "60"]) { bench in
            let (fixture, link) = (bench.fixture, try #require(bench.link))
            let big = try fixture.scratch.write("big", bytes: testBytes(20_000_000))
            let run = try await bench.start()
            func stall(after bytes: Int) async throws -> RunningCommand {
                link.fail(.stall, after: bytes, .toClient)
                let pull = try fixture.background("run", "pull", "--method", "sftp", big)
                try await fixture.wait(for: "the stall") { !link.isArmed }
                return pull
            }
            let cut = try await stall(after: 12_000_000)
            try await fixture.interrupt(cut)
            link.restore()
            #expect(try await cut.wait().status == 130)
            // What was on its way then still comes.
            var carried = 0
            try await fixture.wait(for: "the rest of it") {
                defer { carried = link.carried(.toClient) }
                try await Task.sleep(for: .milliseconds(200))
                return link.carried(.toClient) - carried < 50_000
            }

            let second = try await stall(after: 3_000_000)
            var told: JSON?
            try await fixture.wait(for: "the rate") {
                told = try await fixture.expect(0, "status", "--json").json()["transfers"]?.array?.first
                return told?["bytes_per_s"] != nil
            }
            let bytes = try #require(told?["bytes"]?.int)
            let before = try #require(told?["bytes_before"]?.int)
            #expect(before > 5_000_000 && bytes >= before && bytes <= before + 3_000_000)
            // It is told from the first second on.
            #expect(told?["bytes_per_s"]?.int ?? .max <= bytes - before)
            link.restore()
            #expect(try await second.wait().status == 0)
            #expect(try run.events(.artifactPulled).last?.data["resumed_at"]?.int == before)
        }
    }

    @Test func whatCameOfAFileThatFailedIsNotCounted() async throws {
        try await FaultBench.with { bench in
            let (fixture, link) = (bench.fixture, try #require(bench.link))
            let folder = fixture.scratch.path("tree")
            for name in ["one", "two"] {
                try fixture.scratch.write("tree/\(name)", bytes: [UInt8](repeating: 1, count: 8_000_000))
            }
            let run = try await bench.start()
            func bytes() async throws -> Int64 {
                let told = try await fixture.expect(0, "status", "--json").json()["transfers"]?.array?.first
                return told?["bytes"]?.int ?? 0
            }
            link.throttle(2_000_000)
            let pull = try fixture.background("run", "pull", "--method", "exec", folder)
            try await fixture.wait(for: "some of the first") { try await bytes() > 2_000_000 }
            link.throttle(100_000)
            for id in Processes.ids(withArgument: "if=\(folder)/one") { Processes.kill(id) }
            try await fixture.wait(for: "its failure") { try !run.events(.artifactPullFailed).isEmpty }
            try await fixture.wait(for: "some of the second") {
                let bytes = try await bytes()
                #expect(bytes < 2_000_000)
                return bytes > 0
            }
            pull.signal(SIGINT)
            #expect(try await pull.wait().status == 130)
        }
    }

    // MARK: Stopped

    /// On a slow link an archive takes long, and what is here of it is kept all along.
    @Test func whatHasComeOfAnArchiveIsKept() async throws {
        try await FaultBench.with { bench in
            let (fixture, link) = (bench.fixture, try #require(bench.link))
            let bytes = testBytes(300_000)
            for number in 1...12 { try fixture.scratch.write("tree/\(number)", bytes: bytes + [UInt8(number)]) }
            let run = try await bench.start()
            link.throttle(300_000)
            let pull = try fixture.background("run", "pull", "--method", "tar", fixture.scratch.path("tree"))
            try await fixture.wait(for: "the first files") { try !run.events(.artifactPulled).isEmpty }
            try await fixture.interrupt(pull)
            link.throttle(nil)
            #expect(try await pull.wait().status == 130)
            let kept = try run.events(.artifactPulled).count
            #expect(kept < 12)
            try await fixture.expect(0, "run", "pull", "--method", "tar", fixture.scratch.path("tree"))
            let methods = try run.events(.artifactPulled).map { $0.data["method"]?.string }
            #expect(methods.count { $0 == "unchanged" } == kept && methods.count { $0 == "tar" } == 12)
        }
    }

    @Test(arguments: [false, true]) func whatHadComeWhenItWasStoppedIsCounted(_ isJSON: Bool) async throws {
        try await FaultBench.with(extra: "transfers: {min_free_disk: 0}") { bench in
            let fixture = bench.fixture
            try fixture.scratch.write("tree/first", "whole")
            let big = try fixture.scratch.write("tree/second", "")
            try File(path: big, O_WRONLY).truncate(to: 4 << 30)
            let run = try await bench.start()
            let names = [fixture.scratch.path("tree"), fixture.scratch.path("none")]
            let pull =
                try isJSON
                ? fixture.background("run", "pull", "--json", names[0], names[1])
                : fixture.background("run", "pull", names[0], names[1])
            try await fixture.wait(for: "the first") { try run.events(.artifactPulled).count == 1 }
            pull.signal(SIGINT)
            let stopped = try await pull.wait()
            #expect(stopped.status == 130)
            let path = "artifacts/pulled/0001/first"
            guard isJSON else {
                #expect(stopped.outputText == "\(run.path)/\(path)\n")
                #expect(stopped.errorText.hasSuffix("1 file fetched\nstopped; typed again, it brings the rest\n"))
                return
            }
            let result = try JSON(parsing: stopped.output.split(separator: 0x0A).last ?? [])
            #expect(result["cancelled"] == true && result["exit_code"]?.int == 130)
            #expect(result["pulled"]?.array == [.string(path)])
            let failed = result["failed"]?.array ?? []
            #expect(failed.map { $0["outcome"] } == ["cancelled", "cancelled"])
            #expect(failed.allSatisfy { $0["hint"] == nil })
        }
    }

    enum Stop: Sendable, CaseIterable { case interrupt, complete, abort, abortWithoutLink }

    @Test(arguments: Stop.allCases) func whatWasStoppedIsOnRecordAndLeavesNoFolder(_ stop: Stop) async throws {
        try await FaultBench.with(extra: "transfers: {min_free_disk: 0}") { bench in
            let fixture = bench.fixture
            let big = try fixture.scratch.write("big", "")
            try File(path: big, O_WRONLY).truncate(to: 4 << 30)
            let run = try await bench.start()
            let pull = try fixture.background("run", "pull", big, "/proc/version")
            try await fixture.waitForTransfer()
            switch stop {
            case .interrupt: pull.signal(SIGINT)
            case .complete: try await fixture.expect(0, "run", "complete", "--cancel-running")
            case .abort: try await fixture.expect(0, "run", "abort")
            case .abortWithoutLink:
                bench.link?.refuse()
                bench.link?.fail(.reset)
                try await fixture.wait(for: "the loss") {
                    try await fixture.expect(0, "status", "--json").json()["connected"]?.bool == false
                }
                try await fixture.expect(0, "run", "abort")
            }
            #expect(try await pull.wait().status == 130)
            try await fixture.wait(for: "the record") { try run.events(.artifactPullFailed).count == 2 }
            for (event, name) in zip(try run.events(.artifactPullFailed), [big, "/proc/version"]) {
                #expect(event.data["remote"]?.string == name && event.data["reason"]?.string == "cancelled")
                #expect(event.data["job"] == nil)
            }
            if stop == .interrupt {
                #expect(try FileSystem.list(run.pulled) == ["%part"])
                let end = try await fixture.expect(0, "run", "complete")
                #expect(end.errorText.contains("remark: artifact \(big) was not pulled: cancelled\n"))
            }
            #expect(!FileSystem.exists(run.pulled))
        }
    }
}
