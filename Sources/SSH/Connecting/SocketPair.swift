import Glibc
import LinuxSystem

/// Two connected stream sockets (socketpair(2)).
enum SocketPair {
    /// - Returns: our end, and the bare descriptor of the other for somebody who closes it.
    static func make() throws(SystemError) -> (own: File, other: Int32) {
        var ends: [Int32] = [-1, -1]
        try check("make a pair of sockets") {
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        return (File(adopting: ends[0], path: "socket pair"), ends[1])
    }
}
