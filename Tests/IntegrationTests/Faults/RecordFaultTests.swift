import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Commands that write the record themselves and die, or fail, at any of their system calls; records that are torn or
/// damaged.
@Suite(.serialized, .timeLimit(.minutes(4))) struct RecordFaultTests {
    // MARK: Every call

    private static let calls = ["pwrite64", "fdatasync", "fsync", "rename"]

    /// The first call of this kind goes wrong, the second, and so on until the command comes to its end.
    /// - Parameter body: runs the command under a fault, and returns whether that struck.
    private func everywhere(
        _ call: String, _ fault: SystemCallFaults.Fault, _ body: (SystemCallFaults) async throws -> Void
    ) async throws {
        var number = 1
        while true {
            let fault = try SystemCallFaults(call, fault, when: "\(number)")
            try await body(fault)
            if !fault.hasStruck { break }
            number += 1
        }
        #expect(number > 1, "no \(call) was met")
    }

    private func ecr(
        _ bench: FaultBench, under fault: SystemCallFaults, _ arguments: String...
    ) async throws -> CommandResult {
        let command = fault.wrap(try BuiltProducts.ecr(), arguments)
        return try await Command.run(
            command.program, command.arguments, environment: ["ECR_RUN": nil, "ECR_RUNS_DIR": nil],
            workingDirectory: bench.fixture.scratch.path)
    }

    @Test(.enabled("needs strace") { await SystemCallFaults.isAvailable() }, arguments: calls)
    func aNoteThatGoesWrongAnywhereLosesNothing(_ call: String) async throws {
        try await FaultBench.with(hasLink: false, isInMemory: true) { bench in
            let run = bench.fixture.run(try await bench.fixture.expect(0, "run", "create", "profile.yaml"))
            for fault in [SystemCallFaults.Fault.death, .error("EIO")] {
                try await everywhere(call, fault) { fault in
                    let before = try FileSystem.read(run.events)
                    let result = try await ecr(bench, under: fault, "note", "n", "--json")
                    let seq = result.status == 0 ? try result.json()["seq"]?.int : nil
                    // The next one finds everything that was acknowledged, and goes on.
                    #expect(try await bench.note("after \(call) \(fault.when) \(fault.fault)") == 0)
                    let after = try FileSystem.read(run.events)
                    #expect(after.starts(with: before))
                    if let seq { #expect(try run.allEvents()[Int(seq)].data["text"]?.string == "n") }
                }
            }
            let events = try run.allEvents()
            #expect(events.map(\.seq) == Array(0..<Int64(events.count)))
        }
    }

    @Test(.enabled("needs strace") { await SystemCallFaults.isAvailable() }, arguments: calls)
    func aCreationThatGoesWrongAnywhereLeavesNoHalfRun(_ call: String) async throws {
        try await FaultBench.with(hasLink: false, isInMemory: true) { bench in
            for fault in [SystemCallFaults.Fault.death, .error("EIO")] {
                try await everywhere(call, fault) { fault in
                    let result = try await ecr(bench, under: fault, "run", "create", "profile.yaml")
                    let listed = try await bench.fixture.expect(0, "run", "list", "--json").json()
                    let runs = (listed["runs"]?.array ?? listed.array ?? []).compactMap {
                        $0["run"]?.string ?? $0["id"]?.string
                    }
                    if result.status == 0 {
                        let run = bench.fixture.run(result)
                        #expect(runs.contains(run.id))
                        #expect(try run.state().status == .created)
                    }
                    // What is listed is a run: it can be written to, and thrown away.
                    for id in runs {
                        try await bench.fixture.expect(0, "note", "n", "--run", id)
                        try await bench.fixture.expect(0, "run", "delete", id, "--yes")
                    }
                }
            }
        }
    }

    // MARK: Names

    /// No file system of this machine loses a name whose file was synced, but POSIX allows it: so the calls are looked at.
    @Test(.enabled("needs strace") { await SystemCallFaults.isAvailable() })
    func everyNameOfARunIsOnTheMediumBeforeItIsAcknowledged() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let calls = "/^(mkdir|f(data)?sync)"
            let creation = try SystemCallTrace(calls)
            let command = creation.wrap(try BuiltProducts.ecr(), ["run", "create", "profile.yaml"])
            let created = try await Command.run(
                command.program, command.arguments, environment: RunFixture.settings,
                workingDirectory: bench.fixture.scratch.path)
            #expect(created.status == 0, "\(created.errorText)")
            let run = bench.fixture.run(created)
            let path = try FileSystem.realPath(run.path)
            let runs = FileSystem.parent(of: path)
            for (folder, name) in [
                (FileSystem.parent(of: runs), "/runs\""), (runs, "/\(run.id)\""), (path, "/artifacts\""),
                ("\(path)/logs", "/logs/collectors\""),
            ] {
                #expect(creation.hasSynced(folder, behind: name, before: "/events.jsonl>"), "\(creation.lines)")
            }

            try await bench.fixture.expect(0, "run", "start")
            let action = try SystemCallTrace(calls)
            let tracer = try await action.attach(to: try #require(Processes.ids(withArgument: run.path).first))
            try await bench.fixture.expect(0, "run", "action", "quick")
            tracer.signal(SIGINT)
            _ = try await tracer.wait()
            #expect(
                action.hasSynced("\(path)/logs/actions", behind: "/0002-quick.stdout>", before: "/events.jsonl>"),
                "\(action.lines)")
            // The file has its place behind its content's second name.
            #expect(
                action.hasSynced("\(path)/artifacts", behind: "/.content\"", before: "/events.jsonl>"),
                "\(action.lines)")
        }
    }

    // MARK: Torn

    /// A run that was interrupted in the middle of an action, torn at every few bytes of its last three lines.
    @Test func aTornRecordIsTakenUpWhereItIsWhole() async throws {
        try await FaultBench.with(hasLink: false, isInMemory: true) { bench in
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            for number in 1...3 { try await bench.note("note \(number)") }
            try await bench.killSupervisor(of: run)
            _ = try await action.wait()
            let whole = try FileSystem.read(run.events)
            let manifest = try FileSystem.read(run.manifest)
            let lines = whole.split(separator: 0x0A).suffix(3).reduce(0) { $0 + $1.count + 1 }
            for kept in stride(from: whole.count - lines, to: whole.count, by: 23) {
                try FileSystem.replace(run.events, with: Array(whole.prefix(kept)))
                try FileSystem.replace(run.manifest, with: manifest)
                let result = try await bench.fixture.expect(0, "note", "kept \(kept)", "--json")
                let events = try run.allEvents()
                #expect(events.last?.data["text"]?.string == "kept \(kept)")
                #expect(try result.json()["seq"]?.int == events.last?.seq)
                let isCutWithinALine = kept > 0 && whole[kept - 1] != 0x0A
                #expect(try run.events(.logRecovered).count == (isCutWithinALine ? 1 : 0))
            }
            try FileSystem.replace(run.events, with: Array(whole.dropLast(5)))
            try FileSystem.replace(run.manifest, with: manifest)
            try bench.openGate()
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.fixture.expect(0, "run", "follow", "0002-count")
            let completed = try await bench.fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100"))
        }
    }

    // MARK: Damaged

    @Test(arguments: [false, true])
    func damageInTheMiddleIsReportedAndNotTouched(_ isTornToo: Bool) async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            for number in 1...4 { try await bench.note("note \(number)") }
            try await bench.killSupervisor(of: run)
            var bytes = try FileSystem.read(run.events)
            let place = try #require(bytes.firstRange(of: Array("note 2".utf8)))
            bytes[place.lowerBound] = UInt8(ascii: "N")
            if isTornToo { bytes.removeLast(7) }
            try FileSystem.replace(run.events, with: bytes)
            unlink(run.manifest)
            for command in [["note", "n"], ["run", "resume"], ["run", "abort"], ["status"], ["run", "events"]] {
                let result = try await bench.fixture.ecr(command)
                #expect(result.status == 76, "\(command): \(result.errorText)")
                #expect(result.errorText.contains("events.jsonl: line "), "\(command): \(result.errorText)")
            }
            #expect(try FileSystem.read(run.events) == bytes)
            #expect(try FileSystem.list(run.path).allSatisfy { !$0.contains(".torn-") })
        }
    }
}
