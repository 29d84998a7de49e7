import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite struct UnixSocketTests {
    let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    /// A connection's first bytes from the client to the server, both on this thread: the backlog holds the client.
    private func converse(at path: String) throws {
        let listener = try UnixSocket.listen(at: path)
        let client = try UnixSocket.connect(to: path)
        // The same user's client is let in, which takes SO_PEERCRED.
        let server = try #require(try UnixSocket.accept(on: listener))
        try client.write(Array("hello".utf8))
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(read(server.descriptor, &buffer, buffer.count) == 5)
        #expect(buffer.prefix(5).elementsEqual("hello".utf8))
        for file in [listener, client, server] { #expect(fcntl(file.descriptor, F_GETFD) & FD_CLOEXEC != 0) }
    }

    @Test func aSocketConnects() throws { try converse(at: scratch.path("s")) }

    @Test func aPathBeyond108BytesConnects() throws {
        let directory = scratch.path(String(repeating: "long-", count: 40))
        try FileSystem.makeDirectory(directory)
        try converse(at: "\(directory)/control.sock")
    }

    @Test func everyLengthAroundTheLimitConnects() throws {
        for length in 100...116 {
            let padding = length - scratch.path.utf8.count - "//s".utf8.count
            let directory = scratch.path(String(repeating: "n", count: max(1, padding)))
            try FileSystem.makeDirectory(directory)
            try converse(at: "\(directory)/s")
        }
    }

    @Test func aDeadSocketIsReplaced() throws {
        let path = scratch.path("s")
        _ = try UnixSocket.listen(at: path)
        #expect(#expect(throws: SystemError.self) { try UnixSocket.connect(to: path) }?.code == ECONNREFUSED)
        try converse(at: path)
        let none = scratch.path("none")
        #expect(#expect(throws: SystemError.self) { try UnixSocket.connect(to: none) }?.code == ENOENT)
    }

    @Test(.enabled(if: getuid() == 0 && Command.find("setpriv") != nil && Command.find("python3") != nil))
    func anotherUserIsRefused() async throws {
        let path = scratch.path("s")
        let listener = try UnixSocket.listen(at: path)
        chmod(scratch.path, 0o755)
        chmod(path, 0o777)
        let script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(1))"
        // Origin of 65534: nobody. Root's own Python may lie where nobody can read it.
        let client = try RunningCommand(
            try #require(Command.find("setpriv")),
            ["--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/env", "python3", "-c", script, path],
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"])
        #expect(try UnixSocket.accept(on: listener) == nil)
        #expect(try await client.wait().outputText == "b''\n")
    }
}
