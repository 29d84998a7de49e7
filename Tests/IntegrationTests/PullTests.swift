import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Files of a target in a run: all of them, by every way, each checked at both ends, each content once.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PullTests {
    /// A folder of files whose names are hard to bear, with their contents by the names that they get.
    private func makeTree(in scratch: ScratchDirectory) async throws -> [String: [UInt8]] {
        let long = String(repeating: "l", count: 255)
        var contents: [String: [UInt8]] = [:]
        for (name, place) in [
            ("plain.csv", "plain.csv"), (" two  words", " two  words"), ("line\nbreak", "line%0Abreak"), ("-rf", "-rf"),
            ("quote'\"$(x)`", "quote'\"$(x)`"), (long, long), ("empty", "empty"), ("sub/deep/x", "sub/deep/x"),
        ] {
            let bytes = name == "empty" ? [] : Array("content of \(name)".utf8)
            try scratch.write("tree/\(name)", bytes: bytes)
            contents[place] = bytes
        }
        let big = testBytes(3_000_001)
        try scratch.write("tree/big.bin", bytes: big, mode: 0o755)
        contents["big.bin"] = big
        try scratch.write("secret", "outside")
        let script = """
            cd "$0" && echo raw >"$(printf 'n\\377\\033.raw')" && mkfifo pipe && ln -s ../secret out && ln -s plain.csv in
            ln plain.csv hard
            """
        try await Command.runSuccessfully("/bin/sh", ["-c", script, scratch.path("tree")])
        contents["n%FF%1B.raw"] = Array("raw\n".utf8)
        contents["in"] = contents["plain.csv"]
        contents["hard"] = contents["plain.csv"]
        return contents
    }

    private func files(below folder: String) async throws -> Set<String> {
        let found = try await Command.runSuccessfully("/usr/bin/find", [folder, "!", "-type", "d", "-printf", "%P\\0"])
        return Set(found.output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }

    private static let hostile: [(method: String, used: Set<String>)] = [
        ("auto", ["tar", "sftp"]), ("tar", ["tar", "sftp"]), ("sftp", ["sftp"]), ("exec", ["exec"]), ("scp", ["scp"]),
    ]

    @Test(arguments: hostile) func everyFileComesByEveryWay(_ way: (method: String, used: Set<String>)) async throws {
        try await RunFixture.with { fixture in
            let contents = try await makeTree(in: fixture.scratch)
            try fixture.write(
                """
                actions: {a: {commands: ["true"], artifacts: [{path: "\(fixture.scratch.path("tree"))", allow_old: true}]}}
                transfers: {method: \(way.method)}
                """)
            let run = try await fixture.start()
            let result = try await fixture.expect(0, "run", "action", "a")
            #expect(result.errorText.contains("/out: a link that leads out of the folder"))
            #expect(result.errorText.contains("/pipe: not a regular file"))
            #expect(try await files(below: "\(run.path)/artifacts/0001-a") == Set(contents.keys))
            let pulled = try run.events(.artifactPulled).map(\.data)
            for artifact in pulled {
                let path = try #require(artifact["path"]?.string)
                let bytes = try #require(contents[String(path.dropFirst("artifacts/0001-a/".count))])
                #expect(try FileSystem.read("\(run.path)/\(path)") == bytes)
                #expect(artifact["size"]?.int == Int64(bytes.count))
                #expect(artifact["remote_sha256"]?.string == artifact["sha256"]?.string, "\(path)")
                #expect(artifact["action"]?.string == "a" && artifact["attempt"]?.int == 1)
            }
            #expect(Set(pulled.compactMap { $0["method"]?.string }) == way.used)
            try await Command.runSuccessfully("/bin/sh", ["-c", "rm \"$0\"/*.raw", fixture.scratch.path("tree")])
            try await fixture.expect(0, "run", "complete")
            try await fixture.expect(0, "verify", run.path)
        }
    }

    @Test(.enabled(if: DropbearServer.isSmallAvailable), arguments: [["x"], ["stat"], ["tar"], ["find"]])
    func aSmallDeviceGivesItsFiles(without missing: Set<String>) async throws {
        let server = try await DropbearServer.startSmall(without: missing)
        let scratch = try ScratchDirectory()
        for number in 1...6 { try scratch.write("tree/f \(number)", "content \(number)") }
        try scratch.write(
            "p.yaml",
            """
            name: small
            connection:
              host: "\(server.host)"
              port: \(server.port)
              user: "\(server.user)"
              key_file: "\(server.clientKey)"
              known_hosts: "\(server.knownHosts)"
              spool_dir: "\(server.scratch.path("spool"))"
            actions: {a: {commands: ["true"], artifacts: [{path: "\(scratch.path("tree"))", allow_old: true}]}}
            """)
        func ecr(_ arguments: String...) async throws -> CommandResult {
            try await Command.run(
                try BuiltProducts.ecr(), arguments, environment: RunFixture.settings, workingDirectory: scratch.path)
        }
        let started = try await ecr("run", "start", "p.yaml", "--no-input")
        let run = RunDirectory(path: scratch.path("runs/\(started.outputText.dropLast())"))
        let result = try await ecr("run", "action", "a")
        if missing == ["find"] {
            #expect(result.errorText.contains("the target offers no SFTP and has no `find -print0`"))
        } else {
            let pulled = try run.events(.artifactPulled).map(\.data)
            #expect(Set(pulled.compactMap { $0["method"]?.string }) == [missing == ["tar"] ? "exec" : "tar"])
            #expect(pulled.count == 6)
            #expect(pulled.allSatisfy { $0["sha256"] == $0["remote_sha256"] && $0["sha256"] != nil })
        }
        _ = try await ecr("run", "abort")
        try await server.stop()
    }

    @Test func whatSaysNoSizeIsToldWithTheOneThatCame() async throws {
        try await RunFixture.with { fixture in
            _ = try await fixture.start()
            let pull = try await fixture.expect(0, "run", "pull", "/proc/version")
            let size = try FileSystem.read("/proc/version").count
            #expect(pull.errorText == "artifacts/pulled/0001/version  \(size) B\n1 file fetched\n")
        }
    }

    @Test func statusTellsWhatIsOnItsWay() async throws {
        try await RunFixture.with { fixture in
            try fixture.write("actions: {hello: {commands: [\"echo hello\"]}}\ntransfers: {min_free_disk: 0}")
            _ = try await fixture.start()
            let big = try fixture.scratch.write("big", "")
            try File(path: big, O_WRONLY).truncate(to: 4 << 30)
            let pull = try fixture.background("run", "pull", big)
            var told: JSON?
            try await fixture.wait(for: "the transfer") {
                told = try await fixture.expect(0, "status", "--json").json()["transfers"]?.array?.first
                return told?["bytes"]?.int ?? 0 > 0
            }
            #expect(told?["direction"] == "pull" && told?["names"]?.array == [.string(big)])
            #expect(told?["all_bytes"]?.int == 4 << 30 && told?["all_files"]?.int == 1)
            let text = try await fixture.expect(0, "status").outputText
            #expect(text.contains("\nfetches  \(big): 0 of 1 file, ") && text.contains(" % of 4.0 GiB"), "\(text)")
            pull.signal(SIGINT)
            #expect(try await pull.wait().status == 130)
            try await fixture.wait(for: "its end") {
                try await fixture.expect(0, "status", "--json").json()["transfers"]?.array?.isEmpty == true
            }
        }
    }

    // MARK: Nothing

    private func nothing(in fixture: RunFixture) async throws {
        let folder = fixture.scratch.path("nothing")
        try FileSystem.makeDirectory(folder)
        let run = try await fixture.start()
        let pull = try await fixture.expect(0, "run", "pull", folder)
        #expect(pull.errorText == "\(folder): an empty directory\n0 files fetched\n" && pull.output.isEmpty)
        let told = try await fixture.expect(0, "run", "pull", "--json", "\(folder)/").json()
        #expect(told["empty"]?.array?.first?["reason"]?.string == "an empty directory")
        #expect(try run.events(.artifactPullFailed).isEmpty)
        #expect(try run.events(.artifactPullStarted).map { $0.data["files"]?.int } == [0, 0])
        #expect(!FileSystem.exists("\(run.path)/artifacts/pulled/0001"))
        let mixed = try await fixture.expect(1, "run", "pull", folder, "\(folder)/none")
        #expect(mixed.errorText.contains("error: \(folder)/none: no such file\n"))

        let allowed = try await fixture.expect(0, "run", "action", "allowed")
        #expect(allowed.errorText.contains("warning: artifact \(folder): an empty directory\n"))
        #expect(allowed.errorText.contains("$ECR_OUT: a directory with nothing in it but empty directories\n"))
        #expect(try run.events(.artifactPullFailed).count == 1)
        let required = try await fixture.expect(1, "run", "action", "required")
        #expect(required.errorText.contains("warning: artifact \(folder): an empty directory\n"))
        let failure = try #require(try run.events(.artifactPullFailed).last?.data)
        #expect(failure["reason"]?.string == "an empty directory" && failure["required"]?.bool == true)
        let end = try await fixture.expect(0, "run", "complete")
        #expect(end.errorText.contains("remark: artifact \(folder)/none was not pulled: no such file\n"))
        #expect(
            end.errorText.contains(
                "remark: artifact \(folder) of 0002-required (required) was not pulled: an empty directory\n"))
    }

    /// - Parameter missing: of the small target; nil for a usual one.
    @Test(arguments: [nil, [], ["stat"]] as [Set<String>?])
    func anEmptyDirectoryIsToldAsOne(without missing: Set<String>?) async throws {
        func write(_ fixture: RunFixture) throws {
            try fixture.write(
                """
                actions:
                  allowed: {commands: ["mkdir -p $ECR_OUT/sub"], artifacts: ["\(fixture.scratch.path("nothing"))"]}
                  required: {commands: ["true"], artifacts: [{path: "\(fixture.scratch.path("nothing"))", required: true}]}
                """)
        }
        guard let missing else {
            return try await RunFixture.with { fixture in
                try write(fixture)
                try await nothing(in: fixture)
            }
        }
        if !DropbearServer.isSmallAvailable { return }
        try await RunFixture.withSmallTarget(without: missing, profile: "") { fixture in
            try write(fixture)
            try await nothing(in: fixture)
        }
    }

    /// As an image of a card that is not full.
    @Test(arguments: ["sftp", "exec", "scp"]) func aLargeFileThatEndsInZerosComesWhole(_ method: String) async throws {
        try await RunFixture.with { fixture in
            let size: Int64 = 80 << 20
            let image = try fixture.scratch.write("image", "begin")
            try File(path: image, O_WRONLY).truncate(to: size)
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "pull", "--method", method, image)
            let path = try #require(try run.events(.artifactPulled).first?.data["path"]?.string)
            try await Command.runSuccessfully("/usr/bin/cmp", [image, "\(run.path)/\(path)"])
            try await fixture.expect(0, "run", "complete")
            try await fixture.expect(0, "verify", run.path)
        }
    }

    // MARK: Once

    private func inode(_ path: String) throws -> ino_t {
        var status = stat()
        try check("examine", path: path) { lstat(path, &status) }
        return status.st_ino
    }

    @Test func whatIsHereAlreadyIsNotFetchedAgain() async throws {
        try await RunFixture.with { fixture in
            let big = [UInt8](repeating: 7, count: 2_000_000)
            try fixture.scratch.write("tree/big", bytes: big)
            try fixture.scratch.write("tree/small", "text")
            try fixture.write(
                """
                actions:
                  a: {commands: ["true"], artifacts: [{path: "\(fixture.scratch.path("tree"))", allow_old: true}]}
                  copy: {commands: ['cp "\(fixture.scratch.path("tree/big"))" $ECR_OUT/copied']}
                """)
            let run = try await fixture.start()
            for action in ["a", "a", "copy"] { try await fixture.expect(0, "run", "action", action) }
            let methods = try run.events(.artifactPulled).map { $0.data["method"]?.string }
            #expect(methods == ["sftp", "sftp", "unchanged", "unchanged", "known"])
            let first = try inode("\(run.path)/artifacts/0001-a/big")
            #expect(try inode("\(run.path)/artifacts/0002-a/big") == first)
            #expect(try inode("\(run.path)/artifacts/0003-copy/copied") == first)
            try await fixture.expect(0, "run", "complete")

            // Content that another run of this directory has.
            let second = try await fixture.start()
            try await fixture.expect(0, "run", "action", "a")
            #expect(try inode("\(second.path)/artifacts/0001-a/big") == first)
            // A file that was changed has other content, whatever its size and time.
            try await Command.runSuccessfully(
                "/bin/sh",
                [
                    "-c", "cd \"$0\" && touch -r small t && printf TEXT >small && touch -r t small",
                    fixture.scratch.path("tree"),
                ])
            try await fixture.expect(0, "run", "action", "a")
            #expect(try FileSystem.read("\(second.path)/artifacts/0002-a/small") == Array("TEXT".utf8))
            try await fixture.expect(0, "run", "complete")
            for run in [run, second] { try await fixture.expect(0, "verify", run.path) }
        }
    }

    @Test func damagedContentIsNotPassedOn() async throws {
        try await RunFixture.with { fixture in
            let big = [UInt8](repeating: 7, count: 2_000_000)
            try fixture.scratch.write("tree/big", bytes: big)
            try fixture.write(
                "actions: {a: {commands: ['cp \"\(fixture.scratch.path("tree/big"))\" $ECR_OUT/']}}")
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "a")
            let path = "\(run.path)/artifacts/0001-a/big"
            try check("change", path: path) { chmod(path, 0o600) }
            try File(path: path, O_WRONLY).write([8], at: 1000)
            try await fixture.expect(0, "run", "action", "a")
            #expect(try FileSystem.read("\(run.path)/artifacts/0002-a/big") == big)
            try await fixture.expect(0, "run", "complete")
            try await fixture.expect(76, "verify", run.path)
        }
    }

    // MARK: Limits

    @Test func whatIsTooMuchIsRefusedBeforeItBegins() async throws {
        for (limits, reason) in [
            ("max_files: 2", "more than 2 files, as transfers.max_files allows"),
            ("max_bytes: 10", "15 B, more than the 10 B of transfers.max_bytes"),
            ("min_free_disk: 9000TB", "; transfers.min_free_disk in the profile asks for that"),
        ] {
            try await RunFixture.with { fixture in
                for name in ["a", "b", "c"] { try fixture.scratch.write("tree/\(name)", "12345") }
                try fixture.write(
                    """
                    actions:
                      a: {commands: ["true"], artifacts: [{path: "\(fixture.scratch.path("tree"))", allow_old: true, required: true}]}
                    transfers: {\(limits)}
                    """)
                let run = try await fixture.start()
                let result = try await fixture.expect(1, "run", "action", "a")
                #expect(result.errorText.contains(reason), "\(result.errorText)")
                #expect(try run.events(.artifactPulled).isEmpty)
                #expect(try run.events(.artifactPullStarted).isEmpty)
                let pull = try await fixture.expect(1, "run", "pull", fixture.scratch.path("tree"))
                let key = limits.prefix { $0 != ":" }
                let now = key == "min_free_disk" ? "df -h '\(run.path)', and make room" : "pull a part of it"
                let what = key == "min_free_disk" ? "a smaller" : "a larger"
                let later =
                    "start a run with \(what) `transfers: {\(key): …}` in \(fixture.scratch.path("profile.yaml"))"
                #expect(pull.errorText.hasSuffix("  try: \(now); or \(later)\n"), "\(pull.errorText)")
            }
        }
    }

    /// Each entry is within the limits, and both together are not.
    @Test func limitsHoldForAllEntriesTogether() async throws {
        for (limits, reason) in [
            ("max_files: 5", "more than 5 files, with the 3 of the entries before it, as transfers.max_files"),
            ("max_bytes: 22", "15 B, with 15 B of the entries before it, more than the 22 B of transfers.max_bytes"),
        ] {
            try await RunFixture.with { fixture in
                for folder in ["one", "two", "three"] {
                    for name in ["a", "b", "c"] { try fixture.scratch.write("\(folder)/\(name)", "12345") }
                }
                let (one, two) = (fixture.scratch.path("one"), fixture.scratch.path("two"))
                let last = fixture.scratch.path("three/a")
                let entries = [one, two, last].map { "{path: \"\($0)\", allow_old: true}" }.joined(separator: ", ")
                try fixture.write(
                    """
                    actions: {a: {commands: ["echo 1 >$ECR_OUT/x"], artifacts: [\(entries)]}}
                    transfers: {\(limits)}
                    """)
                let run = try await fixture.start()
                let action = try await fixture.expect(0, "run", "action", "a")
                #expect(action.errorText.contains("artifact \(two): "), "\(action.errorText)")
                #expect(!action.errorText.contains("artifact \(one): "), "\(action.errorText)")
                // What is behind the one that was too much fits.
                let pulled = try run.events(.artifactPulled).compactMap { $0.data["remote"]?.string }
                #expect(pulled.dropFirst() == ["\(one)/a", "\(one)/b", "\(one)/c", last])
                let pull = try await fixture.expect(1, "run", "pull", one, two)
                #expect(pull.errorText.contains("\(two): \(reason)"), "\(pull.errorText)")
                #expect(try run.events(.artifactPulled).count == 8)
                #expect(try run.events(.artifactPullFailed).count == 2)
                try await fixture.expect(0, "run", "complete")
            }
        }
    }

    @Test(.enabled("needs root and tmpfs") { await SmallDisk.isAvailable() })
    func theDiskMustHaveRoomForAllEntries() async throws {
        let disk = try await SmallDisk(kilobytes: 16 << 10)
        try await RunFixture.with(
            profile: "actions: {a: {commands: [\"true\"]}}\ntransfers: {min_free_disk: 1MiB}"
        ) { fixture in
            let bytes = [UInt8](repeating: 1, count: 8_000_000)
            let files = try ["one", "two", "three"].map {
                try fixture.scratch.write($0, bytes: $0 == "three" ? [1] : bytes)
            }
            let started = try await fixture.expect(0, "run", "start", "profile.yaml", "--runs-dir", disk.path)
            let run = RunDirectory(path: "\(disk.path)/\(started.outputText.prefix { $0 != "\n" })")
            let pull = try await fixture.expect(1, "run", "pull", "--runs-dir", disk.path, files[0], files[1], files[2])
            #expect(
                pull.errorText.contains("\(files[1]): 7.6 MiB, with 7.6 MiB of the entries before it would leave less"),
                "\(pull.errorText)")
            let pulled = try run.events(.artifactPulled).map { $0.data["remote"]?.string }
            #expect(pulled == [files[0], files[2]])
            try await fixture.expect(0, "run", "abort", "--runs-dir", disk.path)
        }
    }

    @Test func aFileThatGrowsIsTakenAndSaidSo() async throws {
        try await RunFixture.with { fixture in
            let log = fixture.scratch.path("log")
            try fixture.write(
                """
                actions:
                  a:
                    commands: ['head -c 30000000 /dev/zero >"\(log)"; (i=0; while [ $i -lt 20000 ] && [ ! -e "\(log).end" ]; do echo more >>"\(log)"; i=$((i+1)); sleep 0.001; done) >/dev/null 2>&1 &']
                    artifacts: ["\(log)"]
                """)
            let run = try await fixture.start()
            let result = try await fixture.expect(0, "run", "action", "a")
            try fixture.scratch.write("log.end", "")
            #expect(result.errorText.contains("has grown while it was read: its first "))
            let artifact = try #require(try run.events(.artifactPulled).first?.data)
            #expect(artifact["changed"]?.bool == true)
            // As much as is here is the target's: a file that only grows keeps its beginning.
            #expect(artifact["remote_sha256"]?.string == artifact["sha256"]?.string)
            try await fixture.expect(0, "run", "complete")
        }
    }
}
