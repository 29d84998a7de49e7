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

    /// Runs the action `big`, whose files have not all come yet.
    private func whileFilesCome(
        leaving command: String = #"truncate -s 4G "$ECR_OUT/big""#,
        _ body: (RunFixture, RunDirectory, RunningCommand) async throws -> Void
    ) async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                """
                actions: {big: {commands: ['\(command)']}}
                transfers: {min_free_disk: 0}
                """)
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "big")
            try await fixture.waitForTransfer()
            try await body(fixture, run, action)
        }
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
            #expect(end.errorText.contains("next: ecr run drain \(run.id), which fetches it without max_files\n"))
            #expect(
                end.errorText.contains(
                    "complete: no, though all output and samples are here; not all files of 1 job have come\n"))
            #expect(!end.errorText.contains("100 %") && !end.errorText.contains("remark:"))
            #expect(try FileSystem.list(folder).count == 20)
            let status = try await fixture.expect(0, "status")
            #expect(status.outputText.contains("ecr run drain") && status.outputText.contains(folder))
            try await theHoleIsNamed(folder, of: run, fixture)
            // Who asks for it gets all of it.
            #expect(try await fixture.expect(0, "run", "drain").errorText.contains("complete: 100 %\n"))
            #expect(!FileSystem.exists(folder))
            #expect(try FileSystem.list("\(run.path)/artifacts/0001-a").count == 20)
        }
    }

    /// The record is intact all the same: by every reader, in every place.
    private func theHoleIsNamed(_ folder: String, of run: RunDirectory, _ fixture: RunFixture) async throws {
        let export = try await fixture.expect(0, "run", "export", "-o", "a.zip", "--json")
        #expect(export.errorText.contains(" has it in \(folder)\nnext: ecr run drain \(run.id)"))
        try await Command.runSuccessfully(
            try #require(Command.find("unzip")),
            ["-q", fixture.scratch.path("a.zip"), "-d", fixture.scratch.path("u")])
        for place in [run.id, fixture.scratch.path("u/\(run.id)")] {
            let verify = try await fixture.expect(0, "verify", place)
            #expect(verify.outputText.contains("whole; not all files of 1 job ever came\n"))
            #expect(verify.errorText.contains("warning: not all of $ECR_OUT of 0001-a has come (more than 5 files"))
            #expect(
                verify.errorText.contains(folder) && verify.errorText.contains("ecr run drain") == (place == run.id))
        }
        for json in [try export.json(), try await fixture.expect(0, "verify", "--json").json()] {
            #expect(json["unfetched"]?.array?.map { $0["folder"]?.string } == [folder])
            #expect(json["missing"]?.array?.count == 1)
        }
        let delete = try await fixture.expect(64, "run", "delete", "--yes", run.id)
        #expect(delete.errorText.contains(folder) && delete.errorText.contains("ecr run drain \(run.id), or"))
        let prune = try await fixture.expect(0, "run", "prune", "--keep", "0", "--yes")
        #expect(prune.errorText.contains("run \(run.id) stays"))
    }

    @Test func anAbortKeepsItTooAndADrainFetchesIt() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                """
                actions: {a: {commands: ['echo 1 >"$ECR_OUT/1"; echo 2 >"$ECR_OUT/2"']}}
                transfers: {max_files: 1}
                """)
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "a")
            let end = try await fixture.expect(0, "run", "abort", "wrong board")
            let folder = try out(run, "0001")
            #expect(end.errorText.contains("not all of $ECR_OUT of 0001-a has come"))
            #expect(end.errorText.contains("next: ecr run drain \(run.id)"))
            #expect(try FileSystem.list(folder).count == 2)
            for command in [["status"], ["run", "show"]] {
                let look = try await fixture.ecr(command)
                #expect(look.outputText.contains(folder) && look.outputText.contains("ecr run drain \(run.id)"))
            }
            #expect(try await fixture.expect(0, "run", "drain").errorText.contains("complete: 100 %\n"))
            #expect(!FileSystem.exists(folder))
            #expect(try FileSystem.list("\(run.path)/artifacts/0001-a").count == 2)
            let state = try run.state()
            #expect(state.status == .aborted && state.endReason == "wrong board" && state.unfetched.isEmpty)
            #expect(try await fixture.expect(0, "run", "drain").errorText.contains("nothing to fetch"))
            try await fixture.expect(0, "verify")
        }
    }

    /// What is on record of a job that has ended is said, and what it has left can be fetched.
    @Test func anAbortOfAnInterruptedRunLeavesWhatWasOnItsWay() async throws {
        try await whileFilesCome { fixture, run, action in
            try await fixture.killSupervisor(of: run)
            #expect(try await action.wait().status == 79)
            let end = try await fixture.expect(0, "run", "abort")
            #expect(
                end.errorText.contains("0001-big has ended on the target") && !end.errorText.contains("may still run"))
            #expect(end.errorText.contains("next: ecr run drain \(run.id)"))
            try File(path: "\(try out(run, "0001"))/big", O_WRONLY).truncate(to: 1000)
            // How it ended the target knows.
            let drain = try await fixture.expect(0, "run", "drain")
            #expect(drain.errorText.contains("is drained\ncomplete: 100 %"), "\(drain.errorText)")
            #expect(try run.events(.artifactPulled).map { $0.data["size"]?.int } == [1000])
            let state = try run.state()
            #expect(state.unfetched.isEmpty && state.jobs.map(\.outcome) == [.completed])
        }
    }

    /// A limit that a drain keeps names what helps.
    @Test func whatHasNoRoomNamesTheWayOut() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                """
                actions: {a: {commands: ['echo 1 >"$ECR_OUT/1"']}}
                transfers: {min_free_disk: 90000GB}
                """)
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "a")
            let folder = try out(run, "0001")
            func next(_ command: String) async throws {
                let text = try await fixture.expect(1, "run", command).errorText
                #expect(
                    text.contains(
                        "next: make room (df -h '\(fixture.scratch.path("runs"))'), then ecr run drain \(run.id)"))
                try await theCopyWorks(text, of: folder, fixture)
            }
            try await next("complete")
            try await next("drain")
        }
    }

    /// Pastes the command that copies by hand.
    private func theCopyWorks(_ told: String, of folder: String, _ fixture: RunFixture) async throws {
        let line = try #require(told.split(separator: "\n").first { $0.contains("copy it by hand: ") })
        let command = try #require(line.split(separator: ": ").last)
        let place = fixture.scratch.path("copy")
        try? FileSystem.removeTree(place)
        try FileSystem.makeDirectory(place)
        try await Command.runSuccessfully(
            "/bin/sh", ["-c", "exec \(command) </dev/null"], workingDirectory: place)
        #expect(try FileSystem.list("\(place)/\(FileSystem.name(of: folder))") == ["1"], "\(command)")
    }

    /// Behind a jump host, by an alias, with a key in a folder with a blank, and without SFTP.
    @Test func theCopyByHandGoesTheProfilesWay() async throws {
        let jump = try await SSHServer.start()
        try await RunFixture.with(.init(servesSFTP: false)) { fixture in
            let key = fixture.scratch.path("my keys/key")
            try FileSystem.makeDirectory(fixture.scratch.path("my keys"))
            try FileSystem.replace(key, with: FileSystem.read(fixture.server.clientKey), mode: 0o600)
            try fixture.scratch.write(
                "config",
                """
                Host board
                  HostName 127.0.0.1
                \(jump.configHost("gate"))
                """)
            try fixture.write(
                """
                actions: {a: {commands: ['echo 1 >"$ECR_OUT/1"']}}
                transfers: {min_free_disk: 90000GB}
                """,
                connection: [
                    "host": "board", "jump": "gate", "ssh_config": "config", "key_file": "my keys/key",
                    "algorithms": "{kex: [curve25519-sha256], ciphers: [+aes128-ctr]}",
                ])
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "a")
            let text = try await fixture.expect(1, "run", "complete").errorText
            #expect(text.contains("scp -r -O -F '\(fixture.scratch.path)/config' -i '\(key)' "))
            try await theCopyWorks(text, of: try out(run, "0001"), fixture)
        }
    }

    /// A fetch that is cut by the end of its supervisor has fetched nothing.
    @Test func aKilledCompletionForgetsNothing() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                """
                actions: {a: {commands: ['truncate -s 4G "$ECR_OUT/big"; mkdir "$ECR_OUT/d"; touch "$ECR_OUT/d/x"']}}
                transfers: {min_free_disk: 0}
                """)
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "a")
            try await fixture.waitForTransfer()
            try await fixture.expect(0, "run", "cancel", "a")
            _ = try await action.wait()
            try await fixture.expect(1, "run", "complete")
            let drain = try fixture.background("run", "drain")
            try await fixture.wait(for: "the fetch") { try run.events(.artifactPullStarted).count == 2 }
            try await fixture.killSupervisor(of: run)
            _ = try await drain.wait()
            #expect(try run.state().unfetched.map(\.id) == ["0001-a"])
            try File(path: "\(try out(run, "0001"))/big", O_WRONLY).truncate(to: 1000)
            try await fixture.expect(0, "run", "drain")
            #expect(try run.state().unfetched.isEmpty && run.events(.outputsFetched).count == 1)
        }
    }

    @Test func whatWasCancelledIsFetchedByADrain() async throws {
        try await whileFilesCome(leaving: #"truncate -s 4G "$ECR_OUT/big"; echo kept >"$ECR_OUT/small""#) {
            fixture, run, action in
            try await fixture.expect(0, "run", "cancel", "big")
            _ = try await action.wait()
            let end = try await fixture.expect(1, "run", "complete")
            #expect(end.errorText.contains("not all of $ECR_OUT has come: cancelled"))
            let folder = try out(run, "0001")
            // It can be stopped, and typed again.
            let stopped = try fixture.background("run", "drain")
            try await fixture.wait(for: "the fetch") { try run.events(.artifactPullStarted).count == 2 }
            stopped.signal(SIGINT)
            let left = try await stopped.wait()
            #expect(left.status == 130 && left.errorText.contains("run \(run.id) is not drained to its end"))
            #expect(left.errorText.contains("try: ecr run drain \(run.id)"), "\(left.errorText)")
            try File(path: "\(folder)/big", O_WRONLY).truncate(to: 1000)

            let drain = try await fixture.expect(0, "run", "drain")
            #expect(drain.errorText.contains("artifacts/0001-big/big  1000 B\n"))
            #expect(drain.errorText.contains("is drained\ncomplete: 100 %"))
            let pulled = try run.events(.artifactPulled).compactMap { $0.data["path"]?.string }
            #expect(Set(pulled) == ["artifacts/0001-big/big", "artifacts/0001-big/small"] && pulled.count == 2)
            #expect(try FileSystem.read("\(run.path)/artifacts/0001-big/small") == Array("kept\n".utf8))
            #expect(!FileSystem.exists(folder))
        }
    }

    /// Also by one that comes before the files of a job that was taken up again begin to travel.
    @Test func aCancelRightBehindAResumeIsHeard() async throws {
        try await whileFilesCome { fixture, run, action in
            try await fixture.killSupervisor(of: run)
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

    /// A spool in memory goes with a reboot, one on a disk by hand: nobody is sent there again, or kept from anything.
    @Test func whatTheTargetDoesNotHaveAnyMoreIsSaidSo() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                """
                actions: {a: {commands: ['echo 1 >"$ECR_OUT/1"; echo 2 >"$ECR_OUT/2"']}}
                transfers: {max_files: 1}
                """)
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "a")
            try await fixture.expect(1, "run", "complete")
            let folder = try out(run, "0001")
            try FileSystem.removeTree(FileSystem.parent(of: FileSystem.parent(of: folder)))
            for _ in 1...2 {
                let drain = try await fixture.expect(1, "run", "drain")
                #expect(
                    drain.errorText.contains(
                        "0001-a: not all of $ECR_OUT has come: the target does not have it any more"))
                #expect(drain.errorText.contains("next: ecr run export\n"), "\(drain.errorText)")
                #expect(drain.errorText.contains("what could be fetched from its target is here"))
            }
            let failures = try run.events(.artifactPullFailed).map { $0.data["only_copy"]?.bool }
            #expect(failures.last == false && failures.dropLast().allSatisfy { $0 == true })
            #expect(!(try await fixture.expect(0, "status").outputText.contains(folder)))
            #expect(try await fixture.expect(0, "verify").errorText.contains("the ledger has"))
            try await fixture.expect(0, "run", "delete", "--yes", run.id)
        }
    }

    /// What the job itself has taken away is not missing.
    @Test func aFolderThatTheJobHasRemovedHoldsNothing() async throws {
        try await RunFixture.with { fixture in
            try fixture.scratch.write("big", "")
            try fixture.write(
                """
                actions: {a: {commands: ['rmdir "$ECR_OUT"; truncate -s 4G big'], artifacts: [big],
                    workdir: '\(fixture.scratch.path)'}}
                transfers: {min_free_disk: 0}
                """)
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "a")
            try await fixture.waitForTransfer()
            try await fixture.killSupervisor(of: run)
            #expect(try await action.wait().status == 79)
            try await fixture.expect(0, "run", "abort")
            #expect(try run.state().unfetched.map(\.id) == ["0001-a"])
            try File(path: fixture.scratch.path("big"), O_WRONLY).truncate(to: 1000)
            try await fixture.expect(0, "run", "drain")
            #expect(try run.state().unfetched.isEmpty && run.events(.outputsFetched).count == 1)
            try await fixture.expect(0, "run", "delete", "--yes", run.id)
        }
    }

    /// What a collector has written since its supervisor died is on the target only, and stays there until a drain.
    @Test func samplesThatAnAbortHasLeftAreFetched() async throws {
        try await RunFixture.with { fixture in
            try fixture.write("background_collectors: {s: {stream: 'while sleep 0.05; do echo x; done'}}")
            let run = try await fixture.start()
            try await fixture.wait(for: "samples") { try !run.events(.collectorOutput).isEmpty }
            try await fixture.killSupervisor(of: run)
            let log = "\(try #require(try run.state().spool))/0001/stdout"
            let count = try FileSystem.read(log).count
            try await fixture.wait(for: "more samples") { try FileSystem.read(log).count > count }
            try await fixture.expect(0, "run", "abort")
            let delete = try await fixture.expect(64, "run", "delete", "--yes", run.id)
            #expect(delete.errorText.contains("what 0001-s wrote and was not fetched is in "), "\(delete.errorText)")
            let prune = try await fixture.expect(0, "run", "prune", "--keep", "0", "--yes")
            #expect(prune.errorText.contains("run \(run.id) stays"))
            let clean = try await fixture.expect(0, "target", "clean", "profile.yaml", "--yes")
            #expect(FileSystem.exists(log), "\(clean.outputText)")
            let drain = try await fixture.expect(0, "run", "drain")
            #expect(drain.errorText.contains("fetching 0001-s\n") && drain.errorText.contains("complete: 100 %"))
            #expect(!FileSystem.exists(log))
            #expect(try FileSystem.read(run.collectorLog("s")).count > count)
            #expect(try run.state().jobs.map(\.outcome) == [.stopped])
            try await fixture.expect(0, "verify")
        }
    }
}
