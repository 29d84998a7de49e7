import Glibc
package import LinuxSystem

/// TCP sockets of this machine's own addresses, close-on-exec (ip(7)).
package enum LoopbackSocket {
    package static let host = "127.0.0.1"

    package static func make() throws -> File {
        let descriptor = try check("create a socket") {
            socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        return File(adopting: descriptor, path: "socket")
    }

    /// A listener on a loopback port; 0 takes a free one.
    package static func listen(port: Int) throws -> File {
        let listener = try make()
        var yes: Int32 = 1
        try check("configure a socket") {
            setsockopt(listener.descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
        try withAddress(host, port) { address, length in
            _ = try check("bind a port") { bind(listener.descriptor, address, length) }
        }
        try check("listen") { Glibc.listen(listener.descriptor, 64) }
        return listener
    }

    /// A connection to a server of this machine.
    package static func connect(_ host: String = host, port: Int) throws -> File {
        let client = try make()
        try withAddress(host, port) { address, length in
            _ = try check("connect") { Glibc.connect(client.descriptor, address, length) }
        }
        return client
    }

    /// The port on which a socket listens.
    package static func port(of listener: File) throws -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = try check("read the port") { getsockname(listener.descriptor, generic, &length) }
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func withAddress(
        _ host: String, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void
    ) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { throw SystemError("read", path: host) }
        try withUnsafePointer(to: address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
