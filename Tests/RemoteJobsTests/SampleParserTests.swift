import TestSupport
import Testing

@testable import RemoteJobs

/// A sampler's spool, cut into samples.
@Suite struct SampleParserTests {
    private static let token = "#tok"

    private func interval(_ tick: Int, _ text: [UInt8], status: Int = 0) -> [UInt8] {
        Array("\n\(Self.token) B \(tick) \(tick + 1).5\n".utf8) + text
            + Array("\n\(Self.token) E \(tick) \(status) \(tick + 1).6\n".utf8)
    }

    private func sample(_ tick: Int, _ text: [UInt8], status: Int64? = 0) -> Sample {
        Sample(tick: Int64(tick), uptime: Double(tick) + 1.5, status: status, text: text)
    }

    private static let texts: [[UInt8]] = [
        Array("one line\n".utf8), Array("no newline".utf8), [], [0x0A], Array(0...255),
        Array("\n#other E 0 0 9.9\n#other B 7 1.0\n".utf8), Array("words #tok E 5 0 1.0\n".utf8),
    ]

    private var spool: [UInt8] { Self.texts.enumerated().flatMap { interval($0.offset, $0.element) } }
    private var whole: [Sample] { Self.texts.enumerated().map { sample($0.offset, $0.element) } }

    @Test func everyOutputComesBackAsItWas() {
        var parser = SampleParser(token: Self.token)
        let batch = parser.take(spool)
        #expect(batch.samples == whole)
        #expect(batch.length == spool.count)
    }

    @Test func aStatusBelongsToItsSample() {
        var parser = SampleParser(token: Self.token)
        let samples = parser.take(interval(0, [0x61], status: 124) + interval(1, [0x62])).samples
        #expect(samples == [sample(0, [0x61], status: 124), sample(1, [0x62])])
    }

    @Test func aSpoolSplitAtAnyByteGivesTheSameSamples() {
        let bytes = spool
        for split in 0...bytes.count {
            var parser = SampleParser(token: Self.token)
            let first = parser.take(Array(bytes[..<split]))
            let second = parser.take(Array(bytes[split...]))
            #expect(first.samples + second.samples == whole, "\(split)")
            #expect(first.length + second.length == bytes.count, "\(split)")
        }
    }

    @Test func singleBytesGiveTheSameSamples() {
        var parser = SampleParser(token: Self.token)
        #expect(spool.flatMap { parser.take([$0]).samples } == whole)
    }

    @Test func skippedTicksAreSaid() {
        let bytes = interval(0, [0x61]) + Array("\n#tok O 1 3 5.0\n".utf8) + interval(4, [])
        for split in 0...bytes.count {
            var parser = SampleParser(token: Self.token)
            let first = parser.take(Array(bytes[..<split]))
            let second = parser.take(Array(bytes[split...]))
            #expect(first.samples + second.samples == [sample(0, [0x61]), sample(4, [])], "\(split)")
            #expect(first.skipped + second.skipped == [1...3], "\(split)")
        }
    }

    @Test func aSampleWithoutItsEndIsLostWhenTheNextBegins() {
        var parser = SampleParser(token: Self.token)
        let batch = parser.take(Array("\n#tok B 0 1.5\nha".utf8) + interval(1, [0x61]))
        #expect(batch.samples == [sample(1, [0x61])])
        #expect(batch.skipped == [])
    }

    @Test(arguments: [
        "E 0 0 1", "O 3 1 1.0", "O -1 4 1.0", "O 1 9223372036854775807 1.0", "B 9007199254740992 1.0", "B 0 nan",
        "L 0 inf x",
    ]) func marksThatMakeNoSenseAreNoTrap(mark: String) {
        var parser = SampleParser(token: Self.token)
        let batch = parser.take(Array("\n#tok \(mark)\n".utf8) + interval(5, [0x61]))
        #expect(batch.samples.last == sample(5, [0x61]))
        #expect(batch.skipped == [])
    }

    @Test func aSampleWithoutItsEndIsHeldBack() {
        var parser = SampleParser(token: Self.token)
        let batch = parser.take(interval(0, [0x61]) + Array("\n#tok B 1 2.5\nhalf".utf8))
        #expect(batch.samples == [sample(0, [0x61])])
        #expect(batch.length == interval(0, [0x61]).count)
        #expect(parser.unfinishedTick == 1)
        #expect(parser.take(Array("\n#tok E 1 0 2.6\n".utf8)).samples == [sample(1, Array("half".utf8))])
        #expect(parser.unfinishedTick == nil)
    }

