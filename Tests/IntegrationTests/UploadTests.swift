import EventLog
import Glibc
import Hashing
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Files that go to the target: those of actions, and those that are sent and fetched by hand.
@Suite(.serialized, .timeLimit(.minutes(4))) struct UploadTests {
    private static let actions = """
        actions:
          use:
            upload: [{from: model.bin, to: there/}]
            workdir: WORK
            commands: ["cat there/model.bin"]
          tree:
            upload: [{from: tree, to: WORK/tree}]
            commands: ["find WORK/tree -type f | sort"]
        """

    /// A run whose uploads go below a folder of the scratch directory.
    private func withRun(
        _ profile: String = actions, _ body: (RunFixture, RunDirectory, _ work: String) async throws -> Void
    ) async throws {
        try await RunFixture.with { fixture in
            let work = fixture.scratch.path("work")
            try FileSystem.makeDirectory(work)
            try fixture.write(
                profile.split(separator: "WORK", omittingEmptySubsequences: false).joined(separator: work))
            try fixture.scratch.write("model.bin", "the model", mode: 0o755)
            for number in 1...6 { try fixture.scratch.write("tree/sub \(number)/file", "content \(number)") }
            try await body(fixture, try await fixture.start(), work)
        }
    }

    private func uploads(_ run: RunDirectory) throws -> [JSONObject] { try run.events(.uploaded).map(\.data) }

    // MARK: Actions

    @Test func anActionsFilesAreThereBeforeItsCommands() async throws {
        try await withRun { fixture, run, work in
            let result = try await fixture.expect(0, "run", "action", "use")
            #expect(result.outputText == "the model")
            var status = stat()
            #expect(stat("\(work)/there/model.bin", &status) == 0 && status.st_mode & 0o777 == 0o755)
            let event = try #require(try uploads(run).first)
            let hash = SHA256.hexDigest(of: Array("the model".utf8))
            #expect(event["job"] == "0001-use" && event["attempt"] == 1 && event["size"] == 9)
            #expect(event["sha256"]?.string == hash && event["remote_sha256"]?.string == hash)
            #expect(event["method"] == "sftp" && event["remote"]?.string == "\(work)/there/model.bin")
            let types = try run.allEvents().map(\.type)
            let order: [EventType] = [.actionStarted, .uploadStarted, .uploaded, .commandStarted, .actionCompleted]
            #expect(types.filter(order.contains) == order)

            try await fixture.expect(0, "run", "action", "use")
            #expect(try uploads(run).last?["method"] == "unchanged")
            try fixture.scratch.write("model.bin", "another model")
            #expect(try await fixture.expect(0, "run", "action", "use").outputText == "another model")
            let show = try await fixture.expect(0, "run", "show").outputText
            #expect(show.contains("\(work)/there/model.bin") && show.contains("unchanged"))
            try await fixture.expect(0, "run", "complete")
            try await fixture.expect(0, "verify", run.path)
        }
    }

    @Test func directoriesGoInAnArchiveAndOnlyWhatDiffersGoesAgain() async throws {
        try await withRun { fixture, run, work in
            let listing = (1...6).map { "\(work)/tree/sub \($0)/file\n" }.joined()
            #expect(try await fixture.expect(0, "run", "action", "tree").outputText == listing)
            #expect(try uploads(run).allSatisfy { $0["method"] == "tar" && $0["sha256"] == $0["remote_sha256"] })
            try fixture.scratch.write("tree/sub 3/file", "other")
            try await fixture.expect(0, "run", "action", "tree")
            let again = try uploads(run).dropFirst(6)
            #expect(again.filter { $0["method"] == "unchanged" }.count == 5)
            #expect(again.first { $0["method"] == "sftp" }?["path"] == "sub 3/file")
            #expect(try FileSystem.read("\(work)/tree/sub 3/file") == Array("other".utf8))
        }
    }

    /// A checkout with another umask.
    @Test func filesThatDifferInPermissionsOnlyGetThemAndAreNotSent() async throws {
        try await withRun { fixture, run, work in
            try await fixture.expect(0, "run", "push", "tree", "\(work)/tree")
            for number in 1...6 {
                chmod(fixture.scratch.path("tree/sub \(number)/file"), number % 2 == 0 ? 0o664 : 0o700)
            }
            let again = try await fixture.expect(0, "run", "push", "tree", "\(work)/tree")
            #expect(again.errorText.hasSuffix(", 6 of them there already; permissions set: 6\n"))
            for number in 1...6 {
                var status = stat()
                let mode: UInt32 = number % 2 == 0 ? 0o664 : 0o700
                #expect(stat("\(work)/tree/sub \(number)/file", &status) == 0 && status.st_mode & 0o777 == mode)
            }
            #expect(
                try uploads(run).dropFirst(6).map { $0["mode"]?.int } == [0o700, 0o664, 0o700, 0o664, 0o700, 0o664])
            let third = try await fixture.expect(0, "run", "push", "tree", "\(work)/tree")
            #expect(third.errorText.hasSuffix(", 6 of them there already\n"))
        }
    }

    @Test func aMissingFileIsRefusedBeforeAnythingStarts() async throws {
        try await withRun { fixture, run, _ in
            unlink(fixture.scratch.path("model.bin"))
            let result = try await fixture.expect(66, "run", "action", "use")
            #expect(
                result.errorText.contains("action use cannot upload \(fixture.scratch.path)/model.bin: No such file"))
            #expect(try run.state().jobs.isEmpty)
        }
        try await RunFixture.with { fixture in
            try fixture.write(
                "setup: [s]\nactions: {s: {upload: [{from: none, to: /tmp/}], commands: [\"true\"]}}")
            try await fixture.expect(66, "run", "start", "profile.yaml")
            #expect(try fixture.runs() == [])
        }
    }

    @Test func aFailedUploadKeepsTheCommandsFromRunning() async throws {
        try await withRun { fixture, run, work in
            try fixture.scratch.write("work/there", "no directory")
            let result = try await fixture.expect(1, "run", "action", "use")
            #expect(result.outputText == "")
            #expect(result.errorText.contains("use failed: nothing was run: a file could not be uploaded"))
            #expect(try run.events(.actionFailed).first?.data["reason"] == "upload")
            #expect(try run.events(.uploadFailed).count == 1 && run.events(.commandStarted).isEmpty)
            #expect(try FileSystem.read("\(work)/there") == Array("no directory".utf8))
        }
    }

    @Test func anActionWarnsOfWhatItsFilesHaveLostOrReplaced() async throws {
        let profile = """
            actions:
              use: {upload: [{from: tree, to: WORK/tree}, {from: model.bin, to: WORK/}], commands: ["true"]}
              direct: {spool: false, upload: [{from: model.bin, to: WORK/}], commands: ["true"]}
            """
        try await withRun(profile) { fixture, run, work in
            chmod(fixture.scratch.path("model.bin"), 0o4755)
            chmod(fixture.scratch.path("tree/sub 2"), 0o2755)
            for name in ["use", "direct"] {
                unlink("\(work)/model.bin")
                symlink("/etc/hostname", "\(work)/model.bin")
                let result = try await fixture.expect(0, "run", "action", name)
                #expect(result.errorText.contains("warning: \(work)/model.bin was a link, and is the file itself now"))
                #expect(result.errorText.contains("warning: \(work)/model.bin has no setuid, setgid or sticky bit"))
                #expect(result.errorText.contains("warning: \(work)/tree/sub 2 has not the") == (name == "use"))
                #expect(
                    try run.events(.actionCompleted).last?.data["warnings"]?.array?.count == (name == "use" ? 3 : 2))
            }
        }
    }

    @Test func anActionWithoutASpoolHasItsFiles() async throws {
        let profile = """
            actions:
              direct: {spool: false, upload: [{from: model.bin, to: WORK/}], commands: ["cat WORK/model.bin"]}
              bad: {spool: false, upload: [{from: model.bin, to: /proc/none/}], commands: ["echo begun"]}
            """
        try await withRun(profile) { fixture, run, work in
            #expect(try await fixture.expect(0, "run", "action", "direct").outputText == "the model")
            #expect(try uploads(run).map { $0["remote"]?.string } == ["\(work)/model.bin"])
            let failed = try await fixture.expect(1, "run", "action", "bad")
            #expect(failed.outputText == "")
            #expect(failed.errorText.contains("bad failed: nothing was run: a file could not be uploaded"))
            #expect(failed.errorText.contains("model.bin to /proc/none/model.bin: no such file or directory"))
            #expect(try run.events(.actionFailed).first?.data["reason"] == "upload")
            try await fixture.expect(0, "run", "complete")
        }
    }

    @Test func aSupervisorThatDiesBeforeTheLaunchUploadsFirstWhenItIsBack() async throws {
        try await FaultBench.with(
            extra: "transfers: {method: sftp}\n"
        ) { bench in
            let fixture = bench.fixture
            let work = fixture.scratch.path("work")
            let bytes = testBytes(3_000_000)
            try fixture.scratch.write("big", bytes: bytes)
            try fixture.write(
                """
                actions:
                  use: {upload: [{from: big, to: \(work)/big}], commands: ["sha256sum <\(work)/big"]}
                """)
            let run = try await bench.start()
            let link = try #require(bench.link)
            link.fail(.stall, after: 1_000_000, .toServer)
            let action = try fixture.background("run", "action", "use")
            try await fixture.wait(for: "the stall") { !link.isArmed }
            #expect(try run.events(.actionStarted).count == 1)
            try await bench.killSupervisor(of: run)
            _ = try await action.wait()
            link.fail(.reset)
            link.restore()
            try await fixture.expect(0, "run", "resume")
            try await fixture.expect(0, "run", "follow", "0001-use")
            #expect(try run.text("0001-use").hasPrefix(SHA256.hexDigest(of: bytes)))
            #expect(try uploads(run).count == 1 && uploads(run).first?["resumed_at"]?.int ?? 0 > 0)
            #expect(try FileSystem.list(work) == ["big"])
        }
    }

    @Test(arguments: ["sftp", "exec", "scp", "tar"]) func aCutLinkIsPickedUp(_ method: String) async throws {
        try await FaultBench.with(connection: ["keepalive": "60"]) { bench in
            let fixture = bench.fixture
            let work = fixture.scratch.path("work")
            let bytes = testBytes(1_500_000)
            for name in ["tree/a", "tree/b"] { try fixture.scratch.write(name, bytes: bytes) }
            let run = try await bench.start()
            bench.link?.fail(.reset, after: 2_000_000, .toServer)
            try await fixture.expect(0, "run", "push", "--method", method, "tree", "\(work)/tree")
            #expect(bench.link?.isArmed == false)
            #expect(try run.events(.connectionLost).count <= 1)
            for name in ["a", "b"] { #expect(try FileSystem.read("\(work)/tree/\(name)") == bytes) }
            let sent = try uploads(run)
            #expect(sent.count == 2 && sent.allSatisfy { $0["method"]?.string == method })
            #expect(try FileSystem.list("\(work)/tree") == ["a", "b"])
        }
    }

    @Test func anUploadCanBeCancelled() async throws {
        try await FaultBench.with { bench in
            let fixture = bench.fixture
            let work = fixture.scratch.path("work")
            try fixture.scratch.write("big", bytes: [UInt8](repeating: 1, count: 8_000_000))
            try fixture.write(
                "actions: {use: {upload: [{from: big, to: \(work)/big}], commands: [\"true\"]}}")
            let run = try await bench.start()
            bench.link?.throttle(1_000_000)
            let action = try fixture.background("run", "action", "use")
            try await fixture.wait(for: "the upload") { try run.events(.uploadStarted).count == 1 }
            try await fixture.expect(0, "run", "cancel", "use")
            #expect(try await action.wait().status == 130)
            bench.link?.throttle(nil)
            #expect(try run.events(.actionCancelled).count == 1 && run.events(.commandStarted).isEmpty)
            #expect(!FileSystem.exists("\(work)/big"))
        }
    }

    // MARK: By hand

    /// - Parameter method: of the transfer.
    @Test(arguments: ["auto", "tar", "sftp", "exec", "scp"]) func namesThatAreNoTextGoAsTheyAre(_ method: String)
        async throws
    {
        try await withRun { fixture, run, work in
            let folder = RawPath(fixture.scratch.path).appending([0x64, 0xFC])
            try check("make", path: folder.text) { mkdir(folder.characters, 0o755) }
            for (number, name) in [[0xE9], [0x61], [0xFF, 0x0A], [0xC3], [0xC3, 0xA9] as [UInt8]].enumerated() {
                let file = try File(path: folder.appending(name), O_WRONLY | O_CREAT, mode: 0o644)
                try file.write(Array("content \(number)".utf8), at: 0)
            }
            // As a person types it: the directory, and a file in it by itself, whose names read alike.
            let words =
                "run push --json --method \(method) \"$(printf 'd\\374')\" \"$(printf 'd\\374/\\351')\" \"$(printf '\(work)/raw\\374/')\""
            let pushed = try await Command.run(
                "/bin/sh", ["-c", "\(try BuiltProducts.ecr()) \(words)"], environment: RunFixture.settings,
                workingDirectory: fixture.scratch.path)
            #expect(pushed.status == 0, "\(pushed.errorText)")
            let there = RawPath(work).appending(Array("raw".utf8) + [0xFC])
            #expect(try FileSystem.list(there) == [[0x64, 0xFC], [0xE9]])
            for name in try FileSystem.list(folder) {
                let sent = try File(path: there.appending([0x64, 0xFC]).appending(name), O_RDONLY)
                let kept = try File(path: folder.appending(name), O_RDONLY)
                #expect(try sent.read(at: 0, count: 100) == kept.read(at: 0, count: 100))
            }
            let uploads = try run.events(.uploaded).map(\.data)
            #expect(uploads.count == 6)
            for upload in uploads {
                let raw = try #require(upload["local_base64"]?.string.flatMap { Base64.decode($0) })
                #expect(raw.starts(with: folder.bytes))
                let remote = try #require(upload["remote_base64"]?.string.flatMap { Base64.decode($0) })
                #expect(remote.starts(with: there.bytes) && RawPath(remote) != there)
                #expect(upload["sha256"]?.string == upload["remote_sha256"]?.string)
            }
            #expect(uploads.compactMap { $0["path"]?.string }.sorted() == ["a", "é"])
            #expect(uploads.compactMap { $0["path_base64"]?.string }.count == 3)
            let shown = try await fixture.expect(0, "run", "show")
            #expect(shown.outputText.contains("\(work)/raw\u{FFFD}/d\u{FFFD}/a"))
            try await fixture.expect(0, "run", "complete")
            try await fixture.expect(0, "verify", run.path)
        }
    }

    @Test func filesAreSentAndFetchedByHand() async throws {
        try await withRun { fixture, run, work in
            try fixture.scratch.write("-dash\nline", "odd")
            let pushed = try await fixture.expect(
                0, "run", "push", "model.bin", "tree", "\(fixture.scratch.path)/-dash\nline", "\(work)/new/")
            #expect(pushed.errorText.contains("\(work)/new/model.bin  9 B\n"))
            #expect(pushed.errorText.contains("8 files on the target"))
            #expect(!pushed.errorText.contains("there already"))
            #expect(try FileSystem.list("\(work)/new") == ["-dash\nline", "model.bin", "tree"])
            let again = try await fixture.expect(0, "run", "push", "--json", "model.bin", "\(work)/new")
            let lines = again.outputText.split(separator: "\n").map { try? JSON(parsing: String($0)) }
            #expect(lines.first??["transferred"]?["path"]?.string == "\(work)/new/model.bin")
            #expect(lines.last??["uploaded"] == ["files": 1, "bytes": 9, "unchanged": 1, "permissions_set": 0])

            let spilled = try await fixture.expect(1, "run", "push", "tree", "\(work)/new")
            #expect(spilled.errorText.contains("write '\(work)/new/' to put it in there"))
            let pulled = try await fixture.expect(0, "run", "pull", "\(work)/new/m*", "\(work)/new/tree")
            #expect(pulled.outputText.hasPrefix("\(run.path)/artifacts/pulled/0001/model.bin\n"))
            try await fixture.expect(0, "run", "pause")
            let second = try await fixture.expect(1, "run", "pull", "--json", "\(work)/none", "\(work)/new/model.bin")
            let result = try JSON(parsing: String(second.outputText.split(separator: "\n").last ?? ""))
            #expect(result["failed"]?.array?.first?["reason"] == "no such file")
            #expect(result["pulled"] == ["artifacts/pulled/0002/model.bin"])
            #expect(second.errorText.contains("error: \(work)/none: no such file"))
            #expect(try await fixture.expect(64, "run", "push", "model.bin", work).errorText.contains("paused"))
            try await fixture.expect(1, "run", "pull", "\(work)/none")
            #expect(try FileSystem.list("\(run.path)/artifacts/pulled") == ["0001", "0002"])
            try await fixture.expect(0, "run", "resume")
            #expect(try await fixture.expect(66, "run", "push", "nothing", work).errorText.contains("No such file"))
            try await fixture.expect(64, "run", "push", "model.bin")
            try await fixture.expect(0, "run", "complete")
            let verified = try await fixture.ecr("verify", "--json", run.path)
            #expect(try verified.json()["unnamed"] == [], "\(verified.outputText)")
            try await fixture.expect(64, "run", "pull", "/etc/hostname")
        }
    }

    @Test(arguments: ["sftp", "tar", "exec", "scp"]) func linksAndSpecialBitsAreToldOf(_ method: String) async throws {
        try await withRun { fixture, run, work in
            for name in ["a", "b", "c", "d", "e"] {
                try fixture.scratch.write("set/\(name)", "new \(name)", mode: 0o755)
            }
            for name in ["b", "c"] { chmod(fixture.scratch.path("set/\(name)"), 0o4755) }
            for (folder, bits) in [("plain", 0o755), ("shared", 0o2775), ("tmp", 0o1777)] as [(String, UInt32)] {
                try FileSystem.makeDirectories(fixture.scratch.path("set/\(folder)"))
                chmod(fixture.scratch.path("set/\(folder)"), bits)
            }
            let kept = try fixture.scratch.write("work/kept", "what the link led to")
            symlink("kept", "\(work)/a")
            let sent = try await fixture.expect(0, "run", "push", "--method", method, "set/.", "\(work)/")
            #expect(sent.errorText.contains("warning: \(work)/b has no setuid, setgid or sticky bit there"))
            #expect(sent.errorText.contains("chmod can give it, and so for 1 other file\n"))
            let bits = "has not the setuid, setgid or sticky bit there that it has here; chmod can give it"
            #expect(sent.errorText.contains("warning: \(work)/shared \(bits), and so for 1 other directory\n"))
            #expect(sent.errorText.contains("warning: \(work)/a was a link, and is the file itself now"))
            #expect(try FileSystem.read(kept) == Array("what the link led to".utf8))
            #expect(try FileSystem.read("\(work)/a") == Array("new a".utf8))
            let sums = try uploads(run)
            #expect(sums.map { $0["dropped_mode"]?.int } == [nil, 0o4000, 0o4000, nil, nil])
            #expect(sums.map { $0["replaced_link"]?.bool } == [true, nil, nil, nil, nil])

            // What an operator has given there stays while the content does.
            chmod("\(work)/b", 0o4755)
            let again = try await fixture.expect(0, "run", "push", "--method", method, "set/b", "\(work)/b")
            #expect(!again.errorText.contains("warning"))
            var status = stat()
            #expect(stat("\(work)/b", &status) == 0 && status.st_mode & 0o7777 == 0o4755)
        }
    }

    /// It holds for a file by itself, too, and where it does not work nothing goes another way.
    @Test func aWayThatIsAskedForIsTheOneThatIsGone() async throws {
        try await withRun { fixture, run, work in
            try fixture.scratch.write("-large", bytes: [UInt8](repeating: 7, count: 9_000_000), mode: 0o751)
            for (place, name) in [("new/folder/", "new/folder/-large"), ("other name", "other name"), ("-x", "-x")] {
                try await fixture.expect(
                    0, "run", "push", "--method", "tar", "\(fixture.scratch.path)/-large", "\(work)/\(place)")
                let sent = try #require(try uploads(run).last)
                #expect(sent["method"] == "tar" && sent["remote"]?.string == "\(work)/\(name)")
                #expect(sent["sha256"] == sent["remote_sha256"] && sent["path"] == nil && sent["mode"] == 0o751)
                #expect(try FileSystem.read("\(work)/\(name)").count == 9_000_000)
            }
            #expect(try FileSystem.list(work) == ["-x", "new", "other name"])
            try await fixture.expect(0, "run", "push", "--method", "tar", "model.bin", "\(work)/-x")
            #expect(try FileSystem.read("\(work)/-x") == Array("the model".utf8))

            let single = try await fixture.expect(1, "run", "push", "--method", "tar", "model.bin", "/proc/model.bin")
            #expect(single.errorText.contains("cannot send \(fixture.scratch.path)/model.bin to /proc/model.bin: "))
            let several = try await fixture.expect(1, "run", "push", "--method", "tar", "tree/.", "/proc/")
            #expect(several.errorText.contains("cannot send \(fixture.scratch.path)/tree/. to /proc"))
            #expect(try uploads(run).count == 4 && run.events(.uploadFailed).count == 2)
        }
    }

    @Test func emptyAndUnknownNamesAreRefusedWithTheNextStep() async throws {
        let profile = """
            parameters: {model: {default: ""}}
            actions: {use: {upload: [{from: "{model}", to: WORK/}], commands: ["true"]}}
            """
        try await withRun(profile) { fixture, run, work in
            let folder = fixture.scratch.path
            for words in [["", work], ["model.bin", ""]] {
                let result = try await fixture.ecr(["run", "push"] + words)
                #expect(result.status == 64 && result.errorText.contains("a name is empty"))
            }
            let empty = try await fixture.expect(64, "run", "action", "use")
            #expect(empty.errorText.contains("an upload of action use has an empty name"))
            let missing = try await fixture.expect(66, "run", "push", "modle.bin", "\(work)/")
            #expect(missing.errorText.contains("modle.bin: No such file or directory (did you mean 'model.bin'?)"))
            #expect(missing.errorText.contains("ls -la '\(folder)'"))
            let deep = try await fixture.expect(66, "run", "push", "none/at/all", "\(work)/")
            #expect(deep.errorText.contains("ls -la '\(folder)'"))
            let device = try await fixture.expect(64, "run", "push", "/dev/null", "\(work)/")
            #expect(device.errorText.contains("/dev/null: not a regular file, nor a directory"))
            #expect(device.errorText.contains("ls -ld '/dev/null'") && !device.errorText.contains("take that out"))
            let attached = try await fixture.expect(66, "run", "note", "x", "--attach", "nix")
            #expect(attached.errorText.contains("ls -la '\(folder)'"))
            let attachedFolder = try await fixture.expect(64, "run", "note", "x", "--attach", "tree")
            #expect(attachedFolder.errorText.contains("tar -czf folder.tar.gz 'tree', then --attach folder.tar.gz"))
            let other = try await fixture.expect(1, "run", "push", "model.bin", "~nobody-here/f")
            #expect(other.errorText.contains("only ~ and ~/ are known, for the login folder"))
            #expect(try uploads(run).isEmpty && run.events(.note).isEmpty)
        }
    }

    @Test func aFileThatVanishesMeanwhileIsNamedAndWhatIsBehindItCounted() async throws {
        try await FaultBench.with { bench in
            let fixture = bench.fixture
            let work = fixture.scratch.path("work")
            for name in ["1", "2", "3"] {
                try fixture.scratch.write("set/\(name)", bytes: [UInt8](repeating: 1, count: 2_000_000))
            }
            let run = try await bench.start()
            bench.link?.throttle(300_000)
            let push = try fixture.background("run", "push", "--method", "sftp", "set", work)
            try await fixture.wait(for: "the push") { try run.events(.uploadStarted).count == 1 }
            unlink(fixture.scratch.path("set/2"))
            bench.link?.throttle(nil)
            let result = try await push.wait()
            #expect(result.status == 1)
            let place = "cannot send \(fixture.scratch.path)/set/2 to \(work)/2: cannot be read here: No such file"
            #expect(result.errorText.contains(place), "\(result.errorText)")
            #expect(result.errorText.contains("; files that were not sent with it: 1\n"))
            #expect(result.errorText.contains("try: ls -la '\(fixture.scratch.path)/set'"))
            #expect(try uploads(run).map { $0["path"]?.string } == ["1"])
            #expect(try FileSystem.list(work) == ["1"])
        }
    }

    /// It says that it is empty, or a page long; and memory cannot be read where none is.
    @Test(arguments: ["auto", "exec", "scp", "tar"])
    func whatTheKernelMakesUpIsNotTakenForEmpty(_ method: String) async throws {
        try await RunFixture.with { fixture in
            let run = try await fixture.start()
            let work = fixture.scratch.path("work")
            let made = "it is not as long as it says, like what the kernel makes up; send a copy of it"
            for (path, reason) in [
                ("/proc/version", made), ("/sys/kernel/uevent_seqnum", made),
                ("/proc/self/mem", "cannot be read here: Input/output error"),
            ] where FileSystem.exists(path) {
                let result = try await fixture.expect(1, "run", "push", "--method", method, path, "\(work)/f")
                #expect(result.errorText.contains(" to \(work)/f: \(reason)\n"), "\(result.errorText)")
                #expect(result.errorText.contains("0 files on the target"))
            }
            // A link there is called as it was typed: of the process that reads it now nothing is left soon.
            let link = fixture.scratch.path("mounts")
            symlink("/proc/self/mounts", link)
            let linked = try await fixture.expect(1, "run", "push", "--method", method, "mounts", "\(work)/f")
            #expect(linked.errorText.contains("try: cat '\(link)' >copy, then send that\n"), "\(linked.errorText)")
            try fixture.scratch.write("tree/1", "content")
            try fixture.scratch.write("tree/none", "")
            try await fixture.expect(0, "run", "push", "--method", method, "tree", "\(work)/tree")
            #expect(try FileSystem.read("\(work)/tree/none").isEmpty)
            #expect(try FileSystem.list(work) == ["tree"] && FileSystem.list("\(work)/tree") == ["1", "none"])
            #expect(try run.events(.uploaded).count == 2)
        }
    }

    @Test func aPullThatIsInterruptedLeavesNothingHalf() async throws {
        try await FaultBench.with { bench in
            let fixture = bench.fixture
            try fixture.scratch.write("big", bytes: [UInt8](repeating: 1, count: 20_000_000))
            let run = try await bench.start()
            bench.link?.throttle(1_000_000)
            let pull = try fixture.background("run", "pull", fixture.scratch.path("big"))
            try await fixture.wait(for: "the pull") { try run.events(.artifactPullStarted).count == 1 }
            // What is on its way holds up the end, unless it is told not to.
            #expect(try await fixture.ecr("run", "complete").status == 75)
            pull.signal(SIGINT)
            #expect(try await pull.wait().status == 130)
            bench.link?.throttle(nil)
            try await fixture.wait(for: "the end of it") {
                try await fixture.ecr("run", "complete").status == 0
            }
            #expect(!FileSystem.exists(run.pulled))
            #expect(try run.events(.artifactPulled).isEmpty)
        }
    }

    @Test(.enabled(if: DropbearServer.isSmallAvailable, "needs root, dropbear and BusyBox"), arguments: [false, true])
    func aSmallDeviceIsSentToAndFetchedFrom(_ hasFewTools: Bool) async throws {
        let missing: Set<String> = hasFewTools ? ["tar", "xargs", "find", "stat", "sha256sum", "openssl"] : []
        let target = try BareTarget(try await DropbearServer.startSmall(without: missing))
        let work = target.scratch.path("work")
        try target.scratch.write(
            "profile.yaml",
            """
            name: small
            connection: {host: 127.0.0.1, port: \(target.server.port), user: \(target.server.user)}
            actions: {use: {upload: [{from: tree, to: \(work)/tree}], commands: ["ls \(work)/tree"]}}
            """)
        for number in 1...6 { try target.scratch.write("tree/f\(number)", "content \(number)") }
        let started = try await target.expect(0, "run", "start", "profile.yaml")
        let run = RunDirectory(path: target.scratch.path("runs/\(started.outputText.prefix { $0 != "\n" })"))
        #expect(try await target.expect(0, "run", "action", "use").outputText == "f1\nf2\nf3\nf4\nf5\nf6\n")
        try target.scratch.write("tree/f3", "changed 3")
        try await target.expect(0, "run", "action", "use")
        let events = try run.events(.uploaded).map(\.data)
        #expect(Set(events.prefix(6).map { $0["method"]?.string }) == [hasFewTools ? "exec" : "tar"])
        #expect(events.allSatisfy { $0["sha256"] == $0["remote_sha256"] })
        let again = hasFewTools ? [] : Array(repeating: "unchanged", count: 5)
        #expect(events.dropFirst(6).compactMap { $0["method"]?.string }.filter { $0 == "unchanged" } == again)
        #expect(try FileSystem.read("\(work)/tree/f3") == Array("changed 3".utf8))
        // Without `find -print0` nothing can be listed, and the failure names the means that are missing.
        let pulled = try await target.expect(hasFewTools ? 1 : 0, "run", "pull", "\(work)/tree/f3")
        #expect(pulled.errorText.contains(hasFewTools ? "find -print0" : "1 file fetched"))
        try await target.expect(0, "run", "abort")
    }

    @Test(.enabled("needs root and tmpfs") { await SmallDisk.isAvailable() })
    func aFullDiskOfTheTargetIsSaidSo() async throws {
        try await withRun { fixture, run, _ in
            let disk = try await SmallDisk(kilobytes: 512)
            try fixture.scratch.write("big", bytes: [UInt8](repeating: 1, count: 2_000_000))
            for method in ["sftp", "exec", "scp", "tar"] {
                let result = try await fixture.expect(1, "run", "push", "--method", method, "big", disk.path)
                #expect(result.errorText.contains("/big to \(disk.path)/big: no space left on device"))
                #expect(result.errorText.contains("ecr run exec -- df -h '\(disk.path)'"))
            }
            let bytes = [UInt8](repeating: 1, count: 200_000)
            for number in 1...6 { try fixture.scratch.write("many/\(number)", bytes: bytes) }
            let result = try await fixture.expect(1, "run", "push", "many", "\(disk.path)/many")
            #expect(result.errorText.contains("no space left on device"))
            #expect(try FileSystem.list(disk.path) == ["many"])
            #expect(try !FileSystem.list("\(disk.path)/many").contains { $0.hasPrefix(".") })
            #expect(try run.events(.uploadFailed).count == 5)
            // Each of the six is told of: there, the one that failed, or not sent.
            let unsent = try run.events(.uploadFailed).last?.data["unsent"]?.int ?? 0
            #expect(try Int64(uploads(run).count) + unsent == 5)
            #expect(result.errorText.contains("; files that were not sent with it: \(unsent)\n"))

            let json = try await fixture.expect(1, "run", "push", "--json", "big", "model.bin", "tree", "\(disk.path)/")
            let failed = try JSON(parsing: String(json.outputText.split(separator: "\n").last ?? ""))["failed"]?.array
            #expect(failed?.map { $0["outcome"]?.string } == ["failed", "untried", "untried"])
            let names = ["big", "model.bin", "tree"].map { fixture.scratch.path($0) }
            #expect(failed?.map { $0["local"]?.string } == names)
            #expect(json.errorText.contains("not tried: \(names[1]), \(names[2])\n"))
            let untried = try run.events(.uploadFailed).suffix(2).map(\.data)
            #expect(untried.map { $0["local"]?.string } == [names[1], names[2]])
            #expect(untried.allSatisfy { $0["reason"] == "not tried, since an earlier one has failed" })
        }
    }

    /// Nothing of such a job has run, so that nothing of it can be missing.
    @Test func aJobWhoseFilesCouldNotBeSentIsNoHole() async throws {
        try await RunFixture.with(
            profile: "actions: {use: {upload: [{from: f, to: /proc/nope/}], commands: [\"echo no\"]}}"
        ) { fixture in
            try fixture.scratch.write("f", "content")
            let run = try await fixture.start()
            try await fixture.expect(1, "run", "action", "use")
            try await fixture.expect(0, "run", "complete")
            let ledger = try #require(try run.events(.ledger).last?.data)
            #expect(ledger["complete_percent"] == 100)
            #expect(ledger["remarks"] == ["0001-use was not begun: a file could not be uploaded"])
        }
    }

    // MARK: Attachments

    @Test func notesHaveFilesInEveryState() async throws {
        try await withRun { fixture, run, _ in
            try fixture.scratch.write("photo.jpg", "a photo")
            let note = try await fixture.expect(
                0, "note", "the setup", "--attach", "photo.jpg", "--attach", "tree/sub 1/file", "--attach",
                fixture.scratch.path("tree/sub 2/file"), "--json")
            let seq = try #require(try note.json()["seq"]?.int)
            let event = try #require(try run.events(.note).first)
            let files = event.data["attachments"]?.array ?? []
            #expect(event.seq == seq)
            #expect(
                files.map { $0["path"]?.string } == [
                    "artifacts/attachments/\(seq)-photo.jpg", "artifacts/attachments/\(seq)-file",
                    "artifacts/attachments/\(seq)-file_2",
                ])
            #expect(files[0]["sha256"]?.string == SHA256.hexDigest(of: Array("a photo".utf8)))
            #expect(try FileSystem.read("\(run.path)/artifacts/attachments/\(seq)-photo.jpg") == Array("a photo".utf8))
            #expect(try await fixture.expect(0, "run", "show").outputText.contains("\(seq)-photo.jpg"))

            try await fixture.expect(66, "note", "none", "--attach", "photo.jpg", "--attach", "none.jpg")
            #expect(try run.events(.note).count == 1)
            #expect(try FileSystem.list("\(run.path)/artifacts/attachments").count == 3)

            try await fixture.expect(0, "run", "complete")
            try await fixture.expect(0, "note", "afterwards", "--attach", "photo.jpg")
            #expect(try FileSystem.list("\(run.path)/artifacts/attachments").count == 4)
            let verified = try await fixture.ecr("verify", "--json", run.path)
            #expect(verified.status == 0, "\(verified.outputText)")
            #expect(try verified.json()["unnamed"] == [])
            try await fixture.expect(0, "run", "export", "-o", "set.zip")
            let unpacked = fixture.scratch.path("unpacked")
            try await Command.runSuccessfully(
                try #require(Command.find("unzip")), ["-q", fixture.scratch.path("set.zip"), "-d", unpacked])
            try await fixture.expect(0, "verify", "\(unpacked)/\(run.id)")
            chmod("\(run.path)/artifacts/attachments/\(seq)-photo.jpg", 0o600)
            try FileSystem.replace(
                "\(run.path)/artifacts/attachments/\(seq)-photo.jpg", with: Array("b photo".utf8))
            #expect(try await fixture.expect(76, "verify", run.path).outputText.contains("\(seq)-photo.jpg"))
        }
    }

    @Test func anInterruptedRunTakesNotesWithFiles() async throws {
        try await withRun { fixture, run, _ in
            try await fixture.killSupervisor(of: run)
            let note = try await fixture.expect(0, "note", "cable", "--attach", "model.bin", "--json")
            let path = "artifacts/attachments/\(try note.json()["seq"]?.int ?? -1)-model.bin"
            #expect(try run.events(.note).first?.data["attachments"]?.array?.first?["path"]?.string == path)
            #expect(try FileSystem.read("\(run.path)/\(path)") == Array("the model".utf8))
            #expect(try run.events(.runInterrupted).count == 1)
            try await fixture.expect(0, "run", "resume")
            try await fixture.expect(0, "run", "complete")
            #expect(try await fixture.ecr("verify", "--json", run.path).json()["unnamed"] == [])
        }
    }

    /// Their content is written at each reading, so that both ends never have the same.
    @Test func textsOfTheKernelChangeAndAreNotDamaged() async throws {
        try await withRun { fixture, run, _ in
            let texts = ["/proc/sys/kernel/random/uuid", "/proc/self/stat", "/proc/version"]
            try await fixture.expect(0, "run", "pull", texts[0], texts[1], texts[2])
            let pulled = try run.events(.artifactPulled).map(\.data)
            #expect(pulled.map { $0["remote"]?.string } == texts)
            #expect(pulled.map { $0["changed"]?.bool } == [true, true, nil])
            #expect(pulled.allSatisfy { $0["size"]?.int ?? 0 > 0 })
        }
    }

    // MARK: Shared content

    @Test func aDeletedRunLeavesTheContentThatOthersHave() async throws {
        try await withRun { fixture, first, _ in
            let big = try fixture.scratch.write("big", bytes: [UInt8](repeating: 7, count: 100_000))
            let own = try fixture.scratch.write("own", "of the first run alone")
            try await fixture.expect(0, "run", "pull", big, own)
            try await fixture.expect(0, "run", "complete")
            let second = try await fixture.start()
            try await fixture.expect(0, "run", "pull", big)
            try await fixture.expect(0, "run", "complete")
            func inode(_ run: RunDirectory) -> UInt {
                var status = stat()
                return stat("\(run.path)/artifacts/pulled/0001/big", &status) == 0 ? UInt(status.st_ino) : 0
            }
            #expect(inode(first) == inode(second) && inode(first) != 0)
            try await fixture.expect(0, "verify", first.path)
            try await fixture.expect(0, "run", "delete", "--yes", first.id)
            try await fixture.expect(0, "verify", second.path)
            try await fixture.expect(0, "run", "export", "--run", second.id, "-o", "second.zip")
            #expect(try FileSystem.list(fixture.scratch.path("runs/.content")) == ["100000"])
            try await fixture.expect(0, "run", "prune", "--keep", "0", "--yes")
            #expect(!FileSystem.exists(fixture.scratch.path("runs/.content")))
        }
    }
}
