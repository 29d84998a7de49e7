import LinuxSystem
import Testing

@Suite struct ClockTests {
    private static let second: Int64 = 1_000_000

    @Test(
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000000Z"), (1, "1970-01-01T00:00:00.000001Z"),
            (-1, "1969-12-31T23:59:59.999999Z"), (-second, "1969-12-31T23:59:59.000000Z"),
            (-second - 1, "1969-12-31T23:59:58.999999Z"), (-2_208_988_800 * second, "1900-01-01T00:00:00.000000Z"),
            (2_147_483_647 * second, "2038-01-19T03:14:07.000000Z"),
            (2_147_483_648 * second, "2038-01-19T03:14:08.000000Z"),
            (951_782_400 * second, "2000-02-29T00:00:00.000000Z"),
            (1_769_524_252_123_456, "2026-01-27T14:30:52.123456Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)])
    func aTimeIsWrittenAndReadAgain(_ microseconds: Int64, _ text: String) {
        #expect(Clock.iso8601(microseconds: microseconds) == text)
        #expect(Clock.microseconds(iso8601: text) == microseconds)
    }

    @Test func everyDayOfACenturyComesBack() {
        for day in Int64(-1000)..<36_525 {
            let time = day * 86_400 * Self.second + 12_345_678_901
            #expect(Clock.microseconds(iso8601: Clock.iso8601(microseconds: time)) == time)
        }
    }

    @Test(arguments: [
        "", "2026-01-27", "2026-01-27T14:30:52Z", "2026-01-27 14:30:52.123456Z", "2026-01-27T14:30:52.123456+",
        "2026-13-27T14:30:52.123456Z", "2026-00-27T14:30:52.123456Z", "2026-02-30T14:30:52.123456Z",
        "2025-02-29T14:30:52.123456Z", "2026-01-27T24:30:52.123456Z", "2026-01-27T14:60:52.123456Z",
        "2026-01-27T14:30:60.123456Z", "2026/01/27T14:30:52.123456Z", "2026-01-27T14.30.52.123456Z",
        "+026-01-27T14:30:52.123456Z", "2026-01-27T14:30:52.+23456Z", "2026-01-27T14:30:52.12345aZ",
        "2026-01-27T14:30:52,123456Z", "2026-01-27t14:30:52.123456z",
    ])
    func anyOtherFormIsRefused(_ text: String) {
        #expect(Clock.microseconds(iso8601: text) == nil)
    }

    @Test func aRunIsStampedInUTC() {
        #expect(Clock.directoryStamp(microseconds: 1_769_524_252_123_456) == "2026-01-27_143052")
    }

    @Test func theClocksGoOn() {
        let before = (Clock.boottimeNanoseconds(), Clock.wallMicroseconds())
        #expect(before.0 > 0 && before.1 > 1_700_000_000 * Self.second)
        #expect(Clock.boottimeNanoseconds() >= before.0)
        #expect(Clock.bootID.utf8.count == 36)
    }
}
