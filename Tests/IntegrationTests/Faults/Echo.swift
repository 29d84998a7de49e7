import Glibc
import LinuxSystem
import TestSupport

/// A loopback server that sends every byte back, for tests of what stands in between.
final class EchoServer: Sendable {
    let port: Int
    private let listener: File

    init() throws {
        listener = try LoopbackSocket.listen(port: 0)
        port = try LoopbackSocket.port(of: listener)
        LinuxSystem.startThread { [listener] in
            while true {
                let descriptor = accept(listener.descriptor, nil, nil)
                guard descriptor >= 0 else { return }
                let client = File(adopting: descriptor, path: "client")
                LinuxSystem.startThread { EchoServer.serve(client) }
            }
        }
    }

    deinit { shutdown(listener.descriptor, Int32(SHUT_RDWR)) }

    private static func serve(_ client: File) {
        var bytes = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(client.descriptor, &bytes, bytes.count, 0)
            guard count > 0, (try? client.send(Array(bytes.prefix(count)))) != nil else { return }
        }
    }
}

/// A client that can wait for bytes, and for none, without blocking its thread.
final class EchoClient: Sendable {
    enum Sound: Equatable { case bytes([UInt8]), end }

    private let socket: File

    init(port: Int) throws { socket = try LoopbackSocket.connect(port: port) }

    /// Sends from a thread of its own: what a link holds back must not hold up the test.
    func send(_ bytes: [UInt8]) { LinuxSystem.startThread { [socket] in try? socket.send(bytes) } }

    /// The next bytes or the connection's end; nil when nothing came in time.
    func hears(within time: Duration, atMost count: Int = 16_384) async -> Sound? {
        let deadline = ContinuousClock.now + time
        var bytes = [UInt8](repeating: 0, count: count)
        while ContinuousClock.now < deadline {
            let count = recv(socket.descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            if count > 0 { return .bytes(Array(bytes.prefix(count))) }
            if count == 0 || errno != EAGAIN { return .end }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return nil
    }

    /// Exactly so many bytes; fewer when the connection ends or ten seconds pass.
    func receive(_ count: Int) async -> [UInt8] {
        var received: [UInt8] = []
        while received.count < count {
            guard case .bytes(let more) = await hears(within: .seconds(10), atMost: count - received.count) else {
                break
            }
            received += more
        }
        return received
    }
}
