import Glibc
import JSON
import LinuxSystem
import TestSupport
import Testing

/// `ecr target trust`: whose key is believed, and when.
@Suite(.timeLimit(.minutes(2))) struct TargetTrustTests {
    private let server: SSHServer
    private let target: BareTarget
    private var fingerprint: String { server.hostKeyFingerprint }

    init() async throws {
        server = try await SSHServer.start()
        target = try BareTarget(server)
    }

    private func forget() throws { try FileSystem.removeTree(target.scratch.path("home/.ssh")) }

    @Test func anEqualFingerprintIsWritten() async throws {
        let known = try target.scratch.read("home/.ssh/known_hosts").split(separator: " ").prefix(3)
        try forget()
        let result = try await target.expect(0, "target", "trust", target.hostAndPort, fingerprint)
        #expect(result.output.isEmpty)
        #expect(result.errorText.contains("is trusted from now on"))
        #expect(result.errorText.hasSuffix("next: ecr target check USER@\(target.hostAndPort)\n"))
        let words = try target.scratch.read("home/.ssh/known_hosts").split(separator: " ")
        #expect(words.prefix(2) == known.prefix(2) && words.count == 3)
        let modes = try await Command.runSuccessfully(
            "/usr/bin/stat", ["-c", "%a", target.knownHosts, target.scratch.path("home/.ssh")])
        #expect(modes.outputText == "600\n700\n")

        let again = try await target.expect(0, "target", "trust", target.hostAndPort, fingerprint)
        #expect(again.errorText == "known already: ssh-ed25519 \(fingerprint) (\(target.knownHosts), line 1)\n")
        let json = try await target.expect(0, "target", "trust", target.hostAndPort, "--json").json()
        #expect(json["added"] == false)
        #expect(json["key"] == ["type": "ssh-ed25519", "fingerprint": .string(fingerprint)])
        #expect(try target.scratch.read("home/.ssh/known_hosts").split(separator: "\n").count == 1)
    }

    @Test func anUnequalFingerprintIsRefusedWithBoth() async throws {
        try forget()
        let other = "SHA256:" + String(repeating: "A", count: 43)
        let result = try await target.expect(77, "target", "trust", target.hostAndPort, other)
        #expect(result.errorText.contains(other) && result.errorText.contains(fingerprint))
        #expect(!FileSystem.exists(target.knownHosts))
        for text in ["SHA256:short", "MD5:00", fingerprint + "A"] {
            try await target.expect(64, "target", "trust", target.hostAndPort, text)
        }
    }

    @Test func withoutATerminalNobodyIsAsked() async throws {
        try forget()
        for options in [[], ["--no-input"]] {
            let result = try await target.expect(77, arguments: ["target", "trust", target.hostAndPort] + options)
            #expect(result.errorText.hasSuffix("then: ecr target trust \(target.hostAndPort) \(fingerprint)\n"))
        }
        #expect(!FileSystem.exists(target.knownHosts))
    }

    @Test func onATerminalAPersonDecides() async throws {
        try forget()
        let no = try await target.onTerminal(
            "target", "trust", target.hostAndPort, asked: "fingerprint):", answer: "no\r")
        #expect(no.status == 77)
        #expect(!FileSystem.exists(target.knownHosts))
        let wrong = try await target.onTerminal(
            "target", "trust", target.hostAndPort, asked: "fingerprint):",
            answer: "SHA256:" + String(repeating: "A", count: 43) + "\r")
        #expect(wrong.status == 77)
        let interrupted = try await target.onTerminal(
            "target", "trust", target.hostAndPort, asked: "fingerprint):", answer: "\u{3}")
        #expect(interrupted.status == 130)
        #expect(!FileSystem.exists(target.knownHosts))
        let pasted = try await target.onTerminal(
            "target", "trust", target.hostAndPort, asked: "fingerprint):", answer: fingerprint + "\r")
        #expect(pasted.status == 0, "\(pasted.outputText)")
        try await target.expect(0, "target", "trust", target.hostAndPort)
    }

    @Test func aChangedKeyIsRefusedWhateverIsTyped() async throws {
        let other = try await SSHServer.start()
        let line = try other.scratch.read("known_hosts").replacing(":\(other.port) ", with: ":\(server.port) ")
        try target.scratch.write("home/.ssh/known_hosts", line)
        let result = try await target.expect(77, "target", "trust", target.hostAndPort, fingerprint)
        #expect(result.errorText.contains(fingerprint) && result.errorText.contains(other.hostKeyFingerprint))
        #expect(result.errorText.contains("ssh-keygen -f '\(target.knownHosts)' -R '[127.0.0.1]:\(server.port)'"))
        #expect(try target.scratch.read("home/.ssh/known_hosts") == line)
    }

    @Test func aProfileNamesItsTarget() async throws {
        let file = target.scratch.path("elsewhere/known_hosts")
        try target.scratch.write(
            "board.yaml",
            """
            name: board
            connection: {host: 127.0.0.1, port: \(server.port), known_hosts: "\(file)"}
            actions: {a: {commands: ["true"]}}
            """)
        try await target.expect(0, "target", "trust", "board.yaml", fingerprint)
        #expect(try FileSystem.read(file).count > 0)
        try target.scratch.write(
            "pinned.yaml",
            """
            name: pinned
            connection: {host: 127.0.0.1, port: \(server.port), host_key: "SHA256:\(String(repeating: "A", count: 43))"}
            actions: {a: {commands: ["true"]}}
            """)
        let pinned = try await target.expect(77, "target", "trust", "pinned.yaml", fingerprint)
        #expect(pinned.errorText.contains("the profile pins SHA256:AAA"))
    }

    @Test func whereNobodyAnswers() async throws {
        try await server.stop()
        try await target.expect(69, "target", "trust", target.hostAndPort, fingerprint)
        try await target.expect(69, "target", "trust", "host.invalid", fingerprint)
        try await target.expect(66, "target", "trust", "./board.yaml", fingerprint)
    }

    /// It hangs up where OpenSSH says that it has no key of a type.
    @Test(.enabled(if: DropbearServer.isAvailable)) func dropbearShowsItsKey() async throws {
        let target = try BareTarget(try await DropbearServer.start())
        let result = try await target.expect(0, "target", "trust", target.hostAndPort)
        #expect(result.errorText.hasPrefix("known already: ssh-ed25519 "))
    }
}
