import LinuxSystem
import Testing

@testable import ECRCore

@Suite struct MomentTests {
    private static let now = Clock.microseconds(iso8601: "2026-01-27T14:30:52.123456Z") ?? 0

    private func text(_ spelling: String) throws -> String { try Moment(spelling, now: Self.now).text }

    @Test(arguments: [
        ("now", "2026-01-27T14:30:52.123456Z"), ("2026-01-27T14:05Z", "2026-01-27T14:05:00.000000Z"),
        ("2026-01-27T14:05:30Z", "2026-01-27T14:05:30.000000Z"),
        ("2026-01-27 14:05:30.25Z", "2026-01-27T14:05:30.250000Z"),
        ("2026-01-27T14:05:30.1234567Z", "2026-01-27T14:05:30.123456Z"),
        ("2026-01-27T14:05+02:00", "2026-01-27T12:05:00.000000Z"),
        ("2026-01-26T23:05-0530", "2026-01-27T04:35:00.000000Z"), ("-5m", "2026-01-27T14:25:52.123456Z"),
        ("5m ago", "2026-01-27T14:25:52.123456Z"), ("-1.5s", "2026-01-27T14:30:50.623456Z"),
        ("-2h", "2026-01-27T12:30:52.123456Z"),
    ])
    func spellings(_ spelling: String, _ expected: String) throws { #expect(try text(spelling) == expected) }

    /// The zone is that of the machine, so the text is read back by the wall's clock.
    @Test(arguments: [
        ("2026-01-20T14:05", "2026-01-20T14:05:00"), ("2026-01-20", "2026-01-20T00:00:00"),
        ("2026-01-20 14:05:30", "2026-01-20T14:05:30"),
    ])
    func withoutAZoneItIsTheWallsClock(_ spelling: String, _ expected: String) throws {
        let moment = try Moment(spelling, now: Self.now)
        #expect(Clock.local(microseconds: moment.microseconds).hasPrefix(expected))
    }

    @Test func aTimeOfDayIsTheLastOne() throws {
        let day: Int64 = 86_400 * 1_000_000
        for spelling in ["00:00", "14:05", "9:05", "23:59", "23:59:59", "12:00:00.5"] {
            let moment = try Moment(spelling, now: Self.now).microseconds
            #expect(moment <= Self.now && moment > Self.now - day)
            let time = Clock.local(microseconds: moment).dropFirst("2026-01-27T".count)
            #expect(time.hasPrefix(spelling) || time.hasPrefix("0\(spelling)"))
        }
        // A minute that has just begun is still the last one.
        let wall = Clock.local(microseconds: Self.now).dropFirst("2026-01-27T".count).prefix(5)
        #expect(try Self.now - Moment(String(wall), now: Self.now).microseconds < 60_000_000)
    }

    @Test(arguments: [
        "", "x", "25:00", "14:60", "14:05:61", "14", "1405", "14:5", "14:05:", "14:05x", "2026-02-30", "2026-13-01",
        "2026-01-27T", "2026-01-27T25:00Z", "2026-01-27T14:05Y", "2026-01-27T14:05+2", "-5", "-m", "5m", "ago", " ago",
        "--5m", "-1e30s", "-nans", "- 5m", "14:05:30.", "2026-1-27",
    ])
    func whatIsNoTimeIsRefused(_ spelling: String) {
        let failure = #expect(throws: ECRFailure.self) { try Moment(spelling, now: Self.now) }
        #expect(failure?.exitCode == 64)
        #expect(failure?.message == "'\(spelling)' is no time; write \(Moment.accepted)")
    }

    @Test func theFutureIsRefused() {
        let failure = #expect(throws: ECRFailure.self) { try Moment("2026-01-27T14:30:53Z", now: Self.now) }
        #expect(failure?.message == "'2026-01-27T14:30:53Z' is still to come")
    }
}
