import JSON
import Testing

@testable import ECRCore

@Suite(.timeLimit(.minutes(1))) struct ClientLinesTests {
    private func text(_ lines: [[UInt8]]) -> [String] { lines.map { String(decoding: $0, as: UTF8.self) } }

    @Test func linesComeInTheirOrder() {
        let lines = ClientLines()
        lines.send(["a": 1])
        lines.tell(.recorded(stream: "stdout", bytes: 5), of: "0001-a")
        lines.tell(.transferred(path: "x", size: 1), of: "")
        lines.send(["b": 2])
        let taken = text(lines.takeAll() ?? [])
        #expect(taken.count == 4 && taken.first == "{\"a\":1}\n" && taken.last == "{\"b\":2}\n")
        lines.close()
        #expect(!lines.send(["c": 3]) && lines.takeAll() == nil)
    }

    /// Many files, and output beside them, while nobody reads.
    @Test func whoeverIsFarBehindHasTheLatest() {
        let lines = ClientLines()
        for number in 1...200_000 {
            lines.tell(.transferred(path: "x", size: 1), of: "")
            if number % 10 == 0 { lines.tell(.recorded(stream: "stdout", bytes: Int64(number)), of: "0001-a") }
        }
        lines.send(["result": true])
        let taken = text(lines.takeAll() ?? [])
        #expect(taken.count == ClientLines.most + 2)
        #expect(
            taken.suffix(2).first == "{\"recorded\":{\"job\":\"0001-a\",\"stream\":\"stdout\",\"bytes\":200000}}\n")
        #expect(taken.last == "{\"result\":true}\n")
        // It has read what there was, and hears everything again.
        lines.tell(.transferred(path: "y", size: 1), of: "")
        #expect(lines.takeAll()?.count == 1)
    }
}
