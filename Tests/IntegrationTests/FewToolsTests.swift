import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Targets without SFTP that lack more and more programs: jobs run on them, and files come and go by what is left.
@Suite(
    .serialized, .enabled(if: DropbearServer.isSmallAvailable, "needs root, dropbear and BusyBox"),
    .timeLimit(.minutes(4)))
struct FewToolsTests {
    struct Board: Sendable, CustomTestStringConvertible {
        let missing: Set<String>
        var programs: [String] = []
        /// The ways that files take by themselves.
        let pull: String
        let push: String
        var testDescription: String { "without \(missing.sorted().joined(separator: " ")), \(pull)" }
    }

    private static let boards = [
        Board(missing: ["tar", "dd"], programs: ["scp"], pull: "exec", push: "scp"),
        Board(missing: ["tar", "dd", "tail"], programs: ["scp"], pull: "scp", push: "scp"),
        Board(missing: ["tar", "dd", "tail", "head"], pull: "exec", push: "exec"),
    ]

    @Test(arguments: boards) func jobsAndFilesNeedNoMore(_ board: Board) async throws {
        // More than any read takes at a time, with bytes of every kind; and it grows while it is read.
        let output =
            "i=0; while [ $i -lt 4000 ]; do printf \"%s line \\\\000\\\\377\\\\n\" $i; i=$((i+1)); [ $((i%1000)) != 0 ] || sleep 0.3; done"
        let expected = (0..<4000).flatMap { Array("\($0) line ".utf8) + ([0, 0xFF, 0x0A] as [UInt8]) }
        try await RunFixture.withSmallTarget(
            without: board.missing, with: board.programs,
            profile: """
                actions:
                  say:
                    commands: ['\(output)', 'echo e >&2', 'mkdir $ECR_OUT/d; for i in 1 2 3 4 5 6; do echo "content $i" >"$ECR_OUT/d/f $i"; done; cat $(command -v busybox) >$ECR_OUT/big']
                    artifacts: [{path: /proc/version, allow_old: true}]
                background_collectors: {load: {command: "cat /proc/loadavg", interval: 1}}
                """
        ) { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "say")
            #expect(try run.output("0002-say") == expected)
            #expect(try run.text("0002-say", "stderr") == "e\n")
            let pulled = try run.events(.artifactPulled).map(\.data)
            #expect(pulled.count == 8)
            for artifact in pulled {
                let isOfKernel = artifact["remote"] == "/proc/version"
                #expect(artifact["method"]?.string == (isOfKernel ? "exec" : board.pull), "\(artifact)")
                #expect(artifact["sha256"] == artifact["remote_sha256"] && artifact["sha256"] != nil)
            }
            let big = try FileSystem.read("\(run.path)/artifacts/0002-say/big")
            #expect(big == (try FileSystem.read("/usr/bin/busybox")))

            for number in 1...6 { try fixture.scratch.write("tree/f \(number)", "sent \(number)") }
            try fixture.scratch.write("tree/big", bytes: big, mode: 0o755)
            let work = fixture.scratch.path("work")
            try await fixture.expect(0, "run", "push", "tree", "\(work)/tree")
            let sent = try run.events(.uploaded).map(\.data)
            #expect(sent.count == 7)
            for one in sent {
                #expect(one["method"]?.string == board.push && one["sha256"] == one["remote_sha256"], "\(one)")
            }
            #expect(try FileSystem.read("\(work)/tree/big") == big)
            try await fixture.wait(for: "a sample") { try !run.events(.collectorOutput).isEmpty }
            let end = try await fixture.expect(0, "run", "complete")
            #expect(end.errorText.contains("complete: 100 %"), "\(end.errorText)")
            try await fixture.expect(0, "verify", run.path)
        }
    }

    @Test func aWayThatIsAskedForAndNotThereIsRefused() async throws {
        try await RunFixture.withSmallTarget(
            without: ["tar"],
            profile: """
                actions:
                  a: {commands: ["echo x >$ECR_OUT/f"], artifacts: [{path: /proc/version, method: tar, required: true}]}
                transfers: {method: scp}
                """
        ) { fixture in
            let run = try await fixture.start()
            let file = try fixture.scratch.write("f", "x")
            let words = [
                "sftp": "the target's SSH server offers no SFTP; it has exec",
                "tar": "the target has no tar, or no `xargs -0` to go with it; it has exec",
                "scp": "the target has no scp; it has exec",
            ]
            for (method, reason) in words {
                let pulled = try await fixture.expect(1, "run", "pull", "--method", method, file)
                #expect(pulled.errorText.contains(reason), "\(pulled.errorText)")
                let pushed = try await fixture.expect(1, "run", "push", "--method", method, file, "/tmp/none/")
                #expect(pushed.errorText.contains(reason), "\(pushed.errorText)")
                for result in [pulled, pushed] { #expect(result.errorText.contains("try: --method auto, or ")) }
            }
            let action = try await fixture.expect(1, "run", "action", "a")
            #expect(action.errorText.contains("$ECR_OUT: \(words["scp"] ?? "")"), "\(action.errorText)")
            #expect(action.errorText.contains("/proc/version: \(words["tar"] ?? "")"), "\(action.errorText)")
            #expect(try run.events(.artifactPulled).isEmpty && run.events(.artifactPullStarted).isEmpty)
            #expect(try run.events(.uploaded).isEmpty)
            try await fixture.expect(0, "run", "pull", "--method", "auto", file)
            #expect(try run.events(.artifactPulled).map { $0.data["method"]?.string } == ["exec"])
        }
    }

    @Test func whatIsInstalledLaterIsFound() async throws {
        try await RunFixture.withSmallTarget(
            without: ["tar"], profile: "actions: {a: {commands: [\"true\"]}}"
        ) { fixture in
            let run = try await fixture.start()
            let folder = fixture.scratch.path("folder")
            for name in ["a", "b", "c", "d", "e"] { try fixture.scratch.write("folder/\(name)", name) }
            #expect(
                try await fixture.expect(1, "run", "pull", folder, "--method", "tar").errorText
                    .contains("the target has no tar"))
            try await fixture.expect(
                0, "run", "exec", "--", "ln -s busybox \"$(dirname \"$(command -v busybox)\")/tar\"")
            try await fixture.expect(0, "run", "pull", folder, "--method", "tar")
            #expect(
                try run.events(.artifactPulled).map { $0.data["method"]?.string } == Array(repeating: "tar", count: 5))
            try await fixture.expect(0, "run", "push", folder, fixture.scratch.path("sent"), "--method", "tar")
        }
    }
}
