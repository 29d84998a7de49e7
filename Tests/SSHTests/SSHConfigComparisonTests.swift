import Glibc
import SSH
import TestSupport
import Testing

/// Our reading of ssh_config against that of OpenSSH, `ssh -G`.
@Suite(.timeLimit(.minutes(2))) struct SSHConfigComparisonTests {
    private static let configurations = [
        """
        # comment
        Host board
          HostName %h.Lab.example   # the lab
          User   pi
          Port=2222
          IdentityFile ~/.ssh/id_board
          IdentityFile "/tmp/a b"
          IdentityFile /tmp/c\\ d
        Host *
          User nobody
          Port 22
          IdentityFile ~/.ssh/id_all
        """,
        """
        hOsT   b?ard !bo*d other
            pOrT = 1
        host b?ard
            port 2
        Host *.example
            port 3
        Host "board" 'quoted'
            User "two words"
            HostKeyAlias Board.Alias
        """,
        """
        IdentitiesOnly yes
        Match host board
          User first
        Match originalhost other,!board user root
          User second
        Match all
          ServerAliveInterval 1m30s
          ConnectTimeout 2h
        Match localuser nobody
          Port 99
        """,
        """
        Host board
          HostName 10.0.0.7
        Match host 10.0.0.*
          User ten
        Match originalhost board !user root
          Port 7
        Match final host 10.0.0.7
          Port 8
          IdentitiesOnly no
        """,
        """
        Host board
          ProxyJump me@first:2201,second,third
          ProxyCommand nc %h %p
        Host other
          ProxyCommand none
          ProxyJump first
        Host third
          ProxyJump none
        Host *
          ProxyJump ssh://deep@lab:2022
        """,
        """
        UserKnownHostsFile ~/.ssh/kh_%h_%p_%r_%u_%n_%k_%d_%i_%l_%L_%% /tmp/two
        GlobalKnownHostsFile none
        IdentityAgent ~/agent.%r
        HostKeyAlias Foo
        User pi
        CertificateFile ~/x-cert.pub
        CertificateFile /tmp/y-cert.pub
        CertificateFile ~/x-cert.pub
        """,
        """
        UserKnownHostsFile ${HOME}/known
        IdentityAgent none
        IdentityFile none
        IdentityFile /tmp/z
        """,
        """
        Port 22 # a comment
        \tUser\tpi
        \u{20}
        HostName=board.example
        IdentityFile=/tmp/x#y
        Match host=board.example user=pi
            ConnectTimeout none
        """,
        """
        Match host BOARD.EXAMPLE
            Port 5
        Host BOARD.example
            Port 6
        """,
    ]

    @Test(arguments: ["board", "other", "third", "board.example", "BOARD.example", "10.0.0.7"])
    func agrees(_ host: String) async throws {
        for configuration in Self.configurations { try await compare(configuration, host) }
    }

    @Test(arguments: ["root", "guest"]) func agreesOnAGivenUserAndPort(_ user: String) async throws {
        for configuration in Self.configurations { try await compare(configuration, "board", user: user, port: 4422) }
    }

    @Test func agreesOnIncludes() async throws {
        let scratch = try ScratchDirectory()
        try scratch.write("conf.d/b.conf", "User second\nHost other\nPort 3\n")
        try scratch.write("conf.d/a.conf", "User first\nPort 1\nMatch host elsewhere\nPort 4\n")
        try scratch.write("deep.conf", "Include \(scratch.path)/conf.d/*.conf \(scratch.path)/missing\n")
        let configuration = """
            Host board
              Include "\(scratch.path)/conf.d/b.conf"
              Port 9
            Host *
              Include \(scratch.path)/deep.conf
              HostName there
            Match host there
              IdentityFile /tmp/there
            """
        for host in ["board", "other", "elsewhere"] { try await compare(configuration, host) }
    }

    /// Files put together at random, always by the same dice.
    @Test(arguments: 0..<8) func agreesOnWhatNobodyWouldWrite(_ seed: UInt64) async throws {
        var dice = Dice(state: seed &* 7919 &+ 1)
        let hosts = ["board", "other", "board.lab", "a.b.c"]
        let values = [
            "HostName %h.lab", "HostName lab", "User pi", "User root", "Port 23", "Port 24", "IdentityFile ~/one",
            "IdentityFile /two", "IdentitiesOnly yes", "IdentitiesOnly no", "HostKeyAlias Alias", "ProxyJump a,b@c:1",
            "ProxyJump none", "ProxyCommand none", "UserKnownHostsFile ~/k_%h_%r_%p", "ServerAliveInterval 15",
            "ConnectTimeout 3", "CertificateFile /cert", "IdentityAgent /agent_%h", "IdentityAgent none",
        ]
        let blocks = [
            "Host *", "Host board", "Host !board *", "Host other board", "Host *.lab", "Host b* !*.lab",
            "Match all", "Match host board", "Match host *.lab", "Match originalhost board", "Match user pi",
            "Match !user pi", "Match host lab user root", "Match final", "Match final all", "Match !final host board*",
            "Match originalhost !other,*",
        ]
        for _ in 0..<12 {
            var lines: [String] = []
            for _ in 0..<dice.roll(3) { lines.append(values[dice.roll(values.count)]) }
            for _ in 0..<dice.roll(5) {
                lines.append(blocks[dice.roll(blocks.count)])
                for _ in 0..<(1 + dice.roll(3)) { lines.append("  " + values[dice.roll(values.count)]) }
            }
            for host in hosts { try await compare(lines.joined(separator: "\n"), host) }
        }
    }

    /// Numbers that are the same at every run (Knuth's MMIX generator).
    private struct Dice {
        var state: UInt64

        mutating func roll(_ sides: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(sides))
        }
    }

    // MARK: The comparison

    private func compare(_ configuration: String, _ host: String, user: String? = nil, port: Int? = nil) async throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write("config", configuration + "\n")
        let options = (user.map { ["-l", $0] } ?? []) + (port.map { ["-p", String($0)] } ?? [])
        let theirs = try await Command.run("/usr/bin/ssh", ["-G", "-F", path] + options + [host])
        let ours: HostSettings
        do { ours = try SSHConfig(.only(path)).settings(for: host, user: user, port: port) } catch {
            #expect(theirs.status != 0, "\(error)\n\(configuration)")
            return
        }
        guard theirs.status == 0 else {
            // What ssh finds wrong with the whole, such as a jump host that is the host itself, is not the reader's.
            #expect(theirs.errorText.contains("loop"), "\(theirs.errorText)\n\(configuration)")
            return
        }
        let expected = Lines(theirs.outputText)
        let found = Lines(ours, user: user, port: port)
        #expect(found == expected, "\(host) in\n\(configuration)")
    }

    /// The lines that both know, by keyword.
    private struct Lines: Equatable, CustomStringConvertible {
        var values: [String: [String]] = [:]

        var description: String {
            values.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: "\n")
        }

        private static let home = "\(getpwuid(getuid()).map { String(cString: $0.pointee.pw_dir) } ?? "")/"
        private static let keywords: Set<String> = [
            "hostname", "user", "port", "identityfile", "certificatefile", "identitiesonly", "hostkeyalias",
            "proxyjump", "userknownhostsfile", "globalknownhostsfile", "identityagent", "serveraliveinterval",
            "connecttimeout",
        ]
        /// What `ssh -G` prints where nothing is set.
        private static let defaults: [String: String] = [
            "identitiesonly": "no", "serveraliveinterval": "0", "connecttimeout": "none",
            "userknownhostsfile": "\(home).ssh/known_hosts \(home).ssh/known_hosts2",
            "globalknownhostsfile": "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
        ]

        init(_ text: String) {
            for line in text.split(separator: "\n") {
                let parts = line.split(separator: " ", maxSplits: 1)
                guard parts.count == 2, Self.keywords.contains(String(parts[0])) else { continue }
                let value = parts[1].hasPrefix("~/") ? Self.home + parts[1].dropFirst(2) : String(parts[1])
                values[String(parts[0]), default: []].append(value)
            }
            // The list of default keys.
            if values["identityfile"]?.contains("\(Self.home).ssh/id_rsa") == true { values["identityfile"] = nil }
            values["identityfile"]?.removeAll { $0 == "none" }
            if values["identityfile"]?.isEmpty == true { values["identityfile"] = nil }
            // "none" is the same as no line.
            for key in ["proxyjump", "userknownhostsfile", "globalknownhostsfile"] where values[key] == ["none"] {
                values[key] = nil
            }
            if values["connecttimeout"] == ["-1"] { values["connecttimeout"] = ["none"] }
        }

        init(_ settings: HostSettings, user: String?, port: Int?) {
            func set(_ key: String, _ value: String?) {
                if let value = value ?? Self.defaults[key] { values[key] = [value] }
            }
            set("hostname", settings.hostName)
            set("user", user ?? settings.user ?? getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) })
            set("port", String(port ?? settings.port ?? 22))
            set("identitiesonly", settings.identitiesOnly.map { $0 ? "yes" : "no" })
            set("hostkeyalias", settings.hostKeyAlias)
            set("identityagent", settings.identityAgent.map { $0.isEmpty ? "none" : $0 })
            set("serveraliveinterval", settings.serverAliveInterval.map { String(Int($0)) })
            set("connecttimeout", settings.connectTimeout.flatMap { $0 == 0 ? nil : String(Int($0)) })
            for (key, list) in [
                ("userknownhostsfile", settings.userKnownHostsFiles),
                ("globalknownhostsfile", settings.globalKnownHostsFiles),
            ] {
                set(key, list.flatMap { $0.isEmpty ? nil : $0.joined(separator: " ") })
                if list?.isEmpty == true { values[key] = nil }
            }
            for (key, list) in [
                ("identityfile", settings.identityFiles ?? []), ("certificatefile", settings.certificateFiles),
            ] where !list.isEmpty { values[key] = list }
            if let jumps = settings.jumps, !jumps.isEmpty { values["proxyjump"] = [Self.spelling(jumps)] }
        }

        /// As `ssh -G` writes it: the last hop taken apart, those before it as they stand.
        private static func spelling(_ jumps: [JumpHop]) -> String {
            jumps.enumerated().map { index, hop in
                let isLast = index == jumps.count - 1
                let isNumeric = hop.host.contains(":") || hop.host.allSatisfy { "0123456789.".contains($0) }
                let host = isNumeric && (isLast || hop.host.contains(":")) ? "[\(hop.host)]" : hop.host
                return (hop.user.map { "\($0)@" } ?? "") + host + (hop.port.map { ":\($0)" } ?? "")
            }.joined(separator: ",")
        }
    }
}
