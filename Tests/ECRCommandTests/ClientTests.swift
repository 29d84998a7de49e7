import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// The client's side of the control protocol, against a supervisor that is played.
@Suite struct ClientTests {
    private let ecr: Ecr

    init() throws { ecr = try Ecr() }

    private static let output = #"{"recorded":{"job":"0001-hash","stream":"stdout","bytes":4}}"#
    private static let errorOutput = #"{"recorded":{"job":"0001-hash","stream":"stderr","bytes":5}}"#

    /// The raw logs that the supervisor would have written; a byte of each is not on record yet.
    private func writeLogs(of run: RunDirectory) throws {
        try FileSystem.replace(
            run.actionLog(job: "0001-hash", stream: "stdout"), with: Array("hi\n".utf8) + [0xFF, 0x21])
        try FileSystem.replace(run.actionLog(job: "0001-hash", stream: "stderr"), with: Array("oops\n!".utf8))
    }

    @Test func anActionStreamsAndEndsAsTheSupervisorSays() async throws {
        let run = try await ecr.create()
        try writeLogs(of: run)
        let supervisor = try FakeSupervisor(
            run,
            answers: [
                #"{"progress":"launching"}"#, Self.output, Self.errorOutput,
                #"{"result":{"job":"0001-hash","name":"hash","outcome":"failed","exit":3,"duration_s":2.305,"#
                    + #""artifacts":["a","b"],"warnings":["a is old"],"exit_code":1}}"#,
            ])
        defer { supervisor.stop() }
        let result = try await ecr("run", "action", "hash", "-p", "size=8")
        #expect(result.status == 1)
        #expect(result.output == Array("hi\n".utf8) + [0xFF])
        #expect(
            result.errorText
                == "launching\noops\nwarning: a is old\nhash failed: exit 3 (job 0001-hash, after 2.31 s, 2 artifacts)\n"
        )
        #expect(
            supervisor.received == [
                ["request": "action", "name": "hash", "parameters": [["size", "8"]], "detach": false, "wait": true]
            ])
        let json = try await ecr("run", "exec", "--json", "--", "uname", "-a")
        #expect(try json.json()["exit"]?.int == 3)
        #expect(
            supervisor.received[1] == ["request": "exec", "command": ["uname", "-a"], "sudo": false, "detach": false])
    }

    @Test func completedAndDetached() async throws {
        let run = try await ecr.create()
        let supervisor = try FakeSupervisor(
            run,
            answers: [
                #"{"result":{"job":"0001-hash","name":"hash","outcome":"completed","exit":0,"duration_s":2.31,"#
                    + #""artifacts":[],"warnings":[],"exit_code":0}}"#
            ])
        defer { supervisor.stop() }
        let result = try await ecr("action", "hash")
        #expect(result.status == 0 && result.errorText == "hash completed in 2.31 s (job 0001-hash)\n")
        #expect(try await ecr("action", "hash", "--detach").outputText == "0001-hash\n")
    }

    @Test func errorsKeepTheirCodeAndHint() async throws {
        let run = try await ecr.create()
        let supervisor = try FakeSupervisor(
            run,
            answers: [#"{"error":{"exit":64,"message":"no action 'x'; it has hash","hint":"ecr run action hash"}}"#])
        defer { supervisor.stop() }
        let result = try await ecr("action", "x")
        #expect(result.status == 64)
        #expect(result.errorText == "error: no action 'x'; it has hash\n  try: ecr run action hash\n")
    }

    @Test func aSupervisorThatDiesLeavesTheOutcomeUnknown() async throws {
        let run = try await ecr.create()
        let supervisor = try FakeSupervisor(run, answers: [Self.output])
        defer { supervisor.stop() }
        let result = try await ecr("action", "hash")
        #expect(result.status == 79)
        #expect(result.errorText.contains("died before it answered"))
        #expect(result.errorText.contains("ecr run resume, then ecr run follow"))
    }

    @Test func anotherProtocolNamesBothVersions() async throws {
        let run = try await ecr.create()
        let supervisor = try FakeSupervisor(run, hello: #"{"protocol":2,"ecr":"9.9.9"}"#)
        defer { supervisor.stop() }
        let result = try await ecr("note", "x")
        #expect(result.status == 78)
        #expect(
            result.errorText.contains("ecr 0.1.0 (protocol 1)") && result.errorText.contains("ecr 9.9.9 (protocol 2)"))
    }

    @Test func controlCLeavesTheJobRunning() async throws {
        let run = try await ecr.create()
        let supervisor = try FakeSupervisor(run, answers: [Self.output], keepOpen: true)
        defer { supervisor.stop() }
        try writeLogs(of: run)
        let action = try RunningCommand(
            try BuiltProducts.ecr(), ["run", "action", "hash"], environment: ecr.settings,
            workingDirectory: ecr.scratch.path)
        try await action.waitForOutput("hi\n")
        action.signal(SIGTERM)
        let result = try await action.wait()
        #expect(result.status == 143)
        #expect(result.errorText == "\njob 0001-hash goes on; `ecr run follow 0001-hash` shows its output\n")
    }

    @Test func twoLiveRunsMustBeNamed() async throws {
        let (one, two) = (try await ecr.create("--name", "one"), try await ecr.create("--name", "two"))
        let answers = [#"{"result":{"seq":7}}"#]
        let (first, second) = (try FakeSupervisor(one, answers: answers), try FakeSupervisor(two, answers: answers))
        defer {
            first.stop()
            second.stop()
        }
        let result = try await ecr("note", "x")
        #expect(result.status == 64)
        #expect(result.errorText.contains("  \(one.id)\n  \(two.id)\n"))
        #expect(try await ecr("note", "x", "--run", one.id).errorText == "note 7 recorded\n")
        #expect(first.received == [["request": "record", "type": "note", "data": ["text": "x"]]])
        #expect(try await ecr("run", "status").status == 0)
    }

    @Test func completeSaysWhatIsMissing() async throws {
        let run = try await ecr.create()
        let supervisor = try FakeSupervisor(
            run,
            answers: [
                #"{"result":{"state":"completed","ledger":{"complete_percent":99.5},"complete_percent":99.5,"missing":["3 bytes"],"head_hash":"h"}}"#
            ])
        defer { supervisor.stop() }
        let result = try await ecr("run", "complete", "--wait")
        #expect(result.status == 1)
        #expect(result.errorText.contains("complete: 99.5 % of output and samples\nmissing: 3 bytes\n"))
    }

    @Test func startWithoutATargetLeavesNothingBehind() async throws {
        let run = try await ecr.create()
        try ecr.scratch.write(
            "away.yaml",
            "name: away\nconnection: {host: 127.0.0.1, port: 1, timeout: 2}\nactions: {a: {commands: [x]}}\n")
        let result = try await ecr("run", "start", "away.yaml")
        #expect(result.status != 0 && result.outputText == "")
        #expect(RunsDirectory(path: ecr.scratch.path("runs")).runs() == [run])
        #expect(try await ecr("run", "status", "--json").json()["run"]?.string == run.id)
        #expect(try await ecr("run", "start").status != 0)
        #expect(try run.state().status == .created)
    }
}
