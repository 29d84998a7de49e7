import CLibSSH
import Glibc

/// The last error of a session in libssh's words. Copied at once: the next call overwrites it.
func lastError(_ raw: ssh_session) -> String {
    ssh_get_error(UnsafeMutableRawPointer(raw)).map { String(cString: $0) } ?? ""
}

/// The events that a session waits for, for poll(2).
enum SocketEvents {
    static func wanted(by raw: ssh_session) -> Int16 {
        let flags = ssh_get_poll_flags(raw)
        return Int16(POLLIN) | (flags & SSH_WRITE_PENDING != 0 ? Int16(POLLOUT) : 0)
    }
}
