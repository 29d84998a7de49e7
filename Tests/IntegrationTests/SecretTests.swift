import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Secrets of a profile: they reach the job and nothing else.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SecretTests {
    private static let token = "tok-3n/+~\\q\"'$x"
    private static let environment = ["API_TOKEN": token]

    private func start(_ fixture: RunFixture, _ environment: [String: String?] = environment) async throws
        -> RunDirectory
    {
        let started = try await fixture.ecr("run", "start", "profile.yaml", environment: environment)
        try #require(started.status == 0, "\(started.errorText)")
        return fixture.run(started)
    }

    @Test func aVariableReachesTheJobAndNothingElse() async throws {
        let profile = #"""
            actions:
              use:
                env: {TOKEN: {secret: env:API_TOKEN}}
                commands:
                  - 'printf %s "$TOKEN" | sha256sum; for f in /proc/[0-9]*/cmdline; do tr "\0" " " <$f; echo; done >"$ECR_OUT/lines"; true'
              tell:
                env: {TOKEN: {secret: env:API_TOKEN}}
                commands:
                  - 'echo "the token is $TOKEN."; printf %s "$TOKEN" | head -c 7; sleep 0.3; printf %s "$TOKEN" | tail -c +8; echo'
                  - 'printf %s "user:$TOKEN" | base64 -w0; echo " $TOKEN" >&2; exit 3'
            """#
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await start(fixture)
            let used = try await fixture.expect(0, "run", "action", "use", "--debug")
            let hash = try await Command.run("/usr/bin/sha256sum", input: Array(Self.token.utf8)).outputText
            #expect(used.outputText == hash)
            #expect(!used.errorText.contains(Self.token))
            let told = try await fixture.expect(1, "run", "action", "tell")
            let stars = String(repeating: "*", count: Self.token.utf8.count)
            #expect(told.outputText.hasPrefix("the token is \(stars).\n\(stars)\n"))
            #expect(told.errorText.hasPrefix(" \(stars)\n"))
            // Offsets stay those of the target: a mask is as long as what it covers.
            let spooled = try FileSystem.read("\(try #require(try run.state().spool))/0002/stdout")
            #expect(spooled.count == (try run.output("0002-tell")).count)
            #expect(try #require(try run.state().job("0002-tell")).stdoutMasked > Int64(2 * stars.utf8.count))
            try await fixture.expectNowhere(Self.token, in: run)
            let completed = try await fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100"))
            let jobs = try #require(try run.events(.ledger).first?.data["jobs"]?.array)
            let entry = try #require(jobs.first { $0["job"]?.string == "0002-tell" })
            #expect(entry["equal"]?.bool == true && entry["target_sha256"] == nil)
            try await fixture.expectNowhere(Self.token, in: run)
            try await fixture.expect(0, "run", "export", "-o", fixture.scratch.path("data.zip"))
            try await Command.runSuccessfully(
                "/usr/bin/unzip", ["-q", fixture.scratch.path("data.zip"), "-d", fixture.scratch.path("data")])
            try await fixture.expectNowhere(Self.token, in: run, fixture.scratch.path("data"))
        }
    }

    @Test func aResumeGoesOnMaskingAndTheLedgerHashesAgain() async throws {
        try await RunFixture.with { fixture in
            let go = fixture.scratch.path("go")
            try fixture.write(
                """
                actions:
                  tell:
                    env: {TOKEN: {secret: env:API_TOKEN}}
                    commands: ["echo \\"first $TOKEN\\"; printf %s \\"$TOKEN\\" | head -c 5; while [ ! -e '\(go)' ]; do sleep 0.05; done; printf %s \\"$TOKEN\\" | tail -c +6; echo"]
                """)
            let run = try await start(fixture)
            try await fixture.expect(0, "run", "action", "tell", "--detach")
            let stars = String(repeating: "*", count: Self.token.utf8.count)
            // Half a secret waits for its rest.
            let first = "first \(stars)\n"
            try await fixture.wait(for: "the output") {
                try run.state().job("0001-tell")?.stdoutBytes == Int64(first.utf8.count)
            }
            try await fixture.killSupervisor(of: run)
            try FileSystem.replace(go, with: [])
            let resumed = try await fixture.ecr("run", "resume", environment: Self.environment)
            #expect(resumed.status == 0, "\(resumed.errorText)")
            #expect(try await fixture.expect(0, "run", "follow").outputText == "\(first)\(stars)\n")
            #expect(try await fixture.expect(0, "run", "complete").errorText.contains("complete: 100"))
            try await fixture.expectNowhere(Self.token, in: run)
        }
    }

    @Test func aMaskedStreamThatWasChangedIsFoundAfterAResume() async throws {
        let profile = """
            actions: {tell: {env: {TOKEN: {secret: env:API_TOKEN}}, commands: ["echo \\"first $TOKEN last\\""]}}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await start(fixture)
            try await fixture.expect(0, "run", "action", "tell")
            try await fixture.killSupervisor(of: run)
            let spooled = "\(try #require(try run.state().spool))/0001/stdout"
            let text = String(decoding: try FileSystem.read(spooled), as: UTF8.self)
            try FileSystem.replace(spooled, with: Array(text.replacing("last", with: "lost").utf8))
            try await fixture.wait(for: "the supervisor's end") { !run.hasSupervisor() }
            _ = try await fixture.ecr("run", "resume", environment: Self.environment)
            let completed = try await fixture.expect(1, "run", "complete")
            #expect(completed.errorText.contains("0001-tell stdout: the recorded bytes differ from the target's"))
        }
    }

    @Test func samplesAreMaskedToo() async throws {
        let profile = """
            actions: {a: {commands: ["true"]}}
            background_collectors:
              tick: {command: "echo \\"v=$TOKEN\\"", interval: 0.1, env: {TOKEN: {secret: env:API_TOKEN}}}
              line: {stream: "while :; do echo \\"w=$TOKEN\\"; sleep 0.1; done", env: {TOKEN: {secret: env:API_TOKEN}}}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await start(fixture)
            try await fixture.wait(for: "samples") {
                try run.state().jobs.allSatisfy { $0.samples > 3 } && run.state().jobs.count == 2
            }
            try await fixture.expectNowhere(Self.token, in: run)
            let stars = String(repeating: "*", count: Self.token.utf8.count)
            let table = String(decoding: try FileSystem.read(run.collectorRows("tick")), as: UTF8.self)
            #expect(table.contains("\"v=\(stars)\""))
            #expect(try await fixture.expect(0, "run", "complete").errorText.contains("complete: 100"))
            try await fixture.expectNowhere(Self.token, in: run)
        }
    }

    @Test func missingAndShortValuesAreNamedAtOnce() async throws {
        let profile = """
            actions:
              a: {commands: ["true"], env: {ONE: {secret: env:SECRET_ONE}, TWO: {secret: env:SECRET_TWO}}}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let result = try await fixture.ecr(
                "run", "start", "profile.yaml", environment: ["SECRET_ONE": nil, "SECRET_TWO": "1234567"])
            #expect(result.status == 64)
            #expect(result.errorText.contains("takes 'action 'a': env: ONE' from $SECRET_ONE, which is not set"))
            #expect(result.errorText.contains("from $SECRET_TWO, which has less than 8 characters"))
            #expect(result.errorText.contains("export SECRET_ONE"))
            #expect(!result.errorText.contains("1234567"))
            #expect(try fixture.runs().isEmpty)
        }
    }

    @Test func anExportSaysWhereASecretIs() async throws {
        let profile = #"""
            actions: {keep: {env: {TOKEN: {secret: env:API_TOKEN}}, commands: ['echo "$TOKEN" >"$ECR_OUT/config"; echo fine >"$ECR_OUT/other"']}}
            """#
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await start(fixture)
            try await fixture.expect(0, "run", "action", "keep")
            // A file is what it was on the target; a mask in it would make it another one.
            #expect(
                try FileSystem.read("\(run.path)/artifacts/0001-keep/config") == Array("\(Self.token)\n".utf8))
            try await fixture.expect(0, "run", "complete")
            let zip = fixture.scratch.path("data.zip")
            let told = try await fixture.ecr("run", "export", "-o", zip, environment: Self.environment)
            #expect(told.status == 0)
            let warning = "the dataset holds a secret: the value of $API_TOKEN in artifacts/0001-keep/config"
            #expect(told.errorText.contains(warning))
            #expect(told.errorText.split(separator: "holds a secret").count == 2)
            let untold = try await fixture.expect(0, "run", "export", "-o", zip, "--force")
            #expect(!untold.errorText.contains("holds a secret"))
        }
    }

    @Test func aParameterCannotHoldASecret() async throws {
        let profile = """
            actions: {a: {commands: ["echo {p}"], env: {T: {secret: env:API_TOKEN}}}}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await start(fixture)
            let result = try await fixture.expect(64, "run", "action", "a", "-p", "p=x\(Self.token)")
            #expect(result.errorText.contains("the value of parameter 'p' holds a secret of this run"))
            try await fixture.expect(64, "run", "param", "set", "p=\(Self.token)")
            try await fixture.expectNowhere(Self.token, in: run)
            // A command that is typed is run as it is, and recorded masked.
            let stars = String(repeating: "*", count: Self.token.utf8.count)
            #expect(try await fixture.expect(0, "run", "exec", "--", "echo", Self.token).outputText == "\(stars)\n")
            #expect(try run.events(.actionStarted).first?.data["masked"]?.bool == true)
            try await fixture.expect(0, "run", "note", "the token \(Self.token) was used")
            try await fixture.expectNowhere(Self.token, in: run)
        }
    }

    @Test(.enabled(if: TestUser.isAvailable, "making a user with a password needs root, useradd and chpasswd"))
    func thePasswordOfTheLoginMayBeOne() async throws {
        try await TestUser.with { user in
            let options = SSHServer.Options(extraLines: ["PasswordAuthentication yes", "PubkeyAuthentication no"])
            try await RunFixture.with(options) { fixture in
                try fixture.write(
                    "actions: {a: {commands: [\"id -un; echo $PW\"], env: {PW: {secret: env:BOARD_PASSWORD}}}}",
                    connection: [
                        "user": user.name, "spool_dir": "\(user.home)/spool",
                        "password": "{secret: env:BOARD_PASSWORD}",
                    ])
                let run = try await start(fixture, ["BOARD_PASSWORD": user.password])
                let stars = String(repeating: "*", count: user.password.utf8.count)
                let result = try await fixture.expect(0, "run", "action", "a")
                #expect(result.outputText == "\(user.name)\n\(stars)\n")
                // Nobody is there to be asked, also after a loss.
                fixture.server.killConnections()
                try await fixture.wait(for: "another connection") {
                    try run.events(.connectionEstablished).count == 2
                }
                try await fixture.expect(0, "run", "action", "a")
                try await fixture.expectNowhere(user.password, in: run)
                let wrong = try await fixture.ecr(
                    "run", "start", "profile.yaml", environment: ["BOARD_PASSWORD": "wrong one"])
                #expect(wrong.status == 77)
                #expect(wrong.errorText.contains("the password that was known: refused"))
            }
        }
    }
}
