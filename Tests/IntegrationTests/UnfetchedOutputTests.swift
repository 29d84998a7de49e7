import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What a job has left in `$ECR_OUT` and has not come: the target has the only copy, in the spool.
@Suite(.serialized, .timeLimit(.minutes(3))) struct UnfetchedOutputTests {
    private func out(_ run: RunDirectory, _ job: String) throws -> String {
        "\(try #require(try run.state().spool))/\(job)/out"
    }

    @Test func whatALimitRefusesStaysOnTheTarget() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                """
                actions: {a: {commands: ['for i in $(seq 20); do echo $i >"$ECR_OUT/$i"; done']}}
                transfers: {max_files: 5}
                """)
            let run = try await fixture.start()
            #expect(try await fixture.expect(0, "run", "action", "a").errorText.contains("more than 5 files"))
            let end = try await fixture.expect(1, "run", "complete")
            let folder = try out(run, "0001")
            #expect(end.errorText.contains("missing: 0001-a: not all of $ECR_OUT has come: more than 5 files"))
            #expect(end.errorText.contains("kept in \(FileSystem.parent(of: FileSystem.parent(of: folder)))\n"))
            #expect(end.errorText.contains("next: ecr run drain \(run.id)"))
            #expect(!end.errorText.contains("100 %") && !end.errorText.contains("remark:"))
            #expect(try FileSystem.list(folder).count == 20)
            #expect(try await fixture.expect(0, "status").outputText.contains("ecr run drain"))
            // Who asks for it gets all of it.
            #expect(try await fixture.expect(0, "run", "drain").errorText.contains("complete: 100 %\n"))
            #expect(!FileSystem.exists(folder))
            #expect(try FileSystem.list("\(run.path)/artifacts/0001-a").count == 20)
        }
    }

    @Test func anAbortKeepsItToo() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                """
                actions: {a: {commands: ['echo 1 >"$ECR_OUT/1"; echo 2 >"$ECR_OUT/2"']}}
                transfers: {max_files: 1}
                """)
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "a")
            let end = try await fixture.expect(0, "run", "abort")
            #expect(end.errorText.contains("not all of $ECR_OUT of 0001-a has come"))
            #expect(try FileSystem.list(try out(run, "0001")).count == 2)
        }
    }

    @Test func whatWasCancelledIsFetchedByADrain() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                """
                actions: {big: {commands: ['truncate -s 4G "$ECR_OUT/big"; echo kept >"$ECR_OUT/small"']}}
                transfers: {min_free_disk: 0}
                """)
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "big")
            try await fixture.waitForTransfer()
            try await fixture.expect(0, "run", "cancel", "big")
            _ = try await action.wait()
            let end = try await fixture.expect(1, "run", "complete")
            #expect(end.errorText.contains("not all of $ECR_OUT has come: cancelled"))
            let folder = try out(run, "0001")
            try File(path: "\(folder)/big", O_WRONLY).truncate(to: 1000)

            #expect(try await fixture.expect(0, "run", "drain").errorText.contains("complete: 100 %"))
            let pulled = try run.events(.artifactPulled).compactMap { $0.data["path"]?.string }
            #expect(Set(pulled) == ["artifacts/0001-big/big", "artifacts/0001-big/small"] && pulled.count == 2)
            #expect(try FileSystem.read("\(run.path)/artifacts/0001-big/small") == Array("kept\n".utf8))
            #expect(!FileSystem.exists(folder))
        }
    }

    /// Also by one that comes before the files of a job that was taken up again begin to travel.
    @Test func aCancelRightBehindAResumeIsHeard() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                """
                actions: {big: {commands: ['truncate -s 4G "$ECR_OUT/big"']}}
                transfers: {min_free_disk: 0}
                """)
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "big")
            try await fixture.waitForTransfer()
            fixture.killSupervisor(of: run)
            #expect(try await action.wait().status == 79)
            try await fixture.expect(0, "run", "resume")
            try await fixture.expect(0, "run", "cancel", "big")
            #expect(try run.events(.artifactPulled).isEmpty)
            #expect(try run.events(.artifactPullFailed).compactMap { $0.data["reason"]?.string } == ["cancelled"])
            try await fixture.expect(0, "run", "abort")
        }
    }

    /// A link or a FIFO in it is no content that could be lost.
    @Test func whatIsNoContentKeepsNothing() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                #"actions: {a: {commands: ['cd "$ECR_OUT"; echo 1 >1; mkfifo pipe; ln -s nowhere link; ln -s /etc out']}}"#
            )
            let run = try await fixture.start()
            #expect(try await fixture.expect(0, "run", "action", "a").errorText.contains("pipe: not a regular file"))
            let folder = try out(run, "0001")
            #expect(try await fixture.expect(0, "run", "complete").errorText.contains("complete: 100 %"))
            #expect(!FileSystem.exists(folder))
        }
    }
}
