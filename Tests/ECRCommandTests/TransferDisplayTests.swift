import ECRCore
import JSON
import Testing

@testable import ecr

/// The line that a terminal shows while files are on their way.
@Suite struct TransferDisplayTests {
    private func news(_ bytes: Int64, of all: Int64 = 40 << 20, rate: Double?) -> TransferNews {
        TransferNews(
            json: [
                "name": "big", "done": .int(bytes), "size": .int(all), "files": 0, "all_files": 1, "bytes": .int(bytes),
                "all_bytes": .int(all), "bytes_per_s": rate.map { .double($0) },
            ])
    }

    private func seconds(_ number: Double) -> Int64 { Int64(number * 1e9) }

    @Test func theRateAndTheTimeLeftAreOfThePresent() {
        var display = TransferDisplay()
        display.take(news(1 << 20, rate: nil), now: 0)
        #expect(display.text(now: 0) == "fetching big  2 % of 40.0 MiB")
        display.take(news(10 << 20, rate: 4_194_304), now: seconds(2))
        #expect(display.text(now: seconds(4.9)) == "fetching big  25 % of 40.0 MiB, 4.0 MiB/s, 0:08 left")
        // What was asked for again says nothing new.
        display.take(news(10 << 20, rate: 1_048_576), now: seconds(6))
        #expect(display.text(now: seconds(14)) == "fetching big  25 % of 40.0 MiB, nothing for 12 s")
        display.take(news(11 << 20, rate: nil), now: seconds(15))
        #expect(display.text(now: seconds(15)) == "fetching big  27 % of 40.0 MiB")
        display.take(news(39 << 20, rate: 26_214_400), now: seconds(16))
        #expect(display.text(now: seconds(16)) == "fetching big  97 % of 40.0 MiB, 25.0 MiB/s, 0:01 left")
        display.take(news(40 << 20, rate: 26_214_400), now: seconds(17))
        #expect(display.text(now: seconds(17))?.contains("left") == false)
    }

    @Test func aSizeThatATargetMakesUpIsNoTrap() throws {
        var display = TransferDisplay("copying")
        display.take(news(1, of: .max, rate: 1), now: 0)
        #expect(try #require(display.text(now: 0)).hasPrefix("copying big  0 % of "))
    }
}
