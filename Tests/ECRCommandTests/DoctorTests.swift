import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// `ecr doctor`, and the profiles that can be listed and shown.
@Suite struct DoctorTests {
    private let ecr: Ecr

    init() throws { ecr = try Ecr() }

    private func doctor(_ options: String..., status: Int32 = 0, agent: String? = nil) async throws -> JSON {
        let result = try await ecr.run(
            ["doctor", "--json"] + options,
            environment: ["HOME": ecr.scratch.path("home"), "SSH_AUTH_SOCK": agent])
        #expect(result.status == status, "\(result.outputText)")
        #expect(result.errorText == "")
        return try result.json()
    }

    private func check(_ json: JSON, _ name: String) -> JSON? {
        json["checks"]?.array?.first { $0["check"]?.string == name }
    }

    @Test func aSoundMachine() async throws {
        let json = try await doctor()
        for name in ["ecr", "libssh", "libraries", "runs directory", "locks", "sockets", "disk", "left behind"] {
            #expect(check(json, name)?["state"] != "failed", "\(name)")
        }
        #expect(check(json, "ecr")?["version"] == "0.1.0")
        #expect(check(json, "runs directory")?["exists"] == false)
        #expect(!FileSystem.exists(ecr.scratch.path("runs")))
        #expect(check(json, "left behind")?["state"] == "ok")
        let text = try await ecr("doctor", environment: ["SSH_AUTH_SOCK": nil])
        #expect(text.outputText.contains("ok       locks             work there\n"))
    }

    @Test func aRunsDirectoryThatCannotBe() async throws {
        let json = try await doctor("--runs-dir", "/proc/runs", status: 1)
        #expect(check(json, "runs directory")?["state"] == "failed")
        try ecr.scratch.write("file", "")
        #expect(check(try await doctor("--runs-dir", "file", status: 1), "runs directory")?["state"] == "failed")
    }

    @Test func settingsThatCannotBeRead() async throws {
        #expect(check(try await doctor(), "settings")?["files"] == [])
        try ecr.scratch.write("ecr.yaml", "runs_dir: data\n")
        let json = try await doctor()
        #expect(check(json, "settings")?["files"] == [.string(ecr.scratch.path("ecr.yaml"))])
        #expect(check(json, "runs directory")?["path"] == .string(ecr.scratch.path("data")))
        try ecr.scratch.write("ecr.yaml", "runs_dri: data\n")
        let broken = try await doctor(status: 1)
        #expect(check(broken, "settings")?["message"]?.string?.contains("ecr.yaml, line 1: ") == true)
    }

