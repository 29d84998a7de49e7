import CLibSSH
import Glibc
import LinuxSystem

/// Makes an authenticated libssh session on a worker thread: connection, key exchange, host key, login. The session is
/// then handed to the loop.
///
/// libssh's non-blocking mode is used with a poll(2) of our own, so that one deadline bounds every step; its own
/// timeouts leave several of them unbounded.
struct Handshake {
    let options: SSHOptions
    let deadline: Deadline
    let raw: ssh_session

    /// What the loop takes over.
    struct Outcome: @unchecked Sendable {
        // Unchecked because a pointer isn't Sendable; the worker never uses it again.
        let raw: ssh_session
        let address: String
        let hostKey: HostKey
        let serverBanner: String
    }

    /// Makes a session on a worker thread.
    ///
    /// Name resolution and a locked agent block where no deadline reaches; the caller is then told without them, and
    /// what comes of it later is thrown away.
    static func run(_ options: SSHOptions) async throws(SSHError) -> Outcome {
        let reply = FirstReply<Result<Outcome, SSHError>>()
        let watchdog = Task {
            try await Task.sleep(for: .seconds(Deadline.sensible(options.timeout) + grace))
            let deadline = Deadline(seconds: options.timeout)
            let message = "cannot reach \(options.place): timed out after \(deadline.description)"
            _ = reply.give(.failure(SSHError(.unreachable, message)))
        }
        defer { watchdog.cancel() }
        let result = await reply.value {
            WorkerThread.start {
                let result = Result { () throws(SSHError) in try perform(options) }
                if !reply.give(result), case .success(let unwanted) = result { dispose(unwanted.raw) }
            }
        }
        return try result.get()
    }

    /// Seconds in which the worker's own deadline, which knows more, may speak first.
    private static let grace = 0.5

    private static func perform(_ options: SSHOptions) throws(SSHError) -> Outcome {
        let deadline = Deadline(seconds: options.timeout)
        let connector = Connector(host: options.host, port: options.port, place: options.place, deadline: deadline)
        let connection = try connector.connect()
        guard let raw = ssh_new() else { fatalError("out of memory") }
        let handshake = Handshake(options: options, deadline: deadline, raw: raw)
        do {
            try handshake.configure(connection.descriptor)
        } catch {
            close(connection.descriptor)
            ssh_free(raw)
            throw error
        }
        do {
            return try handshake.logIn(connection.address)
        } catch {
            dispose(raw)
            throw error
        }
    }

    /// From ssh_connect on the descriptor is libssh's; this closes it.
    private static func dispose(_ raw: ssh_session) {
        ssh_silent_disconnect(raw)
        ssh_free(raw)
    }

    private func logIn(_ address: String) throws(SSHError) -> Outcome {
        try exchangeKeys()
        let hostKey = try HostKeyCheck(options: options, raw: raw).trustedKey()
        try Authentication(handshake: self).logIn()
        let banner = ssh_get_serverbanner(raw).map { String(cString: $0) } ?? ""
        return Outcome(raw: raw, address: address, hostKey: hostKey, serverBanner: banner)
    }

    /// Sets every option explicitly: the user's ssh_config is not read, and `~` is nowhere left to libssh, which takes
    /// it from the passwd file rather than from `$HOME`.
    private func configure(_ descriptor: Int32) throws(SSHError) {
        let usesKnownHosts = options.pinnedHostKey == nil
        let hostName = options.host.contains(":") ? "[\(options.host)]" : options.host
        try set(SSH_OPTIONS_PROCESS_CONFIG, false)
        try set(SSH_OPTIONS_HOST, hostName)
        try set(SSH_OPTIONS_PORT, UInt32(clamping: options.port))
        try set(SSH_OPTIONS_USER, options.user)
        try set(SSH_OPTIONS_SSH_DIR, "/nonexistent")
        try set(SSH_OPTIONS_KNOWNHOSTS, usesKnownHosts ? escaped(options.knownHostsFile) : "/dev/null")
        try set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, usesKnownHosts ? KnownHosts.globalFile ?? "/dev/null" : "/dev/null")
        try set(SSH_OPTIONS_FD, descriptor)
        if let socket = options.agentSocket { try set(SSH_OPTIONS_IDENTITY_AGENT, socket) }
        ssh_set_blocking(raw, 0)
    }

    /// libssh expands `%` in paths.
    private func escaped(_ path: String) -> String {
        path.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
    }

    private func set(_ option: ssh_options_e, _ text: String) throws(SSHError) {
        try require(option, ssh_options_set(raw, option, text))
    }

    private func set<Value: BitwiseCopyable>(_ option: ssh_options_e, _ value: Value) throws(SSHError) {
        try require(option, withUnsafePointer(to: value) { ssh_options_set(raw, option, $0) })
    }

    private func require(_ option: ssh_options_e, _ result: Int32) throws(SSHError) {
        guard result == 0 else {
            let value = option == SSH_OPTIONS_HOST ? "the host name \(options.host)" : "option \(option.rawValue)"
            throw SSHError(.unreachable, "cannot reach \(options.place): libssh does not accept \(value)")
        }
    }

    /// ssh_connect: greeting and key exchange.
    private func exchangeKeys() throws(SSHError) {
        let result = try complete(again: SSH_AGAIN) { ssh_connect(raw) }
        guard result == SSH_OK else {
            let reason = lastError(raw)
            if ssh_get_serverbanner(raw) == nil {
                throw SSHError(.unreachable, "cannot reach \(options.place): not an SSH server (\(reason))")
            }
            throw SSHError(.unreachable, "cannot reach \(options.place): \(reason)")
        }
    }

    /// Repeats a call that would block, whenever the socket is ready, until the deadline.
    func complete(again: Int32, _ call: () -> Int32) throws(SSHError) -> Int32 {
        while true {
            let result = call()
            guard result == again else { return result }
            if deadline.isOver { throw timedOut() }
            var descriptor = pollfd(fd: ssh_get_fd(raw), events: SocketEvents.wanted(by: raw), revents: 0)
            _ = poll(&descriptor, 1, deadline.milliseconds)
        }
    }

    private func timedOut() -> SSHError {
        let silence = ssh_get_serverbanner(raw) == nil ? " without a greeting; is it an SSH server?" : ""
        return SSHError(
            .unreachable, "cannot reach \(options.place): timed out after \(deadline.description)\(silence)")
    }
}
