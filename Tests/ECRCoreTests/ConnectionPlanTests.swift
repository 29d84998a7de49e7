import ECRCore
import LinuxSystem
import Profiles
import SSH
import TestSupport
import Testing
import YAML

/// How a profile's connection, ssh_config and the defaults make one.
@Suite struct ConnectionPlanTests {
    private let scratch: ScratchDirectory

    init() throws {
        scratch = try ScratchDirectory()
        try scratch.write("profiles/config", "")
    }

    /// The options of a profile in a folder of its own, with an ssh_config beside it.
    private func options(_ connection: String, config: String = "") throws -> SSHOptions {
        let text = "name: n\nconnection: {ssh_config: config, \(connection)}\nactions: {a: {commands: [x]}}\n"
        let path = try scratch.write("profiles/p.yaml", text)
        try scratch.write("profiles/config", config)
        let profile = try Profile.parse(Array(text.utf8), file: path, rules: .ssh)
        return try SSHOptions(profile.connection, profileFile: path)
    }

    private func problem(_ connection: String, config: String = "") throws -> String {
        let error = try #require(#expect(throws: SSHError.self) { try options(connection, config: config) })
        #expect(error.code == .configuration)
        #expect(ECRFailure(error).exitCode == 78)
        return error.message.replacing(scratch.path("profiles/"), with: "")
    }

