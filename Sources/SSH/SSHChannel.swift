import CLibSSH
import Glibc

/// How a remote command ended.
package enum ChannelExit: Sendable, Equatable {
    /// The exit code.
    case status(Int32)
    /// The signal's name without SIG, for example `KILL`.
    case signal(String)
}

/// One remote command or subsystem: its three streams and its end. Owned by the poll loop.
///
/// Read to the end or close it, else the server keeps it open and refuses others in the end.
@SSHActor package final class SSHChannel {
    /// Bytes of the command as they came.
    package enum Output: Sendable, Equatable {
        case stdout([UInt8])
        case stderr([UInt8])

        var count: Int {
            switch self {
            case .stdout(let bytes), .stderr(let bytes): bytes.count
            }
        }
    }

    /// How the command ended; valid at the end of `read()`. nil where the server did not say.
    package private(set) var exit: ChannelExit?

    let session: SSHSession
    /// nil once libssh's channel is freed.
    private(set) var handle: ssh_channel?
    private var callbacks: UnsafeMutablePointer<ssh_channel_callbacks_struct>?
    private var received = OutputQueue()
    private var reader: CheckedContinuation<Void, Never>?
    private let writers = WriterQueue()
    private var isInputEnded = false
    /// The server has confirmed the channel: it must be told of the end.
    var isOpen = false
    /// Its program was asked for and the answer is harvested. A short command may have ended before; until then the
    /// pending call needs libssh's channel.
    var isSetUp = false
    /// The server has sent its CLOSE: nothing comes after it.
    private(set) var isClosedByServer = false
    private var isClosedByUs = false
    /// Whether the server's EOF ends the reading. A command's exit status may come behind it; a forwarded connection has
    /// nothing more to say, and its CLOSE may wait for ours.
    var endsWithOutput = false
    private var isOutputEnded = false
    /// Bytes were left in libssh's own buffer, because nobody read.
    private var isStalled = false
    /// The most bytes that the server has let us have on their way at a time.
    private var widestWindow = 0
    /// Bytes that the server may have on their way; nil for libssh's choice.
    private var window: Int?
    /// Bytes that were read since the window was raised.
    private var takenOfWindow = 0
    /// What is read when the window is raised.
    private var windowBuffer: [UInt8] = []

    init(session: SSHSession, handle: ssh_channel) {
        self.session = session
        self.handle = handle
        let callbacks = ChannelCallbacks.make(for: self)
        self.callbacks = callbacks
        ssh_add_channel_callbacks(handle, callbacks)
    }

    /// Waits for the command's next output; nil at the channel's end, after all output. One reader at a time.
    /// - Throws: `connectionLost` or `closed` when the session ends first, after what had come; of more than 1 MiB that
    ///   nobody has read, the rest is lost with libssh's buffer.
    package func read() async throws(SSHError) -> Output? {
        while true {
            if let output = received.removeFirst() {
                if isStalled, received.isLow { drain() }
                keepWindowOpen(output.count)
                return output
            }
            if isClosedByServer || isClosedByUs || isOutputEnded && endsWithOutput { return nil }
            if let failure = session.failure { throw failure }
            precondition(reader == nil, "a channel has one reader at a time")
            await withCheckedContinuation { reader = $0 }
        }
    }

    /// Neither output nor an end of its program has come.
    var isUntouched: Bool { exit == nil && received.isEmpty }

    /// Output that has come already; nil for none.
    package func readNow() -> Output? {
        let output = received.removeFirst()
        if output != nil, isStalled, received.isLow { drain() }
        return output
    }

    /// Lets the server have so many bytes on their way to us, for bulk transfers over long links (4 MiB made 68 MB/s of 24
    /// at 25 ms). Use a session of its own for that: other channels would wait behind them.
    package func widen(to size: Int) {
        window = size
        raiseWindow(to: size)
    }

    private func keepWindowOpen(_ count: Int) {
        guard let window else { return }
        takenOfWindow += count
        guard takenOfWindow > window / 2 else { return }
        takenOfWindow = 0
        raiseWindow(to: window)
    }

    /// Writes to the command's stdin; returns when all bytes are with libssh, as far as the server's window lets them.
    /// Concurrent calls are written one after the other.
    /// - Throws: `closed` after `sendEOF()` or the channel's end.
    package func write(_ bytes: [UInt8]) async throws(SSHError) {
        guard !isInputEnded else { throw SSHError(.closed, "the channel's input has ended") }
        await writers.enter()
        defer {
            writers.leave()
            if isInputEnded { sendEOF() }
        }
        var done = 0
        while done < bytes.count {
            let mark = session.receivedBytes
            let count = try writeNow(bytes, from: done)
            done += count
            // libssh 0.10 has no callback for a window that opens.
            if count == 0 { try await session.activity(since: mark) }
        }
    }

    /// Bytes that were written and that the command has not taken yet, as far as the server has told by opening its window
    /// again, which it does in steps (RFC 4254, section 5.2). nil where the channel is over.
    package var untakenBytes: Int? {
        guard let handle else { return nil }
        return max(0, widestWindow - Int(ssh_channel_window_size(handle)))
    }

    /// Ends the command's stdin, after the writes that are under way.
    package func sendEOF() {
        isInputEnded = true
        if let handle, !writers.isTaken { ssh_channel_send_eof(handle) }
    }

    /// Ends the channel without waiting for the command, which goes on: a server does not kill it.
    package func close() {
        isClosedByUs = true
        received = OutputQueue()
        reap()
        wakeReader()
    }

    /// Writes what the window allows now, 0 for nothing.
    private func writeNow(_ bytes: [UInt8], from start: Int) throws(SSHError) -> Int {
        if let failure = session.failure { throw failure }
        guard let handle, let raw = session.raw, !isClosedByServer, !isClosedByUs else {
            throw SSHError(.closed, "the channel is closed")
        }
        let room = Int(ssh_channel_window_size(handle))
        widestWindow = max(widestWindow, room)
        let count = min(bytes.count - start, room, SSHChannel.writeLimit)
        guard count > 0 else { return 0 }
        let written = bytes.withUnsafeBytes { ssh_channel_write(handle, $0.baseAddress! + start, UInt32(count)) }
        guard written >= 0 else {
            let reason = lastError(raw)
            // This write may be the first to meet the session's loss.
            session.noticeDeath()
            throw session.failure ?? SSHError(.closed, "cannot write to the channel: \(reason)")
        }
        return Int(written)
    }

    /// Origin: half a millisecond at AES-GCM's 470 MB/s, in which nothing else runs on the loop.
    private static let writeLimit = 256 << 10
    /// Bytes that a reader is given at once: it makes copies of them.
    private static let pieceLimit = 256 << 10
}

