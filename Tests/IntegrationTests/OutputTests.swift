import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What a job writes is what is recorded and shown, whatever it is.
@Suite(.serialized, .timeLimit(.minutes(2))) struct OutputTests {
    /// Runs one action and compares what the terminal, the raw log and the events have with what was written.
    private func check(_ command: String, output: [UInt8], error: [UInt8] = []) async throws {
        try await RunFixture.with { fixture in
            let script = try fixture.scratch.write("job.sh", command)
            try fixture.write("actions: {a: {commands: [\"sh '\(script)'\"]}}")
            let run = try await fixture.start()
            let result = try await fixture.expect(0, "run", "action", "a")
            #expect(result.output == output)
            #expect(result.error.starts(with: error))
            #expect(try run.output("0001-a") == output)
            #expect(try run.output("0001-a", "stderr") == error)
            let completed = try await fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100"))
        }
    }

    @Test func binaryOutputIsKept() async throws {
        let octal = (0...255).map { "\\\($0 / 64)\($0 / 8 % 8)\($0 % 8)" }.joined()
        try await check("printf '\(octal)'", output: Array(0...255))
    }

    @Test func charactersThatComeInPiecesAreNotTorn() async throws {
        // 'ü', '€' and an emoji byte by byte with pauses in which the bytes are read, then bytes that are no character.
        let command = #"""
            for b in '\303' '\274' '\342' '\202' '\254' '\360' '\237' '\230' '\200'; do printf "$b"; sleep 0.1; done
            printf '\377\303'
            """#
        try await RunFixture.with { fixture in
            let script = try fixture.scratch.write("job.sh", command)
            try fixture.write("actions: {a: {commands: [\"sh '\(script)'\"]}}")
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "a")
            #expect(try run.output("0001-a") == Array("ü€😀".utf8) + [0xFF, 0xC3])
            let texts = try run.events(.commandOutput).compactMap { $0.data["text"]?.string }
            #expect("ü€😀".hasPrefix(texts.joined()))
            #expect(!texts.isEmpty)
        }
    }

    @Test func threeMegabytesArriveWhole() async throws {
        try await RunFixture.with { fixture in
            try fixture.write("actions: {a: {commands: [\"seq 1 450000\"]}}")
            let run = try await fixture.start()
            let result = try await fixture.expect(0, "run", "action", "a")
            let whole = (1...450_000).map { "\($0)\n" }.joined()
            #expect(result.outputText == whole)
            #expect(try run.text("0001-a") == whole)
            // Beyond the limit the events carry hashes in place of the bytes.
            let outputs = try run.events(.commandOutput)
            #expect(outputs.contains { $0.data["text"] != nil } && outputs.contains { $0.data["sha256"] != nil })
            try await fixture.expect(0, "run", "complete")
        }
    }

    @Test func outputToStderrAloneStaysThere() async throws {
        try await check("echo only >&2", output: [], error: Array("only\n".utf8))
    }

    @Test func outputWithoutANewlineAndEmptyOutput() async throws {
        try await check("printf end", output: Array("end".utf8))
        try await check("true", output: [])
    }

    /// Servers of small devices: no SFTP at all, or one channel a connection.
    @Test(arguments: [SSHServer.Options(servesSFTP: false), SSHServer.Options(maxSessions: 1)])
    func aServerWithoutSFTPGivesEverything(options: SSHServer.Options) async throws {
        try await RunFixture.with(options) { fixture in
            try fixture.write(
                """
                actions: {a: {commands: ["seq 1 30000; echo err >&2; echo x >\\"$ECR_OUT/f\\""]}}
                background_collectors: {load: {command: "echo up", interval: 0.2}}
                """)
            let run = try await fixture.start()
            let whole = (1...30_000).map { "\($0)\n" }.joined()
            let result = try await fixture.expect(0, "run", "action", "a")
            #expect(result.outputText == whole)
            try await fixture.wait(for: "samples") { try run.state().jobs.first?.samples ?? 0 >= 2 }
            let completed = try await fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100"))
            #expect(try run.text("0002-a") == whole)
            #expect(try run.text("0002-a", "stderr") == "err\n")
            let artifact = try #require(try run.events(.artifactPulled).first?.data)
            #expect(artifact["method"]?.string == "exec")
            #expect(artifact["remote_sha256"]?.string == artifact["sha256"]?.string)
        }
    }

    @Test func stdinIsAtItsEnd() async throws {
        try await check("cat; read -r x || echo eof", output: Array("eof\n".utf8))
    }
}

/// Values, names and text of people and targets that mean harm.
@Suite(.serialized, .timeLimit(.minutes(2))) struct HostileInputTests {
    @Test func aParameterIsNeverCode() async throws {
        try await RunFixture.with { fixture in
            let trap = fixture.scratch.path("trap")
            try fixture.write(
                """
                parameters: {n: {allow: [newline]}}
                actions:
                  bare: {commands: ["printf '<%s>' {n}"]}
                  quoted: {commands: ["printf '<%s>' \\"a {n}\\""]}
                  environment: {commands: ["printf '<%s>' \\"$ECR_PARAM_N\\""]}
                """)
            let run = try await fixture.start()
            let attempts = [
                "$(touch \(trap))", "`touch \(trap)`", "'; touch \(trap); '", "\"; touch \(trap); \"",
                "; touch \(trap)",
                "\ntouch \(trap)\n", "\\", "x\\'$(touch \(trap))", "a  b", "*", "~", "{n}", "", "ü\u{1B}",
            ]
            for attempt in attempts {
                for (action, prefix) in [("bare", ""), ("quoted", "a "), ("environment", "")] {
                    let result = try await fixture.expect(0, "run", "action", action, "-p", "n=\(attempt)")
                    #expect(result.outputText == "<\(prefix)\(attempt)>")
                }
            }
            #expect(!FileSystem.exists(trap))
            #expect(try run.state().jobs.count == attempts.count * 3)
        }
    }

    @Test func namesFromTheTargetDoNotReachTheTerminalRaw() async throws {
        try await RunFixture.with { fixture in
            let script = try fixture.scratch.write(
                "job.sh",
                #"""
                cd "$ECR_OUT" && for n in "$(printf 'esc\033[31m')" "$(printf 'new\nline')" "$(printf 'raw\377')" '%41' '-rf'; do
                printf '%s' x >"./$n"; done; mkfifo "$(printf 'fi\033fo')"
                """#)
            try fixture.write("actions: {a: {commands: [\"sh '\(script)'\"]}}")
            let run = try await fixture.start()
            let result = try await fixture.expect(0, "run", "action", "a")
            #expect(result.errorText.contains("not a regular file"))
            var shown = result.output + result.error
            for arguments in [["run", "show"], ["status"], ["run", "events"], ["run", "follow"], ["run", "list"]] {
                let seen = try await fixture.ecr(arguments)
                #expect(seen.status == 0, "\(arguments)")
                shown += seen.output + seen.error
            }
            #expect(!shown.contains(0x1B) && !shown.contains(0xFF))
            #expect(
                try FileSystem.list("\(run.path)/artifacts/0001-a").sorted() == [
                    "%2541", "-rf", "esc%1B[31m", "new%0Aline", "raw%FF",
                ])
            let pulled = try run.events(.artifactPulled)
            #expect(pulled.contains { $0.data["remote"]?.string?.hasSuffix("/new\nline") == true })
            #expect(pulled.filter { $0.data["remote_base64"] != nil }.count == 1)
            try await fixture.expect(0, "run", "complete")
            try await fixture.expect(0, "run", "export", "-o", "out.zip")
            try await Command.runSuccessfully(
                try #require(Command.find("unzip")), ["-tq", fixture.scratch.path("out.zip")])
        }
    }

    @Test func outputOnATerminalIsEscaped() async throws {
        guard let script = Command.find("script") else { return }
        try await RunFixture.with { fixture in
            let run = try await fixture.start()
            let line = "\(try BuiltProducts.ecr()) run exec --no-color -- 'printf \"a\\033]0;title\\007b\"'"
            let result = try await Command.run(
                script, ["-qec", line, "/dev/null"], environment: ["ECR_RUN": nil, "ECR_RUNS_DIR": nil],
                workingDirectory: fixture.scratch.path)
            #expect(result.status == 0)
            #expect(result.outputText.contains("a\\u{1b}]0;title\\u{7}b"))
            #expect(!result.output.contains(0x1B) && !result.output.contains(0x07))
            #expect(try run.output("0001-exec") == Array("a\u{1B}]0;title\u{7}b".utf8))
        }
    }
}

/// `--json` is for programs: one value, and nothing else on stdout.
@Suite(.serialized, .timeLimit(.minutes(2))) struct JSONOutputTests {
    @Test func everyCommandGivesOneValue() async throws {
        let profile = """
            actions: {a: {commands: ["echo out; echo err >&2"]}, fail: {commands: ["exit 2"]}}
            background_collectors: {load: {command: "cat /proc/loadavg", interval: 1}}
            """
        try await RunFixture.with(profile: profile) { fixture in
            func json(_ status: Int32, _ arguments: String...) async throws -> JSON {
                let result = try await fixture.ecr(arguments + ["--json"])
                #expect(result.status == status, "\(arguments): \(result.errorText)")
                #expect(result.output.filter { $0 == 0x0A }.count == 1, "\(arguments)")
                return try result.json()
            }
            #expect(try await json(0, "profile", "validate", "profile.yaml")["valid"]?.bool == true)
            let created = try await json(0, "run", "create", "profile.yaml", "--name", "made")
            let started = try await json(0, "run", "start", "profile.yaml")
            let id = try #require(started["run"]?.string)
            #expect(started["host_key"]?.string == fixture.server.hostKeyFingerprint)
            #expect(started["target"]?["port"]?.int == Int64(fixture.server.port))
            let action = try await json(0, "run", "action", "a")
            #expect(action["job"]?.string == "0002-a")
            #expect(action["outcome"]?.string == "completed")
            #expect(action["exit"]?.int == 0)
            let failed = try await json(1, "run", "action", "fail")
            #expect(failed["outcome"]?.string == "failed")
            #expect(failed["exit"]?.int == 2)
            let executed = try await fixture.expect(0, "run", "exec", "--json", "--", "true")
            #expect(try executed.json()["job"]?.string == "0004-exec")
            #expect(try await json(0, "note", "x")["seq"]?.int ?? 0 > 0)
            #expect(try await json(0, "status")["run"]?.string == id)
            #expect(try await json(0, "run", "list")["runs"]?.array?.count == 2)
            #expect(try await json(0, "run", "show")["jobs"]?.array?.count == 4)
            #expect(try await json(0, "run", "follow", "0002-a")["outcome"]?.string == "completed")
            #expect(try await json(0, "run", "collector", "list")["collectors"]?.array?.count == 1)
            #expect(try await json(0, "run", "collector", "stop", "load")["job"]?.string == "0001-load")
            #expect(try await json(0, "run", "complete")["state"]?.string == "completed")
            #expect(try await json(0, "run", "export", "-o", "out.zip")["files"]?.int ?? 0 > 0)
            let other = try #require(created["run"]?.string)
            #expect(try await json(0, "run", "use", other)["run"]?.string == other)
            #expect(try await json(0, "run", "abort")["state"]?.string == "aborted")

            let events = try await fixture.expect(0, "run", "events", id, "--json").output.split(separator: 0x0A)
            #expect(try events.map { try JSON(parsing: $0)["seq"]?.int } == (0..<Int64(events.count)).map { $0 })
        }
    }
}