    @Test func keysAndAgent() async throws {
        try ecr.scratch.write("home/.ssh/id_ed25519", "not really", mode: 0o644)
        let json = try await doctor(agent: ecr.scratch.path("none"))
        #expect(check(json, "ssh keys")?["hint"] == .string("chmod 600 '\(ecr.scratch.path("home/.ssh/id_ed25519"))'"))
        #expect(check(json, "ssh-agent")?["state"] == "warning")

        let key = ecr.scratch.path("key")
        try await Command.runSuccessfully("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key])
        let socket = ecr.scratch.path("agent")
        let agent = try RunningCommand("/usr/bin/ssh-agent", ["-D", "-a", socket], timeout: nil)
        try await agent.waitForOutput("SSH_AUTH_SOCK")
        #expect(check(try await doctor(agent: socket), "ssh-agent")?["keys"] == 0)
        try await Command.runSuccessfully("/usr/bin/ssh-add", ["-q", key], environment: ["SSH_AUTH_SOCK": socket])
        #expect(check(try await doctor(agent: socket), "ssh-agent")?["keys"] == 1)
    }

    @Test func whatWasLeftBehind() async throws {
        let run = try await ecr.create()
        try ecr.append(to: run, [(.runStarted, ["spool": "/s"])])
        try ecr.scratch.write("runs/\(run.id)/artifacts/0001-a/%part/0123456789abcdef", "half")
        try ecr.scratch.write("runs/\(run.id)/artifacts/0001-a/whole", "whole")
        try ecr.scratch.write("runs/\(run.id)/manifest.json.tmp-12-ab", "half")
        try ecr.scratch.write("runs/\(run.id)/control.sock", "")
        let json = try await doctor()
        #expect(check(json, "interrupted")?["names"] == [.string(run.id)])
        #expect(check(json, "interrupted")?["hint"]?.string?.contains("ecr run resume --run \(run.id)") == true)
        #expect(check(json, "sockets left")?["names"]?.array?.count == 1)
        #expect(check(json, "partial files")?["names"] == [.string("\(run.path)/manifest.json.tmp-12-ab")])
        #expect(check(json, "partial files")?["hint"] == .string("rm '\(run.path)/manifest.json.tmp-12-ab'"))
        // A resume goes on with the parts.
        #expect(check(json, "cut transfers")?["names"] == [.string(run.id)])
        #expect(check(json, "cut transfers")?["hint"]?.string?.hasPrefix("ecr run resume --run \(run.id) ") == true)
        #expect(json["warnings"]?.int ?? 0 >= 4)
        #expect(json["failed"] == 0)

        try await Command.runSuccessfully("/bin/cp", ["-a", run.path, "\(run.path)_2"])
        #expect(try await ecr("run", "abort", "--run", run.id).status == 0)
        #expect(try FileSystem.list("\(run.path)/artifacts/0001-a") == ["whole"])
        // Of a run that has ended nobody goes on with them.
        try ecr.append(to: RunDirectory(path: "\(run.path)_2"), [(.runAborted, [:])])
        try ecr.scratch.write("runs/\(run.id)_2/artifacts/pulled/0001/%part/0123456789abcdef", "half")
        let ended = try #require(check(try await doctor(), "partial files"))
        let folders = ["0001-a", "pulled/0001"].map { "\(run.path)_2/artifacts/\($0)/%part" }
        #expect(ended["names"]?.array?.filter { $0.string?.hasSuffix("%part") == true } == folders.map { .string($0) })
        #expect(check(try await doctor(), "cut transfers") == nil)
        let hint = try #require(ended["hint"]?.string)
        try await Command.runSuccessfully("/bin/sh", ["-c", hint])
        #expect(check(try await doctor(), "partial files") == nil)
    }

    @Test func profilesAreListed() async throws {
        let none = try await ecr("profile", "list")
        #expect(none.status == 0)
        #expect(none.errorText.contains("next: ecr profile new"))
        try ecr.scratch.write("profiles/lab.yaml", Ecr.goodProfile)
        try ecr.scratch.write(
            "profiles/bad.yml", "name: bad\nconnection: {host: h, prot: 22}\nactions: {a: {commands: [x]}}\n")
        try ecr.scratch.write("profiles/notes.txt", "no profile")
        try ecr.scratch.write("other/lab.yaml", Ecr.goodProfile)
        let json = try await ecr("profile", "list", "--profiles-dir", "other", "--json").json()
        let listed = json["profiles"]?.array ?? []
        #expect(listed.map { $0["name"]?.string } == ["lab", "bad", "profiles/lab.yaml"])
        #expect(listed.map { $0["valid"]?.bool } == [true, false, true])
        #expect(listed[0]["target"] == ["host": "board.example", "port": 22, "user": "me"])
        #expect(listed[1]["problem"]?.string?.hasPrefix("line 2: ") == true)
        for profile in listed where profile["valid"] == true {
            let name = try #require(profile["name"]?.string)
            #expect(try await ecr("profile", "validate", name, "--profiles-dir", "other").status == 0)
        }
        let text = try await ecr("profile", "list")
        #expect(text.status == 0)
        #expect(text.outputText.contains("me@board.example"))
        #expect(text.outputText.contains("invalid: line 2: "))
    }

    @Test func profilesAreShown() async throws {
        let shown = try await ecr("profile", "show", "board.yaml")
        #expect(shown.status == 0)
        #expect(shown.outputText.hasPrefix("# \(ecr.scratch.path("board.yaml"))\n# target: me@board.example\n"))
        try ecr.scratch.write("again.yaml", shown.outputText)
        let first = try await ecr("profile", "show", "board.yaml", "--json").json()
        let second = try await ecr("profile", "show", "again.yaml", "--json").json()
        #expect(first["profile"] == second["profile"])
        #expect(first["target"]?["user"] == "me")
        #expect(try await ecr("profile", "show", "none").status == 66)
        try ecr.scratch.write("bad.yaml", "name: bad\n")
        #expect(try await ecr("profile", "show", "bad.yaml").status == 65)
    }
}
