import Glibc
import Hashing
import LinuxSystem
import SSH
import Synchronization
import TestSupport
import Testing

@testable import RemoteJobs

/// Files on their way to the target, by every method.
@Suite(.serialized, .timeLimit(.minutes(2))) struct UploadTests {
    private struct Bench {
        let target: Target
        let line: TransferLine
        let worker = Worker()
        let scratch: ScratchDirectory
        /// On the target, which is this machine.
        let folder: String
        private let server: any SSHTestServer

        init(_ server: any SSHTestServer, _ options: SSHOptions? = nil) async throws {
            self.server = server
            scratch = try ScratchDirectory()
            target = try await Target.connect(options ?? server.options)
            line = try await target.transferLine(isBulk: true)
            folder = scratch.path("there")
            try FileSystem.makeDirectory(folder, mode: 0o755)
        }

        @SSHActor func file(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o640) throws -> LocalFile {
            try #require(UploadTree(scratch.write("here/\(name)", bytes: bytes, mode: mode)).files.first)
        }

        /// Sends and places one file, as the engine does.
        func send(
            _ file: LocalFile, _ method: TransferMethod, as name: String, mayResume: Bool = false
        ) async throws -> SentFile {
            let destination = Array("\(folder)/\(name)".utf8)
            let temporary = UploadSeat.temporary("test", for: destination)
            let sent = try await FileUpload(over: line, by: method, worker: worker).send(
                file, to: temporary, mayResume: mayResume)
            let placed = try await UploadSeat(over: line).place(
                UploadSeat.Arrival(
                    temporary: temporary, destination: destination, size: file.size, sha256: sent.sha256,
                    permissions: file.permissions))
            #expect(placed == UploadSeat.Placed(sha256: sent.sha256, isSynced: true))
            return sent
        }

        func read(_ name: String) throws -> [UInt8] { try FileSystem.read("\(folder)/\(name)") }

        func mode(_ name: String) -> UInt32 {
            var status = stat()
            return stat("\(folder)/\(name)", &status) == 0 ? status.st_mode & 0o7777 : 0
        }

        /// What begins with a dot, in any folder.
        func leftovers() async throws -> String {
            try await Command.run("/usr/bin/find", [folder, "-name", ".*"]).outputText
        }
    }

    private static let singles: [TransferMethod] = [.sftp, .exec, .scp]

    @Test(arguments: singles) func aFileArrivesAsItIsWithItsMode(_ method: TransferMethod) async throws {
        let bench = try await Bench(try await SSHServer.start())
        let bytes = testBytes(5_000_001)
        for (name, mode) in [("big ' name", UInt32(0o755)), ("-rf", 0o600), ("line\nbreak", 0o444)] {
            let sent = try await bench.send(try await bench.file(name, bytes, mode: mode), method, as: name)
            #expect(sent.sha256 == SHA256.hexDigest(of: bytes))
            #expect(try bench.read(name) == bytes)
            #expect(bench.mode(name) == mode)
        }
        #expect(try await bench.leftovers() == "")
        await bench.target.close()
    }

    @Test(arguments: singles) func anEmptyFileAndOneInAMissingFolderArrive(_ method: TransferMethod) async throws {
        let bench = try await Bench(try await SSHServer.start())
        _ = try await bench.send(try await bench.file("empty", []), method, as: "new/folder/empty")
        #expect(try bench.read("new/folder/empty") == [])
        await bench.target.close()
    }

    @Test(arguments: singles) func whatIsThereIsReplacedAtOnce(_ method: TransferMethod) async throws {
        let bench = try await Bench(try await SSHServer.start())
        try bench.scratch.write("there/f", "before, and longer than what comes")
        let old = try File(path: "\(bench.folder)/f", O_RDONLY)
        _ = try await bench.send(try await bench.file("f", Array("after".utf8)), method, as: "f")
        #expect(try bench.read("f") == Array("after".utf8))
        // Who has it open reads on in the old one.
        #expect(try old.read(at: 0, count: 6) == Array("before".utf8))
        await bench.target.close()
    }

    @Test(arguments: singles) func aLinkIsReplacedAndWhatItLedToStays(_ method: TransferMethod) async throws {
        let bench = try await Bench(try await SSHServer.start())
        try bench.scratch.write("there/old", "before")
        symlink("old", "\(bench.folder)/f")
        let file = try await bench.file("f", Array("after".utf8))
        let destination = Array("\(bench.folder)/f".utf8)
        for isLink in [true, false] {
            let temporary = UploadSeat.temporary("test", for: destination)
            let sent = try await FileUpload(over: bench.line, by: method, worker: bench.worker).send(
                file, to: temporary, mayResume: false)
            let placed = try await UploadSeat(over: bench.line).place(
                UploadSeat.Arrival(
                    temporary: temporary, destination: destination, size: file.size, sha256: sent.sha256,
                    permissions: file.permissions))
            #expect(placed == UploadSeat.Placed(sha256: sent.sha256, isSynced: true, replacesLink: isLink))
            #expect(try bench.read("f") == Array("after".utf8) && bench.read("old") == Array("before".utf8))
        }
        await bench.target.close()
    }

    @Test(arguments: [TransferMethod.sftp, .exec]) func aCutUploadGoesOnWhereItWas(_ method: TransferMethod)
        async throws
    {
        let bench = try await Bench(try await SSHServer.start())
        let bytes = testBytes(1_000_000)
        let file = try await bench.file("f", bytes)
        try bench.scratch.write("there/.ecr-test", bytes: Array(bytes.prefix(700_000)))
        let sent = try await bench.send(file, method, as: "f", mayResume: true)
        #expect(sent.resumedAt == 700_000 / 65_536 * 65_536)
        #expect(try bench.read("f") == bytes)
        await bench.target.close()
    }

    @Test(arguments: singles) func whatIsNotTheFilesBeginningIsSentAnew(_ method: TransferMethod) async throws {
        let bench = try await Bench(try await SSHServer.start())
        let bytes = testBytes(1_000_000)
        for (name, before) in [("other", [UInt8](repeating: 7, count: 700_000)), ("longer", bytes + bytes)] {
            try bench.scratch.write("there/.ecr-test", bytes: before)
            let sent = try await bench.send(try await bench.file(name, bytes), method, as: name, mayResume: true)
            #expect(sent.resumedAt == 0)
            #expect(try bench.read(name) == bytes)
        }
        await bench.target.close()
    }

    /// It may be in its last step, and move what it has.
    @Test(arguments: singles) func whatBeginsAnewLeavesAnEarlierAttemptsFileAlone(_ method: TransferMethod) async throws
    {
        let bench = try await Bench(try await SSHServer.start())
        for mayResume in [false, true] {
            try bench.scratch.write("there/.ecr-test", "earlier")
            let earlier = try File(path: "\(bench.folder)/.ecr-test", O_RDONLY)
            let file = try await bench.file("f", Array("later".utf8))
            _ = try await bench.send(file, method, as: "f", mayResume: mayResume)
            #expect(try earlier.read(at: 0, count: 9) == Array("earlier".utf8))
            #expect(try bench.read("f") == Array("later".utf8))
        }
        #expect(try await bench.leftovers() == "")
        await bench.target.close()
    }

    @Test(arguments: singles) func aFileThatHasChangedSinceTheCutLeavesNothing(_ method: TransferMethod) async throws {
        let bench = try await Bench(try await SSHServer.start())
        let file = try await bench.file("f", testBytes(1_000_000))
        try bench.scratch.write("there/.ecr-test", bytes: testBytes(700_000))
        try bench.scratch.write("here/f", bytes: testBytes(900_000))
        let failure = await #expect(throws: TransferFailure.self) {
            try await bench.send(file, method, as: "f", mayResume: true)
        }
        #expect(failure?.reason == "it changed while it was sent; send it again")
        #expect(try FileSystem.list(bench.folder) == [])
        await bench.target.close()
    }

    @Test func whatCannotBeReadAgainThereLeavesNothing() async throws {
        let bench = try await Bench(try await SSHServer.start())
        // A directory has no content that a hash could be taken of.
        try FileSystem.makeDirectory("\(bench.folder)/.ecr-test")
        let destination = Array("\(bench.folder)/f".utf8)
        await #expect(throws: TransferFailure.self) {
            try await UploadSeat(over: bench.line).place(
                UploadSeat.Arrival(
                    temporary: UploadSeat.temporary("test", for: destination), destination: destination, size: 1,
                    sha256: SHA256.hexDigest(of: [1]), permissions: 0o644))
        }
        #expect(!FileSystem.exists("\(bench.folder)/f"))
        await bench.target.close()
    }

    @Test func whatIsBeingPlacedIsPlacedAlthoughItsTaskIsCancelled() async throws {
        let bench = try await Bench(try await SSHServer.start())
        let destination = Array("\(bench.folder)/f".utf8)
        try bench.scratch.write("there/.ecr-test", bytes: [1])
        let arrival = UploadSeat.Arrival(
            temporary: UploadSeat.temporary("test", for: destination), destination: destination, size: 1,
            sha256: SHA256.hexDigest(of: [1]), permissions: 0o644)
        let placing = Task { try await UploadSeat(over: bench.line).place(arrival) }
        placing.cancel()
        #expect(try await placing.value.sha256 == arrival.sha256)
        #expect(try FileSystem.list(bench.folder) == ["f"])
        await bench.target.close()
    }

    @Test func anEndlessComplaintFillsNoMemory() async throws {
        let scratch = try ScratchDirectory()
        try scratch.write("bin/scp", "#!/bin/sh\nprintf '\\001'; exec cat /dev/zero\n", mode: 0o755)
        let path = "SetEnv PATH=\(scratch.path("bin")):/usr/bin:/bin"
        let bench = try await Bench(try await SSHServer.start(.init(extraLines: [path])))
        let file = try await bench.file("f", [1])
        let error = await #expect(throws: SSHError.self) { try await bench.send(file, .scp, as: "f") }
        #expect(error?.code == .protocolViolation)
        await bench.target.close()
    }

    /// As on a disk with a bad sector: nobody has memory at address 0.
    @Test func aFileThatCannotBeReadIsTheUploadsFailureAlsoWhereItIsResumed() async throws {
        let file = try #require(try UploadTree("/proc/self/mem").files.first)
        let failure = #expect(throws: TransferFailure.self) { _ = try LocalReader(file).skip(65_536) }
        #expect(failure?.reason == "cannot be read here: Input/output error" && failure?.isLocal == true)
    }

    // MARK: Slow links

    /// What stands in a window or in a buffer is not there: else a link that takes a minute for those would seem to hang.
    @Test(arguments: singles + [.tar]) func onlyWhatHasGoneOverTheLinkCountsAsThere(_ method: TransferMethod)
        async throws
    {
        let server = try await SSHServer.start()
        let link = try FlakyLink(to: server.port)
        var options = server.options
        (options.port, options.pinnedHostKey) = (link.port, server.hostKeyFingerprint)
        let bench = try await Bench(server, options)
        let file = try await bench.file("f", testBytes(1_500_000))
        link.throttle(2_000_000)
        let before = link.carried(.toServer)
        let told = Mutex<[(told: Int64, carried: Int64)]>([])
        let tell: @Sendable (Int64) -> Void = { bytes in
            told.withLock { $0.append((bytes, Int64(link.carried(.toServer) - before))) }
        }
        if method == .tar {
            let archive = await ArchiveUpload(
                over: bench.line, worker: bench.worker, into: place(bench.folder), key: "k")
            let outcomes = try await archive.send([file]) { tell($1) }
            #expect(try outcomes.map { try $0.get().isSynced } == [true])
        } else {
            let temporary = UploadSeat.temporary("test", for: Array("\(bench.folder)/f".utf8))
            _ = try await FileUpload(over: bench.line, by: method, worker: bench.worker).send(
                file, to: temporary, mayResume: false, progress: tell)
        }
        let steps = told.withLock { $0 }
        #expect(steps.allSatisfy { $0.told <= $0.carried }, "\(steps)")
        #expect(steps.contains { 0 < $0.told && $0.told < 1_500_000 })
        #expect(steps.map(\.told) == steps.map(\.told).sorted() && steps.last?.told == 1_500_000)
        await bench.target.close()
    }

    // MARK: Targets that hang

    /// A disk that hangs in the middle of a file.
    @Test(arguments: singles) func anUploadThatNobodyTakesCanBeCancelled(_ method: TransferMethod) async throws {
        let scratch = try ScratchDirectory()
        let programs = try ["dd", "scp"].map {
            try scratch.write("bin/\($0)", "#!/bin/sh\nkill -STOP $$\n", mode: 0o755)
        }
        let subsystem = try scratch.write(
            "bin/server", "#!/bin/sh\nexec /usr/lib/openssh/sftp-server -d '\(scratch.path)'\n", mode: 0o755)
        let server = try await SSHServer.start(
            .init(
                servesSFTP: false,
                extraLines: [
                    "SetEnv PATH=\(scratch.path("bin")):/usr/bin:/bin", "Subsystem sftp \(subsystem)",
                ]))
        let bench = try await Bench(server)
        try File(path: bench.scratch.write("here/f", ""), O_WRONLY).truncate(to: 2 << 30)
        let file = try #require(try UploadTree(bench.scratch.path("here/f")).files.first)
        let sending = Task {
            try await FileUpload(over: bench.line, by: method, worker: bench.worker).send(
                file, to: Array("\(bench.folder)/.ecr-x".utf8), mayResume: false
            ) { bytes in
                // In the middle: where nothing was sent yet, nothing is half sent.
                if bytes == 0 { return }
                for id in Processes.ids(withArgument: scratch.path) { Processes.signal(id, SIGSTOP) }
            }
        }
        // Stopped, and all that is on the way to it is full.
        let stopping = (programs + [scratch.path])
        while !stopping.flatMap({ Processes.ids(withArgument: $0) }).contains(where: { Processes.isStopped($0) }) {
            try await Task.sleep(for: .milliseconds(20))
        }
        try await Task.sleep(for: .milliseconds(500))
        sending.cancel()
        await #expect(throws: (any Error).self) { try await sending.value }
        // A server that hangs is left by those who come later.
        let isLeft = await bench.line.sftp?.isOver == true
        #expect(isLeft == (method == .sftp))
        for id in stopping.flatMap({ Processes.ids(withArgument: $0) }) { Processes.kill(id) }
        await bench.target.close()
    }

    private func arrival(_ bench: Bench) throws -> UploadSeat.Arrival {
        let destination = Array("\(bench.folder)/f".utf8)
        try bench.scratch.write("there/.ecr-test", bytes: [1])
        return UploadSeat.Arrival(
            temporary: UploadSeat.temporary("test", for: destination), destination: destination, size: 1,
            sha256: SHA256.hexDigest(of: [1]), permissions: 0o644)
    }

    @Test(arguments: ["sync", "mv"]) func aLastStepThatHangsIsGivenUp(_ program: String) async throws {
        let hanging = try HangingProgram(program)
        let bench = try await Bench(try await SSHServer.start(.init(extraLines: [hanging.serverLine])))
        let arrival = try arrival(bench)
        let unsettled = await #expect(throws: UploadSeat.Unsettled.self) {
            try await UploadSeat(over: bench.line, shortestWait: 1).place(arrival)
        }
        let reason = unsettled?.failure.reason ?? ""
        #expect(reason.hasPrefix("the target has sent nothing of it for "))
        #expect(reason.hasSuffix(" s while it took its place (sync, rename): it may be there"))
        // It was not there, and is now: that is why nobody can say.
        #expect(try FileSystem.list(bench.folder) == [".ecr-test"])
        try hanging.goOn()
        for _ in 0..<500 where !FileSystem.exists("\(bench.folder)/f") { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try FileSystem.list(bench.folder) == ["f"])
        await bench.target.close()
    }

    @Test func whatALaterAttemptHasMadeIsNotMovedByAnEarlierOne() async throws {
        let hanging = try HangingProgram("sync")
        let bench = try await Bench(try await SSHServer.start(.init(extraLines: [hanging.serverLine])))
        let arrival = try arrival(bench)
        await #expect(throws: UploadSeat.Unsettled.self) {
            try await UploadSeat(over: bench.line, shortestWait: 1).place(arrival)
        }
        try await UploadSeat(over: bench.line).remove([arrival.temporary])
        try bench.scratch.write("there/.ecr-test", bytes: [2])
        try hanging.goOn()
        // The first script ends when its `sync` does, and has nothing to move.
        let processes = { Processes.ids(withArgument: "\(bench.folder)/.ecr-test") }
        for _ in 0..<500 where !processes().isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        try await Task.sleep(for: .milliseconds(300))
        #expect(try FileSystem.list(bench.folder) == [".ecr-test"])
        #expect(try bench.read(".ecr-test") == [2])
        await bench.target.close()
    }

    @Test func aLastStepThatHangsCanBeCancelled() async throws {
        let hanging = try HangingProgram("sync")
        let bench = try await Bench(try await SSHServer.start(.init(extraLines: [hanging.serverLine])))
        let arrival = try arrival(bench)
        let placing = Task { try await UploadSeat(over: bench.line).place(arrival) }
        try await hanging.waitUntilBegun()
        placing.cancel()
        let unsettled = await #expect(throws: UploadSeat.Unsettled.self) { try await placing.value }
        #expect(unsettled?.cause is CancellationError)
        #expect(unsettled?.failure.reason == "cancelled while it took its place (sync, rename): it may be there")
        try hanging.goOn()
        await bench.target.close()
    }

    @Test(arguments: ["sync", "mv"]) func anArchivesLastStepThatHangsCanBeCancelled(_ program: String) async throws {
        let hanging = try HangingProgram(program)
        let bench = try await Bench(try await SSHServer.start(.init(extraLines: [hanging.serverLine])))
        let file = try await bench.file("f", [1])
        let upload = await ArchiveUpload(over: bench.line, worker: bench.worker, into: place(bench.folder), key: "k")
        let sending = Task { try await upload.send([file]).map { try $0.get() } }
        try await hanging.waitUntilBegun()
        sending.cancel()
        let unsettled = await #expect(throws: UploadSeat.Unsettled.self) { try await sending.value }
        #expect(unsettled?.cause is CancellationError)
        // A later attempt is not disturbed by the earlier one, which goes on when it can.
        let again = Task { try await upload.send([file]).map { try $0.get().sha256 } }
        try await Task.sleep(for: .milliseconds(300))
        try hanging.goOn()
        #expect(try await again.value == [SHA256.hexDigest(of: [1])])
        #expect(try FileSystem.list(bench.folder) == ["f"])
        await bench.target.close()
    }

    @Test(.enabled(if: DropbearServer.isSmallAvailable, "needs root, dropbear and BusyBox"))
    func whatCannotBeSyncedIsSaidSo() async throws {
        let bench = try await Bench(try await DropbearServer.startSmall(without: ["sync"]))
        let file = try await bench.file("f", [1])
        let destination = Array("\(bench.folder)/f".utf8)
        let temporary = UploadSeat.temporary("test", for: destination)
        let sent = try await FileUpload(over: bench.line, by: .exec, worker: bench.worker).send(
            file, to: temporary, mayResume: false)
        let placed = try await UploadSeat(over: bench.line).place(
            UploadSeat.Arrival(
                temporary: temporary, destination: destination, size: 1, sha256: sent.sha256, permissions: 0o644))
        #expect(placed == UploadSeat.Placed(sha256: sent.sha256, isSynced: false))
        let archive = await ArchiveUpload(
            over: bench.line, worker: bench.worker, into: place(bench.folder), key: "k")
        #expect(try await archive.send([file]).map { try $0.get().isSynced } == [false])
        await bench.target.close()
    }

    @Test func aFileThatChangesWhileItIsSentIsNotPlaced() async throws {
        let bench = try await Bench(try await SSHServer.start())
        let file = try await bench.file("f", testBytes(1000))
        try bench.scratch.write("here/f", bytes: testBytes(999))
        for method in Self.singles {
            let failure = await #expect(throws: TransferFailure.self) {
                try await bench.send(file, method, as: "f")
            }
            #expect(failure?.reason == "it changed while it was sent; send it again")
        }
        let failure = await #expect(throws: TransferFailure.self) {
            _ = try await ArchiveUpload(
                over: bench.line, worker: bench.worker, into: place(bench.folder), key: "a"
            ).send([file])
        }
        #expect(failure?.reason == "it changed while it was sent; send it again")
        #expect(try FileSystem.list(bench.folder) == [])
        await bench.target.close()
    }

    @Test(.enabled("needs root and tmpfs") { await SmallDisk.isAvailable() }, arguments: singles)
    func aFullDiskIsSaidSoAndLeavesWhatWasThere(_ method: TransferMethod) async throws {
        let bench = try await Bench(try await SSHServer.start())
        let disk = try await SmallDisk(kilobytes: 256)
        let target = "\(disk.path)/f"
        try FileSystem.replace(target, with: Array("before".utf8))
        let file = try await bench.file("f", testBytes(1_000_000))
        let destination = Array(target.utf8)
        let failure = await #expect(throws: TransferFailure.self) {
            _ = try await FileUpload(over: bench.line, by: method, worker: bench.worker).send(
                file, to: UploadSeat.temporary("k", for: destination), mayResume: false)
        }
        #expect(failure?.reason == "no space left on device")
        #expect(try FileSystem.list(disk.path) == ["f"])
        #expect(try FileSystem.read(target) == Array("before".utf8))
        await bench.target.close()
    }

    @Test(arguments: singles) func aDirectoryOfThatNameIsNoPlaceForAFile(_ method: TransferMethod) async throws {
        let bench = try await Bench(try await SSHServer.start())
        try FileSystem.makeDirectory("\(bench.folder)/f")
        let file = try await bench.file("f", [1])
        let failure = await #expect(throws: TransferFailure.self) { try await bench.send(file, method, as: "f") }
        #expect(failure?.reason == "a directory of that name is there")
        #expect(try await bench.leftovers() == "")
        await bench.target.close()
    }

    // MARK: Places

    @Test func aFileGoesIntoADirectoryAndADirectoryIntoOneWithASlash() async throws {
        let bench = try await Bench(try await SSHServer.start())
        let file = try UploadTree(bench.scratch.write("here/f", "x"))
        try bench.scratch.write("here/d/sub/a", "x")
        let tree = try UploadTree(bench.scratch.path("here/d"))
        let inside = try UploadTree(bench.scratch.path("here/d/."))
        let there = bench.folder
        func place(_ tree: UploadTree, _ to: String, base: String? = nil) async throws -> String {
            String(
                decoding: try await UploadPlace.find(tree, to: RawPath(to), base: base, over: bench.line).path,
                as: UTF8.self)
        }
        #expect(try await place(file, "\(there)/new") == "\(there)/new")
        #expect(try await place(file, "\(there)") == "\(there)/f")
        #expect(try await place(file, "\(there)//x/") == "\(there)/x/f")
        #expect(try await place(file, "x", base: there) == "\(there)/x")
        #expect(try await place(file, "~/x") == "\(bench.line.tools.home)/x")
        #expect(try await place(tree, "\(there)") == there)
        #expect(try await place(tree, "\(there)/") == "\(there)/d")
        #expect(try await place(inside, "\(there)/") == there)
        func isStrange(_ tree: UploadTree, _ to: String) async throws -> Bool {
            try await UploadPlace.find(tree, to: RawPath(to), base: nil, over: bench.line).isStrange
        }
        #expect(try await !isStrange(tree, there))
        try bench.scratch.write("there/other", "x")
        #expect(try await isStrange(tree, there))
        #expect(try await !isStrange(tree, "\(there)/"))
        #expect(try await !isStrange(inside, there))
        try bench.scratch.write("there/sub/x", "x")
        #expect(try await !isStrange(tree, there))
        try bench.scratch.write("there/f", "x")
        let failure = await #expect(throws: TransferFailure.self) { try await place(tree, "\(there)/f") }
        #expect(failure?.reason == "what is there is no directory")
        await bench.target.close()
    }

    @Test func whatIsThereAlreadyIsKnown() async throws {
        let bench = try await Bench(try await SSHServer.start())
        let file = try UploadTree(bench.scratch.write("here/f", "same", mode: 0o644))
        func known(_ tree: UploadTree, _ to: String) async throws -> [Int: TransferLine.Known] {
            let place = try await UploadPlace.find(tree, to: RawPath(to), base: nil, over: bench.line)
            return try await bench.line.known(tree, Array(tree.files.indices), at: place, worker: bench.worker)
        }
        let there = "\(bench.folder)/f"
        #expect(try await known(file, there).isEmpty)
        try bench.scratch.write("there/f", "else", mode: 0o644)
        #expect(try await known(file, there).isEmpty)
        unlink(there)
        try bench.scratch.write("there/f", "same", mode: 0o755)
        #expect(try await known(file, there)[0]?.permissions == 0o755)
        #expect(try await known(file, there)[0]?.sha256 == SHA256.hexDigest(of: Array("same".utf8)))
        for (name, here, remote) in [("a", "1", "1"), ("s/b", "22", "33"), ("s/c", "4", "55")] {
            try bench.scratch.write("here/d/\(name)", here)
            try bench.scratch.write("there/d/\(name)", remote)
        }
        let tree = try UploadTree(bench.scratch.path("here/d"))
        #expect(tree.files.map { RawPath($0.relative).text } == ["a", "s/b", "s/c"])
        #expect(try await known(tree, "\(bench.folder)/d").keys.sorted() == [0])
        await bench.target.close()
    }

    /// It says nothing while it reads.
    @Test func aTargetThatTakesLongForTheHashOfALargeFileIsWaitedFor() async throws {
        let scratch = try ScratchDirectory()
        for name in ["sha256sum", "openssl"] {
            let text = "#!/bin/sh\n[ ! -e '\(scratch.path)/slow' ] || sleep 4\nexec /usr/bin/\(name) \"$@\"\n"
            try scratch.write("bin/\(name)", text, mode: 0o755)
        }
        let path = "SetEnv PATH=\(scratch.path("bin")):/usr/bin:/bin"
        let bench = try await Bench(try await SSHServer.start(.init(extraLines: [path])))
        try scratch.write("slow", "")
        for (name, size) in [("large", 60 << 20), ("small", 1000)] {
            for folder in ["here", "there"] {
                try File(path: bench.scratch.write("\(folder)/\(name)", ""), O_WRONLY).truncate(to: Int64(size))
            }
        }
        func find(_ name: String) async throws -> UploadPlace {
            try await UploadPlace.find(
                UploadTree(bench.scratch.path("here/\(name)")), to: RawPath(bench.folder), base: nil, over: bench.line,
                shortestWait: 1)
        }
        #expect(try await find("large").sha256?.count == 64)
        // A small one is no reason to be silent for so long.
        let failure = await #expect(throws: TransferFailure.self) { _ = try await find("small") }
        #expect(failure?.isStall == true)
        await bench.target.close()
    }

    @Test(.enabled(if: DropbearServer.isSmallAvailable, "needs root, dropbear and BusyBox"))
    func permissionsOfManyFilesAreSetAtOnceAndWhatRefusesIsNamed() async throws {
        for server: any SSHTestServer in [
            try await SSHServer.start(), try await DropbearServer.startSmall(without: []),
        ] {
            let bench = try await Bench(server)
            var files: [(path: [UInt8], permissions: UInt32)] = []
            // More than one command takes.
            let names = (0..<900).map { "\($0) ' \(String(repeating: "n", count: 200))" } + ["-R", "line\nbreak"]
            for (number, name) in names.enumerated() {
                try bench.scratch.write("there/\(name)", "x", mode: 0o600)
                files.append((Array("\(bench.folder)/\(name)".utf8), number % 2 == 0 ? 0o644 : 0o751))
            }
            let gone = ["gone", "gone\ntoo"].map { Array("\(bench.folder)/\($0)".utf8) }
            files.insert((gone[0], 0o644), at: 0)
            files.append((gone[1], 0o751))
            #expect(try await UploadSeat(over: bench.line).setPermissions(files) == Set(gone))
            for (number, name) in names.enumerated() { #expect(bench.mode(name) == (number % 2 == 0 ? 0o644 : 0o751)) }
            #expect(try await UploadSeat(over: bench.line).setPermissions([]) == [])
            await bench.target.close()
        }
    }

    /// A directory of the target's.
    private func place(_ path: String) -> UploadPlace {
        UploadPlace(
            path: Array(path.utf8), standing: .directory, isStrange: false, sha256: nil, permissions: nil)
    }

    @Test func theRootIsAPlaceLikeOthers() async throws {
        let bench = try await Bench(try await SSHServer.start())
        try bench.scratch.write("here/root/etc/passwd", bytes: try FileSystem.read("/etc/passwd"))
        try bench.scratch.write("here/root/no such file here", "x")
        let tree = try UploadTree(bench.scratch.path("here/root/."))
        let root = try await UploadPlace.find(tree, to: RawPath("/"), base: nil, over: bench.line)
        #expect(root.path == Array("/".utf8) && root.path(of: Array("a/b".utf8)) == Array("/a/b".utf8))
        #expect(
            try await bench.line.known(tree, Array(tree.files.indices), at: root, worker: bench.worker).keys.sorted()
                == [0])
        #expect(ArchiveUpload.staging("k", in: root) == Array("/.ecr-k".utf8))
        #expect(UploadSeat.temporary("k", for: Array("/f".utf8)) == Array("/.ecr-k".utf8))
        await bench.target.close()
    }

    @Test(.enabled(if: DropbearServer.isSmallAvailable, "needs root, dropbear and BusyBox"))
    func namesOfAnyKindAreKnownByEveryTool() async throws {
        for server: any SSHTestServer in [
            try await SSHServer.start(), try await DropbearServer.startSmall(without: []),
            try await DropbearServer.startSmall(without: ["stat"]),
        ] {
            let bench = try await Bench(server)
            let tree = try hostileTree(bench.scratch)
            try await Command.runSuccessfully(
                "/bin/cp", ["-a", bench.scratch.path("here/tree"), bench.scratch.path("there")])
            try bench.scratch.write("there/tree/-rf", "of another size")
            unlink("\(bench.folder)/tree/plain")
            mkfifo("\(bench.folder)/tree/plain", 0o600)
            let there = try await UploadPlace.find(tree, to: RawPath("\(bench.folder)/"), base: nil, over: bench.line)
            let known = try await bench.line.known(tree, Array(tree.files.indices), at: there, worker: bench.worker)
            let names = tree.files.map { RawPath($0.relative).text }
            #expect(names.indices.filter { known[$0] == nil }.map { names[$0] } == ["-rf", "plain"])
            #expect(known.allSatisfy { tree.files[$0].permissions == $1.permissions })
            await bench.target.close()
        }
    }

    // MARK: Names on record

    @Test(.enabled(if: DropbearServer.isSmallAvailable, "needs root, dropbear and BusyBox"))
    func whatUploadsHaveLeftGoesWithTheSpool() async throws {
        for server: any SSHTestServer in [
            try await SSHServer.start(), try await DropbearServer.startSmall(without: []),
        ] {
            let bench = try await Bench(server)
            let spool = bench.scratch.path("spool/0123456789abcdef")
            try FileSystem.makeDirectories(spool)
            let names = ["a/.ecr-1", "b \\n\\c\n' d/.ecr-2", "c/.ecr-3", "c/not ours", "d/.ecr-4"]
            for name in names.dropLast() { try bench.scratch.write("there/\(name)", "x") }
            try bench.scratch.write("there/d/.ecr-4/inside", "x")
            let noted = (names + ["c/none/.ecr-9"]).map { Array("\(bench.folder)/\($0)".utf8) }
            let raw = RawPath(bench.folder).appending([0xE9, 0x5C, 0xFF]).appending(Array(".ecr-5".utf8))
            try check("make", path: raw.text) { mkdir(RawPath(UploadSeat.parent(of: raw.bytes)).characters, 0o755) }
            _ = try File(path: raw, O_WRONLY | O_CREAT)
            try await bench.target.note(seats: noted.prefix(2) + [raw.bytes], in: spool)
            try await bench.target.note(seats: Array(noted.dropFirst(3)), in: spool)
            try await bench.target.note(seats: noted, in: "\(spool)-that-is-gone")
            try await bench.target.removeSpool(spool)
            #expect(!FileSystem.exists(spool))
            let left = names.filter { FileSystem.exists("\(bench.folder)/\($0)") }
            #expect(left == ["c/.ecr-3", "c/not ours"])
            #expect(access(raw.characters, F_OK) != 0)
            await bench.target.close()
        }
    }

    // MARK: Trees

    @Test func linksAreFollowedWithinTheTreeOnly() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("tree/sub/file", "x")
        try scratch.write("outside", "x")
        try FileSystem.makeDirectories(scratch.path("tree/empty"))
        symlink("sub/file", scratch.path("tree/link"))
        symlink("sub", scratch.path("tree/twin"))
        let tree = try UploadTree(scratch.path("tree"))
        #expect(tree.files.map { RawPath($0.relative).text } == ["link", "sub/file", "twin/file"])
        #expect(tree.folders.map { RawPath($0.relative).text } == ["", "empty", "sub", "twin"])
        func refusal(_ name: String) throws -> String {
            defer { unlink(scratch.path("tree/\(name)")) }
            let problem = #expect(throws: UploadTree.Problem.self) { try UploadTree(scratch.path("tree")) }
            return problem?.reasons.joined() ?? ""
        }
        symlink("../outside", scratch.path("tree/bad"))
        #expect(try refusal("bad").hasSuffix("/tree/bad: a link that leads out of the directory"))
        symlink("..", scratch.path("tree/sub/up"))
        #expect(try refusal("sub/up").hasSuffix("/up: a link to a directory that it is in"))
        symlink("nowhere", scratch.path("tree/bad"))
        #expect(try refusal("bad").hasSuffix(": a link that leads nowhere"))
        mkfifo(scratch.path("tree/pipe"), 0o600)
        #expect(try refusal("pipe").hasSuffix("/pipe: not a regular file"))
        let missing = #expect(throws: UploadTree.Problem.self) { try UploadTree(scratch.path("none")) }
        #expect(missing?.fault == .missing)
        let device = #expect(throws: UploadTree.Problem.self) { try UploadTree("/dev/null") }
        #expect(device?.fault == .itself)
    }

    /// A tree with every kind of name that a file may have.
    private func hostileTree(_ scratch: ScratchDirectory) throws -> UploadTree {
        let long = String(repeating: "l", count: 240)
        for (count, name) in ["plain", " two  words", "line\nbreak", "-rf", "*", "é ü", long, "s/\(long)/\(long)"]
            .enumerated()
        {
            try scratch.write(
                "here/tree/\(name)", bytes: testBytes(count * 3000), mode: count % 2 == 0 ? 0o644 : 0o755)
        }
        // Latin-1, as a file and as a directory.
        let latin = RawPath(scratch.path("here/tree")).appending([0x6D, 0xFC, 0x6C, 0x6C])
        try check("make", path: latin.text) { mkdir(latin.characters, 0o755) }
        let file = try File(path: latin.appending([0xE9, 0x20, 0x27]), O_WRONLY | O_CREAT, mode: 0o644)
        try file.write(Array("raw".utf8), at: 0)
        try FileSystem.makeDirectories(scratch.path("here/tree/empty/folder"), mode: 0o755)
        return try UploadTree(scratch.path("here/tree"))
    }

    private func expectWhole(_ tree: UploadTree, in folder: String) throws {
        for file in tree.files {
            let there = RawPath(folder).appending(file.relative)
            let (sent, kept) = (try File(path: there, O_RDONLY), try File(path: file.path, O_RDONLY))
            #expect(try sent.size() == file.size)
            #expect(try sent.read(at: 0, count: 1 << 20) == kept.read(at: 0, count: 1 << 20))
            var status = stat()
            #expect(stat(there.characters, &status) == 0 && status.st_mode & 0o777 == file.permissions)
        }
        #expect(FileSystem.isDirectory("\(folder)/empty/folder"))
    }

    private func sendArchive(_ tree: UploadTree, _ bench: Bench) async throws {
        let root = place("\(bench.folder)/new/tree")
        try await UploadSeat(over: bench.line).make(tree.folders, in: root)
        let upload = await ArchiveUpload(over: bench.line, worker: bench.worker, into: root, key: "k")
        let told = Mutex((files: 0, bytes: Int64(0)))
        let outcomes = try await upload.send(tree.files) { files, bytes in
            told.withLock { last in
                #expect(files >= last.files && bytes >= last.bytes)
                last = (files, bytes)
            }
        }
        #expect(told.withLock { $0.files } == tree.files.count && told.withLock { $0.bytes } == tree.bytes)
        for (file, outcome) in zip(tree.files, outcomes) {
            let placed = try outcome.get()
            #expect(placed.sha256 == placed.remoteSHA256 && placed.isSynced, "\(RawPath(file.relative).text)")
        }
        try expectWhole(tree, in: "\(bench.folder)/new/tree")
        #expect(try await bench.leftovers() == "")
    }

    @Test func anArchiveBringsATreeOfAnyNames() async throws {
        let bench = try await Bench(try await SSHServer.start())
        let tree = try hostileTree(bench.scratch)
        try await sendArchive(tree, bench)
        // Over what is there, too.
        try await sendArchive(tree, bench)
        await bench.target.close()
    }

    @Test func whatAnArchiveCannotPlaceIsSaidSo() async throws {
        let bench = try await Bench(try await SSHServer.start())
        for name in ["a", "b", "c"] { try bench.scratch.write("here/tree/\(name)", name) }
        try bench.scratch.write("there/b/in the way", "x")
        let tree = try UploadTree(bench.scratch.path("here/tree"))
        let outcomes = try await ArchiveUpload(
            over: bench.line, worker: bench.worker, into: place(bench.folder), key: "k"
        ).send(tree.files)
        #expect(try bench.read("a") == Array("a".utf8) && bench.read("c") == Array("c".utf8))
        guard case .failure(let failure) = outcomes[1] else {
            Issue.record("b cannot be placed")
            return
        }
        #expect(failure.reason.contains("directory"))
        #expect(try await bench.leftovers() == "")
        await bench.target.close()
    }

    @Test(.enabled(if: DropbearServer.isSmallAvailable, "needs root, dropbear and BusyBox"))
    func aSmallDeviceTakesFilesByEveryMethodThatItHas() async throws {
        let bench = try await Bench(try await DropbearServer.startSmall(without: ["sha256sum"]))
        #expect(bench.line.sftp == nil)
        await bench.target.close()
        let small = try await Bench(try await DropbearServer.startSmall(without: []))
        let bytes = testBytes(300_000)
        _ = try await small.send(try await small.file("f", bytes, mode: 0o755), .exec, as: "x/f")
        #expect(try small.read("x/f") == bytes && small.mode("x/f") == 0o755)
        try await sendArchive(try hostileTree(small.scratch), small)
        let file = try UploadTree(small.scratch.path("here/f"))
        let place = try await UploadPlace.find(file, to: RawPath("\(small.folder)/x"), base: nil, over: small.line)
        #expect(try await small.line.known(file, [0], at: place, worker: small.worker)[0]?.permissions == 0o755)
        await small.target.close()
    }

    // MARK: The archive's format

    @Test func longNamesAndLargeFilesAreAsATarReaderReadsThem() throws {
        var reader = TarReader()
        let long = String(repeating: "é", count: 120)
        let parts = try reader.take(TarWriter.header(Array(long.utf8), size: 9 << 30, permissions: 0o755))
        #expect(parts == [.entry(.init(name: Array("./\(long)".utf8), kind: .regular, size: 9 << 30))])
        for name in ["n", String(repeating: "n", count: 98), String(repeating: "n", count: 99), long] {
            let header = TarWriter.header(Array(name.utf8), size: 1, permissions: 0o600)
            #expect(Int64(header.count) == TarWriter.headerSize(Array(name.utf8)))
        }
        #expect(TarWriter.paddedSize(0) == 0 && TarWriter.paddedSize(1) == 512 && TarWriter.paddedSize(512) == 512)
        #expect(TarWriter.padding(0).isEmpty && TarWriter.padding(1).count == 511 && TarWriter.padding(512).isEmpty)
    }
}
