import Glibc
import LinuxSystem

/// A listening loopback socket without a server: connections are made by the kernel, and nobody answers.
final class Listener: Sendable {
    let port: Int
    private let socket: File

    init() throws {
        let descriptor = try check("create a socket") { Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        socket = File(adopting: descriptor, path: "socket")
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                try check("bind") { bind(descriptor, generic, length) }
                try check("listen") { listen(descriptor, 8) }
                try check("name") { getsockname(descriptor, generic, &length) }
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    /// Sends a text to the first client and closes its connection, on a thread of its own.
    func answer(_ text: String) {
        let box = Unmanaged.passRetained(Answer(listener: self, text: text)).toOpaque()
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { box in
                Unmanaged<Answer>.fromOpaque(box!).takeRetainedValue().give()
                return nil
            }, box)
        pthread_detach(thread)
    }

    private final class Answer {
        let listener: Listener
        let text: String

        init(listener: Listener, text: String) {
            self.listener = listener
            self.text = text
        }

        func give() {
            let client = accept(listener.socket.descriptor, nil, nil)
            _ = send(client, text, text.utf8.count, Int32(MSG_NOSIGNAL))
            shutdown(client, Int32(SHUT_WR))
            var byte: UInt8 = 0
            while recv(client, &byte, 1, 0) > 0 {}
            close(client)
        }
    }
}
