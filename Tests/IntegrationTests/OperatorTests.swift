import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What an operator adds to the record and reads from it while the supervisor lives.
@Suite(.serialized, .timeLimit(.minutes(2))) struct OperatorTests {
    @Test func theSupervisorRecordsWhatIsSaid() async throws {
        try await RunFixture.with { fixture in
            let run = try await fixture.start("--tag", "lab")
            try await fixture.expect(0, "run", "action", "hello")
            let note = try await fixture.expect(0, "note", "the fna", "--at", "-5m").outputText.dropLast()
            let edit = try await fixture.expect(0, "run", "edit", String(note), "the fan", "--json")
            #expect(try edit.json()["note"]?.int == Int64(note))
            try await fixture.expect(0, "run", "mark", "last", "invalid", "the", "fan")
            try await fixture.expect(0, "run", "tag", "add", "cold", "lab")
            try await fixture.expect(0, "run", "tag", "remove", "lab")
            #expect(run.hasSupervisor())
            let state = try run.state()
            #expect(state.recentNotes.map(\.text) == ["the fan"] && state.tags == ["cold"])
            #expect(state.jobs.map { state.invalidity(of: $0) } == ["the fan"])
            #expect(try await fixture.expect(0, "status").outputText.contains("; marked invalid: the fan"))
            try await fixture.expect(64, "run", "edit", "0", "x")
            try await fixture.expect(64, "run", "mark", "hullo", "ok")
            try await fixture.expect(64, "run", "delete", "--yes", run.id)
            try await fixture.expect(0, "run", "complete")
            // The supervisor's fold and that of the stream are one.
            #expect(try run.state() == RunState.folded(run))
            try await fixture.expect(0, "run", "mark", "hello", "ok")
            try await fixture.expect(0, "run", "delete", "--yes", run.id)
            #expect(try fixture.runs() == [])
        }
    }

    @Test func aClientRecordsOnlyWhatIsAnOperatorsToSay() async throws {
        try await RunFixture.with { fixture in
            let run = try await fixture.start()
            for type in ["run_completed", "ledger", "", "made_up"] {
                let socket = try UnixSocket.connect(to: run.socket)
                try socket.write(
                    Array("{\"protocol\":1,\"ecr\":\"x\"}\n{\"request\":\"record\",\"type\":\"\(type)\"}\n".utf8))
                var answer: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 4096)
                while case let count = read(socket.descriptor, &chunk, chunk.count), count > 0 {
                    answer += chunk.prefix(count)
                }
                #expect(String(decoding: answer, as: UTF8.self).contains("\"exit\":64"))
            }
            #expect(try run.state().status == .running)
        }
    }

    @Test func logsAndEventsAreFollowed() async throws {
        let profile = """
            actions: {talk: {commands: ["echo one; echo two >&2; while ! test -e go; do sleep 0.05; done; echo three"], workdir: DIR}}
            background_collectors: {ticks: {command: "echo tick", interval: 0.2}}
            """
        try await RunFixture.with { fixture in
            let folder = fixture.scratch.path
            try fixture.write(profile.split(separator: "DIR").joined(separator: "\"\(folder)\""))
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "talk", "--detach")
            let log = try fixture.background("run", "log", "talk", "--follow")
            let all = try fixture.background("run", "log", "--all", "--follow")
            let table = try fixture.background("run", "log", "ticks", "--follow", "--tail", "1")
            let events = try fixture.background("run", "events", "--follow", "--type", "action_completed", "--json")
            try await log.waitForOutput("one\n")
            try await log.waitForError("two\n")
            try await all.waitForOutput("-ticks row| tick\n")
            #expect(events.outputText == "")
            try fixture.scratch.write("go", "")
            let ended = try await log.wait()
            #expect(ended.status == 0 && ended.outputText == "one\nthree\n" && ended.errorText == "two\n")
            try await events.waitForOutput("action_completed")
            let job = try #require(try run.state().jobs.last { $0.name == "talk" }).id
            try await all.waitForOutput("\(job) out| three\n")
            #expect(events.isRunning && table.isRunning)
            try await fixture.expect(0, "run", "complete")
            #expect(try await events.wait().outputText.split(separator: "\n").count == 1)
            let lines = try await all.wait().outputText
            #expect(lines.contains(" \(job) out| one\n") && lines.contains(" \(job) err| two\n"))
            // The last row of what was there, and all that came.
            let whole = try FileSystem.read(run.collectorRows("ticks"))
            #expect(try await table.wait().outputText.utf8.elementsEqual(whole.suffix(table.output.count)))
            #expect(try await fixture.expect(0, "run", "log", "ticks").output == whole)
            #expect(try await fixture.expect(0, "run", "log", "talk", "--stderr").outputText == "two\n")
        }
    }

    @Test func namesThatAreNearlyRightAreGuessed() async throws {
        let profile = """
            actions: {measure: {commands: ["true"]}}
            background_collectors: {load: {command: "true", interval: 1}}
            """
        try await RunFixture.with(profile: profile) { fixture in
            _ = try await fixture.start()
            let action = try await fixture.expect(64, "run", "action", "mesure")
            #expect(action.errorText.hasPrefix("error: no action 'mesure'; did you mean 'measure'?"))
            let collector = try await fixture.expect(64, "run", "collector", "stop", "laod")
            #expect(collector.errorText.hasPrefix("error: no collector 'laod'; did you mean 'load'?"))
            let far = try await fixture.expect(64, "run", "action", "fly")
            #expect(far.errorText.hasPrefix("error: no action 'fly'; the profile has: measure"))
        }
    }
}

extension RunState {
    /// From the first event on, without the manifest.
    static func folded(_ run: RunDirectory) throws -> RunState {
        var state = RunState()
        try state.catchUp(with: run.events)
        return state
    }
}
