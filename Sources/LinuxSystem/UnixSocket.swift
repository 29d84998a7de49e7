import CLinux
import Glibc

/// Stream sockets in the file system (unix(7)). A path beyond the 108 bytes of `sockaddr_un` is reached through
/// `/proc/self/fd/N/`, where N is an open descriptor of its directory.
package enum UnixSocket {
    /// Listens on a new socket file; a left-over of a dead process is replaced. Mode 0600 by the caller's umask 077.
    package static func listen(at path: String) throws(SystemError) -> File {
        unlink(path)
        let socket = try make(path)
        try withAddress(path) { (address, length) throws(SystemError) in
            try check("listen on", path: path) { bind(socket.descriptor, address, length) }
        }
        try check("listen on", path: path) { Glibc.listen(socket.descriptor, 64) }
        return socket
    }

    /// Connects to a listening socket: ENOENT without a file, ECONNREFUSED when nobody listens.
    package static func connect(to path: String) throws(SystemError) -> File {
        let socket = try make(path)
        try withAddress(path) { (address, length) throws(SystemError) in
            try check("connect to", path: path) { Glibc.connect(socket.descriptor, address, length) }
        }
        return socket
    }

    /// Waits for the next client, and refuses those of other users (SO_PEERCRED): nil for such a one.
    package static func accept(on listener: File) throws(SystemError) -> File? {
        let descriptor = try check("accept on", path: listener.path) { clinux_accept(listener.descriptor) }
        let client = File(adopting: descriptor, path: listener.path)
        var uid: uid_t = 0
        guard clinux_peer_uid(descriptor, &uid) == 0, uid == getuid() else { return nil }
        return client
    }

    /// Two connected sockets without a name (socketpair(2)).
    package static func pair() throws(SystemError) -> (File, File) {
        var ends: [Int32] = [-1, -1]
        try check("make a pair of sockets") {
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        return (File(adopting: ends[0], path: "a socket pair"), File(adopting: ends[1], path: "a socket pair"))
    }

    private static func make(_ path: String) throws(SystemError) -> File {
        let descriptor = try check("create a socket for", path: path) {
            socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        return File(adopting: descriptor, path: path)
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
    ) throws(SystemError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        var usable = path
        var directory: File?
        if path.utf8.count >= capacity {
            let opened = try File(path: FileSystem.parent(of: path), O_RDONLY | O_DIRECTORY)
            usable = "/proc/self/fd/\(opened.descriptor)/\(FileSystem.name(of: path))"
            directory = opened
        }
        guard usable.utf8.count < capacity else { throw SystemError("use the socket", path: path, code: ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: usable.utf8) }
        let copy = address
        let result: Result<Void, SystemError> = withUnsafePointer(to: copy) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                Result { () throws(SystemError) in try body(generic, socklen_t(MemoryLayout<sockaddr_un>.size)) }
            }
        }
        withExtendedLifetime(directory) {}
        try result.get()
    }
}
