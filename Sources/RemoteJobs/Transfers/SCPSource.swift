import SSH

/// The receiving end of `scp -f` for one file: the protocol of rcp, in which each side confirms what it was sent by a zero
/// byte (OpenSSH's scp.c is its only specification).
@SSHActor struct SCPSource {
    private let script: RemoteScript
    private var buffer: [UInt8] = []

    init(_ script: RemoteScript) { self.script = script }

    /// - Parameter most: bytes; what is longer by now is taken as long as it was.
    /// - Returns: how long it was when it was opened; and what the other side says where it could not be read to its end,
    ///   instead of which it has sent zeros.
    /// - Throws: `TransferFailure` with what the other side says where nothing has come.
    mutating func read(
        most: UInt64, _ take: @Sendable ([UInt8]) async throws -> Void
    ) async throws -> (size: UInt64, failure: TransferFailure?) {
        try await confirm()
        let size = try await size()
        var left = min(size, most)
        try await confirm()
        while left > 0 {
            if buffer.isEmpty { try await more() }
            let bytes = Array(buffer.prefix(Int(min(left, UInt64(buffer.count)))))
            buffer.removeFirst(bytes.count)
            left -= UInt64(bytes.count)
            try await take(bytes)
        }
        if size > most { return (size, nil) }
        if buffer.isEmpty { try await more() }
        var failure: TransferFailure?
        switch buffer.removeFirst() {
        case 0: break
        case 1, 2: failure = TransferFailure(reading: try await line())
        default: throw SSHError(.protocolViolation, "scp on the target has sent more than it had said")
        }
        try await confirm()
        script.endInput()
        try await script.readToEnd()
        return (size, failure)
    }

    /// Of `C0644 1234 name`; times (`T`), which nobody has asked for, are passed over.
    private mutating func size() async throws -> UInt64 {
        for _ in 0..<Self.mostLines {
            if buffer.isEmpty { try await more() }
            let kind = buffer.removeFirst()
            if kind == 1 || kind == 2 { throw TransferFailure(reading: try await line()) }
            let words = try await line().split(separator: " ")
            switch kind {
            case UInt8(ascii: "C"):
                guard words.count >= 2, let size = UInt64(words[1]) else {
                    throw SSHError(.protocolViolation, "scp on the target has sent no size")
                }
                return size
            case UInt8(ascii: "T"): try await confirm()
            case UInt8(ascii: "D"): throw TransferFailure("not a regular file")
            default: throw SSHError(.protocolViolation, "what scp on the target says is not its protocol")
            }
        }
        throw SSHError(.protocolViolation, "scp on the target sends times and no file")
    }

    /// Origin: one of times, one of the file.
    private static let mostLines = 2

    /// The other side may have ended already: what it has said then is still to be read.
    private func confirm() async throws {
        do throws(SSHError) { try await script.write([0]) } catch {
            guard error.code == .closed, !Task.isCancelled else { throw error }
        }
    }

    private mutating func line() async throws -> String {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let text = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 1)
                return text
            }
            guard buffer.count < 64 << 10 else {
                throw SSHError(.protocolViolation, "scp on the target has sent a line without an end")
            }
            try await more()
        }
    }

    private mutating func more() async throws {
        guard let bytes = try await script.read() else {
            throw TransferFailure(
                FileLook(script.errorLines).complaints.last ?? "scp on the target has ended before the file")
        }
        buffer += bytes
    }
}
