import Glibc
import JSON
import LinuxSystem
import TestSupport
import Testing

/// `ecr target check` against real servers, good and bad ones.
@Suite(.timeLimit(.minutes(2))) struct TargetCheckTests {
    /// A place for temporary files on the target, of which nothing must be left.
    private let temporary: ScratchDirectory

    init() throws { temporary = try ScratchDirectory() }

    private func target(_ lines: [String] = [], servesSFTP: Bool = true, maxSessions: Int? = nil) async throws
        -> BareTarget
    {
        let lines = lines + ["SetEnv TMPDIR=\(temporary.path)"]
        return try BareTarget(
            try await SSHServer.start(.init(servesSFTP: servesSFTP, maxSessions: maxSessions, extraLines: lines)))
    }

    /// Writes `board.yaml`, whose spools lie in the scratch directory.
    private func writeProfile(for target: BareTarget) throws {
        try target.scratch.write(
            "board.yaml",
            """
            name: board
            connection:
              host: 127.0.0.1
              port: \(target.server.port)
              user: \(target.server.user)
              spool_dir: \(target.scratch.path("spool"))
            actions: {a: {commands: ["true"]}}
            """)
    }

    @Test func aSoundTargetPasses() async throws {
        let target = try await target()
        try writeProfile(for: target)
        let result = try await target.expect(0, "target", "check", "board.yaml", "--json")
        let json = try result.json()
        #expect(result.errorText == "")
        #expect(json["failed"]?.int == 0)
        #expect(
            json["target"] == [
                "host": "127.0.0.1", "port": JSON(target.server.port), "user": .string(target.server.user),
            ])
        for name in [
            "reachable", "host key", "login", "algorithms", "login shell", "shell", "/proc", "sudo", "sftp", "channels",
            "tools", "spool", "spool lock", "disk", "clock", "disconnect",
        ] {
            #expect(json.check(name) != nil, "\(name)")
        }
        #expect(json.check("host key")?["fingerprint"]?.string == (target.server as? SSHServer)?.hostKeyFingerprint)
        #expect(json.check("login")?["by"] == [.string("key \(target.scratch.path("home/.ssh/id_ed25519"))")])
        #expect(json.check("clock")?["offset_s"]?.double.map(abs) ?? 9 < 1)
        #expect(json.check("disconnect")?["survives"] == true)
        #expect(json.check("tools")?["found"]?.array?.contains("sha256sum") == true)
        #expect(json.check("spool")?["exists"] == false)
        #expect(!FileSystem.exists(target.scratch.path("spool")))
        #expect(try FileSystem.list(temporary.path) == [])
    }

    @Test func anAddressNeedsNoProfile() async throws {
        let target = try await target()
        let result = try await target.expect(0, "target", "check", target.address)
        #expect(result.outputText.contains("ok       disconnect        a job lives on when the connection ends\n"))
        #expect(!result.outputText.contains("\u{1B}"))
        let missing = try await target.expect(66, "target", "check", "nowhere")
        #expect(missing.errorText.contains("there is no profile 'nowhere'"))
        #expect(missing.errorText.contains("try: for a target without a profile write user@host[:port]"))
        for address in ["me@", "@host", "me@-oProxy", "me@host:0", "me@host:port", "me@[::1"] {
            try await target.expect(64, "target", "check", address)
        }
    }

    @Test func sshConfigNamesTheTarget() async throws {
        let target = try await target()
        try target.scratch.write(
            "home/.ssh/config",
            """
            Host board
              HostName 127.0.0.1
              Port \(target.server.port)
              ForwardX11 yes
              AddressFamily inet6
            """)
        let json = try await target.expect(0, "target", "check", "\(target.server.user)@board", "--json").json()
        #expect(json["target"]?["port"] == JSON(target.server.port))
        let finding = try #require(json.check("ssh config"))
        #expect(finding["state"] == "warning")
        #expect(finding["message"]?.string?.contains("config:5: AddressFamily inet6") == true)
        #expect(finding["ignored"]?.array?.contains { $0.string?.hasSuffix("ForwardX11 yes") == true } == true)
        try target.scratch.write("home/.ssh/config", "Host *\n  Port twenty-two\n")
        try await target.expect(78, "target", "check", target.address)
    }

    @Test func aDeadPort() async throws {
        let target = try await target()
        try await target.server.stop()
        let result = try await target.expect(69, "target", "check", target.address)
        #expect(result.outputText.contains("failed   reachable         cannot reach \(target.hostAndPort): "))
        let json = try await target.expect(69, "target", "check", target.address, "--json").json()
        #expect(json.complaints == ["reachable: failed"])
    }

    @Test func anUnknownHostKeyIsNotPassedOver() async throws {
        let target = try await target()
        unlink(target.knownHosts)
        let result = try await target.expect(77, "target", "check", target.address)
        let fingerprint = try #require((target.server as? SSHServer)?.hostKeyFingerprint)
        #expect(result.outputText.contains("failed   host key"))
        #expect(result.outputText.contains("ecr target trust \(target.address) \(fingerprint)\n"))
        #expect(!FileSystem.exists(target.knownHosts))
    }

    @Test func aKeyThatIsNotLetIn() async throws {
        let target = try await target()
        let other = try await SSHServer.start()
        try target.scratch.write("home/.ssh/id_ed25519", bytes: try FileSystem.read(other.clientKey))
        let json = try await target.expect(77, "target", "check", target.address, "--json").json()
        #expect(json.complaints == ["login: failed"])
        #expect(json.check("host key")?["state"] == "ok")
        #expect(json.check("login")?["hint"]?.string?.contains("ssh-copy-id") == true)
    }

    @Test func aSpoolOfAnotherController() async throws {
        let target = try await target()
        let lock = "lock 1 0123456789abcdef you@bench 2026-01-27T14:30:52.000000Z end\n"
        try target.scratch.write("spool/lock", lock)
        try writeProfile(for: target)
        let json = try await target.expect(1, "target", "check", "board.yaml", "--json").json()
        #expect(json.complaints == ["spool lock: failed"])
        #expect(json.check("spool lock")?["holder"] == "you@bench")
        #expect(json.check("spool lock")?["hint"]?.string?.contains("ecr target clean board.yaml --take-over") == true)
        #expect(try target.scratch.read("spool/lock") == lock)
        #expect(try FileSystem.list(target.scratch.path("spool")) == ["lock"])
    }

    @Test func aSpoolThatCannotBeWritten() async throws {
        let target = try await target()
        try target.scratch.write("spool", "a file is in the way")
        try writeProfile(for: target)
        let json = try await target.expect(1, "target", "check", "board.yaml", "--json").json()
        #expect(json.complaints == ["spool: failed"])
        #expect(try target.scratch.read("spool") == "a file is in the way")
    }

    @Test func aServerWithoutSFTP() async throws {
        let target = try await target(servesSFTP: false)
        let json = try await target.expect(0, "target", "check", target.address, "--json").json()
        #expect(json.check("sftp")?["state"] == "warning")
        #expect(json.check("sftp")?["fallback"] == "dd")
        #expect(json.check("channels")?["state"] == "ok")
    }

    @Test func aServerWithOneChannel() async throws {
        let target = try await target(maxSessions: 1)
        let json = try await target.expect(0, "target", "check", target.address, "--json").json()
        #expect(json.check("channels")?["channels"] == 1)
        #expect(json.check("sftp")?["message"]?.string?.contains("no channel") == true)
        #expect(json.check("disconnect")?["state"] == "ok")
    }

    @Test func startUpFilesThatPrint() async throws {
        let target = try await target([
            #"ForceCommand echo "Welcome to \#u{1B}[31mboard"; sh -c "$SSH_ORIGINAL_COMMAND""#
        ])
        let result = try await target.expect(0, "target", "check", target.address)
        #expect(result.outputText.contains("warning  login shell       its start-up files print: \"Welcome"))
        #expect(!result.outputText.contains("\u{1B}"))
    }

    @Test func aLoginShellThatRefuses() async throws {
        let target = try await target([#"ForceCommand echo "this account is closed"; exit 3"#])
        let json = try await target.expect(1, "target", "check", target.address, "--json").json()
        #expect(json.complaints == ["login shell: failed"])
        let message = try #require(json.check("login shell")?["message"]?.string)
        #expect(message.contains("(exit 3)") && message.contains("this account is closed"))
    }

    /// A process namespace that ends with the session does what systemd does with KillUserProcesses=yes.
    @Test(.enabled(if: getuid() == 0)) func aTargetThatKillsWhatASessionLeaves() async throws {
        let target = try await target([
            #"ForceCommand unshare --pid --mount-proc --fork --kill-child sh -c "$SSH_ORIGINAL_COMMAND""#
        ])
        let json = try await target.expect(1, "target", "check", target.address, "--json").json()
        #expect(json.check("disconnect")?["state"] == "failed")
        #expect(json.check("disconnect")?["survives"] == false)
        #expect(try FileSystem.list(temporary.path) == [])
    }

    @Test(.enabled(if: DropbearServer.isSmallAvailable)) func aTargetWithFewTools() async throws {
        let missing = ["setsid", "timeout", "sha256sum", "base64", "tar"]
        let target = try BareTarget(try await DropbearServer.startSmall(without: Set(missing)))
        let json = try await target.expect(0, "target", "check", target.address, "--json").json()
        #expect(
            Set(json.complaints) == [
                "sftp: warning", "setsid: warning", "timeout: warning", "stdbuf: warning", "sha256sum: warning",
                "spool: warning",
            ])
        #expect(json.check("shell")?["sh"]?.string?.hasSuffix("busybox") == true)
        #expect(json.check("spool")?["survives_reboot"] == false)
        #expect(json.check("disconnect")?["survives"] == true)
        #expect(json.check("tools")?["message"]?.string?.hasSuffix("not needed: tar, base64") == true)
    }

    @Test func aHostKeyIsAskedAboutOnATerminal() async throws {
        let target = try await target()
        let known = try target.scratch.read("home/.ssh/known_hosts")
        unlink(target.knownHosts)
        let result = try await target.onTerminal(
            "target", "check", target.address, asked: "fingerprint):", answer: "yes\r")
        #expect(result.status == 0, "\(result.outputText)")
        #expect(known.contains(try target.scratch.read("home/.ssh/known_hosts").dropLast()))
        unlink(target.knownHosts)
        let refused = try await target.onTerminal(
            "target", "check", target.address, asked: "fingerprint):", answer: "\u{3}")
        #expect(refused.status == 130)
        #expect(!FileSystem.exists(target.knownHosts))
    }
}
