import EventLog
import JSON
import Testing

@Suite struct EventLineTests {
    private let event = Event(
        seq: 12, time: "2026-01-27T14:30:52.123456Z", boottimeNanoseconds: 81_234_567_890, boot: "b", type: .note,
        data: ["text": "a/b \"ü\"\n", "n": 3], previous: Event.noHash)

    @Test func theLineIsExactlyTheDocumentedOne() {
        let zeros = String(repeating: "0", count: 64)
        let expected =
            #"{"seq":12,"time":"2026-01-27T14:30:52.123456Z","boottime_ns":81234567890,"boot":"b","type":"note","#
            + #""data":{"text":"a/b \"ü\"\n","n":3},"prev":"\#(zeros)"}"#
        #expect(String(decoding: event.line, as: UTF8.self) == expected)
    }

    @Test func aLineIsReadAsItWasWritten() throws {
        #expect(try Event(line: event.line) == event)
    }

    @Test func anUnknownTypeIsKept() throws {
        var json = event.json.object ?? [:]
        json["type"] = "teleported"
        #expect(try Event(line: JSON.object(json).bytes).type.rawValue == "teleported")
    }

    @Test(arguments: ["", "{", "[]", "null", #"{"seq":1}"#, #"{"seq":"1","time":"t"}"#])
    func whatIsNoEventIsABadLine(_ line: String) {
        let error = #expect(throws: EventLogError.self) { try Event(line: Array(line.utf8)) }
        #expect(error?.code == .badLine)
    }
}
