import TestSupport
import Testing

@testable import SSH

/// Lists of algorithms, and servers that know only old ones.
@Suite(.timeLimit(.minutes(2))) struct AlgorithmTests {
    private func failure(_ options: SSHOptions) async -> SSHError? {
        await #expect(throws: SSHError.self) { try await SSHSession.connect(options) }
    }

    // MARK: Lists

    @Test func prefixesChangeTheDefaults() {
        let defaults = AlgorithmList("", .macs).names
        #expect(defaults.first == "hmac-sha2-256-etm@openssh.com" && defaults.count == 4)
        #expect(AlgorithmList("hmac-sha1", .macs).names == ["hmac-sha1"])
        #expect(AlgorithmList("+hmac-sha1", .macs).names == defaults + ["hmac-sha1"])
        #expect(AlgorithmList("+hmac-sha2-512,hmac-sha1", .macs).names == defaults + ["hmac-sha1"])
        #expect(AlgorithmList("-hmac-sha2-512", .macs).names == defaults.filter { $0 != "hmac-sha2-512" })
        #expect(AlgorithmList("-*-etm@*", .macs).names == ["hmac-sha2-256", "hmac-sha2-512"])
        #expect(
            AlgorithmList("^hmac-sha1,hmac-sha2-512", .macs).names
                == ["hmac-sha1", "hmac-sha2-512"] + defaults.filter { $0 != "hmac-sha2-512" })
        #expect(AlgorithmList("+hmac-sha1, -*sha2*", .macs).names == ["hmac-sha1"])
        #expect(AlgorithmList("hmac-sha1,+hmac-sha2-256", .macs).names == ["hmac-sha1", "hmac-sha2-256"])
        #expect(AlgorithmList("-*", .macs).names.isEmpty)
    }

    @Test func unknownNamesAreFound() {
        #expect(AlgorithmList("+hmac-sha1,hmac-md5,-nothing*", .macs).unknown == ["hmac-md5", "nothing*"])
        #expect(AlgorithmList("sntrup761x25519-sha512@openssh.com", .kex).names.isEmpty)
        for kind in AlgorithmKind.allCases {
            #expect(AlgorithmList(kind.known.joined(separator: ","), kind).names == kind.known)
            #expect(AlgorithmList(kind.known.joined(separator: ","), kind).unknown == [])
        }
    }

    // MARK: Servers

    @Test func whatWasAgreedOnIsKnown() async throws {
        let server = try await SSHServer.start(
            .init(extraLines: ["KexAlgorithms ecdh-sha2-nistp384", "Ciphers aes192-ctr", "MACs hmac-sha2-512"]))
        let session = try await SSHSession.connect(server.options)
        #expect(session.algorithms.kex == "ecdh-sha2-nistp384")
        #expect(session.algorithms.cipher == "aes192-ctr")
        #expect(session.algorithms.mac == "hmac-sha2-512")
        #expect(session.algorithms.isStrict && session.algorithms.warning == nil)
        await session.close()
    }

    /// Debian's dropbear of 2022 is patched against Terrapin, so its exchange is strict, too.
    @Test(.enabled(if: DropbearServer.isAvailable)) func dropbearsExchangeIsStrict() async throws {
        let server = try await DropbearServer.start()
        let session = try await SSHSession.connect(server.options)
        #expect(session.algorithms.isStrict)
        await session.close()
    }

    @Test(arguments: [
        ("chacha20-poly1305@openssh.com", "aead-poly1305", true), ("aes128-cbc", "hmac-sha2-256-etm@openssh.com", true),
        ("aes128-cbc", "hmac-sha2-256", false), ("aes256-ctr", "hmac-sha2-256-etm@openssh.com", false),
    ]) func anExposedCipherIsWarnedOf(_ cipher: String, _ mac: String, _ isExposed: Bool) {
        let old = NegotiatedAlgorithms(kex: "k", cipher: cipher, mac: mac, isStrict: false)
        #expect((old.warning != nil) == isExposed)
        #expect(NegotiatedAlgorithms(kex: "k", cipher: cipher, mac: mac, isStrict: true).warning == nil)
    }

    @Test func theOrderOfAListIsThePreference() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.algorithms.ciphers = "^aes256-ctr"
        options.algorithms.kex = "diffie-hellman-group14-sha256"
        let session = try await SSHSession.connect(options)
        #expect(session.algorithms.cipher == "aes256-ctr")
        #expect(session.algorithms.kex == "diffie-hellman-group14-sha256")
        await session.close()
    }

    /// A server of 2010: each message names what helps, and in the end it is reached.
    @Test func anOldServerIsReachedByItsHints() async throws {
        let scratch = try ScratchDirectory()
        let key = scratch.path("rsa")
        try await Command.runSuccessfully("/usr/bin/ssh-keygen", ["-q", "-t", "rsa", "-N", "", "-C", "", "-f", key])
        let server = try await SSHServer.start(
            .init(
                extraLines: [
                    "HostKey \(key)", "HostKeyAlgorithms ssh-rsa", "KexAlgorithms diffie-hellman-group14-sha1",
                    "Ciphers aes128-cbc,3des-cbc", "MACs hmac-sha1,hmac-sha1-96",
                ]))
        var options = server.options
        options.knownHostsFile = try scratch.write(
            "known", "[127.0.0.1]:\(server.port) \(try scratch.read("rsa.pub"))")
        let steps: [(AlgorithmKind, String, String)] = [
            (.kex, "diffie-hellman-group14-sha1", "diffie-hellman-group14-sha1"),
            (.hostKeys, "ssh-rsa", "ssh-rsa"),
            (.ciphers, "aes128-cbc, 3des-cbc", "aes128-cbc"),
            (.macs, "hmac-sha1, hmac-sha1-96", "hmac-sha1"),
        ]
        for (kind, offered, wanted) in steps {
            let error = await failure(options)
            #expect(error?.code == .noCommonAlgorithm(kind))
            #expect(error?.message.hasSuffix("the server offers \(offered)") == true)
            #expect(error?.hint?.contains("`algorithms: {\(kind.rawValue): [+\(wanted)]}`") == true)
            options.algorithms[kind] = "+\(wanted)"
        }
        let session = try await SSHSession.connect(options)
        #expect(session.hostKeyType == "ssh-rsa")
        #expect(session.algorithms.cipher == "aes128-cbc")
        await session.close()
    }

    @Test func aServerWithNothingKnownSaysSo() async throws {
        let server = try await SSHServer.start(.init(extraLines: ["MACs umac-64@openssh.com", "Ciphers aes128-ctr"]))
        let error = await failure(server.options)
        #expect(error?.code == .noCommonAlgorithm(.macs))
        #expect(error?.hint?.contains("libssh knows none of them; it knows hmac-sha2-256-etm@openssh.com,") == true)
    }

    @Test func aListOfNothingIsRefused() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.algorithms.macs = "-*"
        let error = await failure(options)
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("no MAC is left to use") == true)
    }

    /// Old servers take RSA keys with SHA-1 signatures only. A new one does not hide that it knows better ones, so these
    /// are put aside here.
    @Test func anOldSignatureIsUsedWhenItIsAllowed() async throws {
        let server = try await SSHServer.start(.init(extraLines: ["PubkeyAcceptedAlgorithms ssh-rsa"]))
        let key = server.scratch.path("rsa")
        try await Command.runSuccessfully("/usr/bin/ssh-keygen", ["-q", "-t", "rsa", "-N", "", "-f", key])
        try server.scratch.write("authorized_keys", try server.scratch.read("rsa.pub"))
        var options = server.options
        options.keyFile = key
        options.algorithms.publicKeys = "-rsa-sha2-*"
        let error = await failure(options)
        #expect(error?.message.contains("key \(key): the server wants ssh-rsa signatures") == true)
        #expect(error?.hint?.contains("`algorithms: {pubkeys: [+ssh-rsa]}`") == true)
        options.algorithms.publicKeys = "-rsa-sha2-*,+ssh-rsa"
        try await SSHSession.connect(options).close()
    }
}
