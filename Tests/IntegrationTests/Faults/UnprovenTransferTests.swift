import EventLog
import Hashing
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Files that come and go, of which the target cannot prove something: that is told, and on record.
@Suite(.serialized, .timeLimit(.minutes(2))) struct UnprovenTransferTests {
    /// One large file and some small ones, which take different ways.
    private func makeTree(_ fixture: RunFixture) throws -> [String: [UInt8]] {
        var contents = ["big": [UInt8](repeating: 7, count: 9_000_000)]
        for number in 1...5 { contents["\(number)"] = Array("content \(number)".utf8) }
        for (name, bytes) in contents { try fixture.scratch.write("tree/\(name)", bytes: bytes) }
        return contents
    }

    @Test func whatATargetWithoutAnyHasherHasIsUnverified() async throws {
        let broken = try FailingPrograms("openssl", "sha256sum", "busybox", "shasum")
        try await RunFixture.with(.init(extraLines: [broken.serverLine])) { fixture in
            let contents = try makeTree(fixture)
            let tree = fixture.scratch.path("tree")
            try fixture.write(
                """
                actions:
                  a:
                    upload: [{from: tree/1, to: \(fixture.scratch.path)/by-action/}]
                    commands: ["true"]
                    artifacts: [{path: "\(tree)/2", allow_old: true}]
                """)
            let run = try await fixture.start()
            let pull = try await fixture.expect(0, "run", "pull", tree)
            #expect(
                pull.errorText.contains(
                    "is not verified: the target has not told its SHA-256, and so for 5 other files\n"))
            let there = fixture.scratch.path("there")
            let push = try await fixture.expect(0, "run", "push", "tree", there)
            #expect(push.errorText.contains("6 files on the target"))
            #expect(
                push.errorText.contains(
                    "is not verified: the target has no program that tells its SHA-256, and so for 5"))
            let action = try await fixture.expect(0, "run", "action", "a")
            #expect(action.errorText.contains("warning: \(fixture.scratch.path)/by-action/1 is not verified"))
            #expect(action.errorText.contains("warning: artifacts/0001-a/2 is not verified"))

            let pulled = try run.events(.artifactPulled).map(\.data)
            let uploaded = try run.events(.uploaded).map(\.data)
            #expect(pulled.count == 7 && uploaded.count == 7)
            for file in pulled + uploaded {
                #expect(file["unverified"] == true && file["remote_sha256"] == nil, "\(file)")
                let name = FileSystem.name(of: try #require((file["path"] ?? file["remote"])?.string))
                #expect(file["sha256"]?.string == SHA256.hexDigest(of: try #require(contents[name])))
            }
            for files in [pulled.prefix(6), uploaded.prefix(6)] {
                #expect(Set(files.map { $0["method"]?.string }) == ["tar", "sftp"])
            }
            for (name, bytes) in contents { #expect(try FileSystem.read("\(there)/\(name)") == bytes) }

            #expect(try await fixture.ecr("run", "show").outputText.contains("  unverified\n"))
            try await fixture.expect(0, "run", "complete")
            let manifest = try JSON(parsing: FileSystem.read(run.manifest))
            for list in ["artifacts", "uploads"] {
                let files = manifest[list]?.array ?? []
                #expect(files.count == 7 && files.allSatisfy { $0["unverified"] == true })
            }
            try await fixture.expect(0, "verify", run.path)
        }
    }

    @Test func whatMayNotBeOnTheTargetsDiskIsToldAndIsThere() async throws {
        let broken = try FailingPrograms("sync")
        try await RunFixture.with(.init(extraLines: [broken.serverLine])) { fixture in
            let contents = try makeTree(fixture)
            let there = fixture.scratch.path("there")
            try fixture.write(
                "actions: {a: {upload: [{from: tree/1, to: \(there)/by-action/}], commands: [\"true\"]}}")
            let run = try await fixture.start()
            let said = " may not be on the target's disk yet, since its `sync` failed: a power cut may take it away"
            let one = try await fixture.expect(0, "run", "push", "tree/big", "\(there)/alone")
            #expect(one.errorText.contains("warning: \(there)/alone\(said)\n"))
            let many = try await fixture.expect(0, "run", "push", "--json", "tree", "\(there)/tree")
            let result = try JSON(parsing: String(many.outputText.split(separator: "\n").last ?? ""))
            #expect(result["warnings"]?.array?.count == 1)
            #expect(result["warnings"]?.array?.first?.string?.hasSuffix("\(said), and so for 5 other files") == true)
            let action = try await fixture.expect(0, "run", "action", "a")
            #expect(action.errorText.contains("warning: \(there)/by-action/1\(said)\n"))

            let uploaded = try run.events(.uploaded).map(\.data)
            #expect(uploaded.count == 8 && Set(uploaded.map { $0["method"]?.string }) == ["sftp", "tar"])
            for file in uploaded {
                #expect(file["unsynced"] == true && file["unverified"] == nil, "\(file)")
                #expect(file["remote_sha256"]?.string == file["sha256"]?.string)
            }
            for (name, bytes) in contents { #expect(try FileSystem.read("\(there)/tree/\(name)") == bytes) }
            // What is there already is not said to be unsafe: nobody knows.
            let again = try await fixture.expect(0, "run", "push", "tree/big", "\(there)/alone")
            #expect(!again.errorText.contains("warning"))
            #expect(try await fixture.ecr("run", "show").outputText.contains("unsynced\n"))
            try await fixture.expect(0, "run", "complete")
        }
    }

    /// Those beside it come all the same.
    @Test func aFileOfWhichSCPSaysNonsenseIsLostAlone() async throws {
        let scratch = try ScratchDirectory()
        try scratch.write(
            "scp", "#!/bin/sh\ncase $3 in */liar) echo Welcome; exec cat >/dev/null;; esac; exec /usr/bin/scp \"$@\"\n",
            mode: 0o755)
        let path = "SetEnv PATH=\(scratch.path):/usr/bin:/bin"
        try await RunFixture.with(.init(extraLines: [path])) { fixture in
            for name in ["a", "liar", "z"] { try fixture.scratch.write("tree/\(name)", "content of \(name)") }
            let run = try await fixture.start()
            let tree = fixture.scratch.path("tree")
            let pull = try await fixture.expect(1, "run", "pull", "--method", "scp", tree)
            let reason = "what scp on the target says is not its protocol"
            #expect(pull.errorText.contains("error: \(tree)/liar: \(reason)\n"), "\(pull.errorText)")
            #expect(try run.events(.artifactPullFailed).map { $0.data["reason"]?.string } == [reason])
            let names = try run.events(.artifactPulled).compactMap { $0.data["remote"]?.string }
            #expect(names.sorted() == ["\(tree)/a", "\(tree)/z"])
        }
    }

    /// What scp on the target says goes to a terminal and into the record.
    @Test func wordsOfALyingTargetAreMadeSafe() async throws {
        let scratch = try ScratchDirectory()
        try scratch.write(
            "scp",
            "#!/bin/sh\nprintf '\\001scp: x: \\033]0;evil\\007\\033[2Jgone \\342\\200\\256\\n'; cat >/dev/null\n",
            mode: 0o755)
        let path = "SetEnv PATH=\(scratch.path):/usr/bin:/bin"
        try await RunFixture.with(.init(extraLines: [path])) { fixture in
            let file = try fixture.scratch.write("f", "text")
            let run = try await fixture.start()
            let pull = try await fixture.expect(1, "run", "pull", "--method", "scp", file)
            #expect(pull.errorText.contains("error: \(file): "))
            #expect(pull.errorText.contains("gone "))
            let push = try await fixture.expect(
                1, "run", "push", "--method", "scp", "f", "\(fixture.scratch.path)/there")
            #expect(push.errorText.contains("gone "))
            for text in [pull.errorText, push.errorText] {
                #expect(
                    !text.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{7}" || $0 == "\u{202E}" }, "\(text)")
            }
            #expect(try run.events(.artifactPullFailed).count == 1)
            #expect(!FileSystem.exists(fixture.scratch.path("there")))
        }
    }
}
