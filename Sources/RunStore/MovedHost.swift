/// Another address of the same target, given while a run goes on.
package struct MovedHost: Sendable, Equatable {
    package let host: String
    /// Nil for the port of the profile.
    package let port: Int?

    package init(host: String, port: Int?) {
        self.host = host
        self.port = port
    }

    /// Reads `host`, `host:port`, `[v6 address]:port`; nil for what is none of these.
    package init?(_ text: String) {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            self.init(String(text[text.index(after: text.startIndex)..<end]), rest.dropFirst())
        } else if text.filter({ $0 == ":" }).count == 1, let colon = text.firstIndex(of: ":") {
            self.init(String(text[..<colon]), text[text.index(after: colon)...])
        } else {
            // Several colons without brackets are an IPv6 address.
            self.init(text, "")
        }
    }

    private init?(_ host: String, _ port: Substring) {
        guard !host.isEmpty, !host.contains(where: \.isWhitespace) else { return nil }
        if port.isEmpty {
            self.init(host: host, port: nil)
        } else {
            guard let number = Int(port), (1...65535).contains(number) else { return nil }
            self.init(host: host, port: number)
        }
    }
}
