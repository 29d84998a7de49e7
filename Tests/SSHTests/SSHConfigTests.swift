import Glibc
import LinuxSystem
import TestSupport
import Testing

@testable import SSH

/// What is read from ssh_config files beyond what `ssh -G` can be asked about.
@Suite struct SSHConfigTests {
    private let scratch: ScratchDirectory
    private let context: ConfigContext

    init() throws {
        scratch = try ScratchDirectory()
        context = ConfigContext(
            home: scratch.path("home"), localUser: "me", localHost: "laptop.lab",
            systemFile: scratch.path("etc/ssh_config"), environment: { $0 == "KEYS" ? "/keys" : nil })
    }

    /// Reads a text as `~/.ssh/config`.
    private func settings(
        _ text: String, for host: String = "board", user: String? = nil, mode: UInt32 = 0o600
    ) throws -> HostSettings {
        let path = try scratch.write("home/.ssh/config", text)
        chmod(path, mode)
        return try SSHConfig(.standard, context).settings(for: host, user: user)
    }

    private func problem(_ text: String, mode: UInt32 = 0o600) throws -> String {
        let error = #expect(throws: SSHError.self) { try settings(text, mode: mode) }
        #expect(error?.code == .configuration)
        return error?.message.replacing(scratch.path("home/.ssh/"), with: "") ?? ""
    }

    @Test func noFilesAreNoSettings() throws {
        let settings = try SSHConfig(.none, context).settings(for: "Board")
        var expected = HostSettings()
        expected.hostName = "board"
        #expect(settings == expected)
        #expect(throws: SSHError.self) { try SSHConfig(.only(scratch.path("missing")), context).settings(for: "board") }
    }

