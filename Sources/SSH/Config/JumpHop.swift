/// One host of a `ProxyJump` or `jump:` list: `host`, `user@host`, `user@host:port`, `[address]:port`, or
/// `ssh://user@host:port`.
package struct JumpHop: Sendable, Equatable {
    package let user: String?
    package let host: String
    package let port: Int?

    /// nil for a text that names no host.
    package init?(_ text: some StringProtocol) {
        var rest = Substring(String(text))
        if rest.hasPrefix("ssh://") {
            rest = rest.dropFirst("ssh://".count)
            if rest.hasSuffix("/") { rest.removeLast() }
        }
        if let at = rest.lastIndex(of: "@") {
            guard at > rest.startIndex else { return nil }
            user = String(rest[..<at])
            rest = rest[rest.index(after: at)...]
        } else {
            user = nil
        }
        var portText: Substring?
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            let behind = rest[rest.index(after: end)...]
            guard behind.isEmpty || behind.first == ":" else { return nil }
            portText = behind.isEmpty ? nil : behind.dropFirst()
        } else {
            let colon = rest.firstIndex(of: ":")
            // An address of more than one colon is an IPv6 address without brackets, which leaves no room for a port.
            let isBare = colon.map { rest[rest.index(after: $0)...].contains(":") } ?? true
            host = String(isBare ? rest : rest[..<colon!])
            portText = isBare ? nil : rest[rest.index(after: colon!)...]
        }
        guard !host.isEmpty, !host.hasPrefix("-"), !host.contains("/"), !host.contains(where: \.isWhitespace) else {
            return nil
        }
        guard let portText else {
            port = nil
            return
        }
        guard let number = Int(portText), (1...65535).contains(number) else { return nil }
        port = number
    }

    /// As a person writes it.
    package var text: String {
        let isBare = port == nil || !host.contains(":")
        return (user.map { "\($0)@" } ?? "") + (isBare ? host : "[\(host)]") + (port.map { ":\($0)" } ?? "")
    }

    /// A list with commas; nil where an entry names no host.
    static func list(_ text: String) -> [JumpHop]? {
        let entries = text.split(separator: ",", omittingEmptySubsequences: false)
        let hops = entries.compactMap { JumpHop($0) }
        return hops.count == entries.count ? hops : nil
    }
}
