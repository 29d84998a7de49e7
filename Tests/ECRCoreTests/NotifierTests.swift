import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

@testable import ECRCore

@Suite struct NotifierTests {
    private let scratch: ScratchDirectory
    private let run: RunDirectory

    init() throws {
        scratch = try ScratchDirectory()
        run = try RunsDirectory(path: scratch.path("runs")).makeRun(name: "r")
    }

    private func event(_ seq: Int64, _ type: EventType) -> Event {
        Event(
            seq: seq, time: "2026-01-27T14:30:52.000000Z", boottimeNanoseconds: 0, boot: "b", type: type,
            data: ["n": .int(seq)], previous: Event.noHash)
    }

    private func notifier(on types: [String], _ command: String) throws -> Notifier {
        let setting: JSONObject = [
            "on": JSON(strings: types), "run": .string(command), "directory": .string(scratch.path),
        ]
        return try #require(Notifier(setting, run))
    }

    @Test func withoutASettingThereIsNone() {
        #expect(Notifier(nil, run) == nil)
        #expect(Notifier(["on": ["note"]], run) == nil)
    }

    @Test func wantedEventsAreToldInTheirOrder() throws {
        let notifier = try notifier(
            on: ["note", "mark"], #"echo "$ECR_EVENT $ECR_SEQ $ECR_RUN $ECR_RUN_DIR $ECR_RUNS_DIR" >>told; cat >>lines"#
        )
        notifier.take([event(1, .note), event(2, .edit)])
        notifier.take([event(3, .mark)])
        notifier.finish()
        let rest = "\(run.id) \(run.path) \(scratch.path("runs"))"
        #expect(try scratch.read("told") == "note 1 \(rest)\nmark 3 \(rest)\n")
        let lines = try scratch.read("lines").split(separator: "\n").map { try Event(line: Array($0.utf8)) }
        #expect(lines == [event(1, .note), event(3, .mark)])
        #expect(try FileSystem.read(run.supervisorLog) == [])
    }

    @Test func aSlowCommandHoldsUpNobodyAndTooMuchIsLeftOut() throws {
        let notifier = try notifier(on: ["note"], "while ! test -e go; do sleep 0.01; done; echo $ECR_SEQ >>told")
        notifier.take((0..<200).map { event($0, .note) })
        try scratch.write("go", "")
        notifier.finish()
        let told = try scratch.read("told").split(separator: "\n").compactMap { Int64($0) }
        // 64 wait, and one may have been taken up before the others came.
        #expect([64, 65].contains(told.count))
        #expect(told.prefix(64).elementsEqual(0..<64) && told == Array(Set(told)).sorted())
    }

    @Test func aFailureStopsNothing() throws {
        let notifier = try notifier(on: ["note"], "echo $ECR_SEQ >>told; exit 3")
        notifier.take([event(1, .note), event(2, .note)])
        notifier.finish()
        #expect(try scratch.read("told") == "1\n2\n")
    }
}
