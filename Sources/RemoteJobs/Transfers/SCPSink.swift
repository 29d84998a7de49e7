import SSH

/// The sending end of `scp -t` for one file: the protocol of rcp, in which each side confirms what it was sent by a zero
/// byte (OpenSSH's scp.c is its only specification).
@SSHActor struct SCPSink {
    private let script: RemoteScript
    private let patience: Patience
    private var buffer: [UInt8] = []

    /// - Parameter patience: renewed by all that the other side takes.
    init(_ script: RemoteScript, _ patience: Patience) {
        self.script = script
        self.patience = patience
    }

    /// - Throws: `TransferFailure` with what the other side says.
    mutating func write(
        size: Int64, _ progress: @escaping @Sendable (Int64) -> Void, _ source: @Sendable () async throws -> [UInt8]?
    ) async throws {
        let watch = IntakeWatch(script, patience, progress)
        try await watch.whileWatching { try await send(size: size, source, watch) }
    }

    private mutating func send(
        size: Int64, _ source: @Sendable () async throws -> [UInt8]?, _ watch: IntakeWatch
    ) async throws {
        let script = script
        try await confirm()
        // The name counts only where the other side was given a directory.
        try await send { () throws(SSHError) in try await script.write(Array("C0600 \(size) file\n".utf8)) }
        try await confirm()
        while let bytes = try await patience.whileWorking(source) {
            try await send { () throws(SSHError) in try await watch.write(bytes) }
        }
        try await send { () throws(SSHError) in try await script.write([0]) }
        try await confirm()
        script.endInput()
        try await script.readToEnd()
    }

    /// The other side may have ended, and have said why.
    private mutating func send(_ write: @SSHActor () async throws(SSHError) -> Void) async throws {
        do throws(SSHError) { try await write() } catch {
            guard error.code == .closed, !Task.isCancelled else { throw error }
            try await confirm()
            throw error
        }
    }

    private mutating func confirm() async throws {
        if buffer.isEmpty { try await more() }
        let status = buffer.removeFirst()
        if status == 0 { return }
        while !buffer.contains(0x0A) {
            guard buffer.count < 64 << 10 else {
                throw SSHError(.protocolViolation, "scp on the target has sent a line without an end")
            }
            try await more()
        }
        throw TransferFailure(complaint: String(decoding: buffer.prefix { $0 != 0x0A }, as: UTF8.self))
    }

    private mutating func more() async throws {
        guard let bytes = try await script.read() else {
            throw TransferFailure(complaint: script.errorLines.last ?? "scp on the target has ended before the file")
        }
        buffer += bytes
    }
}
