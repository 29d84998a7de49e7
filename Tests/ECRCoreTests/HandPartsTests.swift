import LinuxSystem
import RunStore
import TestSupport
import Testing

@testable import ECRCore

/// Where pulls by hand keep what has not come whole, one after the other and side by side.
@Suite struct HandPartsTests {
    @Test func theCommonPlaceIsForOneAtATime() throws {
        let scratch = try ScratchDirectory()
        let run = RunDirectory(path: scratch.path)
        var parts = HandParts(run)
        let first = parts.take(for: "artifacts/pulled/0001")
        let second = parts.take(for: "artifacts/pulled/0002")
        #expect(first == "artifacts/pulled/%part")
        #expect(second == "artifacts/pulled/0002/%part")
        try scratch.write("\(first)/same", "of the first")
        try scratch.write("\(second)/same", "of the second")
        try scratch.write("\(second)/other", "of the second")
        parts.release(second, of: "artifacts/pulled/0002")
        #expect(run.partsFolders == [run.handParts])
        #expect(!FileSystem.exists("\(run.pulled)/0002"))
        #expect(try FileSystem.list(run.handParts) == ["other", "same"])
        #expect(try scratch.read("\(first)/same") == "of the first")
        parts.release(first, of: "artifacts/pulled/0001")
        #expect(try FileSystem.list(run.handParts) == ["other", "same"])
        #expect(try FileSystem.list(run.pulled) == ["%part"])
    }

    @Test func aFolderIsNewAndMadeByWhatComes() throws {
        let scratch = try ScratchDirectory()
        let run = RunDirectory(path: scratch.path)
        try scratch.write("artifacts/pulled/0007/of a dead supervisor", "x")
        var parts = HandParts(run)
        func make() -> String {
            parts.makeFolder(behind: "artifacts/pulled/0006/removed since")
        }
        let (first, second) = (make(), make())
        #expect(first == "artifacts/pulled/0008" && second == "artifacts/pulled/0009")
        #expect(try FileSystem.list(run.pulled) == ["0007"])
        // What a pull was stopped in leaves nothing but what came whole.
        try scratch.write("\(first)/sub/cut", "", mode: FileSystem.unfinishedMode)
        try scratch.write("\(second)/sub/cut", "", mode: FileSystem.unfinishedMode)
        try scratch.write("\(second)/whole", "x")
        for folder in [first, second] { parts.release(parts.take(for: folder), of: folder) }
        #expect(try FileSystem.list(run.pulled) == ["0007", "0009"])
        #expect(try FileSystem.list("\(run.path)/\(second)") == ["whole"])
        #expect(make() == first)
    }

    @Test func whatADeadSupervisorHasLeftIsTakenUp() throws {
        let scratch = try ScratchDirectory()
        let run = RunDirectory(path: scratch.path)
        try scratch.write("artifacts/pulled/0001/%part/half", "half")
        try scratch.write("artifacts/pulled/0001/whole", "whole")
        try scratch.write("artifacts/0002-job/%part/half", "a job's own")
        var parts = HandParts(run)
        #expect(parts.take(for: "artifacts/pulled/0002") == "artifacts/pulled/%part")
        #expect(try FileSystem.list(run.handParts) == ["half"])
        #expect(try FileSystem.list("\(run.pulled)/0001") == ["whole"])
        parts.release("artifacts/pulled/%part", of: "artifacts/pulled/0002")
        try scratch.write("artifacts/pulled/0003/sub/cut", "", mode: FileSystem.unfinishedMode)
        run.removeParts()
        #expect(run.partsFolders.isEmpty)
        #expect(try FileSystem.list(run.artifacts) == ["pulled"])
        #expect(try FileSystem.list(run.pulled) == ["0001"])
    }
}
