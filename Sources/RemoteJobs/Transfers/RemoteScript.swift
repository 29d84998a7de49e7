import LinuxSystem
package import SSH

/// A shell script on a channel of its own: bytes go into it, and the bytes that it prints come out. Runs on the SSH loop.
///
/// The dispatcher is for short questions; whatever streams, or takes its time, is a script. Read it to the end or close it.
@SSHActor package final class RemoteScript {
    private let channel: SSHChannel
    private var prelude: Prelude
    /// The beginning of what it said on stderr.
    private var complaints: [UInt8] = []
    /// Whether it said more there than is kept.
    private(set) var hasSaidMore = false
    /// Bytes of stderr that are kept. Origin: a message, not a log.
    var mostComplaints = 16 << 10
    /// Told once, when its channel is free.
    var onClose: (() -> Void)?

    /// Starts a script in `sh`, whatever the login shell is. What is written to it afterwards is the script's stdin.
    /// - Parameter window: see `SSHChannel.widen`; nil for libssh's choice.
    /// - Throws: `channelRefused` where the server takes no further channel.
    static func start(
        _ script: [UInt8], on session: SSHSession, window: Int? = nil
    ) async throws(SSHError) -> RemoteScript {
        let marker = Prelude.Marker()
        let end = Host.randomHex(12)
        let text = Array(marker.print.utf8) + [0x0A] + script + Array("\n\(end)\n".utf8)
        // The script comes by stdin, since commands are limited to some 9,000 bytes by dropbear, and csh reads even quoted
        // ones in its own way. `read` takes no byte more than its line; what follows is the script's. What has come only in
        // part, since the link was cut, is not run.
        let channel = try await session.openExec(
            #"exec sh -c 'ecr_x=$(until IFS= read -r ecr_l || exit 1; [ "$ecr_l" = \#(end) ]; "#
                + #"do printf "%s\n" "$ecr_l"; done) && eval "$ecr_x"'"#)
        do throws(SSHError) {
            if let window { channel.widen(to: window) }
            try await channel.write(text)
        } catch {
            channel.close()
            throw error
        }
        return RemoteScript(channel, Prelude(marker))
    }

    private init(_ channel: SSHChannel, _ prelude: Prelude) {
        self.channel = channel
        self.prelude = prelude
    }

    /// - Throws: `closed` where the waiting task is cancelled, which ends the channel.
    package func write(_ bytes: [UInt8]) async throws(SSHError) {
        try await closingWhenCancelled { () throws(SSHError) in try await self.channel.write(bytes) }
    }

    /// Bytes of its input that it has not taken yet, as far as the target has told; nil where it has ended.
    var untakenBytes: Int? { channel.untakenBytes }

    package func endInput() { channel.sendEOF() }

    /// Writes names, a NUL behind each, for `xargs -0`; then its input ends.
    func writeNames(_ names: some Sequence<[UInt8]>) async throws(SSHError) {
        var batch: [UInt8] = []
        for name in names {
            batch += name
            batch.append(0)
            if batch.count > 64 << 10 {
                try await write(batch)
                batch = []
            }
        }
        try await write(batch)
        endInput()
    }

    /// The next bytes of stdout; nil at the end.
    /// - Throws: `closed` where the waiting task is cancelled, which ends the channel: that is no end of the output.
    package func read() async throws(SSHError) -> [UInt8]? {
        while let output = try await readChannel() {
            switch output {
            case .stdout(let bytes):
                let rest = prelude.rest(of: bytes)
                if !rest.isEmpty { return rest }
            case .stderr(let bytes):
                let kept = bytes.prefix(max(0, mostComplaints - complaints.count))
                complaints += kept
                if kept.count < bytes.count { hasSaidMore = true }
            }
        }
        return nil
    }

    private func readChannel() async throws(SSHError) -> SSHChannel.Output? {
        let output = try await closingWhenCancelled { () throws(SSHError) in try await self.channel.read() }
        if output == nil, Task.isCancelled {
            throw SSHError(.closed, "the script's output is not waited for any more")
        }
        return output
    }

    private func closingWhenCancelled<Value: Sendable>(
        _ body: @SSHActor () async throws(SSHError) -> Value
    ) async throws(SSHError) -> Value {
        if Task.isCancelled { channel.close() }
        let result: Result<Value, SSHError> = await withTaskCancellationHandler {
            do throws(SSHError) { return .success(try await body()) } catch { return .failure(error) }
        } onCancel: {
            Task { @SSHActor in self.channel.close() }
        }
        return try result.get()
    }

    /// Waits for the end of a script that has printed all that counts.
    /// - Throws: `protocolViolation` where it prints on and on.
    func readToEnd() async throws(SSHError) {
        var count = 0
        while let bytes = try await read() {
            count += bytes.count
            if count > Self.mostBehind {
                throw SSHError(.protocolViolation, "what moves files on the target prints on and on behind their end")
            }
        }
    }

    /// Bytes. Origin: a program that has done its work has a word to say at most.
    private static let mostBehind = 64 << 10

    /// All of stdout.
    /// - Parameters:
    ///   - limit: bytes that an honest target does not exceed.
    ///   - patience: renewed by all that comes.
    /// - Throws: `protocolViolation` beyond the limit.
    func readAll(limit: Int = 1 << 20, _ patience: Patience? = nil) async throws(SSHError) -> [UInt8] {
        var all: [UInt8] = []
        while let bytes = try await read() {
            patience?.renew()
            all += bytes
            if all.count > limit {
                throw SSHError(.protocolViolation, "a script on the target printed more than \(limit) bytes")
            }
        }
        return all
    }

    /// Whether it ended with status 0. At the end of `read()`.
    package var hasSucceeded: Bool { channel.exit == .status(0) }

    /// Whether it ended with that status. At the end of `read()`.
    func hasFailed(with status: Int32) -> Bool { channel.exit == .status(status) }

    /// What it said on stderr, line by line. At the end of `read()`.
    package var errorLines: [String] {
        String(decoding: complaints, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    }

    package func close() {
        channel.close()
        onClose?()
        onClose = nil
    }
}
