import Glibc
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What `ecr help run-directory` says against what is there.
@Suite struct RunDirectoryReferenceTests {
    @Test func everyFileIsExplained() async throws {
        let profile = """
            actions:
              make: {commands: ["mkdir $ECR_OUT/folder; echo 1 > $ECR_OUT/folder/a; echo 2 > $ECR_OUT/b"]}
            background_collectors:
              load: {command: "cat /proc/loadavg", interval: 1}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "make")
            let live = try files(run.path)
            #expect(live.contains("control.sock") && live.contains(".reserve"))
            for file in live { #expect(isExplained(file), "\(file)") }
            try await fixture.expect(0, "run", "complete")
            let atRest = try files(run.path)
            #expect(atRest.contains("artifacts/0002-make/folder/a") || atRest.contains("artifacts/0001-make/folder/a"))
            for file in atRest { #expect(isExplained(file), "\(file)") }
        }
    }

    /// Relative paths of everything that is no directory.
    private func files(_ root: String, below folder: String = "") throws -> [String] {
        try FileSystem.list("\(root)/\(folder)").flatMap { name -> [String] in
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            return FileSystem.isDirectory("\(root)/\(path)") ? try files(root, below: path) : [path]
        }
    }

    /// The table's words in capitals stand for names.
    private func isExplained(_ file: String) -> Bool {
        RunDirectory.reference.contains { row in
            let pattern = row.path.split(separator: "JOB", omittingEmptySubsequences: false).joined(separator: "*")
                .split(separator: "NAME", omittingEmptySubsequences: false).joined(separator: "*")
            return fnmatch(pattern, file, 0) == 0
        }
    }
}
