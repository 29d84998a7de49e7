import LinuxSystem
import SSH
import TestSupport
import Testing

/// Commands on a real server; each test has its own.
@Suite(.timeLimit(.minutes(2))) struct ExecTests {
    @Test func aSessionKnowsItsServer() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        #expect(session.hostKeyFingerprint == server.hostKeyFingerprint)
        #expect(session.hostKeyType == "ssh-ed25519")
        #expect(session.serverBanner.hasPrefix("SSH-2.0-OpenSSH"))
        #expect(session.address == "127.0.0.1")
        #expect(await session.isConnected)
        await session.close()
        await session.close()
        #expect(await session.isConnected == false)
        #expect(await session.waitUntilLost().code == .closed)
        await #expect(throws: SSHError.self) { try await session.openExec("true") }
    }

    @Test func outputAndErrorsComeApartAndInputArrives() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        let result = try await session.run("cat; echo no >&2; exit 3", input: Array("yes".utf8))
        #expect(result.outputText == "yes")
        #expect(result.errorText == "no\n")
        #expect(result.exit == .status(3))
        await session.close()
    }

    @Test func aDeathBySignalHasItsName() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        #expect(try await session.run("kill -KILL $$").exit == .signal("KILL"))
        await session.close()
    }

    @Test func binaryBytesAndStatus255AreUnchanged() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        let bytes = testBytes(1000)
        let result = try await session.run("cat; exit 255", input: bytes)
        #expect(result.output == bytes)
        #expect(result.exit == .status(255))
        await session.close()
    }

    @Test func tenMegabytesGoThroughAndBack() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        let bytes = testBytes(10_000_000)
        let channel = try await session.openExec("cat")
        async let read = channel.readToEnd()
        try await channel.write(bytes)
        await channel.sendEOF()
        #expect(try await read.output == bytes)
        await session.close()
    }

    /// The server has to stop, and goes on when it is read: nothing is lost between.
    @Test func outputThatNobodyReadsWaits() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        let slow = try await session.openExec("head -c 6000000 /dev/zero; echo end >&2; exit 4")
        #expect(try await session.run("sleep 0.3; echo between").outputText == "between\n")
        let result = try await slow.readToEnd()
        #expect(result.output.count == 6_000_000)
        #expect(result.errorText == "end\n")
        #expect(result.exit == .status(4))
        await session.close()
    }

    @Test func eightCommandsRunAtOnce() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        let outputs = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<8 {
                group.addTask { try await session.run("head -c 300000 /dev/zero | wc -c; echo \(number)").outputText }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(outputs == Set((0..<8).map { "300000\n\($0)\n" }))
        await session.close()
    }

    @Test func concurrentWritesDoNotMix() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        let channel = try await session.openExec("sleep 0.2; fold -b -w 1000000 | cut -c 1,1000000")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for letter in UInt8(ascii: "a")...UInt8(ascii: "f") {
                group.addTask { try await channel.write([UInt8](repeating: letter, count: 1_000_000)) }
            }
            try await group.waitForAll()
        }
        await channel.sendEOF()
        let lines = try await channel.readToEnd().outputText.split(separator: "\n")
        #expect(Set(lines) == ["aa", "bb", "cc", "dd", "ee", "ff"])
        await session.close()
    }

    @Test func theEndOfInputDoesNotOvertakeAWrite() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        let channel = try await session.openExec("sleep 0.2; wc -c")
        async let writing: Void = channel.write([UInt8](repeating: 1, count: 5_000_000))
        #expect(try await session.run("echo while it waits").outputText == "while it waits\n")
        await channel.sendEOF()
        #expect(try await channel.readToEnd().outputText == "5000000\n")
        try await writing
        await session.close()
    }

    @Test func aChannelBeyondTheLimitIsRefusedAndTheOthersLive() async throws {
        let server = try await SSHServer.start(.init(maxSessions: 2))
        let session = try await SSHSession.connect(server.options)
        let first = try await session.openExec("cat")
        let second = try await session.openExec("cat")
        let error = await #expect(throws: SSHError.self) { try await session.openExec("cat") }
        #expect(error?.code == .channelRefused)
        for channel in [first, second] {
            try await channel.write(Array("alive".utf8))
            await channel.sendEOF()
            #expect(try await channel.readToEnd().outputText == "alive")
        }
        #expect(try await session.run("echo again").outputText == "again\n")
        await session.close()
    }

    /// The server asks for new keys every megabyte, in the middle of everything.
    @Test func newKeysUnderWayLoseNothing() async throws {
        let server = try await SSHServer.start(.init(extraLines: ["RekeyLimit 1M"]))
        let session = try await SSHSession.connect(server.options)
        let bytes = testBytes(8_000_000)
        let channel = try await session.openExec("cat")
        async let read = channel.readToEnd()
        async let other = session.run("sleep 0.1; head -c 3000000 /dev/zero | wc -c")
        try await channel.write(bytes)
        await channel.sendEOF()
        #expect(try await read.output == bytes)
        #expect(try await other.outputText == "3000000\n")
        await session.close()
    }

    @Test(.enabled(if: DropbearServer.isAvailable)) func dropbearServesAsOpenSSHDoes() async throws {
        let server = try await DropbearServer.start()
        let session = try await SSHSession.connect(server.options)
        for number in 0..<20 {
            let result = try await session.run("cat; echo no >&2; exit \(number)", input: Array("yes".utf8))
            #expect(result.outputText == "yes")
            #expect(result.errorText == "no\n")
            #expect(result.exit == .status(Int32(number)))
        }
        #expect(try await session.run("kill -TERM $$").exit == .signal("TERM"))
        await session.close()
    }

    @Test func hundredsOfCommandsLeakNoChannel() async throws {
        let server = try await SSHServer.start(.init(maxSessions: 3))
        let session = try await SSHSession.connect(server.options)
        for number in 0..<400 {
            #expect(try await session.run("echo \(number)").outputText == "\(number)\n")
        }
        await session.close()
    }

    @Test func aClosedChannelEndsItsReaderAndTakesNothing() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        let channel = try await session.openExec("cat")
        async let read = channel.read()
        await channel.close()
        #expect(try await read == nil)
        let error = await #expect(throws: SSHError.self) { try await channel.write([1]) }
        #expect(error?.code == .closed)
        #expect(try await session.run("echo still").outputText == "still\n")
        await session.close()
    }

    @Test func aCommandWithNULIsRefused() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        let error = await #expect(throws: SSHError.self) { try await session.openExec([0x61, 0, 0x62]) }
        #expect(error?.code == .channelRefused)
        await session.close()
    }
}
