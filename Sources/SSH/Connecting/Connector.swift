import CLinux
import Glibc
import LinuxSystem

/// Opens the TCP connection: all addresses of the name, each a quarter of a second after the one before (RFC 8305),
/// and the first that answers wins. libssh 0.10 would try the first address only. Blocks; runs on a worker thread.
///
/// Where nobody answers at all, every second the addresses are tried anew: the kernel repeats its own question after ever
/// longer pauses, and a link that comes back within one of those would be noticed up to 16 s later.
struct Connector {
    let host: String
    let port: Int
    /// As in messages: `host:port`.
    let place: String
    let deadline: Deadline

    /// A connected, tuned socket and the peer's numeric address.
    struct Connection {
        let descriptor: Int32
        let address: String
    }

    private struct Attempt {
        let descriptor: Int32
        let address: String
    }

    /// Origin: RFC 8305, section 5, "Connection Attempt Delay".
    private static let stagger: Int32 = 250
    /// Milliseconds of silence before a further attempt. Origin: the kernel's own first pause (RFC 6298).
    private static let repetition: Int32 = 1000
    /// How many attempts wait for one address at a time: the first, in case the way is slower than any repetition, and
    /// the two latest. More would only load a server that comes back.
    private static let attemptsPerAddress = 3

    func connect() throws(SSHError) -> Connection {
        let addresses = try SocketAddress.resolve(host, port: port, place: place)
        var remaining = addresses[...]
        var attempts: [Attempt] = []
        var lastError = ETIMEDOUT
        defer { attempts.forEach { close($0.descriptor) } }
        while !deadline.isOver {
            if let next = remaining.popFirst() {
                do { attempts.append(try start(next)) } catch { lastError = error.code }
            }
            if attempts.isEmpty {
                if remaining.isEmpty { throw unreachable(String(cString: strerror(lastError))) }
                continue
            }
            let patience = remaining.isEmpty ? Connector.repetition : Connector.stagger
            let decided = ready(attempts, min(patience, deadline.milliseconds))
            if decided.isEmpty, remaining.isEmpty {
                remaining = addresses[...]
                while attempts.count > addresses.count * (Connector.attemptsPerAddress - 1) {
                    close(attempts.remove(at: addresses.count).descriptor)
                }
            }
            for index in decided.reversed() {
                let attempt = attempts.remove(at: index)
                let code = outcome(attempt.descriptor)
                if code == 0 { return try tuned(attempt) }
                close(attempt.descriptor)
                lastError = code
            }
        }
        throw unreachable("timed out after \(deadline.description)")
    }

    private func start(_ address: SocketAddress) throws(SystemError) -> Attempt {
        let descriptor = try check("create a socket") {
            socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        }
        let result = address.withPointer { Glibc.connect(descriptor, $0, $1) }
        if result == 0 || errno == EINPROGRESS {
            return Attempt(descriptor: descriptor, address: address.numeric)
        }
        let failure = SystemError("connect to \(address.numeric)")
        close(descriptor)
        throw failure
    }

    /// The indices of the attempts that were decided within some milliseconds.
    private func ready(_ attempts: [Attempt], _ milliseconds: Int32) -> [Int] {
        var descriptors = attempts.map { pollfd(fd: $0.descriptor, events: Int16(POLLOUT), revents: 0) }
        guard poll(&descriptors, nfds_t(descriptors.count), milliseconds) > 0 else { return [] }
        return descriptors.indices.filter { descriptors[$0].revents != 0 }
    }

    /// The error of a decided attempt, 0 for a connection (SO_ERROR, connect(2)).
    private func outcome(_ descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }

    private func tuned(_ attempt: Attempt) throws(SSHError) -> Connection {
        // Kernel probes find a cut idle link, the user timeout one with data in flight; the keepalives of the session
        // find a stopped server as well.
        if clinux_tune_tcp(attempt.descriptor, 5, 2, 3, 10_000) != 0 {
            let reason = String(cString: strerror(errno))
            close(attempt.descriptor)
            throw unreachable(reason)
        }
        return Connection(descriptor: attempt.descriptor, address: attempt.address)
    }

    private func unreachable(_ reason: String) -> SSHError {
        SSHError(.unreachable, "cannot reach \(place): \(lowerCased(reason))")
    }

    /// `Connection refused` as the rest of a sentence.
    private func lowerCased(_ reason: String) -> String { reason.prefix(1).lowercased() + reason.dropFirst() }
}
