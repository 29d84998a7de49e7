package import SSH

/// SHA-256 of files on the target, taken there. Runs on the SSH loop.
@SSHActor package struct RemoteHashes {
    private let line: TransferLine

    package init(over line: TransferLine) { self.line = line }

    /// The hashes of files; one that cannot be read has none.
    package func hashes(of paths: [[UInt8]]) async throws(SSHError) -> [[UInt8]: String] {
        guard let hasher = line.tools.hasher, !paths.isEmpty else { return [:] }
        let running = try await line.start(
            Array("exec xargs -0 \(hasher.rawValue) \(hasher == .openssl ? "" : "--") 2>/dev/null".utf8))
        defer { running.close() }
        // Written and read side by side: neither waits for the other's buffers.
        let writer = Task { try? await Self.write(paths, to: running) }
        // A line holds the hash and the name, of which each byte may be escaped.
        let text = try await running.readAll(limit: paths.reduce(1 << 20) { $0 + 2 * $1.count + 80 })
        await writer.value
        return Self.match(paths, text)
    }

    private static func write(_ paths: [[UInt8]], to script: RemoteScript) async throws(SSHError) {
        var batch: [UInt8] = []
        for path in paths {
            batch += path + [0]
            if batch.count > 64 << 10 {
                try await script.write(batch)
                batch = []
            }
        }
        try await script.write(batch)
        script.endInput()
    }

    /// The hash of a file's first bytes.
    package func hash(of path: [UInt8], first count: Int64) async throws(SSHError) -> String? {
        guard let hasher = line.tools.hasher else { return nil }
        let text = Array("head -c \(count) <".utf8) + shellWord(path) + Array(" 2>/dev/null | \(hasher.rawValue)".utf8)
        let running = try await line.start(text)
        defer { running.close() }
        running.endInput()
        return Self.leadingHash(try await running.readAll())
    }

    static func leadingHash(_ text: some Collection<UInt8>) -> String? {
        let digits = text.prefix(64)
        guard digits.count == 64, digits.allSatisfy({ isHexDigit($0) }) else { return nil }
        return String(decoding: digits, as: UTF8.self).lowercased()
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        case UInt8(ascii: "A")...UInt8(ascii: "F"): true
        default: false
        }
    }

    /// Lines come in the paths' order; each is looked for where it must stand. A line begins with `\` where its name is
    /// escaped: newlines, and by GNU's programs backslashes, too.
    static func match(_ paths: [[UInt8]], _ text: [UInt8]) -> [[UInt8]: String] {
        var hashes: [[UInt8]: String] = [:]
        var rest = text[...]
        for path in paths {
            for name in [path, escaped(path), escaped(path, isGNU: false)] {
                let line = rest.first == UInt8(ascii: "\\") ? rest.dropFirst() : rest
                // The hash, a blank, and a blank or an asterisk.
                guard let hash = leadingHash(line), line.dropFirst(66).starts(with: name + [0x0A]) else { continue }
                hashes[path] = hash
                rest = line.dropFirst(66 + name.count + 1)
                break
            }
        }
        return hashes
    }

    private static func escaped(_ name: [UInt8], isGNU: Bool = true) -> [UInt8] {
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
