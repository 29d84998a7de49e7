import LinuxSystem
import TestSupport
import Testing

@testable import RemoteJobs

/// The target's state, taken down beside whatever else is done.
struct BaselineTests {
    /// More than a wait of a minute is a wait for what will never come.
    private static let forever = 3600

    @Test func aBaselineIsWhole() async throws {
        let fixture = try await TargetFixture(try await SSHServer.start())
        let baseline = try await fixture.target.takeBaseline(
            in: fixture.spool, own: [("firmware", "echo 1.2")], identifiers: false, within: Self.forever)
        #expect(baseline.isWhole)
        #expect(baseline.value("kernel") != nil)
        #expect(baseline.all("own").map(\.value) == ["firmware"])
        #expect(!FileSystem.exists("\(fixture.spool)/facts"))
        await fixture.target.close()
    }

    /// Its last line has no room: whoever waits for that waits until the time is over.
    @Test(
        .enabled("needs root and tmpfs") { await SmallDisk.isAvailable() }, .timeLimit(.minutes(2)),
        arguments: [0, 1] as [Int64])
    func aFullDiskEndsTheWait(free blocks: Int64) async throws {
        let server = try await SSHServer.start()
        let disk = try await SmallDisk(kilobytes: 256)
        let target = try await Target.connect(server.options)
        try disk.fill()
        try disk.free(blocks: blocks)
        let baseline = try await target.takeBaseline(
            in: disk.path, own: [("long", "yes | head -c 4000"), ("longer", "yes | head -c 4000")],
            identifiers: false, within: Self.forever)
        #expect(!baseline.isWhole)
        await target.close()
    }

    @Test(.timeLimit(.minutes(2))) func aLostSpoolEndsTheWait() async throws {
        let fixture = try await TargetFixture(try await SSHServer.start())
        let baseline = try await fixture.target.takeBaseline(
            in: "\(fixture.spool)/gone", own: [], identifiers: false, within: Self.forever)
        #expect(baseline.entries.isEmpty && !baseline.isWhole)
        await fixture.target.close()
    }
}
