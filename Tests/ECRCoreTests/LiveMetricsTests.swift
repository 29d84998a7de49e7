import LinuxSystem
import Profiles
import Synchronization
import TestSupport
import Testing

@testable import ECRCore

/// Metrics out of output as it comes.
@Suite struct LiveMetricsTests {
    private final class Heard: Sendable {
        private let samples = Mutex<[String]>([])

        func take(_ news: [SampleValues]) {
            let texts = news.flatMap { sample in
                sample.fields.map { "\(sample.owner.name).\($0.key)=\($0.value)" }
            }
            samples.withLock { $0 += texts }
        }

        var texts: [String] { samples.withLock { $0 } }
    }

    private func metrics(_ text: String, _ heard: Heard) throws -> LiveMetrics {
        let profile = try Profile.parse(
            Array("name: n\nconnection: {host: h}\nactions: {a: {commands: [x], metrics: {\(text)}}}\n".utf8),
            file: "p")
        let values = try profile.parameters(for: profile.actions[0], given: [], standing: [])
        return LiveMetrics(profile.prepare(profile.actions[0], with: values).metrics, of: "a") { heard.take($0) }
    }

    private func values(_ keys: String, _ pieces: String...) async throws -> [String] {
        let heard = Heard()
        var metrics = try metrics(keys, heard)
        for (index, piece) in pieces.enumerated() {
            await metrics.take(Array(piece.utf8), isLast: index == pieces.count - 1)
        }
        return heard.texts
    }

    @Test func aLineCountsOnceItIsWhole() async throws {
        let heard = Heard()
        var metrics = try metrics("loss: {regex: 'loss=(\\S+)'}", heard)
        await metrics.take(Array("x\nloss=1".utf8), isLast: false)
        #expect(heard.texts == [])
        await metrics.take(Array("2\nloss=3\nlo".utf8), isLast: false)
        #expect(heard.texts == ["a.loss=12.0", "a.loss=3.0"])
        await metrics.take(Array("ss=4".utf8), isLast: true)
        #expect(heard.texts.last == "a.loss=4.0")
    }

    @Test func progressOnOneLineCountsAtEachReturn() async throws {
        #expect(
            try await values("loss: {regex: 'loss=(\\S+)'}", "loss=1\rloss=2\r\nlos", "s=3\r") == [
                "a.loss=1.0", "a.loss=2.0", "a.loss=3.0",
            ])
    }

    @Test func linesOfJSONAndColumns() async throws {
        #expect(
            try await values("loss: {json: train.loss}", "start\n{\"train\": {\"loss\": 2.5}}\n[1,\n{\"x\": 1}\n")
                == ["a.loss=2.5"])
        #expect(
            try await values("l: {csv: loss}, e: {csv: epoch}", "\nepoch,loss\n1,0.5\n2,", "0.25\n3\n") == [
                "a.l=0.5", "a.e=1.0", "a.l=0.25", "a.e=2.0", "a.e=3.0",
            ])
    }

    @Test func whatDivergesIsANumberToo() async throws {
        #expect(
            try await values("loss: {regex: 'loss=(\\S+)'}", "loss=nan\nloss=inf\nloss=-Infinity\nloss=n/a\n") == [
                "a.loss=nan", "a.loss=inf", "a.loss=-inf",
            ])
    }

    @Test func aLineWithoutEndIsNotHeld() async throws {
        let heard = Heard()
        var metrics = try metrics("loss: {regex: 'loss=(\\d+)'}", heard)
        let piece = Array(repeating: UInt8(ascii: "x"), count: 1 << 16)
        for _ in 0..<16 { await metrics.take(piece, isLast: false) }
        await metrics.take(Array("loss=1\n".utf8), isLast: false)
        for _ in 0..<15 { await metrics.take(piece, isLast: false) }
        #expect(heard.texts == ["a.loss=1.0"])
    }

    @Test func aLineThatAnEarlierSupervisorHasBegunIsTakenUp() async throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write("stdout", "epoch,loss\n1,0.5\n2,0.")
        let heard = Heard()
        var metrics = try metrics("l: {csv: loss}", heard)
        try metrics.resume(path, length: try File(path: path, 0).size())
        await metrics.take(Array("25\n".utf8), isLast: false)
        #expect(heard.texts == ["a.l=0.25"])
    }
}
