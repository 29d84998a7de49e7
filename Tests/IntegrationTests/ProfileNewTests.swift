import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// `ecr profile new --from`: what a target is asked, and what is written.
@Suite(.timeLimit(.minutes(2))) struct ProfileNewTests {
    @Test func aTargetIsTriedOut() async throws {
        let temporary = try ScratchDirectory()
        let server = try await SSHServer.start(.init(extraLines: ["SetEnv TMPDIR=\(temporary.path)"]))
        let target = try BareTarget(server)
        let result = try await target.expect(0, "profile", "new", "profiles/bench", "--from", target.address)
        #expect(result.outputText == "profiles/bench.yaml\n")
        #expect(result.errorText.contains("next: ecr profile validate profiles/bench.yaml"))
        #expect(try FileSystem.list(temporary.path) == [])
        #expect(try FileSystem.list(target.scratch.path("profiles")) == ["bench.yaml"])

        let text = try target.scratch.read("profiles/bench.yaml")
        #expect(text.contains("host_key: \"\(server.hostKeyFingerprint)\""))
        let profile = try await target.expect(0, "profile", "validate", "bench", "--json").json()["profile"]
        #expect(profile?["connection"]?["port"] == JSON(server.port))
        let collectors = try #require(profile?["background_collectors"]?.object)
        #expect(collectors["load"]?["command"] == "cat /proc/loadavg")
        // No machine on which tests run is a Jetson and a Raspberry Pi at once.
        #expect(collectors["tegrastats"] == nil || collectors["vcgencmd"] == nil)
    }

    @Test func theProfileRuns() async throws {
        try await RunFixture.with { fixture in
            let target = try BareTarget(fixture.server)
            try await target.expect(0, "profile", "new", "bench.yaml", "--from", target.address)
            // Spools of a test don't belong in the machine's own place.
            let text = try target.scratch.read("bench.yaml").replacing(
                "  timeout: 30\n", with: "  timeout: 30\n  spool_dir: \(target.scratch.path("spool"))\n")
            try target.scratch.write("bench.yaml", text)
            let id = try await target.expect(0, "run", "start", "bench.yaml").outputText.dropLast()
            let run = RunDirectory(path: target.scratch.path("runs/\(id)"))
            let files = try run.state().artifacts.compactMap { $0["path"]?.string }
            #expect(files.contains("artifacts/0001-snapshot/cpuinfo.txt"), "\(files)")
            try await target.expect(0, "run", "action", "measure")
            try await target.expect(0, "run", "complete")
        }
    }

    @Test func nothingIsWrittenOverAndNothingWithoutATarget() async throws {
        let server = try await SSHServer.start()
        let target = try BareTarget(server)
        try target.scratch.write("board.yaml", "mine")
        let refused = try await target.expect(64, "profile", "new", "board.yaml", "--from", target.address)
        #expect(
            refused.errorText == "error: board.yaml exists already\n  try: another name, or --force to replace it\n")
        #expect(try target.scratch.read("board.yaml") == "mine")
        try await server.stop()
        for arguments in [["new.yaml"], ["board.yaml", "--force"], ["deep/er/new.yaml"]] {
            try await target.expect(69, arguments: ["profile", "new"] + arguments + ["--from", target.address])
        }
        #expect(try target.scratch.read("board.yaml") == "mine")
        #expect(!FileSystem.exists(target.scratch.path("new.yaml")))
        #expect(!FileSystem.exists(target.scratch.path("deep")))
        try await target.expect(66, "profile", "new", "new.yaml", "--from", "nowhere")
    }

    @Test func aTemplateNeedsNoTarget() async throws {
        let target = try BareTarget(try await SSHServer.start())
        try await target.expect(0, "profile", "new", "my-board")
        try await target.expect(0, "profile", "validate", "my-board.yaml")
        let again = try await target.expect(0, "profile", "new", "my-board", "--force", "--json").json()
        #expect(again["path"] == .string(target.scratch.path("my-board.yaml")))
        for name in ["-x.yaml", "a b.yaml", ".yaml", String(repeating: "n", count: 65) + ".yaml"] {
            try await target.expect(64, "profile", "new", "--", name)
        }
    }

    @Test(.enabled(if: DropbearServer.isSmallAvailable)) func aSmallTarget() async throws {
        let server = try await DropbearServer.startSmall(without: ["setsid", "timeout", "sha256sum"])
        let target = try BareTarget(server)
        try await target.expect(0, "profile", "new", "small.yaml", "--from", target.address)
        let text = try target.scratch.read("small.yaml")
        #expect(text.contains("# /var/tmp/ecr-0, where spools lie by default, is in RAM"))
        // BusyBox lists and archives: no SFTP is needed.
        #expect(text.contains("ECR_OUT/"))
        #expect(!text.contains("timeout: 10}"))
        try await target.expect(0, "profile", "validate", "small.yaml")
    }
}
