extension ConfigReading {
    /// Takes a value over, unless an earlier line has set it. Lists of files grow.
    mutating func set(_ keyword: ConfigKeyword, _ arguments: [String]) throws(SSHError) {
        if let kind = keyword.algorithms {
            return try setAlgorithms(kind, try one(arguments))
        }
        switch keyword {
        case .hostName: keep(try one(arguments), in: \.hostName)
        case .user: keep(try one(arguments), in: \.settings.user)
        case .port:
            guard let port = Int(try one(arguments)), (1...65535).contains(port) else {
                throw problem("'\(arguments[0])' is no port; write a number from 1 to 65535")
            }
            keep(port, in: \.settings.port)
        case .identityFile: append(try one(arguments), to: \.identityFiles)
        case .certificateFile:
            let path = try one(arguments)
            if !settings.certificateFiles.contains(path) { settings.certificateFiles.append(path) }
        case .identitiesOnly: keep(try flag(arguments), in: \.settings.identitiesOnly)
        case .identityAgent: keep(try one(arguments), in: \.settings.identityAgent)
        case .userKnownHostsFile:
            keep(try several(arguments), in: \.settings.userKnownHostsFiles)
        case .globalKnownHostsFile:
            keep(try several(arguments), in: \.settings.globalKnownHostsFiles)
        case .hostKeyAlias: keep(try one(arguments), in: \.settings.hostKeyAlias)
        case .serverAliveInterval:
            keep(try duration(arguments), in: \.settings.serverAliveInterval)
        case .connectTimeout: keep(try duration(arguments), in: \.settings.connectTimeout)
        case .ignoreUnknown:
            if toleratedKeywords.isEmpty {
                toleratedKeywords = try one(arguments).lowercased().split(separator: ",").map(String.init)
            }
        case .host, .match, .include, .proxyJump, .proxyCommand, .kexAlgorithms, .ciphers, .macs, .hostKeyAlgorithms,
            .publicKeyAlgorithms:
            preconditionFailure("read elsewhere")
        }
    }

    private mutating func keep<Value>(_ value: Value, in place: WritableKeyPath<ConfigReading, Value?>) {
        if self[keyPath: place] == nil { self[keyPath: place] = value }
    }

    private mutating func append(_ path: String, to list: WritableKeyPath<HostSettings, [String]?>) {
        var paths = settings[keyPath: list] ?? []
        if !paths.contains(path) { paths.append(path) }
        settings[keyPath: list] = paths
    }

    /// Names that OpenSSH knows and libssh does not are left out; where nothing is left the line is ignored.
    private mutating func setAlgorithms(_ kind: AlgorithmKind, _ text: String) throws(SSHError) {
        guard settings.algorithms[kind] == nil else { return }
        guard !AlgorithmList(text, kind).names.isEmpty else {
            return ignore("\(kind.noun)s \(text), of which libssh knows none", matters: true)
        }
        settings.algorithms[kind] = text
    }

    // MARK: Forms of values

    private func one(_ arguments: [String]) throws(SSHError) -> String {
        guard let first = arguments.first, !first.isEmpty else { throw problem("a value is missing") }
        guard arguments.count == 1 else { throw problem("one value is expected, there is also '\(arguments[1])'") }
        return first
    }

    private func several(_ arguments: [String]) throws(SSHError) -> [String] {
        guard !arguments.isEmpty, !arguments.contains("") else { throw problem("a value is missing") }
        guard arguments.count == 1 || !arguments.contains(where: { $0.lowercased() == "none" }) else {
            throw problem("'none' must stand alone")
        }
        return arguments
    }

    private func flag(_ arguments: [String]) throws(SSHError) -> Bool {
        switch try one(arguments).lowercased() {
        case "yes", "true": return true
        case "no", "false": return false
        default: throw problem("'\(arguments[0])' is neither yes nor no")
        }
    }

    /// Seconds from `90`, `1m30s`, `2h` (sshd_config(5), "TIME FORMATS"); 0 for `none`.
    private func duration(_ arguments: [String]) throws(SSHError) -> Double {
        let text = try one(arguments)
        if text == "none" { return 0 }
        var total = 0.0
        var rest = text[...]
        repeat {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            guard let number = Double(digits), let factor = Self.factor(of: rest.popFirst() ?? "s") else {
                throw problem("'\(text)' is no time; write 90, 90s or 1m30s")
            }
            total += number * factor
        } while !rest.isEmpty
        return total
    }

    private static func factor(of unit: Character) -> Double? {
        switch unit {
        case "s", "S": 1
        case "m", "M": 60
        case "h", "H": 3600
        case "d", "D": 86_400
        case "w", "W": 604_800
        default: nil
        }
    }
}
