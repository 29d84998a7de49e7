import LinuxSystem
package import SSH

/// SHA-256 of files on the target, taken there. Runs on the SSH loop.
@SSHActor package struct RemoteHashes {
    private let line: TransferLine

    package init(over line: TransferLine) { self.line = line }

    /// The hashes of files; one that cannot be read has none.
    package func hashes(of paths: [[UInt8]]) async throws(SSHError) -> [[UInt8]: String] {
        guard let hasher = line.tools.hasher, !paths.isEmpty else { return [:] }
        // A line holds the hash and the name, of which each byte may be escaped.
        let text = try await line.ask(
            "exec xargs -0 \(hasher.rawValue) \(hasher == .openssl ? "" : "--") 2>/dev/null", of: paths,
            limit: paths.reduce(1 << 20) { $0 + 2 * $1.count + 80 })
        let found = Self.match(paths, text)
        return Dictionary(found.map { (paths[$0.place], $0.hash) }) { first, _ in first }
    }

    /// The hash of a file's first bytes; nil where the target cannot tell.
    package func hash(of path: [UInt8], first count: Int64) async throws(SSHError) -> String? {
        guard let hasher = line.tools.hasher, line.tools.hasHead else { return nil }
        let text = Array("head -c \(count) <".utf8) + shellWord(path) + Array(" 2>/dev/null | \(hasher.rawValue)".utf8)
        let running = try await line.start(text)
        defer { running.close() }
        running.endInput()
        return Self.leadingHash(try await running.readAll())
    }

    nonisolated static func leadingHash(_ text: some Collection<UInt8>) -> String? {
        let digits = text.prefix(64)
        guard digits.count == 64, digits.allSatisfy({ isHexDigit($0) }) else { return nil }
        return String(decoding: digits, as: UTF8.self).lowercased()
    }

    private nonisolated static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        case UInt8(ascii: "A")...UInt8(ascii: "F"): true
        default: false
        }
    }

    /// Lines come in the paths' order; each is looked for where it must stand. A line begins with `\` where its name is
    /// escaped: newlines, and by GNU's programs backslashes, too.
    /// - Returns: the hashes with the places of their paths, in order.
    nonisolated static func match(
        _ paths: some Sequence<[UInt8]>, _ text: [UInt8]
    ) -> [(place: Int, hash: String)] {
        var found: [(place: Int, hash: String)] = []
        var rest = text[...]
        for (place, path) in paths.enumerated() {
            if rest.isEmpty { break }
            let line = rest.first == UInt8(ascii: "\\") ? rest.dropFirst() : rest
            // The hash, a blank, and a blank or an asterisk.
            guard let hash = leadingHash(line) else { break }
            let behind = line.dropFirst(66)
            for name in [path, escaped(path), escaped(path, isGNU: false)] {
                guard behind.starts(with: name), behind.dropFirst(name.count).first == 0x0A else { continue }
                found.append((place, hash))
                rest = behind.dropFirst(name.count + 1)
                break
            }
        }
        return found
    }

    private nonisolated static func escaped(_ name: [UInt8], isGNU: Bool = true) -> [UInt8] {
        name.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "\\") where isGNU: Array(#"\\"#.utf8)
            case UInt8(ascii: "\n"): Array(#"\n"#.utf8)
            case UInt8(ascii: "\r"): Array(#"\r"#.utf8)
            default: [byte]
            }
        }
    }
}