extension SSHChannel {
    /// The channel's end is known to us, but it is not freed yet.
    var isFinished: Bool { handle != nil && isSetUp && (isClosedByServer || isClosedByUs) }

    /// Takes output from libssh's callback; returns how much was taken. What is left stays in libssh's buffer, and
    /// the server's window does not open again before it is read.
    func receive(_ bytes: UnsafeRawBufferPointer, isError: Bool) -> Int {
        guard !isClosedByUs else { return bytes.count }
        guard !received.isFull else {
            isStalled = true
            return 0
        }
        received.append(isError ? .stderr(Array(bytes)) : .stdout(Array(bytes)))
        wakeReader()
        return bytes.count
    }

    func end(with exit: ChannelExit) { self.exit = exit }

    /// EOF has come: no more output.
    func outputEnded() {
        isOutputEnded = true
        if endsWithOutput { wakeReader() }
    }

    /// CLOSE has come. Freeing in this callback would keep our own CLOSE from being sent; the session reaps later.
    func closedByServer() { isClosedByServer = true }

    /// Sends our CLOSE and frees libssh's channel. Never inside a callback. Comes again while the socket is full.
    func reap() {
        guard let handle else { return }
        if isClosedByServer, isStalled { drain() }
        if isOpen, ssh_channel_close(handle) == SSH_AGAIN { return }
        release(handle)
        session.forget(self)
        wakeReader()
    }

    /// The session is over, and libssh is about to free the channel with it.
    func sessionEnded(_ raw: ssh_session) {
        if let handle { release(handle) }
        wakeReader()
    }

    /// Freed channels keep firing callbacks until the server's CLOSE, so these are removed first.
    private func release(_ handle: ssh_channel) {
        self.handle = nil
        if let callbacks {
            ssh_remove_channel_callbacks(handle, callbacks)
            callbacks.deallocate()
        }
        callbacks = nil
        ssh_channel_free(handle)
    }

    /// Reads what stayed in libssh's buffers; at most a receive window, 1.28 MB.
    private func drain() {
        isStalled = false
        guard let handle else { return }
        for isError in [false, true] {
            while let bytes = readBuffered(handle, isError: isError) {
                received.append(isError ? .stderr(bytes) : .stdout(bytes))
            }
        }
    }

    private func readBuffered(_ handle: ssh_channel, isError: Bool) -> [UInt8]? {
        var count: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.pieceLimit) { buffer, used in
            count = ssh_channel_read_nonblocking(handle, buffer.baseAddress, UInt32(buffer.count), isError ? 1 : 0)
            used = max(0, Int(count))
        }
        return count > 0 ? bytes : nil
    }

    /// Lets the server send so many bytes before it waits for us; libssh's own 1.28 MB is little at 25 ms and more.
    /// To be called again when half of them have come.
    ///
    /// A read of that size is the only call that raises the window; it needs a buffer of that size.
    private func raiseWindow(to size: Int) {
        guard let handle, isSetUp else { return }
        // Memory that nobody has touched costs nothing.
        if windowBuffer.count < size { windowBuffer = [UInt8](unsafeUninitializedCapacity: size) { $1 = size } }
        let count = windowBuffer.withUnsafeMutableBytes { buffer in
            max(0, Int(ssh_channel_read_timeout(handle, buffer.baseAddress, UInt32(size), 0, 0)))
        }
        for start in stride(from: 0, to: count, by: Self.pieceLimit) {
            received.append(.stdout(Array(windowBuffer[start..<min(start + Self.pieceLimit, count)])))
        }
        if count > 0 { wakeReader() }
    }

    private func wakeReader() {
        reader?.resume()
        reader = nil
    }
}