    @Test func pathsHaveTheirTokensReplaced() throws {
        let settings = try settings(
            """
            Host board
              HostName %h.lab
              User pi
              Port 2222
              HostKeyAlias MyBoard
              IdentityFile ~/.ssh/%h-%n-%p-%r-%u-%k-%l-%L-%%
              IdentityFile %d/x
              IdentityFile ${KEYS}/y
              CertificateFile ~root/cert.pub
              IdentityAgent $KEYS
            """)
        #expect(settings.hostName == "board.lab")
        let root = getpwnam("root").map { String(cString: $0.pointee.pw_dir) } ?? ""
        #expect(
            settings.identityFiles == [
                scratch.path("home/.ssh/board.lab-board-2222-pi-me-myboard-laptop.lab-laptop-%"),
                scratch.path("home/x"), "/keys/y",
            ])
        #expect(settings.certificateFiles == ["\(root)/cert.pub"])
        #expect(settings.identityAgent == "/keys")
    }

    /// A user that was given elsewhere counts, as with `ssh -l`.
    @Test func aGivenUserIsMatched() throws {
        let text = "Match user guest\n  Port 7\nUser pi\n"
        #expect(try settings(text, user: "guest").port == 7)
        #expect(try settings(text).port == nil)
    }

    @Test func includesAreRelativeToTheFolderOfKeys() throws {
        try scratch.write("home/.ssh/conf.d/b", "Port 2\n")
        try scratch.write("home/.ssh/conf.d/a", "Port 1\n")
        #expect(try settings("Include conf.d/*\nPort 3").port == 1)
        #expect(try settings("Include ~/.ssh/conf.d/b nothing*").port == 2)
    }

    @Test func theSystemsFileComesSecond() throws {
        try scratch.write("etc/conf.d/x", "Port 3\n")
        try scratch.write("etc/ssh_config", "User system\nInclude conf.d/*\n", mode: 0o666)
        let settings = try settings("User mine\nHost other\n")
        #expect(settings.user == "mine")
        #expect(settings.port == 3)
        try scratch.write("etc/ssh_config", "Include ~/x\n")
        let error = #expect(throws: SSHError.self) { try self.settings("User mine") }
        #expect(error?.message.hasSuffix("etc/ssh_config:1: a system file cannot include '~/x'") == true)
    }

    @Test func aCircleOfIncludesEnds() throws {
        #expect(try problem("Include config") == "config:1: too many files include each other")
    }

    @Test func filesThatOthersMayWriteAreRefused() throws {
        #expect(try problem("Port 1", mode: 0o620) == "config may be written by others (mode 620)")
        #expect(try problem("Port 1", mode: 0o602) == "config may be written by others (mode 602)")
        #expect(try settings("Port 1", mode: 0o644).port == 1)
        chmod(try scratch.write("home/.ssh/more", "Port 2"), 0o666)
        #expect(try problem("Include more") == "more may be written by others (mode 666)")
        // A file that is named is the user's own business, as with `ssh -F`.
        let named = try scratch.write("named", "Port 9")
        chmod(named, 0o666)
        #expect(try SSHConfig(.only(named), context).settings(for: "board").port == 9)
    }

    @Test(arguments: [
        ("Port 70000", "config:1: '70000' is no port; write a number from 1 to 65535"),
        ("\n\nPort", "config:3: nothing follows 'Port'"),
        ("Port 1 2", "config:1: one value is expected, there is also '2'"),
        ("User \"", "config:1: a quote is not closed"),
        ("IdentitiesOnly maybe", "config:1: 'maybe' is neither yes nor no"),
        ("ConnectTimeout soon", "config:1: 'soon' is no time; write 90, 90s or 1m30s"),
        ("ConnectTimeout 5x", "config:1: '5x' is no time; write 90, 90s or 1m30s"),
        ("ProxyJump a,,b", "config:1: 'a,,b' is no list of jump hosts"),
        ("UserKnownHostsFile none x", "config:1: 'none' must stand alone"),
        ("Match host", "config:1: 'host' needs an argument"),
        ("Match #", "config:1: 'Match' needs a criterion, such as 'host board' or 'all'"),
        ("Match all host x", "config:1: 'all' cannot stand with other criteria"),
        ("IdentityFile %x", "ssh_config: '%x' has no meaning in '%x'"),
        ("IdentityFile ${NONE}/x", "ssh_config: $NONE is not set"),
        ("IdentityFile ~nobody-at-all/x", "ssh_config: no such user: '~nobody-at-all/x'"),
    ]) func whatCannotBeReadIsToldWithItsPlace(_ text: String, _ message: String) throws {
        #expect(try problem(text) == message)
    }

    /// What is not about this host may hold anything.
    @Test func linesForOthersAreNotJudged() throws {
        #expect(try settings("Host other\n  Port nonsense\n  Unknown x\nHost board\n  Port 4").port == 4)
        #expect(try settings("Host other\n  Include config\n").ignored == [])
    }

    @Test func whatIsNotCarriedOutIsNamed() throws {
        let settings = try settings(
            """
            IgnoreUnknown Fancy*
            FancyThing yes
            Host board
              ForwardAgent yes
              StrictHostKeyChecking no   # trusting
            Match host board exec "true"
              Port 5
            Match localnetwork 10.0.0.0/8
              Port 6
            Host *
              Adress 10.0.0.1
              KexAlgorithms sntrup761x25519-sha512@openssh.com
              KexAlgorithms +diffie-hellman-group14-sha1
            """)
        let path = scratch.path("home/.ssh/config")
        #expect(settings.port == nil)
        #expect(
            settings.ignored.map { "\($0.line) \($0.matters) \($0.text)" } == [
                "4 false ForwardAgent yes",
                "5 true StrictHostKeyChecking no   # trusting",
                "6 true Match host board exec \"true\"",
                "8 true Match localnetwork 10.0.0.0/8",
                "11 true Adress 10.0.0.1",
                "12 true key exchange methods sntrup761x25519-sha512@openssh.com, of which libssh knows none",
            ])
        #expect(settings.ignored.first?.description == "\(path):4: ForwardAgent yes")
        #expect(settings.algorithms.kex == "+diffie-hellman-group14-sha1")
    }

    /// Who ran a program to connect is not connected without it.
    @Test func aProxyCommandIsKnown() throws {
        #expect(try settings("ProxyCommand nc %h %p").proxyCommand?.text == "ProxyCommand nc %h %p")
        #expect(try settings("ProxyCommand none").proxyCommand?.matters == false)
        let jump = try settings("ProxyJump a\nProxyCommand nc %h %p")
        #expect(jump.proxyCommand == nil)
        #expect(jump.jumps?.map(\.host) == ["a"])
    }

    @Test(
        arguments: [
            ("host", nil, "host", nil), ("me@host", "me", "host", nil), ("me@host:22", "me", "host", 22),
            ("host:2222", nil, "host", 2222), ("[::1]:22", nil, "::1", 22), ("::1", nil, "::1", nil),
            ("me@here@host", "me@here", "host", nil), ("ssh://me@host:22", "me", "host", 22),
        ] as [(String, String?, String, Int?)]) func hopsAreTakenApart(
            _ text: String, _ user: String?, _ host: String, _ port: Int?
        )
    {
        let hop = JumpHop(text)
        #expect(hop?.user == user)
        #expect(hop?.host == host)
        #expect(hop?.port == port)
    }

    @Test(arguments: [
        "", "@host", "host:", "host:x", "host:0", "host:70000", "[::1", "[::1]x", "a b", "-oProxy=x", "h/p",
    ])
    func whatIsNoHopIsRefused(_ text: String) { #expect(JumpHop(text) == nil) }

    @Test(arguments: [
        ("*", "", true), ("*", "abc", true), ("a?c", "abc", true), ("a?c", "ac", false), ("a*c*e", "abcde", true),
        ("a*c*e", "abcd", false), ("*.lab", "a.b.lab", true), ("", "", true), ("", "a", false), ("**a", "ba", true),
    ]) func patternsMatch(_ pattern: String, _ text: String, _ expected: Bool) {
        #expect(WildcardPattern(pattern).matches(text) == expected)
    }

    /// A pattern of many stars must not take exponential time.
    @Test func aHostilePatternEnds() {
        let pattern = String(repeating: "a*", count: 200) + "b"
        #expect(!WildcardPattern(pattern).matches(String(repeating: "a", count: 2000)))
    }
}
