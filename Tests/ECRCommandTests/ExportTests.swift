import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

@Suite struct ExportTests {
    private let ecr: Ecr

    init() throws { ecr = try Ecr() }

    private func tool(_ name: String) throws -> String { try #require(Command.find(name)) }

    @Test func anyUnzipOpensItAndTheSumsAreRight() async throws {
        let run = try await ecr.create()
        try ecr.append(
            to: run,
            [
                (.actionStarted, ["action": "hash", "job": "0001-hash"]),
                (.commandOutput, ["job": "0001-hash", "stream": "stdout", "offset": 0, "length": 5]),
            ])
        try FileSystem.replace(run.actionLog(job: "0001-hash", stream: "stdout"), with: Array("hello, not yet".utf8))
        for name in [
            #"0001-hash/a\b.csv"#, "0001-hash/ü.csv", "x.tmp-12-ab", "0001-hash/%part/half", "pulled/%part/half",
        ] {
            try FileSystem.makeDirectories(FileSystem.parent(of: "\(run.artifacts)/\(name)"))
            try FileSystem.replace("\(run.artifacts)/\(name)", with: Array("1,2\n".utf8))
        }
        try FileSystem.replace(run.events + ".torn-7", with: Array("torn".utf8))

        let result = try await ecr("run", "export", "-o", "out.zip", "--json")
        #expect(result.status == 0)
        let summary = try result.json()
        #expect(summary["events"]?.int == 3 && summary["recorded"]?.bool == true)
        #expect(try run.state().checkpoint.seq == 4)
        #expect(try ecr.types(run).last == "exported")

        try await Command.runSuccessfully(try tool("unzip"), ["-tq", "out.zip"], workingDirectory: ecr.scratch.path)
        try await Command.runSuccessfully(
            try tool("unzip"), ["-q", "out.zip", "-d", "u"], workingDirectory: ecr.scratch.path)
        let top = ecr.scratch.path("u/\(run.id)")
        #expect(try FileSystem.list(ecr.scratch.path("u")) == [run.id])
        try await Command.runSuccessfully(
            try tool("sha256sum"), ["-c", "--strict", "--quiet", "SHA256SUMS"], workingDirectory: top)
        #expect(try FileSystem.read(top + "/logs/actions/0001-hash.stdout") == Array("hello".utf8))
        #expect(
            try FileSystem.list(top) == [
                "SHA256SUMS", "artifacts", "events.jsonl", "events.jsonl.torn-7", "logs", "manifest.json",
                "profile_resolved.json", "profile_snapshot.yaml",
            ])
        // What has not come whole is no part of the dataset.
        #expect(try FileSystem.list(top + "/artifacts") == ["0001-hash"])
        #expect(try FileSystem.list(top + "/artifacts/0001-hash") == ["a%5Cb.csv", "ü.csv"])
        let manifest = try JSON(parsing: try FileSystem.read(top + "/manifest.json"))
        #expect(manifest["checkpoint"]?["seq"]?.int == 3)
        let size = try File(path: top + "/events.jsonl", 0).size()
        #expect(manifest["checkpoint"]?["byte_offset"]?.int == size)
    }

    @Test func theDefaultNameAndNoReplacing() async throws {
        let run = try await ecr.create()
        let result = try await ecr("run", "export")
        #expect(ecr.neutral(result.outputText) == "DIR/\(run.id).zip\n")
        let again = try await ecr("run", "export")
        #expect(again.status == 64)
        #expect(again.errorText.contains("\(run.id).zip exists already"))
        #expect(try await ecr("run", "export", "--force").status == 0)
    }

    @Test func aLiveRunIsExportedAndNotWrittenTo() async throws {
        let run = try await ecr.create()
        let supervisor = try FakeSupervisor(run)
        defer { supervisor.stop() }
        let result = try await ecr("run", "export", "--json")
        #expect(try result.json()["recorded"]?.bool == false)
        #expect(try ecr.types(run) == ["run_created", "run_started"])
    }

    @Test func aPlaceThatCannotBeWritten() async throws {
        _ = try await ecr.create()
        #expect(try await ecr("run", "export", "-o", "/nonexistent/x.zip").status == 74)
    }
}
