import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// How actions end, and what the operator is told.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ActionTests {
    @Test func aFailureKeepsItsOutputAndItsArtifacts() async throws {
        let profile = """
            actions:
              fail:
                commands: ["echo one; echo two >&2; echo kept >\\"$ECR_OUT/kept.txt\\"", "echo three; exit 7", "echo never"]
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            let result = try await fixture.expect(1, "run", "action", "fail")
            #expect(result.outputText == "one\nthree\n")
            #expect(result.errorText.hasPrefix("two\n"))
            #expect(result.errorText.contains("exit 7"))
            #expect(try run.text("0001-fail") == "one\nthree\n")
            #expect(try run.text("0001-fail", "stderr") == "two\n")
            #expect(try FileSystem.read("\(run.path)/artifacts/0001-fail/kept.txt") == Array("kept\n".utf8))
            let end = try #require(try run.events(.actionFailed).first?.data)
            #expect(end["exit"]?.int == 7)
            #expect(end["reason"]?.string == "exit")
            #expect(end["stdout_bytes"]?.int == 10)
            #expect(end["stderr_bytes"]?.int == 4)
            #expect(try run.events(.commandCompleted).map { $0.data["index"]?.int } == [0])
            #expect(try run.events(.commandFailed).map { $0.data["exit"]?.int } == [7])
            // A failed action is no hole in the record.
            let completed = try await fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100"))
        }
    }

    @Test func aTimeoutExitsWith124AndLeavesNoProcess() async throws {
        let sleep = Processes.uniqueSleep()
        let profile = """
            actions: {hang: {commands: ["echo begun; sleep \(sleep) & sleep \(sleep)"], timeout: 1}}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            let result = try await fixture.expect(124, "run", "action", "hang")
            #expect(result.outputText == "begun\n")
            #expect(!Processes.exist(withArgument: sleep))
            let end = try #require(try run.events(.actionFailed).first?.data)
            #expect(end["reason"]?.string == "timeout")
            #expect(end["death"]?.string == "confirmed")
            #expect(try await fixture.expect(124, "run", "follow").outputText == "begun\n")
        }
    }

    @Test func anUnknownActionListsThoseThatExist() async throws {
        try await RunFixture.with(profile: "actions: {cool: {commands: [\"true\"]}, warm: {commands: [\"true\"]}}") {
            fixture in
            let run = try await fixture.start()
            let result = try await fixture.expect(64, "run", "action", "wram")
            #expect(result.errorText.contains("no action 'wram'"))
            #expect(result.errorText.contains("did you mean 'warm'?"))
            let other = try await fixture.expect(64, "run", "action", "heat")
            #expect(other.errorText.contains("cool") && other.errorText.contains("warm"))
            #expect(try run.events(.actionStarted).isEmpty)
        }
    }

    @Test func aMissingOrWrongValueStartsNothing() async throws {
        let profile = """
            parameters: {size: {type: int, max: 10}}
            actions: {a: {commands: ["echo {size}"]}}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            #expect(try await fixture.expect(64, "run", "action", "a").errorText.contains("size"))
            try await fixture.expect(64, "run", "action", "a", "-p", "size=11")
            try await fixture.expect(64, "run", "action", "a", "-p", "size=1", "-p", "sise=1")
            #expect(try run.events(.actionStarted).isEmpty)
            #expect(try await fixture.expect(0, "run", "action", "a", "-p", "size=9").outputText == "9\n")
        }
    }

    /// To Swift, a quote with a combining mark behind it is one character; to the target's shell the word ends there.
    @Test func aValueThatBeginsWithACombiningMarkIsAWordAsAnyOther() async throws {
        let profile = """
            parameters: {text: {type: string}}
            actions: {say: {commands: ["printf %s {text}"]}}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            let trap = fixture.scratch.path("trap")
            let value = "\u{301}; : >\(trap); '"
            let said = try await fixture.expect(0, "run", "action", "say", "-p", "text=\(value)")
            #expect(said.output == Array(value.utf8))
            #expect(!FileSystem.exists(trap))
            #expect(try run.text("0001-say") == value)
        }
    }

    @Test func aRetryIsANewJob() async throws {
        let profile =
            "actions: {flaky: {commands: [\"if [ -e '$MARK' ]; then echo second; else : >'$MARK'; echo first; exit 1; fi\"], retries: 3}}"
        try await RunFixture.with { fixture in
            try fixture.write(profile.replacing("$MARK", with: fixture.server.scratch.path("mark")))
            let run = try await fixture.start()
            #expect(try await fixture.expect(0, "run", "action", "flaky").outputText == "first\nsecond\n")
            let jobs = try run.state().jobs
            #expect(jobs.map(\.id) == ["0001-flaky", "0002-flaky"])
            #expect(jobs.map(\.attempt) == [1, 2])
            #expect(jobs.map(\.outcome) == [.failed, .completed])
            let retries = try run.events(.actionRetry)
            #expect(retries.map { $0.data["job"]?.string } == ["0001-flaky"])
            #expect(retries.map { $0.data["attempt"]?.int } == [2])
            #expect(try run.text("0002-flaky") == "second\n")
        }
    }

    @Test func retriesComeToAnEnd() async throws {
        try await RunFixture.with(profile: "actions: {no: {commands: [\"echo no; exit 9\"], retries: 2}}") { fixture in
            let run = try await fixture.start()
            #expect(try await fixture.expect(1, "run", "action", "no").outputText == "no\nno\nno\n")
            #expect(try run.state().jobs.map(\.attempt) == [1, 2, 3])
            #expect(try run.events(.actionRetry).count == 2)
        }
    }

    @Test func artifactsOfOneNameAllHaveAPlace() async throws {
        try await RunFixture.with { fixture in
            let folder = fixture.server.scratch.path("data")
            let command =
                "mkdir -p '\(folder)/sub/name' '\(folder)/other'; cd '\(folder)'; echo 1 >name; echo 2 >sub/name/deep; "
                + "echo 3 >other/name; echo 4 >other/NAME; echo 5 >sub/name/more"
            try fixture.write(
                """
                actions:
                  a:
                    commands: ["\(command)"]
                    artifacts: ["\(folder)/name", "\(folder)/sub", "\(folder)/other/*"]
                """)
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "a")
            #expect(try run.events(.artifactPullFailed).isEmpty)
            var contents: [String: String] = [:]
            for event in try run.events(.artifactPulled) {
                let path = try #require(event.data["path"]?.string)
                contents[path] = String(decoding: try FileSystem.read("\(run.path)/\(path)"), as: UTF8.self)
            }
            let place = "artifacts/0001-a"
            #expect(
                contents == [
                    "\(place)/name": "1\n", "\(place)/name_2/deep": "2\n", "\(place)/name_2/more": "5\n",
                    "\(place)/NAME_3": "4\n", "\(place)/name_4": "3\n",
                ])
        }
    }

    @Test func aRequiredArtifactThatIsMissingFailsTheAction() async throws {
        let profile = "actions: {a: {commands: [\"true\"], artifacts: [{path: /nonexistent/x, required: true}]}}"
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            try await fixture.expect(1, "run", "action", "a")
            let end = try #require(try run.events(.actionFailed).first?.data)
            #expect(end["reason"]?.string == "artifact")
            #expect(end["exit"]?.int == 0)
        }
    }

    @Test func aDetachedActionIsFollowed() async throws {
        try await RunFixture.with { fixture in
            let go = fixture.scratch.path("go")
            try fixture.write(
                "actions: {slow: {commands: [\"echo begun; while [ ! -e '\(go)' ]; do sleep 0.05; done; echo ended; exit 4\"]}}"
            )
            let run = try await fixture.start()
            #expect(try await fixture.expect(0, "run", "action", "slow", "--detach").outputText == "0001-slow\n")
            let follower = try fixture.background("run", "follow", "0001-slow")
            try await follower.waitForOutput("begun\n")
            try fixture.scratch.write("go", "")
            let followed = try await follower.wait()
            #expect(followed.status == 1)
            #expect(followed.outputText == "begun\nended\n")
            // Its record says the same as long as the run is kept.
            #expect(try await fixture.expect(1, "run", "follow").outputText == "begun\nended\n")
            try await fixture.expect(0, "run", "complete")
            #expect(try await fixture.expect(1, "run", "follow", "0001-slow").outputText == "begun\nended\n")
            #expect(try run.text("0001-slow") == "begun\nended\n")
        }
    }

    @Test func twoProcessesSeeTheSameOutput() async throws {
        try await RunFixture.with { fixture in
            let go = fixture.scratch.path("go")
            let command =
                "for i in 1 2 3; do echo line $i; done; while [ ! -e '\(go)' ]; do sleep 0.05; done; seq 4 2000"
            try fixture.write("actions: {count: {commands: [\"\(command)\"]}}")
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "count")
            try await action.waitForOutput("line 3\n")
            let follower = try fixture.background("run", "follow")
            try await follower.waitForOutput("line 3\n")
            try fixture.scratch.write("go", "")
            let results = [try await action.wait(), try await follower.wait()]
            #expect(results.map(\.status) == [0, 0])
            let whole = "line 1\nline 2\nline 3\n" + (4...2000).map { "\($0)\n" }.joined()
            #expect(results[0].outputText == whole)
            #expect(results[1].outputText == whole)
            #expect(try run.text("0001-count") == whole)
        }
    }

    @Test func ctrlCLeavesTheActionRunning() async throws {
        try await RunFixture.with { fixture in
            let go = fixture.scratch.path("go")
            try fixture.write(
                "actions: {slow: {commands: [\"echo begun; while [ ! -e '\(go)' ]; do sleep 0.05; done; echo ended\"]}}"
            )
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "slow")
            try await action.waitForOutput("begun\n")
            action.signal(2)
            let result = try await action.wait()
            #expect(result.status == 130)
            #expect(result.errorText.contains("ecr run follow 0001-slow"))
            try fixture.scratch.write("go", "")
            #expect(try await fixture.expect(0, "run", "follow").status == 0)
            #expect(try run.text("0001-slow") == "begun\nended\n")
        }
    }
}
