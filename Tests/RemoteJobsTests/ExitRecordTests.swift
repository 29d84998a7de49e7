import Testing

@testable import RemoteJobs

/// What a wrapper leaves on the target, read back.
@Suite struct ExitRecordTests {
    static let line = "exit 1 143 timeout confirmed 12.34 15.84 70000 5 1 end"

    @Test func everyFieldOfAWholeLineIsRead() throws {
        let record = try #require(ExitRecord(line: Self.line))
        #expect(record.status == 143)
        #expect(record.reason == .timeout)
        #expect(record.death == .confirmed)
        #expect(record.started == 12.34)
        #expect(record.ended == 15.84)
        #expect(record.stdoutBytes == 70_000)
        #expect(record.stderrBytes == 5)
        #expect(record.hasFiles)
        #expect(abs(record.duration - 3.5) < 1e-9)
    }

    @Test func aLineTornAtAnyByteIsNotThereYet() {
        for count in 0..<Self.line.count { #expect(ExitRecord(line: Self.line.prefix(count)) == nil, "\(count)") }
    }

    @Test(arguments: [
        "exit 2 0 exit - 1.0 2.0 0 0 0 end", "exit 1 0 exit - 1.0 2.0 0 0 0 0 end", "exit 1 x exit - 1.0 2.0 0 0 0 end",
        "exit 1 0 exploded - 1.0 2.0 0 0 0 end", "exit 1 0 exit maybe 1.0 2.0 0 0 0 end",
        "meta 1 0 exit - 1.0 2.0 0 0 0 end", "exit 1 0 exit - 1.0 2.0 0 0 end",
    ])
    func anotherFormatIsNoRecord(line: String) {
        #expect(ExitRecord(line: line) == nil)
    }

    @Test func aClockThatStoodStillGivesNoNegativeDuration() {
        #expect(ExitRecord(line: "exit 1 0 exit - 2.0 1.0 0 0 0 end")?.duration == 0)
    }
}

/// The verdicts on reattach.
@Suite struct JobStandingTests {
    private static let meta = "meta 1 100 11 101 12 boot-a 5.00 end"

    private func standing(_ lines: String..., boot: String = "boot-a") -> JobStanding {
        JobStanding(reply: lines.joined(separator: "\n") + "\n", boot: boot)
    }

    @Test func aLostSpoolAndAMissingClaimAreTold() {
        #expect(standing("nospool") == .spoolLost)
        #expect(standing("noclaim") == .unclaimed)
    }

    @Test func aClaimWithoutAWholeMetaSaysNothing() {
        #expect(standing("claimed") == .claimedOnly)
        for count in 0..<Self.meta.count { #expect(standing("claimed", "\(Self.meta.prefix(count))") == .claimedOnly) }
        #expect(standing("") == .claimedOnly)
    }

    @Test func aLiveWrapperMeansRunning() {
        #expect(standing("claimed", Self.meta, "job alive", "wrapper alive") == .running)
        // The job has just ended, and its wrapper is about to write the record.
        #expect(standing("claimed", Self.meta, "wrapper alive") == .running)
    }

    @Test func aDeadWrapperLeavesTheExitUnknown() {
        #expect(standing("claimed", Self.meta, "job alive") == .wrapperLost)
        #expect(standing("claimed", Self.meta) == .vanished)
    }

    @Test func anotherBootIDMeansARebootWhateverLives() {
        #expect(standing("claimed", Self.meta, boot: "boot-b") == .rebooted)
        #expect(standing("claimed", Self.meta, "job alive", "wrapper alive", boot: "boot-b") == .rebooted)
    }

    @Test func anExitRecordDecides() throws {
        let record = try #require(ExitRecord(line: ExitRecordTests.line))
        #expect(standing("claimed", Self.meta, ExitRecordTests.line) == .ended(record))
        #expect(standing("claimed", Self.meta, "wrapper alive", ExitRecordTests.line) == .ended(record))
        #expect(standing("claimed", Self.meta, ExitRecordTests.line, boot: "boot-b") == .ended(record))
        #expect(standing("claimed", Self.meta, "wrapper alive", "\(ExitRecordTests.line.dropLast())") == .running)
    }
}
