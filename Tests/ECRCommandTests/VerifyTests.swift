import EventLog
import Glibc
import Hashing
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// `ecr verify` on a run with a bit of everything, for each kind of damage.
@Suite struct VerifyTests {
    private let ecr: Ecr
    private let run: RunDirectory

    init() async throws {
        ecr = try Ecr()
        run = try await ecr.create()
        try fill()
    }

    private static let output = Array("hello\nwörld\n".utf8) + [0xFF, 0x00] + [UInt8](repeating: 0x61, count: 5000)
    private static let table = Array("time,boottime_s,tick,exit,text\n,1.5,0,0,\"x\"\n".utf8)
    private static let log = Array("\n#t B 0 1.5\nx\n#t E 0 0 1.6\n".utf8)
    private static let artifact = [UInt8](repeating: 7, count: 1 << 19)

    private var outputLog: String { run.actionLog(job: "0001-hash", stream: "stdout") }
    private var artifactFile: String { run.artifacts + "/0001-hash/ü b.bin" }

    private func piece(_ offset: Int, _ count: Int, _ key: String, _ value: String) -> (EventType, JSONObject) {
        (
            .commandOutput,
            [
                "job": "0001-hash", "stream": "stdout", "offset": JSON(offset), "length": JSON(count),
                key: .string(value),
            ]
        )
    }

    /// What a supervisor would have recorded and written.
    private func fill() throws {
        let tail = Array(Self.output[15...])
        try ecr.append(
            to: run,
            [
                (.runStarted, ["spool": "/s"]), (.actionStarted, ["action": "hash", "job": "0001-hash"]),
                piece(0, 13, "text", "hello\nwörld\n"), piece(13, 2, "base64", Base64.encode([0xFF, 0x00])),
                piece(15, tail.count, "sha256", SHA256.hexDigest(of: tail)),
                (
                    .artifactPulled,
                    [
                        "job": "0001-hash", "path": "artifacts/0001-hash/ü b.bin", "size": JSON(Self.artifact.count),
                        "sha256": .string(SHA256.hexDigest(of: Self.artifact)),
                    ]
                ),
                (
                    .actionCompleted,
                    ["job": "0001-hash", "stdout_bytes": JSON(Self.output.count), "stderr_bytes": 0, "duration_s": 2.0]
                ),
                (.collectorStarted, ["collector": "load", "job": "0002-load"]),
                (
                    .collectorOutput,
                    [
                        "collector": "load", "job": "0002-load", "offset": 0, "length": JSON(Self.log.count),
                        "rows": [["tick": 0, "text": "x"]], "sha256": .string(SHA256.hexDigest(of: Self.log)),
                        "log_bytes": JSON(Self.log.count), "table_bytes": JSON(Self.table.count),
                        "table_length": JSON(Self.table.count),
                        "table_sha256": .string(SHA256.hexDigest(of: Self.table)),
                    ]
                ),
                (.collectorStopped, ["collector": "load", "job": "0002-load", "outcome": "stopped"]),
                (.ledger, ["complete_percent": 100, "missing": []]), (.runCompleted, ["complete": true]),
            ])
        try write(outputLog, Self.output)
        try write(run.actionLog(job: "0001-hash", stream: "stderr"), [])
        try write(run.collectorLog("load"), Self.log)
        try write(run.collectorRows("load"), Self.table)
        try write(artifactFile, Self.artifact)
        try run.save(try run.state())
    }

    private func write(_ path: String, _ bytes: [UInt8]) throws {
        try FileSystem.makeDirectories(FileSystem.parent(of: path))
        try FileSystem.replace(path, with: bytes)
    }

    /// Verifies as JSON; the exit code has to be that of what was found.
    private func verify(_ arguments: String..., at location: SourceLocation = #_sourceLocation) async throws -> JSON {
        let result = try await ecr.run(["verify", "--json"] + arguments)
        let json = try result.json()
        #expect(result.status == (json["whole"]?.bool == true ? 0 : 76), "\(json)", sourceLocation: location)
        #expect(result.errorText.isEmpty == (result.status == 0), sourceLocation: location)
        return json
    }

