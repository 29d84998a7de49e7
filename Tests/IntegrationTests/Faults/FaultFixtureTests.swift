import Glibc
import LinuxSystem
import TestSupport
import Testing

/// The faults themselves: a test that survives a fault must not mean that there was none.
@Suite(.serialized, .timeLimit(.minutes(2))) struct FaultFixtureTests {
    private func ssh(_ arguments: [String], _ command: String) async throws -> CommandResult {
        try await Command.run("/usr/bin/ssh", arguments + [command])
    }

    // MARK: FlakyLink

    /// A server that sends back what it gets, behind a link.
    private func withEcho(_ body: (FlakyLink) async throws -> Void) async throws {
        let echo = try EchoServer()
        try await body(try FlakyLink(to: echo.port))
    }

    @Test func aLinkWithoutFaultsCarriesEverything() async throws {
        try await withEcho { link in
            let client = try EchoClient(port: link.port)
            let bytes = testBytes(300_000)
            client.send(bytes)
            #expect(await client.receive(bytes.count) == bytes)
            #expect(link.carried(.toServer) == bytes.count && link.carried(.toClient) == bytes.count)
            #expect(link.connections == 1)
        }
    }

    @Test func aStalledLinkGoesOnWhereItStopped() async throws {
        try await withEcho { link in
            let client = try EchoClient(port: link.port)
            client.send([1])
            #expect(await client.receive(1) == [1])
            link.fail(.stall)
            client.send([2])
            let late = try EchoClient(port: link.port)
            late.send([3])
            #expect(await client.hears(within: .milliseconds(100)) == nil)
            #expect(await late.hears(within: .milliseconds(100)) == nil)
            link.restore()
            #expect(await client.receive(1) == [2])
            #expect(await late.receive(1) == [3])
        }
    }

    @Test func aCutConnectionIsSilentForEverAndANewOneIsNot() async throws {
        try await withEcho { link in
            let client = try EchoClient(port: link.port)
            client.send([1])
            #expect(await client.receive(1) == [1])
            link.fail(.cut)
            client.send([2])
            #expect(await client.hears(within: .milliseconds(100)) == nil)
            link.restore()
            #expect(await client.hears(within: .milliseconds(100)) == nil)
            let other = try EchoClient(port: link.port)
            other.send([3])
            #expect(await other.receive(1) == [3])
        }
    }

    @Test func aResetIsHeard() async throws {
        try await withEcho { link in
            let client = try EchoClient(port: link.port)
            client.send([1])
            #expect(await client.receive(1) == [1])
            link.fail(.reset)
            #expect(await client.hears(within: .seconds(10)) == .end)
        }
    }

    @Test(arguments: [0, 1, 1000, 70_000])
    func aFaultStrikesAtItsByte(_ count: Int) async throws {
        try await withEcho { link in
            let client = try EchoClient(port: link.port)
            client.send([1])
            #expect(await client.receive(1) == [1])
            link.fail(.cut, after: count, .toServer)
            client.send([UInt8](repeating: 9, count: 100_000))
            while link.isArmed { try await Task.sleep(for: .milliseconds(2)) }
            try await Task.sleep(for: .milliseconds(50))
            #expect(link.carried(.toServer) == 1 + count)
        }
    }

    @Test func aRefusingLinkTakesNobody() async throws {
        try await withEcho { link in
            link.refuse()
            // The thread of the link needs its moment to close the door.
            while (try? EchoClient(port: link.port)) != nil { try await Task.sleep(for: .milliseconds(2)) }
            #expect(throws: SystemError.self) { try EchoClient(port: link.port) }
            link.restore()
            while (try? EchoClient(port: link.port)) == nil { try await Task.sleep(for: .milliseconds(2)) }
            let client = try EchoClient(port: link.port)
            client.send([1])
            #expect(await client.receive(1) == [1])
        }
    }

    @Test func aThrottledAndDelayedLinkIsSlowAndWhole() async throws {
        try await withEcho { link in
            let client = try EchoClient(port: link.port)
            link.throttle(100_000)
            link.delay(.milliseconds(20))
            let bytes = testBytes(50_000)
            let duration = await ContinuousClock().measure {
                client.send(bytes)
                #expect(await client.receive(bytes.count) == bytes)
            }
            // Half a second at this rate: less than that cannot be.
            #expect(duration > .milliseconds(400))
        }
    }

    // MARK: Cable

    @Test(.enabled("needs root, ip, iptables and tc") { await Cable.isAvailable() })
    func aCableIsCutAndRecovers() async throws {
        let cable = try await Cable()
        let server = try await SSHServer.start(.init(place: .behind(cable)))
        #expect(try await ssh(server.clientArguments, "echo hi").outputText == "hi\n")
        let client = try RunningCommand(
            "/usr/bin/ssh", server.clientArguments + ["i=0; while :; do echo $((i=i+1)); sleep 0.05; done"])
        try await client.waitForOutput("3\n")
        try await cable.cut()
        let impatient = ["-o", "ConnectTimeout=1"] + server.clientArguments
        #expect(try await ssh(impatient, "true").status == 255)
        try await cable.restore()
        // The old connection goes on: TCP sends again what was dropped.
        let count = client.output.count
        while client.output.count < count + 100 && client.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        #expect(client.isRunning)
        try await cable.reject()
        #expect(try await client.wait().status == 255)
        try await cable.restore()
        try await cable.throttle("256kbit")
        let (bytes, began) = (20_000, ContinuousClock.now)
        let result = try await ssh(server.clientArguments, "head -c \(bytes) /dev/urandom")
        #expect(result.output.count == bytes)
        #expect(ContinuousClock.now - began > .milliseconds(400))
    }

    // MARK: TargetMachine

    @Test(.enabled("needs root and namespaces") { await TargetMachine.isAvailable() })
    func aRebootEndsEverythingAndChangesTheBootID() async throws {
        let server = try await SSHServer.start(.init(place: .machine))
        let look = "cat /proc/sys/kernel/random/boot_id; echo $$; cut -d. -f1 /proc/uptime"
        let before = try await ssh(server.clientArguments, look).outputText.split(separator: "\n")
        let sleep = Processes.uniqueSleep()
        let folder = server.scratch.path("memory")
        _ = try await ssh(server.clientArguments, "mkdir '\(folder)'; setsid sleep \(sleep) >/dev/null 2>&1 &")
        // The shell has gone; what it has started may not have become that program yet.
        while !Processes.exist(withArgument: sleep) { try await Task.sleep(for: .milliseconds(20)) }
        try await server.reboot(losing: [folder])
        #expect(!Processes.exist(withArgument: sleep))
        #expect(!FileSystem.exists(folder))
        let after = try await ssh(server.clientArguments, look).outputText.split(separator: "\n")
        #expect(before.count == 3 && after.count == 3)
        #expect(before[0] != after[0])
        // The machine is young each time, and has few processes.
        for words in [before, after] { #expect((Int(words[1]) ?? 0) < 1000 && (Int(words[2]) ?? 0) < 120) }
        server.killConnections()
        #expect(try await ssh(server.clientArguments, "echo hi").outputText == "hi\n")
    }

    // MARK: Disks

    @Test(.enabled("needs root") { await SmallDisk.isAvailable() })
    func aSmallDiskFillsAndIsFreed() async throws {
        let disk = try await SmallDisk(kilobytes: 256)
        let file = try File(path: "\(disk.path)/file", O_RDWR | O_CREAT)
        try disk.fill()
        #expect(throws: SystemError("write", path: file.path, code: ENOSPC)) { try file.write([1], at: 0) }
        try disk.free()
        try file.write([1], at: 0)
    }

    @Test(.enabled("needs root") { await SmallDisk.isAvailable() })
    func aSmallDiskCanBeReadOnly() async throws {
        let disk = try await SmallDisk(kilobytes: 256)
        try await disk.makeReadOnly()
        let error = #expect(throws: SystemError.self) { try File(path: "\(disk.path)/file", O_RDWR | O_CREAT) }
        #expect(error?.code == EROFS)
        try await disk.makeWritable()
        _ = try File(path: "\(disk.path)/file", O_RDWR | O_CREAT)
    }

    /// The negative control: a fixture that loses nothing would prove nothing.
    @Test(.enabled("needs root, mkfs.ext4 and loop devices") { await MortalDisk.isAvailable() })
    func aPowerCutTakesWhatWasNotSynced() async throws {
        let disk = try await MortalDisk()
        for name in ["synced", "unsynced"] {
            let file = try File(path: "\(disk.path)/\(name)", O_RDWR | O_CREAT)
            try file.write([1, 2, 3], at: 0)
            if name == "synced" {
                try file.sync()
                try FileSystem.syncDirectory(disk.path)
            }
        }
        try disk.cutPower()
        #expect(throws: SystemError.self) { try File(path: "\(disk.path)/late", O_RDWR | O_CREAT) }
        try await disk.restorePower()
        #expect(try FileSystem.read("\(disk.path)/synced") == [1, 2, 3])
        #expect((try? FileSystem.read("\(disk.path)/unsynced")) ?? [] == [])
    }

    /// Another test's mount namespace has a copy of every mount that there was at its making.
    @Test(.enabled("needs root, mkfs.ext4 and loop devices") { await MortalDisk.isAvailable() })
    func powerComesBackAlsoWhereAnotherNamespaceHoldsTheDisk() async throws {
        let disk = try await MortalDisk()
        let unshare = try #require(Command.find("unshare"))
        let other = try RunningCommand(unshare, ["-m", "/bin/sh", "-c", "echo up; sleep 60"])
        try await other.waitForOutput("up")
        for life in 1...2 {
            try disk.cutPower()
            try await disk.restorePower()
            try FileSystem.replace("\(disk.path)/file", with: [UInt8(life)])
            #expect(try FileSystem.read("\(disk.path)/file") == [UInt8(life)])
        }
    }

    // MARK: System calls and clocks

    @Test(.enabled("needs strace") { await SystemCallFaults.isAvailable() })
    func aSystemCallFailsOnDemand() async throws {
        let scratch = try ScratchDirectory()
        let file = scratch.path("file")
        let fault = try SystemCallFaults("write", .error("EIO"), when: "2")
        let command = fault.wrap("/bin/dd", ["if=/dev/zero", "of=\(file)", "bs=1", "count=3", "status=none"])
        #expect(try await Command.run(command.program, command.arguments).status == 1)
        #expect(try FileSystem.read(file).count == 1)
        #expect(fault.hasStruck)
        let late = try SystemCallFaults("write", .death, when: "9")
        let whole = late.wrap("/bin/dd", ["if=/dev/zero", "of=\(file)", "bs=1", "count=3", "status=none"])
        #expect(try await Command.run(whole.program, whole.arguments).status == 0)
        #expect(!late.hasStruck)
    }

    @Test(.enabled("needs strace") { await SystemCallFaults.isAvailable() })
    func aRunningProgramGetsAFault() async throws {
        let program = try RunningCommand("/bin/sh", ["-c", "while echo hi; do sleep 0.02; done; exit 5"])
        try await program.waitForOutput("hi")
        let fault = try SystemCallFaults("write", .error("EIO"), when: "1")
        let tracer = try await fault.attach(to: program.pid)
        #expect(try await program.wait().status == 5)
        _ = try await tracer.wait()
        #expect(fault.hasStruck)
    }

    @Test(.enabled(if: FalseClock.isAvailable, "needs libfaketime"))
    func aFalseClockIsSteppedAndTheMonotonicOneIsNot() async throws {
        let clock = try FalseClock(aheadBy: 7200)
        func now() async throws -> Int {
            let said = try await Command.run("/bin/date", ["+%s"], environment: clock.environment).outputText
            return Int(said.dropLast()) ?? 0
        }
        let before = try await now()
        try clock.set(aheadBy: 0)
        let after = try await now()
        #expect((-7200 ... -7100).contains(after - before))
    }
}
