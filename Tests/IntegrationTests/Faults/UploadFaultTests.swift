import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Uploads that are stopped, cut, given up, or in one another's way: what is on the target is on record, and nothing is
/// left of the rest.
@Suite(.serialized, .timeLimit(.minutes(4))) struct UploadFaultTests {
    private func uploads(_ run: RunDirectory) throws -> [JSONObject] { try run.events(.uploaded).map(\.data) }

    /// Everything below a folder of the target's.
    private func names(in folder: String) async throws -> [String] {
        let found = try await Command.run("/usr/bin/find", [folder, "-mindepth", "1", "-printf", "%P\n"]).outputText
        return found.split(separator: "\n").map(String.init).sorted()
    }

    // MARK: Stopped

    /// Sends three small files and a large one beside them, whose first `dd` hangs, and runs a body once the small ones are
    /// there.
    private func withPushUnderWay(
        _ body: (FaultBench, RunDirectory, RunningCommand, _ folder: String) async throws -> Void
    ) async throws {
        let programs = try ScratchDirectory()
        let usual = try #require(Command.find("dd"))
        try programs.write(
            "bin/dd",
            """
            #!/bin/sh
            case "$*" in *if=*) exec \(usual) "$@" ;; esac
            first=$(head -c 5)
            [ "$first" != LARGE ] || ! mkdir '\(programs.path)/begun' 2>/dev/null || exec sleep 100
            { printf %s "$first"; cat; } | \(usual) "$@"

            """, mode: 0o755)
        let path = "SetEnv PATH=\(programs.path("bin")):/usr/bin:/bin"
        try await FaultBench.with(.init(extraLines: [path]), connection: ["keepalive": "60"]) { bench in
            let fixture = bench.fixture
            let folder = fixture.scratch.path("work/tree")
            for name in ["a", "b", "c"] { try fixture.scratch.write("tree/\(name)", "the new \(name)") }
            try fixture.scratch.write("tree/large", bytes: Array("LARGE".utf8) + testBytes(1_000_000))
            for name in ["a", "b", "c", "large"] { try fixture.scratch.write("work/tree/\(name)", "old") }
            let run = try await bench.start()
            let push = try fixture.background("run", "push", "--method", "exec", "tree", folder)
            try await fixture.wait(for: "the small files") {
                try ["a", "b", "c"].allSatisfy {
                    try FileSystem.read("\(folder)/\($0)") == Array("the new \($0)".utf8)
                } && FileSystem.exists(programs.path("begun"))
            }
            try await body(bench, run, push, folder)
        }
    }

    @Test func whatHasItsPlaceIsOnRecordAlthoughItsNeighbourFails() async throws {
        try await withPushUnderWay { bench, run, push, folder in
            // The target's word that they are there comes back at once, long before the large one is there.
            try await Task.sleep(for: .seconds(1))
            #expect(try uploads(run).isEmpty)
            bench.link?.fail(.reset)
            #expect(try await push.wait().status == 0)
            // Those that a second attempt comes upon are called unchanged.
            #expect(try uploads(run).map { $0["path"]?.string } == ["a", "b", "c", "large"])
            #expect(try uploads(run).allSatisfy { $0["method"] == "exec" })
            #expect(try await names(in: folder) == ["a", "b", "c", "large"])
        }
    }

    @Test func whatIsThereWhenAPushIsStoppedIsOnRecord() async throws {
        try await withPushUnderWay { bench, run, push, folder in
            push.signal(SIGINT)
            let stopped = try await push.wait()
            #expect(stopped.status == 130)
            #expect(
                stopped.errorText.contains(
                    "stopped: nothing else has taken a place; typed again, it goes on where it was\n"))
            let cancelled = try run.events(.uploadFailed).map(\.data)
            #expect(cancelled.map { $0["reason"]?.string } == ["cancelled"])
            #expect(cancelled.first?["local"]?.string == bench.fixture.scratch.path("tree"))
            #expect(try uploads(run).count + Int(cancelled.first?["unsent"]?.int ?? 0) == 4)
            try await bench.fixture.expect(0, "run", "complete")
            let new = try await names(in: folder).filter {
                try FileSystem.read("\(folder)/\($0)") != Array("old".utf8)
            }
            #expect(try uploads(run).compactMap { $0["path"]?.string } == new)
            #expect(try await names(in: folder) == ["a", "b", "c", "large"])
        }
    }

    /// Sends a large file over a link that stalls, and stops that once some of it is there.
    private func withStoppedPush(
        _ method: String, _ body: (FaultBench, RunDirectory, _ said: String, _ work: String) async throws -> Void
    ) async throws {
        try await FaultBench.with(connection: ["keepalive": "60"]) { bench in
            let (fixture, link) = (bench.fixture, try #require(bench.link))
            let work = fixture.scratch.path("work")
            try fixture.scratch.write("large", bytes: testBytes(5_000_000))
            let run = try await bench.start()
            link.fail(.stall, after: 2_500_000, .toServer)
            let push = try fixture.background("run", "push", "--method", method, "large", "\(work)/")
            try await fixture.wait(for: "some of it") { !link.isArmed && FileSystem.treeSize(work) > 1_000_000 }
            try await fixture.interrupt(push)
            link.restore()
            let stopped = try await push.wait()
            #expect(stopped.status == 130)
            try await body(bench, run, stopped.errorText, work)
        }
    }

    @Test(arguments: ["sftp", "exec"]) func aPushThatIsStoppedGoesOnWhenItIsTypedAgain(_ method: String) async throws {
        try await withStoppedPush(method) { bench, run, said, work in
            #expect(said.hasSuffix("typed again, it goes on where it was\n"), "\(said)")
            try await bench.fixture.expect(0, "run", "push", "--method", method, "large", "\(work)/")
            #expect(try FileSystem.read("\(work)/large") == testBytes(5_000_000))
            #expect(try uploads(run).first?["resumed_at"]?.int ?? 0 >= 15 << 16)
            #expect(try await names(in: work) == ["large"])
        }
    }

    @Test(arguments: ["scp", "tar"]) func aPushThatCannotGoOnSaysSo(_ method: String) async throws {
        try await withStoppedPush(method) { bench, run, said, work in
            #expect(
                said.hasSuffix(
                    "0 files on the target, 0 B\nstopped: nothing else has taken a place; "
                        + "typed again, it begins with what is not there\n"), "\(said)")
            try await bench.fixture.expect(0, "run", "push", "--method", method, "large", "\(work)/")
            #expect(try FileSystem.read("\(work)/large") == testBytes(5_000_000))
            #expect(try uploads(run).map { $0["resumed_at"] } == [nil])
            #expect(try await names(in: work) == ["large"])
        }
    }

    // MARK: Side by side

    @Test(arguments: ["tar", "exec", "sftp"]) func twoPushesIntoOnePlaceBothArrive(_ method: String) async throws {
        try await FaultBench.with(connection: ["keepalive": "60"]) { bench in
            let fixture = bench.fixture
            let work = fixture.scratch.path("work")
            for folder in ["one", "two"] {
                for number in 1...5 {
                    try fixture.scratch.write("\(folder)/\(folder) \(number)", bytes: testBytes(60_000 + number))
                }
                try fixture.scratch.write("\(folder)/both", bytes: testBytes(50_000))
            }
            let run = try await bench.start()
            bench.link?.throttle(400_000)
            let pushes = try ["one", "two"].map {
                try fixture.background("run", "push", "--method", method, "\($0)/.", "\(work)/")
            }
            for push in pushes {
                let result = try await push.wait()
                #expect(result.status == 0, "\(result.errorText)")
            }
            bench.link?.throttle(nil)
            let all = ["both"] + ["one", "two"].flatMap { folder in (1...5).map { "\(folder) \($0)" } }
            #expect(try await names(in: work) == all.sorted())
            for number in 1...5 { #expect(try FileSystem.read("\(work)/two \(number)") == testBytes(60_000 + number)) }
            #expect(try uploads(run).count == 12 && run.events(.uploadFailed).isEmpty)
        }
    }

    // MARK: Given up

    /// Kills the supervisor in the middle of a push, and gives what is left there to a body.
    private func withHalfAPush(
        _ method: String, _ body: (RunFixture, RunDirectory, _ work: String) async throws -> Void
    ) async throws {
        try await FaultBench.with { bench in
            let fixture = bench.fixture
            let work = fixture.scratch.path("work")
            for number in 1...5 { try fixture.scratch.write("tree/\(number)", bytes: testBytes(1_500_000)) }
            let run = try await bench.start()
            let link = try #require(bench.link)
            link.fail(.stall, after: 2_500_000, .toServer)
            let push = try fixture.background("run", "push", "--method", method, "tree/.", "\(work)/")
            try await fixture.wait(for: "the stall") { !link.isArmed }
            try await bench.killSupervisor(of: run)
            _ = try await push.wait()
            link.fail(.reset)
            link.restore()
            #expect(try await names(in: work).contains { $0.hasPrefix(".ecr-") })
            try await body(fixture, run, work)
        }
    }

    @Test(arguments: ["tar", "sftp"]) func aPushThatIsTypedAgainFindsItsOwn(_ method: String) async throws {
        try await withHalfAPush(method) { fixture, run, work in
            try await fixture.expect(0, "run", "resume")
            // Also where the file is another one by now.
            try fixture.scratch.write("tree/2", bytes: testBytes(1_400_000))
            try await fixture.expect(0, "run", "push", "--method", method, "tree/.", "\(work)/")
            #expect(try await names(in: work) == ["1", "2", "3", "4", "5"])
            #expect(try FileSystem.read("\(work)/2") == testBytes(1_400_000))
            #expect(Set(try uploads(run).compactMap { $0["path"]?.string }).count == 5)
        }
    }

    @Test(arguments: ["tar", "sftp"]) func aPushThatIsGivenUpIsRemovedAtTheEnd(_ method: String) async throws {
        try await withHalfAPush(method) { fixture, _, work in
            try fixture.scratch.write("work/.ecr-not-ours", "x")
            try await fixture.expect(0, "run", "resume")
            try await fixture.expect(0, "run", "complete")
            #expect(try await names(in: work).filter { $0.hasPrefix(".ecr-") } == [".ecr-not-ours"])
        }
    }

    @Test func aPushOfARunThatIsAbortedOfflineIsRemovedByADrain() async throws {
        try await withHalfAPush("sftp") { fixture, run, work in
            let abort = try await fixture.expect(0, "run", "abort")
            #expect(abort.errorText.contains("what was on its way to \(work) may be left there or beside it"))
            #expect(abort.errorText.contains("next: ecr run drain \(run.id), "))
            #expect(try await names(in: work).contains { $0.hasPrefix(".ecr-") })
            _ = try await fixture.ecr("run", "drain")
            #expect(try await names(in: work).allSatisfy { !$0.hasPrefix(".ecr-") })
        }
    }

    @Test func aPushOfARunThatIsAbortedOfflineIsRemovedByTargetClean() async throws {
        try await RunFixture.with(profile: "actions: {quick: {commands: [\"true\"]}}") { fixture in
            let work = fixture.scratch.path("work")
            for name in ["small", "big"] { try fixture.scratch.write(name, "x") }
            try File(path: fixture.scratch.path("big"), O_WRONLY).truncate(to: 4 << 30)
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "push", "small", "\(work)/small")
            let push = try fixture.background("run", "push", "big", "\(work)/big")
            try await fixture.waitForTransfer()
            try await fixture.killSupervisor(of: run)
            _ = try await push.wait()
            let profile = fixture.scratch.path("profile.yaml")
            let told = try await fixture.expect(0, "run", "abort").errorText.split(separator: "\n")
            #expect(
                told == [
                    "run \(run.id) is aborted",
                    "warning: what was on its way to \(work)/big may be left there or beside it, as .ecr-…",
                    "next: ecr target clean '\(profile)' --run \(run.id), which removes it",
                ])
            #expect(try await names(in: work).count == 2)
            try await fixture.expect(0, "target", "clean", profile, "--run", run.id, "--yes")
            #expect(try await names(in: work) == ["small"])
        }
    }

    /// The server's file transfer dies of the same file again and again, while the link stands.
    @Test func anErrorThatRepeatsIsAFailure() async throws {
        let command = "/bin/sh -c \"ulimit -f 1000; exec /usr/lib/openssh/sftp-server\""
        try await FaultBench.with(
            .init(servesSFTP: false, extraLines: ["Subsystem sftp \(command)"]), connection: ["keepalive": "60"]
        ) { bench in
            let fixture = bench.fixture
            let work = fixture.scratch.path("work")
            try fixture.scratch.write("large", bytes: testBytes(4_000_000))
            let run = try await bench.start()
            let result = try await fixture.expect(1, "run", "push", "--method", "sftp", "large", "\(work)/large")
            #expect(result.errorText.contains("cannot send \(fixture.scratch.path)/large to \(work)/large: "))
            #expect(try run.events(.uploadFailed).count == 1)
            #expect(try run.events(.connectionLost).isEmpty)
            #expect(try await names(in: work) == [])
            try await fixture.expect(0, "run", "action", "quick")
        }
    }

    /// One that a neighbour's error tears from under a transfer makes it begin again.
    @Test func anErrorOfOneTransferIsNoneOfItsNeighbours() async throws {
        let command = "/bin/sh -c \"ulimit -f 1000; exec /usr/lib/openssh/sftp-server\""
        try await FaultBench.with(
            .init(servesSFTP: false, extraLines: ["Subsystem sftp \(command)"]), connection: ["keepalive": "60"]
        ) { bench in
            let fixture = bench.fixture
            try fixture.scratch.write("large", bytes: testBytes(4_000_000))
            try fixture.scratch.write("larger", bytes: testBytes(20_000_000))
            let run = try await bench.start()
            bench.link?.throttle(1_000_000)
            let pull = try fixture.background("run", "pull", "--method", "exec", fixture.scratch.path("larger"))
            try await fixture.wait(for: "the pull") { try !run.events(.artifactPullStarted).isEmpty }
            try await fixture.expect(
                1, "run", "push", "--method", "sftp", "large", "\(fixture.scratch.path("work"))/large")
            #expect(try run.events(.artifactPulled).isEmpty)
            bench.link?.throttle(nil)
            #expect(try await pull.wait().status == 0)
            #expect(try run.events(.artifactPullStarted).count == 1 && run.events(.artifactPulled).count == 1)
            #expect(try run.events(.artifactPulled).first?.data["resumed_at"] == nil)
        }
    }

    // MARK: Targets that hang

    private func withHangingSync(
        servesSFTP: Bool = true, _ body: (RunFixture, RunDirectory, HangingProgram, _ work: String) async throws -> Void
    ) async throws {
        let hanging = try HangingProgram("sync")
        try await RunFixture.with(.init(servesSFTP: servesSFTP, extraLines: [hanging.serverLine])) { fixture in
            let work = fixture.scratch.path("work")
            try FileSystem.makeDirectory(work)
            for name in ["f", "tree/1", "tree/2", "tree/3", "tree/4", "tree/5"] {
                try fixture.scratch.write(name, "content of \(name)")
            }
            try fixture.write("actions: {use: {upload: [{from: f, to: \(work)/}], commands: [\"true\"]}}")
            try await body(fixture, try await fixture.start(), hanging, work)
        }
    }

    private let maybe = "cancelled while it took its place (sync, rename): it may be there"

    @Test(arguments: ["f", "tree/."]) func aPushWhoseLastStepHangsCanBeStopped(_ name: String) async throws {
        try await withHangingSync { fixture, run, hanging, work in
            let push = try fixture.background("run", "push", name, "\(work)/")
            try await hanging.waitUntilBegun()
            push.signal(SIGINT)
            let stopped = try await push.wait()
            #expect(stopped.status == 130)
            #expect(stopped.errorText.contains("/f: \(maybe)\n") == (name == "f"))
            #expect(stopped.errorText.contains("ecr run push '") && !stopped.errorText.contains("nothing else"))
            let all = name == "f" ? 1 : 5
            try await fixture.wait(for: "its end") { try run.events(.uploadFailed).count == all }
            #expect(try run.events(.uploadFailed).allSatisfy { $0.data["reason"]?.string == maybe })
            #expect(try run.events(.uploaded).isEmpty)
            try hanging.goOn()
            // What may be there is found by the same command.
            try await fixture.expect(0, "run", "push", name, "\(work)/")
            try await fixture.expect(0, "run", "complete")
            #expect(try await names(in: work) == (name == "f" ? ["f"] : ["1", "2", "3", "4", "5"]))
        }
    }

    /// Many files may be taking their places at once.
    @Test(.enabled("needs strace") { await SystemCallFaults.isAvailable() })
    func whatIsGivenUpIsOnRecordWithFewSyncs() async throws {
        try await withHangingSync { fixture, run, hanging, work in
            for number in 6...60 { try fixture.scratch.write("tree/\(number)", "content \(number)") }
            let push = try fixture.background("run", "push", "tree/.", "\(work)/")
            try await hanging.waitUntilBegun()
            let fault = try SystemCallFaults("fdatasync", .error("EIO"), when: "20+")
            let tracer = try await fault.attach(to: #require(Processes.ids(withArgument: run.path).first))
            push.signal(SIGINT)
            #expect(try await push.wait().status == 130)
            #expect(
                try run.events(.uploadFailed).map { $0.data["reason"]?.string } == Array(repeating: maybe, count: 60))
            tracer.signal(SIGINT)
            _ = try await tracer.wait()
            #expect(!fault.hasStruck)
            try hanging.goOn()
        }
    }

    private static let ways = ["sftp f", "exec f", "scp f", "tar f", "tar tree/."]

    /// A push that got a signal in its last step, which hangs.
    private struct StoppedPush {
        let run: RunDirectory
        let command: RunningCommand
        let hanging: HangingProgram
        /// What types it again.
        let words: [String]
        /// What it brings.
        let names: [String]
        let work: String
    }

    private func withPushStoppedInItsLastStep(
        _ way: String, _ body: (RunFixture, StoppedPush) async throws -> Void
    ) async throws {
        let words = way.split(separator: " ").map(String.init)
        try await withHangingSync(servesSFTP: words[0] == "sftp") { fixture, run, hanging, work in
            let push = ["run", "push", "--method", words[0], words[1], "\(work)/"]
            let command = try fixture.background(push)
            try await hanging.waitUntilBegun()
            try await fixture.interrupt(command)
            let names = words[1] == "f" ? ["f"] : ["1", "2", "3", "4", "5"]
            try await body(
                fixture,
                StoppedPush(run: run, command: command, hanging: hanging, words: push, names: names, work: work))
        }
    }

    /// What is taking its place when it is stopped has it in the end, and nobody is told otherwise.
    @Test(arguments: ways) func aPushThatIsStoppedInItsLastStepSaysWhatCameOfIt(_ way: String) async throws {
        try await withPushStoppedInItsLastStep(way) { _, push in
            try push.hanging.goOn()
            let result = try await push.command.wait()
            #expect(result.status == 130)
            let count = push.names.count == 1 ? "1 file" : "5 files"
            #expect(result.errorText.contains("\(count) on the target"), "\(result.errorText)")
            #expect(result.errorText.contains("it had ended before it could be stopped"))
            #expect(try await names(in: push.work) == push.names)
            #expect(try uploads(push.run).count == push.names.count && push.run.events(.uploadFailed).isEmpty)
        }
    }

    @Test(arguments: ways) func aPushWaitsForTheSameThatWasStopped(_ way: String) async throws {
        try await withPushStoppedInItsLastStep(way) { fixture, push in
            push.command.signal(SIGINT)
            let left = try await push.command.wait()
            #expect(left.status == 130)
            #expect(left.errorText.contains("what was just taking its place may still do so"))
            let second = try fixture.background(push.words)
            try await Task.sleep(for: .milliseconds(500))
            try push.hanging.goOn()
            #expect(try await second.wait().status == 0)
            let methods = try uploads(push.run).map { $0["method"]?.string }
            let count = push.names.count
            #expect(methods.count == 2 * count && methods.suffix(count).allSatisfy { $0 == "unchanged" }, "\(methods)")
            #expect(try await names(in: push.work) == push.names)
        }
    }

    @Test func anActionThatIsCancelledInTheLastStepOfItsUploadRunsNothing() async throws {
        try await withHangingSync { fixture, run, hanging, work in
            let action = try fixture.background("run", "action", "use")
            try await hanging.waitUntilBegun()
            let cancel = try fixture.background("run", "cancel", "use")
            try await Task.sleep(for: .milliseconds(500))
            try hanging.goOn()
            #expect(try await cancel.wait().status == 0)
            #expect(try await action.wait().status == 130)
            #expect(try run.events(.actionCancelled).count == 1 && run.events(.commandStarted).isEmpty)
            #expect(try uploads(run).count == 1)
            #expect(try await names(in: work) == ["f"])
        }
    }

    @Test func anActionWhoseUploadHangsCanBeCancelled() async throws {
        try await withHangingSync { fixture, run, hanging, work in
            let action = try fixture.background("run", "action", "use")
            try await hanging.waitUntilBegun()
            try await fixture.expect(0, "run", "cancel", "use")
            #expect(try await action.wait().status == 130)
            #expect(try run.events(.uploadFailed).map { $0.data["reason"]?.string } == [maybe])
            #expect(try run.events(.actionCancelled).count == 1 && run.events(.commandStarted).isEmpty)
            try await fixture.expect(0, "run", "complete")
            try hanging.goOn()
        }
    }

    // MARK: Places

    @Test func aFolderWithManyFilesIsNotListedForAFew() async throws {
        try await FaultBench.with { bench in
            let fixture = bench.fixture
            let work = fixture.scratch.path("work")
            let long = String(repeating: "n", count: 100)
            for number in 1...4000 { try fixture.scratch.write("work/\(long)-\(number)", "") }
            for number in 1...3 { try fixture.scratch.write("tree/f\(number)", "content \(number)") }
            try fixture.scratch.write("work/f2", "content 2")
            let run = try await bench.start()
            let link = try #require(bench.link)
            let before = link.carried(.toClient)
            try await fixture.expect(0, "run", "push", "tree/.", "\(work)/")
            #expect(link.carried(.toClient) - before < 200_000)
            #expect(
                try uploads(run).map { $0["method"]?.string }.sorted { $0 ?? "" < $1 ?? "" } == [
                    "sftp", "sftp", "unchanged",
                ])
        }
    }

    @Test(.enabled(if: getuid() == 0, "writes below /")) func theRootTakesATree() async throws {
        try await RunFixture.with { fixture in
            let work = fixture.scratch.path("work")
            for number in 1...5 { try fixture.scratch.write("overlay\(work)/f\(number)", "content \(number)") }
            let run = try await fixture.start()
            for method in ["tar", "sftp", "exec"] {
                try? FileSystem.removeTree(work)
                try await fixture.expect(0, "run", "push", "--method", method, "overlay/.", "/")
                #expect(try await names(in: work) == (1...5).map { "f\($0)" })
                #expect(try uploads(run).suffix(5).allSatisfy { $0["method"]?.string == method })
            }
            try await fixture.expect(0, "run", "push", "overlay/.", "/")
            #expect(try uploads(run).suffix(5).allSatisfy { $0["method"] == "unchanged" })
            #expect(try uploads(run).compactMap { $0["remote"]?.string }.allSatisfy { $0.hasPrefix("\(work)/f") })
            #expect(try FileSystem.list("/").allSatisfy { !$0.hasPrefix(".ecr-") })
        }
    }

    @Test func whatIsWrongWithAPathOrANameIsSaid() async throws {
        try await RunFixture.with { fixture in
            let work = fixture.scratch.path("work")
            let file = try fixture.scratch.write("work/file", "x")
            symlink("nowhere", fixture.scratch.path("work/link"))
            _ = try await fixture.start()
            for (method, place) in [("sftp", "file"), ("exec", "file"), ("sftp", "link"), ("scp", "link")] {
                let result = try await fixture.expect(
                    1, "run", "push", "--method", method, file, "\(work)/\(place)/")
                #expect(
                    result.errorText.contains(
                        "error: cannot send \(file) to \(work)/\(place)/file: a part of that path is a file, or leads"),
                    "\(result.errorText)")
                #expect(result.errorText.contains("ecr run exec -- ls -la '\(work)/\(place)'"))
            }
            let tree = try await fixture.expect(64, "run", "push", "work", "/tmp/")
            #expect(tree.errorText.contains("/work/link: a link that leads nowhere"))
            #expect(tree.errorText.contains("take that out of the directory, or name what shall go"))

            // As a person types it: the argument is no UTF-8.
            try await Command.runSuccessfully(
                "/bin/sh", ["-c", "printf x >\"$(printf 'latin\\351.log')\""], workingDirectory: fixture.scratch.path)
            func typed(_ command: String) async throws -> CommandResult {
                try await Command.run(
                    "/bin/sh", ["-c", "\(try BuiltProducts.ecr()) \(command)"], environment: RunFixture.settings,
                    workingDirectory: fixture.scratch.path)
            }
            let note = try await typed("note text --attach \"$(printf 'latin\\351.log')\"")
            #expect(note.status == 66 && note.errorText.contains("its name is not UTF-8"), "\(note.errorText)")
            let missing = try await typed("run push \"$(printf 'none\\351.log')\" /tmp/")
            #expect(missing.status == 66 && missing.errorText.contains("No such file"), "\(missing.errorText)")
            let pull = try await typed("run pull \"$(printf '/tmp/\\351')\"")
            #expect(pull.status == 64 && pull.errorText.contains("is not UTF-8"), "\(pull.errorText)")
        }
    }

    @Test(.enabled(if: TestUser.isAvailable, "needs root and useradd"))
    func aPlaceThatRefusesIsNamedWithTheNextCommand() async throws {
        try await TestUser.with { user in
            try FileSystem.makeDirectories("\(user.home)/keys", mode: 0o755)
            let keys = "\(user.home)/keys/authorized"
            try await RunFixture.with(.init(extraLines: ["AuthorizedKeysFile \(keys)"])) { fixture in
                try FileSystem.replace(keys, with: try FileSystem.read("\(fixture.server.clientKey).pub"))
                chmod(keys, 0o644)
                try fixture.write(
                    "actions: {use: {upload: [{from: f, to: /etc/f}], commands: [\"true\"]}}",
                    connection: ["user": user.name, "spool_dir": "\(user.home)/spool"])
                let file = try fixture.scratch.write("f", "x")
                let run = try await fixture.start()
                for (method, place) in [
                    ("sftp", "/etc/"), ("sftp", "/no/such/place/"), ("exec", "/no/such/place/"), ("scp", "/etc/"),
                    ("tar", "/etc/"),
                ] {
                    let result = try await fixture.expect(1, "run", "push", "--method", method, "f", place)
                    #expect(
                        result.errorText.contains("error: cannot send \(file) to \(place)f: permission denied"),
                        "\(result.errorText)")
                    #expect(result.errorText.contains("ecr run exec --sudo -- mv '/tmp/f' '\(place)f'"))
                }
                // The content is there, and is another's, whose permissions nobody else may change; the name is the user's.
                try FileSystem.replace("\(user.home)/f", with: Array("x".utf8))
                chmod("\(user.home)/f", 0o644)
                try await fixture.expect(0, "run", "push", "f", "\(user.home)/f")
                var status = stat()
                #expect(stat("\(user.home)/f", &status) == 0 && status.st_mode & 0o777 == 0o600 && status.st_uid != 0)
                let event = try #require(try run.events(.uploadFailed).first?.data)
                #expect(event["remote"] == "/etc/f" && event["reason"] == "permission denied")
                let action = try await fixture.expect(1, "run", "action", "use")
                #expect(action.errorText.contains("upload \(file) to /etc/f: permission denied"))
            }
        }
    }
}