    private func damages(_ json: JSON) -> [String] {
        (json["damages"]?.array ?? []).map { damage in
            let line = damage["line"]?.int.map { " \($0)" } ?? ""
            let seq = damage["seq"]?.int.map { "/\($0)" } ?? ""
            return "\(damage["file"]?.string ?? "?")\(line)\(seq): \(damage["message"]?.string ?? "?")"
        }
    }

    private func remarks(_ json: JSON) -> [String] { (json["remarks"]?.array ?? []).compactMap(\.string) }

    private func lines() throws -> [[UInt8]] {
        try FileSystem.read(run.events).split(separator: 0x0A).map { Array($0) + [0x0A] }
    }

    // MARK: Whole

    @Test func aWholeRun() async throws {
        let json = try await verify()
        #expect(json["whole"]?.bool == true && damages(json) == [] && remarks(json) == [])
        #expect(json["unnamed"] == [] && json["live"] == false)
        #expect(json["run"]?.string == run.id && json["events"]?.int == 13)
        let state = try run.state()
        #expect(json["head"] == ["seq": 12, "head_hash": .string(state.checkpoint.hash)])
        #expect(json["completed"] == json["head"])
        let text = try await ecr("verify", run.id)
        #expect(text.status == 0 && text.errorText == "")
        #expect(text.outputText.contains("head hash  \(state.checkpoint.hash) (seq 12)\n"))
        #expect(text.outputText.hasSuffix("verdict    whole\n"))
    }

    @Test func whatCompletePrintedIsFoundBehindLaterEvents() async throws {
        let hash = try run.state().checkpoint.hash
        #expect(try await ecr("note", "later").status == 0)
        let json = try await verify()
        #expect(json["completed"]?["head_hash"]?.string == hash)
        #expect(json["head"]?["seq"] == 13 && json["head"]?["head_hash"]?.string != hash)
        #expect(damages(try await verify("--head", hash)) == [])
        #expect(damages(try await verify("--head", String(hash.prefix(12)).uppercased())) == [])
        let other = damages(try await verify("--head", "0123456789abcdef"))
        #expect(other.count == 1 && other[0].hasPrefix("events.jsonl: has no event with the hash 0123456789abcdef"))
        for wrong in ["abc", "not-hex-at-all", String(repeating: "a", count: 65)] {
            #expect(try await ecr("verify", "--head", wrong).status == 64)
        }
    }

    @Test func aReadOnlyDirectoryAnywhere() async throws {
        let copy = ecr.scratch.path("elsewhere")
        try await Command.runSuccessfully("/bin/cp", ["-r", run.path, copy])
        try await Command.runSuccessfully("/bin/chmod", ["-R", "a-w", copy])
        let before = try await Command.runSuccessfully("/usr/bin/find", [copy, "-printf", "%p %T@ %s\\n"])
        #expect(try await verify(copy)["whole"] == true)
        #expect(try await verify(copy + "/")["run"] == "elsewhere")
        let after = try await Command.runSuccessfully("/usr/bin/find", [copy, "-printf", "%p %T@ %s\\n"])
        #expect(before.output == after.output)
        try await Command.runSuccessfully("/bin/chmod", ["-R", "u+w", copy])
    }