    @Test func linesOfAStreamAreSamples() {
        let binary: [UInt8] = [0xFF, 0x00, 0x1B]
        var bytes = Array("#tok L 3 4.5  VDD 12 mW\n#tok L 4 5.5 ".utf8)
        bytes += binary + Array("\n#tok L 5 6.5 \n".utf8)
        let lines = [
            sample(3, Array(" VDD 12 mW".utf8), status: nil), sample(4, binary, status: nil),
            sample(5, [], status: nil),
        ]
        for split in 0...bytes.count {
            var parser = SampleParser(token: Self.token)
            let samples = parser.take(Array(bytes[..<split])).samples + parser.take(Array(bytes[split...])).samples
            #expect(samples == lines, "\(split)")
        }
    }
}

/// The sampler's own text, run by real shells.
@Suite struct SamplerTests {
    /// Runs a sampler until it has told enough.
    private func run(
        _ shell: [String], _ sampler: Sampler, until isEnough: (SampleBatch) -> Bool
    ) async throws -> SampleBatch {
        let command = try RunningCommand(shell[0], Array(shell.dropFirst()) + ["-c", sampler.commands[0]])
        while true {
            let isRunning = command.isRunning
            var parser = SampleParser(token: sampler.token)
            let batch = parser.take(command.output)
            if isEnough(batch) || !isRunning {
                command.signal(9)
                _ = try await command.wait()
                return batch
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test(
        arguments: Shells.all,
        [
            ["setsid", "fractional-sleep", "head"], ["setsid", "fractional-sleep"],
            ["timeout", "fractional-sleep", "head"], ["timeout", "fractional-sleep"],
        ] as [Set<String>])
    func anIntervalSamplesAgainAndAgain(shell: [String], tools: Set<String>) async throws {
        let command = #"printf 'TOKEN STEP NAP PREFIX '\''COMMAND'\'' %s' "a  b"; echo no >&2; exit 4"#
        let sampler = Sampler.interval(
            command: command, interval: 0.05, timeout: SampleTimeout(5, tools: tools),
            limit: 1 << 20, token: "#t'k", tools: tools)
        let samples = try await run(shell, sampler) { $0.samples.count >= 3 }.samples
        #expect(samples.count >= 3)
        #expect(samples.first?.tick == 0)
        for sample in samples {
            #expect(String(decoding: sample.text, as: UTF8.self) == "TOKEN STEP NAP PREFIX 'COMMAND' a  bno\n")
            #expect(sample.status == 4)
            #expect(sample.uptime > 0)
        }
    }

    @Test(arguments: Shells.all) func aSampleThatTakesLongerThanItsIntervalSkipsTicks(shell: [String]) async throws {
        let sampler = Sampler.interval(
            command: "sleep 0.25", interval: 0.1, timeout: nil, limit: 1 << 20, token: "#t", tools: ["fractional-sleep"]
        )
        let batch = try await run(shell, sampler) { $0.samples.count >= 3 }
        #expect(batch.skipped.count >= 2)
        // Every number is a sample or skipped, and is it once.
        var next: Int64 = 0
        let accounted = batch.samples.map { $0.tick...$0.tick } + batch.skipped
        for range in accounted.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            #expect(range.lowerBound == next)
            next = range.upperBound + 1
        }
    }

    @Test(arguments: Shells.all) func aHungSampleIsEndedByItsTimeout(shell: [String]) async throws {
        let tools: Set = ["timeout", "fractional-sleep", "head"]
        let sampler = Sampler.interval(
            command: "echo begun; exec sleep 100", interval: 0.1, timeout: SampleTimeout(1, tools: tools),
            limit: 1 << 20, token: "#t", tools: tools)
        let samples = try await run(shell, sampler) { !$0.samples.isEmpty }.samples
        // BusyBox adds its "Terminated".
        #expect(samples.first?.text.starts(with: Array("begun\n".utf8)) == true)
        #expect(samples.first.map { $0.status != 0 } == true)
    }

    /// Children of it hold its output open, and one does not heed TERM.
    @Test(arguments: Shells.all, [["setsid", "fractional-sleep", "head"], ["setsid", "fractional-sleep"]] as [Set])
    func aHungSampleIsEndedWithAllThatItHasStarted(shell: [String], tools: Set<String>) async throws {
        let length = "1000.\(Int.random(in: 100_000...999_999))"
        let sampler = Sampler.interval(
            command: "echo begun; (trap '' TERM; sleep \(length)) & sleep \(length); true", interval: 0.1,
            timeout: SampleTimeout(0.6, tools: tools), limit: 1 << 20, token: "#t", tools: tools)
        let samples = try await run(shell, sampler) { $0.samples.count >= 2 }.samples
        #expect(samples.count >= 2)
        #expect(samples.allSatisfy { $0.text == Array("begun\n".utf8) && $0.status == 124 })
        // The one that was being taken when the sampler was killed ends by its guard.
        let end = ContinuousClock.now + .seconds(20)
        while !Processes.ids(withArgument: length).isEmpty, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(Processes.ids(withArgument: length).isEmpty)
    }

    /// One byte more than allowed comes, by which the cut is known.
    @Test(arguments: Shells.all) func anEndlessSampleIsCut(shell: [String]) async throws {
        let sampler = Sampler.interval(
            command: "cat /dev/zero", interval: 0.05, timeout: nil, limit: 1000, token: "#t",
            tools: ["fractional-sleep", "head"])
        let samples = try await run(shell, sampler) { $0.samples.count >= 3 }.samples
        #expect(samples.count >= 3)
        for sample in samples {
            #expect(sample.text == [UInt8](repeating: 0, count: 1001))
            #expect(sample.status == 141)
        }
    }

    @Test(arguments: Shells.all) func aSampleIsNotCutWithoutHead(shell: [String]) async throws {
        let sampler = Sampler.interval(
            command: "echo 12345; exit 3", interval: 0.05, timeout: nil, limit: 2, token: "#t",
            tools: ["fractional-sleep"])
        let sample = try #require(try await run(shell, sampler) { !$0.samples.isEmpty }.samples.first)
        #expect(sample.text == Array("12345\n".utf8) && sample.status == 3)
    }

    @Test(arguments: Shells.all) func aLongLineOfAStreamIsCut(shell: [String]) async throws {
        let sampler = Sampler.stream(command: "echo 123456789; echo x", limit: 4, token: "#t")
        let result = try await Command.run(shell[0], Array(shell.dropFirst()) + ["-c", sampler.commands[0]])
        var parser = SampleParser(token: "#t")
        #expect(parser.take(result.output).samples.map(\.text) == [Array("12345".utf8), Array("x".utf8)])
    }

    @Test(arguments: Shells.all, [("echo x; exit 3", 3), ("kill -9 $$", 137), ("/no/such/command", 127), (":", 0)])
    func aStreamEndsAsItsCommandDoes(shell: [String], end: (command: String, status: Int32)) async throws {
        let sampler = Sampler.stream(command: end.command, limit: 100, token: "#t")
        let result = try await Command.run(shell[0], Array(shell.dropFirst()) + ["-c", sampler.commands[0]])
        #expect(result.status == end.status)
    }

    /// A progress bar, or something binary.
    @Test(arguments: Shells.all) func aLineWithoutAnEndTakesBoundedMemory(shell: [String]) async throws {
        let sampler = Sampler.stream(
            command: "echo a; exec tr '\\0' x </dev/zero", limit: 100, token: "#t", memory: 16 << 10)
        let result = try await Command.run(shell[0], Array(shell.dropFirst()) + ["-c", sampler.commands[0]])
        #expect(result.status == 141)
        var parser = SampleParser(token: "#t")
        #expect(parser.take(result.output).samples.map(\.text) == [Array("a".utf8)])
    }

    @Test(arguments: Shells.all) func aStreamKeepsItsLines(shell: [String]) async throws {
        let sampler = Sampler.stream(
            command: #"printf '  a\\b \n'; echo err >&2; printf 'last'"#, limit: nil, token: "#t")
        let result = try await Command.run(shell[0], Array(shell.dropFirst()) + ["-c", sampler.commands[0]])
        var parser = SampleParser(token: "#t")
        let samples = parser.take(result.output).samples
        #expect(samples.map(\.tick) == [0, 1, 2])
        #expect(samples.map { String(decoding: $0.text, as: UTF8.self) } == [#"  a\b "#, "err", "last"])
    }
}
