import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Files that are cut short while they are on their way.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ShrinkingFileTests {
    /// By each way the command succeeds, and says that what is here is not what was there.
    @Test func aFileThatShrinksIsRecordedAsChanged() async throws {
        try await FaultBench.with(connection: ["keepalive": "60"]) { bench in
            let (fixture, link) = (bench.fixture, try #require(bench.link))
            let run = try await bench.start()
            for method in ["sftp", "tar", "exec", "scp"] {
                let file = fixture.scratch.path("f-\(method)")
                try await Command.runSuccessfully(
                    "/bin/sh", ["-c", "head -c 40000000 /dev/urandom >\"$0\" && touch -d 2001-01-01 \"$0\"", file])
                // No buffer on the way holds as much as stays.
                link.fail(.stall, after: 4_000_000, .toClient)
                let pull = try fixture.background("run", "pull", "--method", method, file)
                try await fixture.wait(for: "the stall") { !link.isArmed }
                try File(path: file, O_WRONLY).truncate(to: 30_000_000)
                link.restore()
                let result = try await pull.wait()
                #expect(result.status == 0, "\(method): \(result.errorText)")
                #expect(
                    result.errorText.contains("/f-\(method) changed while it was read\n1 file fetched\n"),
                    "\(method): \(result.errorText)")
                let pulled = try #require(try run.events(.artifactPulled).last?.data)
                #expect(pulled["remote"]?.string == file && pulled["size"] == 30_000_000 && pulled["changed"] == true)
                #expect(pulled["unverified"] == nil)
                try await Command.runSuccessfully(
                    "/usr/bin/cmp", [file, "\(run.path)/\(pulled["path"]?.string ?? "")"])
            }
            #expect(try run.events(.artifactPullFailed).isEmpty)
            try await bench.complete(run)
        }
    }
}
