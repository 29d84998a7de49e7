import YAML

extension ProfileDecoder {
    private static let connectionAdvice = [
        "passphrase": "a profile holds no passphrase; load the key into the agent with ssh-add, or type it when asked",
        "proxyjump": "write 'jump'",
        "jump_host": "write 'jump'",
        "identity_file": "write 'key_file'",
        "username": "write 'user'",
        "hostname": "write 'host'",
    ]

    func connection(_ node: Node) -> Connection? {
        guard let fields = mapping(node, "'connection'", .connection, advice: Self.connectionAdvice) else { return nil }
        let host = fields.require("host", example: "host: \"192.168.1.100\"")
        var connection = Connection(host: host.flatMap { word($0, "'host'") } ?? "")
        connection.port = port(fields)
        connection.user = fields["user"].flatMap { word($0, "'user'") }
        connection.keyFile = fields["key_file"].flatMap { filled($0, "'key_file'") }
        connection.timeout = fields.positiveDuration("timeout")
        connection.knownHosts = fields["known_hosts"].flatMap { filled($0, "'known_hosts'") }
        connection.hostKey = fields["host_key"].flatMap { fingerprint($0) }
        connection.sshConfig = fields["ssh_config"].flatMap { filled($0, "'ssh_config'") }
        connection.jump = fields["jump"].flatMap { jump($0) }
        connection.algorithms = fields["algorithms"].flatMap { algorithms($0) }
        connection.keepalive = fields.positiveDuration("keepalive")
        connection.clockInterval = clockInterval(fields)
        connection.spoolDir = fields["spool_dir"].flatMap { absolutePath($0, "'spool_dir'") }
        connection.env = literalEnvironment(fields)
        connection.password = password("password", fields)
        connection.sudoPassword = password("sudo_password", fields)
        connection.giveUpAfter = fields["reconnect"].flatMap { giveUpAfter($0) }
        return connection
    }

    // MARK: Values

    /// Text of at least one character.
    func filled(_ node: Node, _ what: String) -> String? {
        guard let text = context.string(node, what) else { return nil }
        guard text.utf8.contains(where: { !" \t\n".utf8.contains($0) }) else {
            context.error("\(what) is empty; write its text, or remove it", at: node.mark)
            return nil
        }
        return text
    }

    /// Text that could be one argument of `ssh` and none of its options.
    private func word(_ node: Node, _ what: String) -> String? {
        guard let text = filled(node, what) else { return nil }
        guard text.utf8.first != UInt8(ascii: "-"), text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            context.error(
                "\(what) cannot be '\(text)'; write it without blanks and without a leading '-'", at: node.mark)
            return nil
        }
        return text
    }

    private func absolutePath(_ node: Node, _ what: String) -> String? {
        guard let text = filled(node, what) else { return nil }
        guard text.hasPrefix("/") else {
            context.error("\(what) cannot be '\(text)'; write a path from '/' on", at: node.mark)
            return nil
        }
        return text
    }

    private func clockInterval(_ fields: FieldReader) -> Double {
        guard let seconds = fields.positiveDuration("clock_interval") else { return Connection.defaultClockInterval }
        if seconds < 1, let node = fields["clock_interval"] {
            context.error("'clock_interval' must be 1s at least; every comparison is an event", at: node.mark)
        }
        return seconds
    }

    private func port(_ fields: FieldReader) -> Int? {
        guard let node = fields["port"], let port = context.int(node, "'port'") else { return nil }
        guard (1...65535).contains(port) else {
            context.error("'port' cannot be \(port); write a number from 1 to 65535", at: node.mark)
            return nil
        }
        return port
    }

    /// A fingerprint as OpenSSH prints it: SHA-256 in 43 characters of base64 without padding.
    private func fingerprint(_ node: Node) -> String? {
        guard let text = context.string(node, "'host_key'") else { return nil }
        let digest = text.utf8.dropFirst("SHA256:".utf8.count)
        let isBase64 = digest.allSatisfy {
            isNameByte($0, first: false) && $0 != UInt8(ascii: "_") || "+/".utf8.contains($0)
        }
        guard text.hasPrefix("SHA256:"), digest.count == 43, isBase64 else {
            context.error(
                "'host_key' is no fingerprint; write \"SHA256:\" and 43 characters, as 'ssh-keygen -l' prints them",
                at: node.mark)
            return nil
        }
        return text
    }

    /// The hosts on the way: one text, in which commas separate them, or a list; `none` is no host.
    private func jump(_ node: Node) -> [String]? {
        var hops: [String] = []
        for item in texts(node) {
            guard let text = word(item, "'jump'") else { return nil }
            if text == "none", case .scalar = node.content { return [] }
            for hop in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
                if let problem = rules.jump(hop) { context.error(problem, at: item.mark) }
                hops.append(hop)
            }
        }
        return hops
    }

    private func algorithms(_ node: Node) -> Connection.Algorithms? {
        guard let fields = mapping(node, "'algorithms'", .algorithms) else { return nil }
        func names(_ key: String) -> [String]? {
            fields[key].map { node in
                texts(node).compactMap { item in
                    guard let text = filled(item, "each entry of '\(key)'") else { return nil }
                    if let problem = rules.algorithms(key, text) { context.error(problem, at: item.mark) }
                    return text
                }
            }
        }
        return Connection.Algorithms(
            kex: names("kex"), ciphers: names("ciphers"), hostkeys: names("hostkeys"), macs: names("macs"),
            pubkeys: names("pubkeys"))
    }

    /// A list's entries, or the one text that stands for a list of one.
    private func texts(_ node: Node) -> [Node] {
        if case .sequence(let items) = node.content { items } else { [node] }
    }

    private func giveUpAfter(_ node: Node) -> Double? {
        guard let fields = mapping(node, "'reconnect'", .reconnect),
            let value = fields["give_up_after"]
        else { return nil }
        return value.scalar?.text == "never" ? nil : context.duration(value, "'give_up_after' (or never)")
    }

    // MARK: Environment

    private func literalEnvironment(_ fields: FieldReader) -> [EnvironmentEntry] {
        (fields.entries("env") ?? []).compactMap { member in
            checkVariable(member)
            return environmentEntry(member, fields) { Template(literal: $0, mark: member.value.mark) }
        }
    }

    mutating func environment(_ fields: FieldReader) -> [EnvironmentEntry] {
        var entries: [EnvironmentEntry] = []
        for member in fields.entries("env") ?? [] {
            checkVariable(member)
            let entry = environmentEntry(member, fields) { plainTemplate($0, at: member.value) }
            if let entry { entries.append(entry) }
        }
        return entries
    }

    private func environmentEntry(
        _ member: Node.Member, _ fields: FieldReader, _ template: (String) -> Template
    ) -> EnvironmentEntry? {
        if case .mapping = member.value.content {
            let secret = secret(member.value, "'\(member.name)'", use: "\(fields.what): env: \(member.name)")
            return secret.map { EnvironmentEntry(name: member.name, value: .secret($0)) }
        }
        let text = context.string(member.value, "'\(member.name)'")
        return text.map { EnvironmentEntry(name: member.name, value: .text(template($0))) }
    }

    private func checkVariable(_ member: Node.Member) {
        guard member.name.utf8.enumerated().allSatisfy({ isNameByte($1, first: $0 == 0) }) else {
            return context.error(
                "'\(member.name)' cannot be an environment variable; write letters, digits and '_', no digit first",
                at: member.mark)
        }
        if member.name.hasPrefix("ECR_") {
            context.error("'\(member.name)' belongs to ecr; use a name that does not start with ECR_", at: member.mark)
        }
    }
}
