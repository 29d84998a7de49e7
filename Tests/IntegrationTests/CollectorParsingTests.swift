import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What collectors with `parse:` leave on record, with a real server and real samplers.
@Suite(.serialized, .timeLimit(.minutes(3))) struct CollectorParsingTests {
    /// A table's lines, each as its cells; no cell of these tests needs quotes.
    private func table(_ name: String, of run: RunDirectory) throws -> [[String]] {
        String(decoding: try FileSystem.read(run.collectorRows(name)), as: UTF8.self)
            .split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
    }

    private func waitForSamples(
        _ fixture: RunFixture, _ run: RunDirectory, of name: String, _ count: Int64
    ) async throws {
        try await fixture.wait(for: "samples of \(name)") {
            try run.state().jobs.filter { $0.name == name }.reduce(0) { $0 + $1.samples } >= count
        }
    }

    @Test func fieldsBecomeColumns() async throws {
        try await RunFixture.with(
            profile: #"""
                background_collectors:
                  power:
                    stream: "i=0; while :; do echo \"VDD_IN ${i}mW ok\"; i=$((i+1)); sleep 0.05; done"
                    parse: {regex: 'VDD_IN (?<mw>\d+)mW (?<word>\w+)', units: {mw: mW}, types: {mw: number}}
                  memory: {command: "cat /proc/meminfo", interval: 0.2, parse: {key_value: {free: MemFree}, units: {free: kB}}}
                  gpus: {command: "printf '0,41\n1,42\n'", interval: 0.2, parse: {csv: [index, temp]}}
                """#
        ) { fixture in
            let run = try await fixture.start()
            for name in ["power", "memory", "gpus"] { try await waitForSamples(fixture, run, of: name, 3) }
            try await fixture.expect(0, "run", "complete")
            let power = try table("power", of: run)
            #expect(power[0] == ["time", "target_time", "boottime_s", "tick", "mw", "word"])
            #expect(power.dropFirst().map { $0[4] } == power.indices.dropLast().map { "\($0)" })
            #expect(power.dropFirst().allSatisfy { $0[3] == $0[4] && $0[5] == "ok" })
            // The target is this machine: both clocks are one, as well as they are read.
            for row in power.dropFirst() {
                let (here, there) = (Clock.microseconds(iso8601: row[0]), Clock.microseconds(iso8601: row[1]))
                #expect(abs(try #require(here) - (try #require(there))) < 2_000_000)
            }
            let memory = try table("memory", of: run)
            #expect(memory[0] == ["time", "target_time", "boottime_s", "tick", "exit", "free"])
            #expect(memory.dropFirst().allSatisfy { $0[4] == "0" && Int($0[5]) ?? 0 > 1000 })
            let gpus = try table("gpus", of: run)
            #expect(gpus[1].suffix(2) == ["0", "41"] && gpus[2].suffix(2) == ["1", "42"] && gpus[1][3] == gpus[2][3])

            let started = try #require(try run.events(.collectorStarted).first { $0.data["collector"] == "power" })
            #expect(
                started.data["fields"] == [["name": "mw", "unit": "mW", "type": "number"], ["name": "word"]])
            let rows = try run.events(.collectorOutput).filter { $0.data["collector"] == "gpus" }
                .flatMap { $0.data["rows"]?.array ?? [] }
            #expect(rows.first?["values"] == [["index": 0, "temp": 41], ["index": 1, "temp": 42]])
            #expect(try run.events(.collectorError).isEmpty)
            try await fixture.expect(0, "verify", "latest")
        }
    }

    @Test func whatDoesNotParseIsKeptCountedAndSaidOnce() async throws {
        try await RunFixture.with(
            profile: #"""
                background_collectors:
                  odd:
                    command: "echo x >>odd; [ $(($(wc -l <odd)%2)) = 0 ] && printf 'no \\377 \\001' || echo a=5"
                    interval: 0.1
                    parse: {key_value: [a]}
                  missing: {command: "nosuchcommand --now", interval: 0.1}
                  evil: {command: "printf %040d! 0 | tr 0 a", interval: 0.2, parse: {regex: '(?<x>(a+)+)$'}}
                """#
        ) { fixture in
            let run = try await fixture.start()
            for name in ["odd", "missing", "evil"] { try await waitForSamples(fixture, run, of: name, 4) }
            let status = try await fixture.expect(0, "run", "status")
            #expect(status.outputText.contains("did not parse; it has no 'a'"))
            #expect(status.outputText.contains("command not found (exit 127)"))
            // Nobody hears of them a second time, a new supervisor included.
            try await fixture.killSupervisor(of: run)
            try await fixture.expect(0, "run", "resume")
            for name in ["odd", "missing", "evil"] { try await waitForSamples(fixture, run, of: name, 12) }
            let completed = try await fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100"))
            #expect(completed.errorText.contains("samples did not parse: it has no 'a'"))
            let errors = try run.events(.collectorError).map {
                "\($0.data["collector"]?.string ?? ""): \($0.data["reason"]?.string ?? "")"
            }
            #expect(
                errors.sorted() == [
                    "evil: the pattern was cut off: it would have tried too much",
                    "missing: command not found (exit 127)", "odd: it has no 'a'",
                ])
            let state = try run.state()
            let odd = state.jobs.filter { $0.name == "odd" }
            let (samples, unparsed) = odd.reduce((0, 0)) { ($0.0 + $1.samples, $0.1 + $1.unparsed) }
            #expect(unparsed >= 5 && abs(samples - 2 * unparsed) <= 1)
            // Each sample has its row, and the bytes that are no text are in the log.
            let rows = try table("odd", of: run).dropFirst()
            #expect(rows.count == Int(samples))
            #expect(
                rows.count { $0[5] == "5" } == Int(samples - unparsed) && rows.count { $0[5] == "" } == Int(unparsed))
            let log = try FileSystem.read(run.collectorLog("odd"))
            #expect(log.split(separator: 0xFF).count == Int(unparsed) + 1)
            let ledger = try #require(try run.events(.ledger).last?.data["collectors"]?.array)
            #expect(ledger.first { $0["collector"] == "odd" }?["unparsed"]?.int == Int64(unparsed))
        }
    }

    @Test func aSampleOfGigabytesIsCutAndSaid() async throws {
        try await RunFixture.with(
            profile: """
                background_collectors:
                  flood: {command: "cat /dev/zero", interval: 0.2, max_sample_bytes: 5000}
                  lines: {stream: "head -c 9000 /dev/zero | tr '\\\\0' x; echo; echo end; exec sleep 1000", max_sample_bytes: 100}
                """
        ) { fixture in
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "flood", 3)
            try await waitForSamples(fixture, run, of: "lines", 2)
            try await fixture.expect(0, "run", "complete")
            let rows = try run.events(.collectorOutput).filter { $0.data["collector"] == "flood" }
                .flatMap { $0.data["rows"]?.array ?? [] }
            #expect(rows.count >= 3 && rows.allSatisfy { $0["text"]?.string?.utf8.count == 5001 })
            #expect(
                try table("lines", of: run).map(\.last) == [
                    "text", "\"" + String(repeating: "x", count: 101) + "\"", "\"end\"",
                ])
            #expect(
                Set(try run.events(.collectorError).compactMap { $0.data["reason"]?.string }) == [
                    "cut off: it has more than 5000 bytes (max_sample_bytes)",
                    "cut off: it has more than 100 bytes (max_sample_bytes)",
                ])
        }
    }

    @Test func theTableIsExactAcrossBreaksAndDeaths() async throws {
        try await FaultBench.with { bench in
            try bench.fixture.write(
                """
                actions: {hello: {commands: ["echo hello"]}}
                background_collectors:
                  count:
                    stream: "i=0; while :; do echo value=$i; i=$((i+1)); sleep 0.01; done"
                    parse: {key_value: [value]}
                """)
            let run = try await bench.start()
            let link = try #require(bench.link)
            for round in 1...3 {
                try await waitForSamples(bench.fixture, run, of: "count", Int64(round * 60))
                link.fail(.reset)
                try await waitForSamples(bench.fixture, run, of: "count", Int64(round * 60 + 30))
                try await bench.killSupervisor(of: run)
                // Bytes that nobody has acknowledged, as a crash may leave them.
                let torn = try File(path: run.collectorRows("count"), 1)
                try torn.write(Array("torn,".utf8), at: try torn.size())
                try await bench.fixture.expect(0, "run", "resume")
            }
            let completed = try await bench.fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100"))
            let rows = try table("count", of: run).dropFirst()
            #expect(rows.count >= 210)
            #expect(rows.map { $0[4] } == (0..<rows.count).map { "\($0)" })
            try await bench.fixture.expect(0, "verify", "latest")
        }
    }
}