    @Test func anUnpackedDataset() async throws {
        try write(run.artifacts + "/0001-hash/back\\slash", [1])
        try write(run.path + "/events.jsonl.torn-7", Array("torn".utf8))
        try ecr.append(
            to: run,
            [
                (
                    .artifactPulled,
                    [
                        "job": "0001-hash", "path": "artifacts/0001-hash/back\\slash", "size": 1,
                        "sha256": .string(SHA256.hexDigest(of: [1])),
                    ]
                )
            ])
        #expect(try await ecr("run", "export", "-o", "out.zip").status == 0)
        try await Command.runSuccessfully(
            try #require(Command.find("unzip")), ["-q", "out.zip", "-d", "u"], workingDirectory: ecr.scratch.path)
        let copy = "u/\(run.id)"
        let json = try await verify(copy)
        #expect(damages(json) == [] && json["unnamed"] == ["events.jsonl.torn-7"] && remarks(json) == [])

        // What no event speaks of is still in the sums.
        try write(ecr.scratch.path(copy + "/events.jsonl.torn-7"), Array("forged".utf8))
        try write(ecr.scratch.path(copy + "/added.txt"), [])
        try write(ecr.scratch.path(copy + "/artifacts/0001-hash/ü b.bin"), [1])
        let changed = try await verify(copy)
        #expect(
            damages(changed).map { $0.prefix { $0 != ":" } } == ["artifacts/0001-hash/ü b.bin", "events.jsonl.torn-7"])
        #expect(changed["unnamed"] == ["added.txt", "events.jsonl.torn-7"])
        #expect(remarks(changed) == ["added.txt: SHA256SUMS does not list it"])

        let zip = try await ecr("verify", "./out.zip")
        #expect(zip.status == 64 && zip.errorText.contains("unzip -q ./out.zip"))
        let parent = try await ecr("verify", "u/")
        #expect(parent.status == 66 && parent.errorText.contains("try: ecr verify u/\(run.id)"))
        #expect(try await ecr("verify", "nothing/here").status == 66)
        #expect(try await ecr("verify", "nothing").status == 66)
    }

    // MARK: The stream

