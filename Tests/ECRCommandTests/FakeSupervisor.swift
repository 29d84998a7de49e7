import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import Synchronization

/// Plays the supervisor's part of the control protocol: takes the lock and answers every client with the same lines.
final class FakeSupervisor: Sendable {
    private let events: File
    private let listener: File
    private let requests = Mutex<[JSON]>([])

    /// - Parameters:
    ///   - hello: the first line.
    ///   - answers: what follows a request; the connection is closed behind the last one.
    init(
        _ run: RunDirectory, hello: String = #"{"protocol":1,"ecr":"0.1.0"}"#, answers: [String] = [],
        keepOpen: Bool = false
    ) throws {
        if try run.state().status == .created {
            let writer = try EventWriter(path: run.events)
            try writer.appendBlocking(.runStarted, [:])
            writer.close()
        }
        events = try File(path: run.events, O_RDWR)
        _ = try events.lock(byte: EventWriter.supervisorByte)
        listener = try UnixSocket.listen(at: run.socket)
        startThread { [self] in
            while let client = try? UnixSocket.accept(on: listener) { serve(client, hello, answers, keepOpen) }
        }
    }

    /// The requests so far.
    var received: [JSON] { requests.withLock { $0 } }

    func stop() {
        events.unlock(byte: EventWriter.supervisorByte)
        shutdown(listener.descriptor, Int32(SHUT_RDWR))
    }

    private func serve(_ client: File, _ hello: String, _ answers: [String], _ keepOpen: Bool) {
        var lines = 0
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        try? client.write(Array((hello + "\n").utf8))
        while lines < 2 {
            let count = read(client.descriptor, &chunk, chunk.count)
            guard count > 0 else { return }
            text += chunk.prefix(count)
            lines = text.count { $0 == 0x0A }
        }
        let request = text.split(separator: 0x0A)[1]
        requests.withLock { $0.append((try? JSON(parsing: request)) ?? .null) }
        for answer in answers { try? client.write(Array((answer + "\n").utf8)) }
        if keepOpen { _ = read(client.descriptor, &chunk, chunk.count) }
    }
}
