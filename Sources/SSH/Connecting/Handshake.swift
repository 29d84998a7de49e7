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
    private let address: String

    /// What carries the bytes.
    enum Path: Sendable {
        /// A TCP connection that is made here.
        case network
        /// A connected descriptor, which is closed with the session.
        case tunnel(Int32)
    }

    /// What the loop takes over.
    struct Outcome: @unchecked Sendable {
        // Unchecked because a pointer isn't Sendable; the worker never uses it again.
        let raw: ssh_session
        let address: String
        let hostKey: HostKey
        let serverBanner: String
        let algorithms: NegotiatedAlgorithms
        /// What let us in.
        let credentials: [String]
    }

    /// Makes a session on a worker thread.
    static func logIn(
        _ options: SSHOptions, over path: Path, _ deadline: Deadline
    ) async throws(SSHError) -> Outcome {
        try await WorkerThread.run(until: deadline, place: options.place, discard: { dispose($0.raw) }) {
            () throws(SSHError) in
            let handshake = try Handshake(options, over: path, deadline)
            do throws(SSHError) { return try handshake.logIn() } catch {
                dispose(handshake.raw)
                throw error
            }
        }
    }

    /// The key that the server shows; nothing is logged in to.
    static func hostKey(
        _ options: SSHOptions, over path: Path, _ deadline: Deadline
    ) async throws(SSHError) -> HostKey {
        try await WorkerThread.run(until: deadline, place: options.place) { () throws(SSHError) in
            let handshake = try Handshake(options, over: path, deadline)
            defer { dispose(handshake.raw) }
            try handshake.exchangeKeys()
            return try HostKeyCheck.shownKey(handshake.raw, options.place)
        }
    }

    private init(_ options: SSHOptions, over path: Path, _ deadline: Deadline) throws(SSHError) {
        self.options = options
        self.deadline = deadline
        let descriptor: Int32
        switch path {
        case .network:
            let connector = Connector(
                host: options.host, port: options.port, place: options.place, deadline: deadline)
            let connection = try connector.connect()
            descriptor = connection.descriptor
            address = connection.address
        case .tunnel(let end):
            descriptor = end
            address = options.host
        }
        guard let raw = ssh_new() else { fatalError("out of memory") }
        self.raw = raw
        do throws(SSHError) { try configure(descriptor) } catch {
            close(descriptor)
            ssh_free(raw)
            throw error
        }
    }

    /// From ssh_connect on the descriptor is libssh's; this closes it.
    private static func dispose(_ raw: ssh_session) {
        ssh_silent_disconnect(raw)
        ssh_free(raw)
    }

    private func logIn() throws(SSHError) -> Outcome {
        let (_, isStrict) = try StrictKeyExchange.observe { () throws(SSHError) in try exchangeKeys() }
        let conversation = Conversation(options.ask, deadline)
        let hostKey = try HostKeyCheck(options: options, raw: raw, conversation: conversation).trustedKey()
        let authentication = Authentication(handshake: self, conversation: conversation)
        try authentication.logIn()
        let banner = ssh_get_serverbanner(raw).map { String(cString: $0) } ?? ""
        return Outcome(
            raw: raw, address: address, hostKey: hostKey, serverBanner: banner,
            algorithms: NegotiatedAlgorithms(raw, isStrict: isStrict), credentials: authentication.report.accepted)
    }

    /// Sets every option explicitly: the user's ssh_config is not read, and `~` is nowhere left to libssh, which takes
    /// it from the passwd file rather than from `$HOME`.
    private func configure(_ descriptor: Int32) throws(SSHError) {
        try set(SSH_OPTIONS_PROCESS_CONFIG, false)
        // The connection is made, and the known hosts are ours to judge: the name has no meaning any more, and libssh
        // would refuse some that work, such as those with an underscore.
        try set(SSH_OPTIONS_HOST, "target")
        try set(SSH_OPTIONS_USER, options.user)
        try set(SSH_OPTIONS_SSH_DIR, "/nonexistent")
        try set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null")
        try set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null")
        try set(SSH_OPTIONS_FD, descriptor)
        try setAlgorithms()
        ssh_set_blocking(raw, 0)
    }

    private func setAlgorithms() throws(SSHError) {
        for kind in AlgorithmKind.allCases {
            guard let names = algorithmNames(kind) else { continue }
            guard !names.isEmpty else {
                throw SSHError(
                    .configuration, "no \(kind.noun) is left to use for \(options.place)",
                    hint: "known are: \(kind.known.joined(separator: ", "))")
            }
            for option in kind.options { try set(option, names.joined(separator: ",")) }
        }
    }

    /// The list to set for a kind; nil for libssh's own.
    func algorithmNames(_ kind: AlgorithmKind) -> [String]? {
        guard kind == .hostKeys else { return options.algorithms.names(kind) }
        return options.algorithms.hostKeyNames(
            preferring: options.pinnedHostKey == nil ? KnownHosts(options).types : [])
    }

    private func set(_ option: ssh_options_e, _ text: String) throws(SSHError) {
        try require(option, ssh_options_set(raw, option, text))
    }

    private func set<Value: BitwiseCopyable>(_ option: ssh_options_e, _ value: Value) throws(SSHError) {
        try require(option, withUnsafePointer(to: value) { ssh_options_set(raw, option, $0) })
    }

    private func require(_ option: ssh_options_e, _ result: Int32) throws(SSHError) {
        guard result == 0 else {
            throw SSHError(
                .configuration,
                "cannot reach \(options.place): libssh does not accept option \(option.rawValue): \(lastError(raw))")
        }
    }

    /// ssh_connect: greeting and key exchange.
    private func exchangeKeys() throws(SSHError) {
        let result = try complete(again: SSH_AGAIN) { ssh_connect(raw) }
        guard result != SSH_OK else { return }
        let reason = lastError(raw)
        if let mismatch = AlgorithmMismatch(reason) { throw mismatch.error(at: options.place) }
        if ssh_get_serverbanner(raw) == nil {
            throw SSHError(.unreachable, "cannot reach \(options.place): not an SSH server (\(reason))")
        }
        throw SSHError(.unreachable, "cannot reach \(options.place): \(reason)")
    }

    /// Repeats a call that would block, whenever the socket is ready, until the deadline.
    ///
    /// Calls of the login would block forever on a connection that the server has closed (auth.c,
    /// `ssh_auth_response_termination`): that is an error, -1 for all of them.
    func complete(again: Int32, _ call: () -> Int32) throws(SSHError) -> Int32 {
        while true {
            let result = call()
            guard result == again else { return result }
            if ssh_is_connected(raw) == 0 { return SSH_ERROR }
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
