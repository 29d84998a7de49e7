import SSH

/// What a script that has ended had to say.
struct ScriptReply: Sendable {
    let output: [UInt8]
    let hasSucceeded: Bool
    let errorLines: [String]

    /// Why it has failed, in the words of the C library where a program has said so last.
    var failure: TransferFailure {
        TransferFailure(complaint: errorLines.last ?? "")
    }
}

extension TransferFailure {
    /// What a program has said on stderr: `mkdir: cannot create directory '/x': Permission denied`.
    init(complaint line: String) {
        let reason = line.split(separator: ":").last.map { String($0.drop { $0 == " " }) } ?? ""
        if reason.isEmpty {
            self.init("the target gave no reason")
        } else {
            self.init(reason.lowercasedFirst, isDenied: reason == "Permission denied")
        }
    }

    /// The same of a program that was to read a file.
    init(reading line: String) {
        self.init(complaint: line)
        if reason == "no such file or directory" { self = TransferFailure("no such file") }
    }
}

extension String {
    fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}

extension TransferLine {
    /// Runs a script of any length and waits for its end; for what prints little.
    /// - Parameter patience: renewed by all that comes.
    func run(_ text: [UInt8], _ patience: Patience? = nil) async throws(SSHError) -> ScriptReply {
        // Read by `cat`: a shell that reads its commands itself takes one byte at a time from a channel. In braces: what has
        // come only in part, since the link was cut, is not run.
        let script = try await start(Array(#"eval "$(cat)""#.utf8))
        defer { script.close() }
        try await script.write(Array("{ ".utf8) + text + Array("\n}".utf8))
        script.endInput()
        let output = try await script.readAll(limit: 1 << 20, patience)
        return ScriptReply(
            output: output, hasSucceeded: script.hasSucceeded, errorLines: script.errorLines)
    }

    /// The same for a script that nothing should hold up for long.
    /// - Throws: `TransferFailure` where the target hangs; `SSHError`, `CancellationError`.
    nonisolated func runSoon(_ text: [UInt8], _ patience: Patience = Patience()) async throws -> ScriptReply {
        try await patience.whileWaiting { try await self.run(text, patience) }
    }

    /// Runs a script that takes any number of names, by `xargs -0`.
    /// - Parameter limit: bytes that an honest target does not print.
    /// - Returns: what it has printed.
    func ask(_ text: String, of names: [[UInt8]], limit: Int) async throws(SSHError) -> [UInt8] {
        let script = try await start(Array(text.utf8))
        defer { script.close() }
        // Written and read side by side: neither waits for the other's buffers.
        let writer = Task { try? await script.writeNames(names) }
        let output = try await script.readAll(limit: limit)
        await writer.value
        return output
    }
}
