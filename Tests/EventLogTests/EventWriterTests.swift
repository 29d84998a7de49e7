import EventLog
import Glibc
import JSON
import LinuxSystem
import Synchronization
import TestSupport
import Testing

@Suite struct EventWriterTests {
    @Test func aSecondWriterIsRefused() throws {
        let stream = try Stream()
        let first = try EventWriter(path: stream.path)
        let error = #expect(throws: EventLogError.self) { try EventWriter(path: stream.path) }
        #expect(error?.code == .locked)
        try first.appendBlocking(.note, [:])
        #expect(try stream.events().count == 1)
    }

    @Test func aClosedWriterGivesTheRightToAppendBack() throws {
        let stream = try Stream()
        let first = try EventWriter(path: stream.path)
        first.post(.note, [:])
        first.close()
        first.close()
        #expect(try EventWriter(path: stream.path).lastEvent?.seq == 0)
    }

    @Test func concurrentAppendsAreGaplessAndChained() async throws {
        let stream = try Stream()
        let committed = Mutex<[Int64]>([])
        let writer = try EventWriter(path: stream.path) { events, behind in
            #expect(behind.seq == events.last.map { $0.seq + 1 })
            committed.withLock { $0 += events.map(\.seq) }
        }
        let acknowledged = try await withThrowingTaskGroup(of: Int64.self) { group in
            for index in 0..<200 {
                group.addTask { try await writer.append(.note, ["n": JSON(index)]).seq }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(acknowledged.sorted() == Array(0..<200))
        #expect(committed.withLock { $0 } == Array(0..<200))
        #expect(try stream.events().count == 200)
    }

    @Test func whatIsFilledInKnowsTheNumberAndItsFailureRefusesThisEventAlone() throws {
        let stream = try Stream(notes: 2)
        let writer = try EventWriter(path: stream.path)
        let error = #expect(throws: EventLogError.self) {
            try writer.appendBlocking(.note, [:]) { (_, _) throws(SystemError) in
                throw SystemError("place", path: "x", code: ENOENT)
            }
        }
        #expect(error?.code == .unavailable)
        let event = try writer.appendBlocking(.note, ["text": "a"]) { (seq, data) throws(SystemError) in
            var data = data
            data["path"] = .string("\(seq)-x")
            return data
        }
        #expect(event.seq == 2 && event.data["path"] == "2-x")
        writer.close()
        #expect(try stream.events().map(\.seq) == [0, 1, 2])
    }

    @Test func rawBytesAreThereWhenTheEventIs() async throws {
        let stream = try Stream()
        let raw = try File(path: stream.scratch.path("raw"), O_RDWR | O_CREAT)
        let path = raw.path
        let early = Mutex<[UInt8]>([])
        let writer = try EventWriter(path: stream.path) { _, _ in
            early.withLock { $0 = (try? FileSystem.read(path)) ?? [] }
        }
        try await writer.append(
            .commandOutput, ["offset": 0, "length": 5],
            raw: [RawWrite(file: raw, offset: 0, bytes: Array("hello".utf8))])
        #expect(early.withLock { $0 } == Array("hello".utf8))
    }

    @Test func rawBytesThatCannotBeWrittenLeaveNoEvent() async throws {
        let stream = try Stream()
        let full = try File(path: "/dev/full", O_WRONLY)
        let writer = try EventWriter(path: stream.path)
        let error = await #expect(throws: EventLogError.self) {
            try await writer.append(.commandOutput, [:], raw: [RawWrite(file: full, offset: 0, bytes: [1])])
        }
        #expect(error?.code == .storage)
        #expect(try stream.events().map(\.type) == [.storageError])
    }

    @Test func afterAFailureNothingIsAcknowledged() async throws {
        let stream = try Stream()
        let full = try File(path: "/dev/full", O_WRONLY)
        let writer = try EventWriter(path: stream.path)
        try await writer.append(.note, [:])
        _ = try? await writer.append(.commandOutput, [:], raw: [RawWrite(file: full, offset: 0, bytes: [1])])
        let error = #expect(throws: EventLogError.self) { try writer.appendBlocking(.note, [:]) }
        #expect(error?.code == .storage)
        #expect(try stream.events().map(\.type) == [.note, .storageError])
    }

    @Test func aClosedWriterRefuses() throws {
        let stream = try Stream()
        let writer = try EventWriter(path: stream.path)
        writer.post(.note, [:])
        writer.close()
        #expect(throws: EventLogError.self) { try writer.appendBlocking(.note, [:]) }
    }

    @Test func aMissingDirectoryIsUnavailable() {
        let error = #expect(throws: EventLogError.self) { try EventWriter(path: "/nonexistent/events.jsonl") }
        #expect(error?.code == .unavailable)
    }

    /// Root only: a file system of 256 KiB that gets full. The reserve makes room for the failure's own event.
    @Test(.enabled(if: geteuid() == 0, "mounting needs root"))
    func aFullDiskIsOnRecord() async throws {
        let scratch = try ScratchDirectory()
        let mount = try #require(Command.find("mount"))
        let mounted = try await Command.run(mount, ["-t", "tmpfs", "-o", "size=256k", "tmpfs", scratch.path])
        guard mounted.status == 0 else { return }
        try await fill(scratch)
        try await Command.runSuccessfully(try #require(Command.find("umount")), ["-l", scratch.path])
    }

    private func fill(_ scratch: ScratchDirectory) async throws {
        let path = scratch.path("events.jsonl")
        try File(path: scratch.path(".reserve"), O_WRONLY | O_CREAT).reserve(65_536)
        let writer = try EventWriter(path: path)
        let text = JSON.string(String(repeating: "x", count: 10_000))
        var acknowledged = 0
        var failure: EventLogError?
        while failure == nil && acknowledged < 100 {
            do {
                try writer.appendBlocking(.note, ["text": text])
                acknowledged += 1
            } catch { failure = error }
        }
        #expect(failure?.code == .storage)
        var reader = try EventReader(path: path)
        var types: [EventType] = []
        while let event = try reader.next() { types.append(event.type) }
        #expect(types == Array(repeating: .note, count: acknowledged) + [.storageError])
    }
}