    @Test func aChangedLineIsNamedAndTheFilesAreCheckedAllTheSame() async throws {
        let text = String(decoding: try FileSystem.read(run.events), as: UTF8.self)
        try FileSystem.replace(
            run.events, with: Array(text.replacing("\"spool\":\"/s\"", with: "\"spool\":\"/t\"").utf8))
        try FileSystem.replace(artifactFile, with: Self.artifact.dropLast() + [8])
        let before = try FileSystem.read(run.events)
        let found = damages(try await verify())
        #expect(found.count == 2)
        #expect(
            found[0] == "events.jsonl 3/2: the hash of the line before does not match: one of the two was changed")
        #expect(found[1].hasPrefix("artifacts/0001-hash/ü b.bin: has the SHA-256 "))
        let text2 = try await ecr("verify")
        #expect(text2.status == 76)
        #expect(text2.outputText.contains("damaged    events.jsonl line 3 (seq 2): the hash"))
        #expect(text2.outputText.hasSuffix("verdict    damaged\n"))
        #expect(text2.errorText.hasPrefix("error: the record of run \(run.id) is damaged in 2 places\n  try: "))
        // Damage is reported, never touched.
        #expect(try FileSystem.read(run.events) == before)
    }

    /// One bad line must not make liars of the others.
    @Test(arguments: 0..<12) func anyLineThatIsGarbageIsTheOnlyDamage(index: Int) async throws {
        var lines = try lines()
        lines[index] = Array("{\"garbage\":\n".utf8)
        try FileSystem.replace(run.events, with: lines.flatMap { $0 })
        let found = damages(try await verify()).filter { !$0.hasPrefix("manifest.json: ") }
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("events.jsonl \(index + 1)/\(index): not JSON") == true)
    }

    @Test func aMissingLine() async throws {
        var lines = try lines()
        lines.remove(at: 3)
        try FileSystem.replace(run.events, with: lines.flatMap { $0 })
        #expect(damages(try await verify()).contains("events.jsonl 4/3: seq is 4, expected 3"))
    }

    @Test func aFileThatIsNoStream() async throws {
        try FileSystem.replace(run.events, with: Array(String(repeating: "line\n", count: 100).utf8))
        let found = damages(try await verify())
        #expect(found.filter { $0.hasPrefix("events.jsonl ") }.count == 10)
        #expect(found.contains("events.jsonl: has 89 more such lines"))
        #expect(found.contains("events.jsonl: holds no event"))
    }

    @Test func aCutStreamIsFoundByTheManifest() async throws {
        try FileSystem.replace(run.events, with: try lines().dropLast(2).flatMap { $0 })
        let found = damages(try await verify())
        #expect(found.contains { $0.hasPrefix("manifest.json: knows of 13 events, 11 are there") })
        for command in [["status"], ["run", "show"], ["note", "x"]] { #expect(try await ecr.run(command).status == 76) }
    }

    @Test(arguments: ["{\"seq\":13,\"ti", "{\"seq\":13}\n", "\0\0\0\n"]) func aTornLastLineIsNoDamage(tail: String)
        async throws
    {
        try FileSystem.replace(run.events, with: try FileSystem.read(run.events) + Array(tail.utf8))
        let json = try await verify()
        #expect(json["whole"] == true)
        #expect(remarks(json).count == 1)
        #expect(remarks(json)[0].hasPrefix("events.jsonl: the last line is cut (\(tail.utf8.count) bytes)"))
        #expect(try await ecr("status").status == 0)
        // As it says, the next append puts it aside; what was put aside is checked from then on.
        #expect(try await ecr("note", "after").status == 0)
        let after = try await verify()
        #expect(after["whole"] == true && remarks(after) == [] && after["unnamed"] == [])
        let kept = try #require(try FileSystem.list(run.path).first { $0.contains(".torn-") })
        unlink("\(run.path)/\(kept)")
        #expect(damages(try await verify()) == ["\(kept): is missing; \(tail.utf8.count) bytes are recorded"])
    }

    // MARK: Files

    @Test func outputThatIsChangedShortLongOrMissing() async throws {
        let name = "logs/actions/0001-hash.stdout"
        for (place, piece) in [(0, "0 to 12"), (14, "13 to 14"), (4000, "15 to 5014")] {
            var bytes = Self.output
            bytes[place] ^= 1
            try FileSystem.replace(outputLog, with: bytes)
            #expect(
                damages(try await verify()) == ["\(name): the bytes \(piece) are not those that were recorded"])
        }
        try FileSystem.replace(outputLog, with: Self.output.map { $0 ^ 1 })
        #expect(
            damages(try await verify()) == [
                "\(name): the bytes 0 to 12 are not those that were recorded, nor are those of 2 more pieces"
            ])
        try FileSystem.replace(outputLog, with: Self.output.dropLast(20))
        #expect(damages(try await verify()) == ["\(name): has 4995 bytes, 5015 are recorded"])
        try FileSystem.replace(outputLog, with: Self.output + [1])
        #expect(damages(try await verify()) == ["\(name): has 5016 bytes, 5015 are recorded"])
        unlink(outputLog)
        #expect(damages(try await verify()) == ["\(name): is missing; 5015 bytes are recorded"])
    }

    @Test func outputOfAJobThatIsRecordedAsSilent() async throws {
        try FileSystem.replace(run.actionLog(job: "0001-hash", stream: "stderr"), with: [1])
        #expect(damages(try await verify()) == ["logs/actions/0001-hash.stderr: has 1 bytes, 0 are recorded"])
        unlink(run.actionLog(job: "0001-hash", stream: "stderr"))
        #expect(damages(try await verify()) == [])
    }

    @Test func samplesThatAreChanged() async throws {
        try FileSystem.replace(run.collectorLog("load"), with: Self.log.dropLast(2) + Array("7\n".utf8))
        try FileSystem.replace(run.collectorRows("load"), with: Self.table.dropLast(3) + Array("y\"\n".utf8))
        #expect(
            damages(try await verify()) == [
                "logs/collectors/load.csv: the bytes 0 to \(Self.table.count - 1) are not those that were recorded",
                "logs/collectors/load.log: the bytes 0 to \(Self.log.count - 1) are not those that were recorded",
            ])
    }

    @Test func artifactsAndTheProfile() async throws {
        try FileSystem.replace(artifactFile, with: Self.artifact.dropLast())
        try FileSystem.replace(run.profileSnapshot, with: Array(Ecr.goodProfile.utf8) + Array("# later\n".utf8))
        unlink(run.profileResolved)
        let found = damages(try await verify())
        #expect(found.count == 3)
        #expect(found[0].hasPrefix("profile_snapshot.yaml: has the SHA-256 "))
        #expect(found[1] == "profile_resolved.json: is missing")
        #expect(found[2] == "artifacts/0001-hash/ü b.bin: has 524287 bytes, 524288 are recorded")
    }

    @Test func aManifestThatSaysSomethingElse() async throws {
        let text = String(decoding: try FileSystem.read(run.manifest), as: UTF8.self)
        func verify(_ old: String, _ new: String) async throws -> [String] {
            try FileSystem.replace(run.manifest, with: Array(text.replacing(old, with: new).utf8))
            return damages(try await self.verify())
        }
        #expect(
            try await verify("\"outcome\": \"completed\"", "\"outcome\": \"failed\"")
                == [#"manifest.json: says jobs[0].outcome is "failed", the events say "completed""#])
        #expect(
            try await verify("\"seq\": 13", "\"seq\": 12").first?.contains("does not stand behind seq 11") == true)
        #expect(try await verify("{", "").first?.hasPrefix("manifest.json: is not readable: ") == true)
        let hash = try run.state().checkpoint.hash
        #expect(
            try await verify("\"head_hash\": \"\(hash)\"", "\"head_hash\": \"\(Event.noHash)\"").first
                == "manifest.json: names one head hash and another checkpoint")
        // Members that another version has are not compared.
        #expect(try await verify("\"format\": 1,", "\"format\": 1, \"future\": 7,") == [])
        unlink(run.manifest)
        let missing = try await self.verify()
        #expect(damages(missing) == [] && remarks(missing).count == 1)
    }

    @Test func filesThatNobodyNamesAreSaid() async throws {
        try write(run.path + "/notes.txt", [])
        try write(run.artifacts + "/0001-hash/u\u{308} b.bin", [])
        symlink("/etc/passwd", run.path + "/link")
        let json = try await verify()
        #expect(json["whole"] == true)
        #expect(
            json["unnamed"]?.array?.compactMap(\.string).map { Array($0.utf8) }
                == ["artifacts/0001-hash/u\u{308} b.bin", "notes.txt", "link"].map { Array($0.utf8) })
    }

    @Test func linksAndPathsThatLeadOutOfTheRunAreNotFollowed() async throws {
        let secret = try ecr.scratch.write("secret", "5")
        unlink(artifactFile)
        symlink(secret, artifactFile)
        unlink(outputLog)
        mkfifo(outputLog, 0o600)
        try FileSystem.replace(run.manifest, with: [])
        try ecr.append(
            to: run,
            [
                (
                    .artifactPulled,
                    ["path": "../../secret", "size": 1, "sha256": .string(SHA256.hexDigest(of: Array("5".utf8)))]
                ),
                (.commandOutput, ["job": "../../../secret", "stream": "x", "offset": 0, "length": 1, "text": "5"]),
            ])
        unlink(run.manifest)
        let found = damages(try await verify())
        #expect(found.contains("../../secret: is no path within the run; 1 bytes are recorded"))
        #expect(found.contains { $0.hasPrefix("artifacts/0001-hash/ü b.bin: is a symbolic link") })
        #expect(found.contains { $0.hasPrefix("logs/actions/0001-hash.stdout: is no regular file") })
        #expect(found.contains { $0.hasPrefix("events.jsonl 15/14: a piece of output lacks its job") })
    }

    @Test func whatACrashHasLeftBehindTheRecordIsNoDamage() async throws {
        let open = try await ecr.create()
        try ecr.append(
            to: open,
            [
                (.runStarted, [:]), (.actionStarted, ["action": "hash", "job": "0001-hash"]),
                (.commandOutput, ["job": "0001-hash", "stream": "stdout", "offset": 0, "length": 2, "text": "ab"]),
            ])
        try write(open.actionLog(job: "0001-hash", stream: "stdout"), Array("abcd".utf8))
        let json = try await verify()
        #expect(json["whole"] == true && json["run"]?.string == open.id)
        #expect(
            remarks(json) == [
                "logs/actions/0001-hash.stdout: 2 bytes behind the 2 that are recorded; they were never acknowledged"
            ])
    }

    @Test func contradictionsWithinTheRecord() async throws {
        unlink(run.manifest)
        try ecr.append(
            to: run,
            [
                piece(6000, 1, "text", "x"), piece(0, 1, "base64", "?"), piece(0, .max, "sha256", "0"),
                (.commandOutput, ["job": "0001-hash", "stream": "stdout", "offset": 1, "length": .int(.max)]),
                (.actionFailed, ["job": "0001-hash", "stdout_bytes": 3]),
            ])
        let found = damages(try await verify()).filter { $0.hasPrefix("events.jsonl ") }
        #expect(
            found.map { $0.split(separator: ":")[0] } == [
                "events.jsonl 14/13", "events.jsonl 15/14", "events.jsonl 16/15", "events.jsonl 17/16",
                "events.jsonl 18/17",
            ])
    }

    @Test func aLiveRunIsCheckedUpToTheBeginning() async throws {
        let open = try await ecr.create()
        let supervisor = try FakeSupervisor(open)
        defer { supervisor.stop() }
        let json = try await verify(open.id)
        #expect(json["whole"] == true && json["live"] == true)
        // A piece of a line that is just being written is no torn one.
        try FileSystem.replace(run.manifest, with: [])
        let file = try File(path: run.events, O_RDWR)
        try #require(try file.lock(byte: EventWriter.appendByte))
        try file.write(Array("{\"seq\":13,".utf8), at: try file.size())
        #expect(remarks(try await verify(run.id)).filter { $0.hasPrefix("events.jsonl") } == [])
    }

    // MARK: Other readers

    @Test func statusAndShowOfADamagedRun() async throws {
        let text = String(decoding: try FileSystem.read(run.events), as: UTF8.self)
        try FileSystem.replace(
            run.events, with: Array(text.replacing("\"spool\":\"/s\"", with: "\"spool\":\"/t\"").utf8))
        for command in [
            ["status"], ["run", "show"], ["run", "show", "--json"], ["run", "export"], ["run", "events"],
        ] {
            let result = try await ecr.run(command)
            #expect(result.status == 76, "\(command)")
            #expect(result.errorText.contains("events.jsonl: line 3: "), "\(command)")
        }
        #expect(try await ecr("status").errorText.contains("try: ecr verify \(run.id)\n"))
        let events = try await ecr("run", "events", "--json")
        #expect(events.outputText.split(separator: "\n").count == 2)
        try FileSystem.replace(run.manifest, with: [])
        #expect(try await ecr("run", "list").outputText.contains("damaged"))
        #expect(try await ecr("run", "list", "--json").json()["runs"]?.array?.first?["state"] == "damaged")
    }

    /// Corrections are looked for in the whole stream; damage must not keep the events before it back.
    @Test func eventsOfADamagedRunWithCorrections() async throws {
        #expect(try await ecr("note", "first").status == 0)
        #expect(try await ecr("run", "edit", "last", "second").status == 0)
        let text = String(decoding: try FileSystem.read(run.events), as: UTF8.self)
        try FileSystem.replace(
            run.events, with: Array(text.replacing("\"spool\":\"/s\"", with: "\"spool\":\"/t\"").utf8))
        let events = try await ecr("run", "events")
        #expect(events.status == 76)
        #expect(events.outputText.split(separator: "\n").count == 2)
    }
}
