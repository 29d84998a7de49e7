import Glibc
import LinuxSystem

/// One reading of the files for one host: the first value of a keyword wins.
struct ConfigReading {
    /// Whose file it is: it decides where relative includes lie.
    enum Owner { case user, system }

    /// The host as it was named.
    let original: String
    let context: ConfigContext
    /// What has been found so far. Paths are as written until `finish`.
    var settings = HostSettings()
    let givenUser: String?
    private let givenPort: Int?
    /// HostName as written.
    var hostName: String?
    /// Some `Match final` wants a second pass.
    var wantsFinalPass = false
    private(set) var isFinalPass = false
    /// Patterns of keywords that may be unknown.
    var toleratedKeywords: [String] = []
    /// Whether the lines at hand apply.
    var isActive = true
    /// Where the line at hand stands.
    private var file = ""
    private var line = 0
    private var owner = Owner.user
    private var depth = 0

    /// Origin: READCONF_MAX_DEPTH in readconf.c.
    private static let deepestInclude = 16
    /// Origin: far beyond what people write, far below what would be felt.
    private static let longestFile: Int64 = 1 << 20

    init(host: String, user: String?, port: Int?, context: ConfigContext) {
        original = host
        givenUser = user
        givenPort = port
        self.context = context
    }

    /// Starts the second pass, in which the host has the name that the first one has found.
    mutating func beginFinalPass() throws(SSHError) {
        isFinalPass = true
        hostName = Self.normalized(try currentHost())
            .split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
    }

    /// The host that `Host` and `Match host` look at.
    func currentHost() throws(SSHError) -> String {
        guard let hostName else { return original }
        return try located { () throws(TokenExpansion.Problem) in
            try TokenExpansion(hostNameOf: original, context: context).expand(hostName, expandsEnvironment: false)
        }
    }

    var currentUser: String { givenUser ?? settings.user ?? context.localUser }

    // MARK: Files