    @Test func theDefaultsAreThoseOfSSH() throws {
        let options = try options("host: Board")
        let home = FileSystem.homeDirectory
        #expect(options.host == "board")
        #expect(options.port == 22)
        #expect(options.user == Host.userName)
        #expect(options.keyFile == nil && options.identityFiles == nil)
        #expect(options.knownHostsFile == "\(home)/.ssh/known_hosts")
        #expect(
            options.otherKnownHostsFiles == [
                "\(home)/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2",
            ])
        #expect(options.timeout == 30)
        #expect(options.livenessInterval == 3)
        #expect(options.jumps.isEmpty)
        #expect(options.reference == scratch.path("profiles/p.yaml"))
    }

    private static let config = """
        Host board
          HostName 10.0.0.7
          Port 2222
          User pi
          IdentityFile /keys/board
          IdentitiesOnly yes
          CertificateFile /keys/board-cert.pub
          IdentityAgent /run/agent
          UserKnownHostsFile /known/one /known/two
          GlobalKnownHostsFile /known/all
          HostKeyAlias the-board
          ServerAliveInterval 2
          ConnectTimeout 8
          KexAlgorithms +diffie-hellman-group14-sha1
          Ciphers aes128-ctr
          ForwardAgent yes
          StrictHostKeyChecking no
        """

    @Test func anAliasIsLookedUp() throws {
        let options = try options("host: board", config: Self.config)
        #expect(options.host == "10.0.0.7")
        #expect(options.port == 2222)
        #expect(options.user == "pi")
        #expect(options.identityFiles == ["/keys/board"])
        #expect(options.usesIdentitiesOnly)
        #expect(options.certificateFiles == ["/keys/board-cert.pub"])
        #expect(options.agentSocket == "/run/agent")
        #expect(options.knownHostsFile == "/known/one")
        #expect(options.otherKnownHostsFiles == ["/known/two", "/known/all"])
        #expect(options.hostKeyAlias == "the-board")
        #expect(options.livenessInterval == 2)
        #expect(options.timeout == 8)
        #expect(options.algorithms.kex == "+diffie-hellman-group14-sha1")
        #expect(options.algorithms.ciphers == "aes128-ctr")
        #expect(options.ignoredSettings.filter(\.matters).map(\.text) == ["StrictHostKeyChecking no"])
    }

    /// The interval in which the last byte came, and three silent ones.
    @Test(arguments: ["1", "3", "15", "60", "1h", "0"])
    func aLossIsNoticedWithinFifteenSecondsWhateverSSHDoes(_ interval: String) throws {
        let options = try options("host: board", config: "ServerAliveInterval \(interval)")
        #expect(options.livenessInterval * 4 <= 15)
    }

    @Test func theProfileWins() throws {
        let options = try options(
            """
            host: board, port: 22, user: root, key_file: keys/id, known_hosts: known, timeout: 20, keepalive: 9,
            algorithms: {ciphers: [+aes128-cbc, 3des-cbc], macs: +hmac-sha1}
            """, config: Self.config)
        #expect(options.host == "10.0.0.7")
        #expect(options.port == 22)
        #expect(options.user == "root")
        #expect(options.keyFile == scratch.path("profiles/keys/id"))
        #expect(options.identityFiles == nil && options.certificateFiles.isEmpty)
        #expect(options.knownHostsFile == scratch.path("profiles/known"))
        #expect(options.otherKnownHostsFiles == ["/known/all"])
        #expect(options.timeout == 20)
        #expect(options.livenessInterval == 9)
        #expect(options.algorithms.kex == "+diffie-hellman-group14-sha1")
        #expect(options.algorithms.ciphers == "+aes128-cbc,3des-cbc")
        #expect(options.algorithms.macs == "+hmac-sha1")
    }

    // MARK: The way

    private func way(_ options: SSHOptions) -> [String] { options.jumps.map { "\($0.user)@\($0.address)" } }

    @Test func jumpHostsHaveTheirOwnSettings() throws {
        let config = """
            Host board
              ProxyJump near,me@far:2022
              User pi
            Host near
              HostName near.lab
              Port 2201
              User nearby
              IdentityFile /keys/near
            Host far
              User nobody
            """
        let options = try options("host: board, keepalive: 9, known_hosts: known, key_file: /keys/mine", config: config)
        #expect(way(options) == ["nearby@near.lab:2201", "me@far:2022"])
        let (near, far) = (options.jumps[0], options.jumps[1])
        #expect(near.isJumpHost && far.isJumpHost && !options.isJumpHost)
        #expect(near.livenessInterval == 9)
        #expect(near.identityFiles == ["/keys/near"])
        #expect(far.identityFiles?.last == "/keys/mine")
        #expect(near.keyFile == nil)
        #expect(near.knownHostsFile == scratch.path("profiles/known"))
        #expect(near.otherKnownHostsFiles.first == "\(FileSystem.homeDirectory)/.ssh/known_hosts")
        #expect(near.keyRing === options.keyRing && far.keyRing === options.keyRing)
    }

    @Test func theProfilesJumpWins() throws {
        let config = "Host board\n  ProxyJump near\nHost *\n  User pi\n"
        #expect(way(try options("host: board", config: config)) == ["pi@near"])
        #expect(way(try options("host: board, jump: none", config: config)) == [])
        #expect(way(try options("host: board, jump: []", config: config)) == [])
        #expect(way(try options("host: board, jump: 'a,me@b:23'", config: config)) == ["pi@a", "me@b:23"])
        #expect(way(try options("host: board, jump: [a, '[::1]:24']", config: config)) == ["pi@a", "pi@[::1]:24"])
    }

    /// As `ssh -J`: the first of a list is reached by its own ProxyJump, the others through the one before.
    @Test func jumpHostsHaveJumpHosts() throws {
        let config = "Host a\n  ProxyJump b\nHost b\n  ProxyJump c\nHost d\n  ProxyJump e\nHost *\n  User u\n"
        #expect(way(try options("host: board, jump: a", config: config)) == ["u@c", "u@b", "u@a"])
        #expect(way(try options("host: board, jump: [a, d]", config: config)) == ["u@c", "u@b", "u@a", "u@d"])
    }

    @Test func aCircleOfJumpHostsIsRefused() throws {
        #expect(
            try problem("host: board", config: "Host *\n  User u\n  ProxyJump gate\n")
                == "the jump hosts lead in a circle, back to u@gate")
        #expect(
            try problem(
                "host: board, jump: a", config: "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nHost *\n  User u")
                == "the jump hosts lead in a circle, back to u@a")
        #expect(
            way(try options("host: board", config: "Host gate\n  ProxyJump none\nHost *\n  User u\n  ProxyJump gate\n"))
                == ["u@gate"])
    }

    // MARK: What is refused

    @Test func aProxyCommandIsRefusedUnlessTheProfileKnowsAWay() throws {
        let config = "Host board\n  ProxyCommand nc %h %p\n"
        #expect(
            try problem("host: board", config: config)
                == "config:2: ProxyCommand nc %h %p: ecr runs no ProxyCommand")
        #expect(try options("host: board, jump: none", config: config).jumps.isEmpty)
        #expect(try options("host: other", config: config).jumps.isEmpty)
    }

    @Test func aBrokenFileIsRefused() throws {
        #expect(
            try problem("host: board", config: "Port x") == "config:1: 'x' is no port; write a number from 1 to 65535")
        let error = #expect(throws: SSHError.self) {
            try SSHOptions(Connection(host: "h", sshConfig: "missing"), profileFile: scratch.path("profiles/p.yaml"))
        }
        #expect(error?.message.contains("profiles/missing: No such file") == true)
    }

    @Test func aTargetWithoutAProfileIsNamedAsForSSH() throws {
        let options = try SSHOptions(target: "me@board.invalid:2222")
        #expect(options.user == "me" && options.host == "board.invalid" && options.port == 2222)
        #expect(options.reference == "me@board.invalid:2222")
        #expect(throws: SSHError.self) { try SSHOptions(target: "-oProxyCommand=x") }
    }

    @Test func wrongWordsAreRefusedWithTheirPlace() throws {
        let text = """
            name: n
            connection:
              host: h
              jump: [a, "b:70000"]
              algorithms: {kex: [+diffie-hellman-group14-sha], macs: [nonsense]}
            actions: {a: {commands: [x]}}
            """
        let error = try #require(
            #expect(throws: Diagnostics.self) { try Profile.parse(Array(text.utf8), file: "p.yaml", rules: .ssh) })
        #expect(
            error.all.map { "\($0.line):\($0.column): \($0.message)" } == [
                "4:13: 'jump' cannot be 'b:70000'; write host, user@host or user@host:port",
                "5:22: there is no 'diffie-hellman-group14-sha' for 'kex'; did you mean 'diffie-hellman-group14-sha1'?",
                "5:59: there is no 'nonsense' for 'macs'; known: hmac-sha2-256-etm@openssh.com, "
                    + "hmac-sha2-512-etm@openssh.com, hmac-sha2-256, hmac-sha2-512, hmac-sha1-etm@openssh.com, hmac-sha1",
            ])
    }
}

extension Connection {
    fileprivate init(host: String, sshConfig: String) {
        self.init(host: host)
        self.sshConfig = sshConfig
    }
}
