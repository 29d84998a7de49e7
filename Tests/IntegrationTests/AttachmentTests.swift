import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Large files of this machine that are kept with a note.
@Suite(.serialized, .timeLimit(.minutes(2))) struct AttachmentTests {
    /// A file with a hole in it, which takes its time to be read.
    private func sparse(_ fixture: RunFixture, _ size: Int64) throws -> String {
        let path = try fixture.scratch.write("sparse", "begin")
        try File(path: path, O_WRONLY).write(Array("end".utf8), at: size - 3)
        return path
    }

    private func attachments(_ run: RunDirectory) throws -> [String] {
        FileSystem.exists(run.attachments) ? try FileSystem.list(run.attachments) : []
    }

    @Test func holesStayHoles() async throws {
        try await RunFixture.with { fixture in
            let size: Int64 = 200_000_000
            let file = try sparse(fixture, size)
            let run = try await fixture.start()
            try await fixture.expect(0, "note", "a card", "--attach", file)
            let attached = try #require(try run.events(.note).first?.data["attachments"]?.array?.first)
            #expect(attached["size"]?.int == size)
            let copy = "\(run.path)/\(attached["path"]?.string ?? "")"
            try await Command.runSuccessfully("/usr/bin/cmp", [file, copy])
            var status = stat()
            #expect(stat(copy, &status) == 0 && status.st_mode & 0o777 == 0o400)
            #expect(Int64(status.st_blocks) * 512 < size / 10)
            try await fixture.expect(0, "run", "complete")
            try await fixture.expect(0, "verify", run.path)
        }
    }

    @Test func equalContentIsThereOnce() async throws {
        try await RunFixture.with { fixture in
            let file = try fixture.scratch.write("photo", "light")
            let run = try await fixture.start()
            for _ in 1...2 { try await fixture.expect(0, "note", "again", "--attach", file, "--attach", file) }
            let places = try attachments(run)
            #expect(places.count == 4)
            let inodes = places.map { name in
                var status = stat()
                stat("\(run.attachments)/\(name)", &status)
                return status.st_ino
            }
            #expect(Set(inodes).count == 1)
            try await fixture.expect(0, "verify")
        }
    }

    @Test func aFileThatGrowsMeanwhileIsSaidToHave() async throws {
        try await RunFixture.with { fixture in
            let file = try sparse(fixture, 1 << 30)
            let run = try await fixture.start()
            let note = try fixture.background("note", "a log", "--attach", file)
            try await fixture.wait(for: "the copy") { try !attachments(run).isEmpty }
            try File(path: file, O_WRONLY).write([1], at: 1 << 30)
            let result = try await note.wait()
            #expect(
                result.status == 0 && result.errorText.contains("warning: sparse was written to while it was copied"))
            let attached = try run.events(.note).first?.data["attachments"]?.array?.first
            #expect(attached?["changed"] == true && attached?["size"]?.int == 1 << 30)
        }
    }

    @Test(.enabled(if: Command.find("script") != nil)) func aLongCopyIsShownOnATerminal() async throws {
        try await RunFixture.with { fixture in
            let file = try sparse(fixture, 2 << 30)
            let run = try await fixture.start()
            let command = "\(try BuiltProducts.ecr()) note 'a card' --attach '\(file)'"
            let shown = try await Command.run(
                "/usr/bin/env", ["script", "-qec", command, "/dev/null"], environment: RunFixture.settings,
                workingDirectory: fixture.scratch.path)
            #expect(shown.status == 0, "\(shown.outputText)")
            #expect(shown.outputText.contains("copying sparse  "), "\(shown.outputText)")
            #expect(shown.outputText.contains(" % of 2.0 GiB, "))
            #expect(shown.outputText.contains(" with 1 file"))
            #expect(try run.events(.note).count == 1)
        }
    }

    @Test func aCopyThatIsStoppedLeavesNothing() async throws {
        try await RunFixture.with { fixture in
            let file = try sparse(fixture, 256 << 30)
            let run = try await fixture.start()
            let note = try fixture.background("note", "a card", "--attach", file)
            try await fixture.wait(for: "the copy") { try !attachments(run).isEmpty }
            note.signal(SIGINT)
            let stopped = try await note.wait()
            #expect(stopped.status == 130 && stopped.errorText == "stopped; nothing is recorded\n")
            #expect(try attachments(run).isEmpty && run.events(.note).isEmpty)
        }
    }

    /// What has holes needs no room for them.
    @Test func whatTheDiskHasNoRoomForIsRefusedBeforeItBegins() async throws {
        try await RunFixture.with { fixture in
            try fixture.write("actions: {hello: {commands: [\"echo hello\"]}}\ntransfers: {min_free_disk: 9000TB}")
            let file = try fixture.scratch.write("photo.jpg", bytes: [UInt8](repeating: 1, count: 5000))
            let hollow = fixture.scratch.path("hollow")
            _ = try File(path: hollow, O_WRONLY | O_CREAT).truncate(to: 1 << 20)
            let run = try await fixture.start()
            let refused = try await fixture.expect(74, "note", "no room", "--attach", hollow, "--attach", file)
            #expect(refused.errorText.contains("cannot attach it: "), "\(refused.errorText)")
            #expect(refused.errorText.contains("free on the disk of the runs directory, which has "))
            #expect(
                refused.errorText.contains("try: df -h '\(run.path)', and make room; or start a run with a smaller"))
            #expect(try attachments(run).isEmpty && run.events(.note).isEmpty)
            // It has no blocks, and still is no hole.
            try await fixture.expect(74, "note", "a text", "--attach", "/sys/kernel/uevent_seqnum")
            try await fixture.expect(0, "note", "holes", "--attach", hollow)
            try await fixture.expect(0, "note", "no file")
        }
    }
}