    mutating func read(_ path: String, as owner: Owner, mustExist: Bool, checksOwner: Bool) throws(SSHError) {
        let bytes: [UInt8]
        do { bytes = try FileSystem.read(path, limit: Self.longestFile) } catch {
            if !mustExist, [ENOENT, ENOTDIR].contains(error.code) { return }
            throw SSHError(.configuration, error.description)
        }
        if checksOwner { try Self.examine(path) }
        let outer = (file: file, line: line, owner: self.owner, isActive: isActive)
        defer { (file, line, self.owner, isActive) = outer }
        (file, line, self.owner) = (path, 0, owner)
        if depth == 0 { isActive = true }
        for text in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            line += 1
            try apply(String(decoding: text, as: UTF8.self))
        }
    }

    /// As ssh(1) does it: nobody else may be able to write what decides where we connect to.
    private static func examine(_ path: String) throws(SSHError) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        if status.st_uid == 0 || status.st_uid == getuid(), status.st_mode & 0o022 == 0 { return }
        let isForeign = status.st_uid != 0 && status.st_uid != getuid()
        throw SSHError(
            .configuration,
            isForeign
                ? "\(path) belongs to somebody else"
                : "\(path) may be written by others (mode \(String(status.st_mode & 0o777, radix: 8)))",
            hint: isForeign ? nil : "chmod go-w '\(path)'")
    }

    private mutating func include(_ patterns: [String]) throws(SSHError) {
        // What an inactive include says can apply to nothing.
        guard isActive else { return }
        guard depth < Self.deepestInclude else { throw problem("too many files include each other") }
        depth += 1
        defer { depth -= 1 }
        for pattern in patterns {
            if owner == .system, pattern.hasPrefix("~") { throw problem("a system file cannot include '\(pattern)'") }
            let base = owner == .user ? "\(context.home)/.ssh" : FileSystem.parent(of: context.systemFile)
            let isAnchored = pattern.hasPrefix("/") || pattern.hasPrefix("~")
            guard let path = context.expandingTilde(isAnchored ? pattern : "\(base)/\(pattern)") else {
                throw problem("no such user: '\(pattern)'")
            }
            for file in try glob(path) {
                try read(file, as: owner, mustExist: false, checksOwner: true)
            }
        }
    }

    /// The files that match a pattern, sorted (glob(3)).
    private func glob(_ pattern: String) throws(SSHError) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        let result = Glibc.glob(pattern, 0, nil, &found)
        if result == GLOB_NOMATCH { return [] }
        guard result == 0 else { throw problem("cannot search for '\(pattern)'") }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
    }

    // MARK: Lines

    private mutating func apply(_ text: String) throws(SSHError) {
        let parsed: ConfigLine?
        do throws(ConfigLine.Problem) { parsed = try ConfigLine(text) } catch { throw problem(error.message) }
        guard let line = parsed else { return }
        guard let keyword = ConfigKeyword(line.keyword) else {
            if isActive { ignore(line.keyword, text) }
            return
        }
        switch keyword {
        case .match: isActive = try matches(line.rest)
        case .host: isActive = try matchesHost(try arguments(line))
        case .include: try include(try arguments(line))
        case _ where !isActive: return
        case .proxyJump: try setJump(line.rest)
        case .proxyCommand: if settings.jumps == nil, settings.proxyCommand == nil { setProxyCommand(line.rest, text) }
        default: try set(keyword, try arguments(line))
        }
    }

    private func arguments(_ line: ConfigLine) throws(SSHError) -> [String] {
        do throws(ConfigLine.Problem) { return try line.arguments() } catch { throw problem(error.message) }
    }

    private mutating func ignore(_ keyword: String, _ text: String) {
        if toleratedKeywords.contains(where: { WildcardPattern($0).matches(keyword) }) { return }
        ignore(text, matters: !ConfigKeyword.harmless.contains(keyword))
    }

    /// Notes that the line at hand is not carried out.
    mutating func ignore(_ text: String, matters: Bool) {
        let setting = IgnoredSetting(text: Self.trimmed(text), file: file, line: line, matters: matters)
        if !settings.ignored.contains(setting) { settings.ignored.append(setting) }
    }

    private mutating func setProxyCommand(_ command: String, _ text: String) {
        settings.proxyCommand = IgnoredSetting(
            text: Self.trimmed(text), file: file, line: line, matters: command.lowercased() != "none")
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...].drop(while: \.isConfigBlank)
        while let last = text.last, last.isConfigBlank { text.removeLast() }
        return String(text)
    }

    private mutating func setJump(_ rest: String) throws(SSHError) {
        let text = Self.trimmed(String(rest.prefix { $0 != "#" }))
        let isNone = text.lowercased() == "none"
        guard let hops = isNone ? [] : JumpHop.list(text) else { throw problem("'\(text)' is no list of jump hosts") }
        if settings.jumps == nil, settings.proxyCommand == nil { settings.jumps = hops }
    }

    // MARK: Problems

    /// An error at the line at hand.
    func problem(_ message: String) -> SSHError { SSHError(.configuration, "\(file):\(line): \(message)") }

    func located<Value>(_ body: () throws(TokenExpansion.Problem) -> Value) throws(SSHError) -> Value {
        do throws(TokenExpansion.Problem) { return try body() } catch {
            throw line > 0 ? problem(error.message) : SSHError(.configuration, "ssh_config: \(error.message)")
        }
    }

    // MARK: The end

    /// Fills in what depends on other values: names, then paths with their tokens.
    func finish() throws(SSHError) -> HostSettings {
        var settings = settings
        settings.hostName = Self.normalized(try currentHost())
        settings.hostKeyAlias = settings.hostKeyAlias?.lowercased()
        let expansion = TokenExpansion(
            host: settings.hostName, original: original, alias: settings.hostKeyAlias,
            port: givenPort ?? settings.port ?? 22, user: currentUser, context: context)
        settings.identityFiles = try paths(settings.identityFiles, expansion)
        settings.certificateFiles = try paths(settings.certificateFiles, expansion) ?? []
        settings.userKnownHostsFiles = try paths(settings.userKnownHostsFiles, expansion)
        settings.globalKnownHostsFiles = try paths(settings.globalKnownHostsFiles, expansion)
        settings.identityAgent = try agent(settings.identityAgent, expansion)
        return settings
    }

    /// Names are the same in any case; an address may have a zone, which is not.
    private static func normalized(_ host: String) -> String { host.contains(":") ? host : host.lowercased() }

    private func paths(_ paths: [String]?, _ expansion: TokenExpansion) throws(SSHError) -> [String]? {
        guard let paths else { return nil }
        var expanded: [String] = []
        for path in paths where path.lowercased() != "none" {
            expanded.append(try located { () throws(TokenExpansion.Problem) in try expansion.path(path) })
        }
        return expanded
    }

    private func agent(_ text: String?, _ expansion: TokenExpansion) throws(SSHError) -> String? {
        guard let text else { return nil }
        if text.lowercased() == "none" { return "" }
        if text == "SSH_AUTH_SOCK" { return context.environment(text) ?? "" }
        if text.hasPrefix("$"), !text.hasPrefix("${") { return context.environment(String(text.dropFirst())) ?? "" }
        return try located { () throws(TokenExpansion.Problem) in try expansion.path(text) }
    }
}
