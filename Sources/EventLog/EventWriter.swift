import Glibc
import Hashing
package import JSON
package import LinuxSystem

/// Bytes that must be on the disk before the event that speaks of them: a piece of a raw log.
package struct RawWrite: Sendable {
    package let file: File
    package let offset: Int64
    package let bytes: [UInt8]

    package init(file: File, offset: Int64, bytes: [UInt8]) {
        self.file = file
        self.offset = offset
        self.bytes = bytes
    }
}

/// The one appender of an event stream: holds byte 0 of the file, owns a thread, and acknowledges an event only after
/// fdatasync. Waiting callers share one sync (group commit).
///
/// After a failed write or sync nothing more is acknowledged: a second fdatasync would falsely succeed, because Linux
/// marks the pages clean. The file is cut back to the last acknowledged line, a reserve is released, and one
/// `storage_error` is tried.
package final class EventWriter: Sendable {
    /// Byte 0 of `events.jsonl`: the right to append.
    package static let appendByte: Int64 = 0
    /// Byte 1: a supervisor lives.
    package static let supervisorByte: Int64 = 1
    /// How much of a torn last line is kept when it is put aside: more than any line is long, less than a memory.
    package static let mostTornBytesKept: Int64 = 1 << 26

    private let queue = Mailbox<Request>()
    /// Closed by the writer's thread when it ends.
    private let ended = Mailbox<Never>()
    package let file: File
    /// The last event that was on disk when this writer opened the stream.
    package let lastEvent: Event?

    /// Fills in what depends on an event's number, such as the names of files that it gives their places. What it throws
    /// refuses this event alone.
    package typealias Completion = @Sendable (_ seq: Int64, _ data: JSONObject) throws(SystemError) -> JSONObject

    private struct Request: Sendable {
        let type: EventType
        let data: JSONObject
        let raw: [RawWrite]
        let complete: Completion?
        let done: @Sendable (Result<Event, EventLogError>) -> Void
    }

    /// Opens the stream, or makes it, takes the right to append, and recovers a torn last line.
    ///
    /// - Parameters:
    ///   - onCommit: called on the writer's thread, in order, with events that are on disk.
    ///   - onFailure: called on the writer's thread, once, when from now on nothing can be acknowledged.
    /// - Throws: `.locked` when another writer is there; `.damaged` when the stream is broken before its last line.
    package init(
        path: String, onCommit: @escaping @Sendable (_ events: [Event], _ behind: Checkpoint) -> Void = { _, _ in },
        onFailure: @escaping @Sendable (EventLogError) -> Void = { _ in }
    ) throws(EventLogError) {
        do {
            let isNew = !FileSystem.exists(path)
            file = try File(path: path, O_RDWR | O_CREAT)
            if isNew { try FileSystem.syncDirectory(FileSystem.parent(of: path)) }
            guard try file.lock(byte: Self.appendByte) else {
                throw EventLogError(.locked, "another process is writing to \(path)")
            }
        } catch let error as SystemError {
            throw EventLogError(error.isStorageFailure ? .storage : .unavailable, error.description)
        } catch let error as EventLogError { throw error } catch { fatalError("\(error)") }
        let recovery = try EventLogRecovery(file)
        lastEvent = recovery.last
        let commit = CommitLoop(
            file: file, checkpoint: recovery.checkpoint,
            reserve: FileSystem.parent(of: path) + "/.reserve", onCommit: onCommit, onFailure: onFailure)
        startThread { [queue, ended, file] in
            commit.run(queue)
            file.unlock(byte: Self.appendByte)
            ended.close()
        }
        if let torn = recovery.torn {
            enqueue(.logRecovered, ["bytes": .int(torn.bytes), "kept_as": .string(torn.keptAs)], []) { _ in }
        }
    }

    /// Origin: an append takes a few milliseconds, on a slow SD card some hundred; two seconds bear several of them.
    private static let patience = (tries: 100, microseconds: UInt32(20_000))

    /// As the initialiser, but waits a moment for a command that is just appending a note.
    package static func openPatiently(
        path: String, onCommit: @escaping @Sendable (_ events: [Event], _ behind: Checkpoint) -> Void = { _, _ in },
        onFailure: @escaping @Sendable (EventLogError) -> Void = { _ in }
    ) throws(EventLogError) -> EventWriter {
        var tries = 0
        while true {
            do throws(EventLogError) {
                return try EventWriter(path: path, onCommit: onCommit, onFailure: onFailure)
            } catch {
                tries += 1
                guard error.code == .locked, tries < patience.tries else { throw error }
                usleep(patience.microseconds)
            }
        }
    }

    deinit { queue.close() }

    /// Appends an event and returns it once it is on disk.
    /// - Parameters:
    ///   - raw: bytes that are written and synced before the event.
    ///   - complete: called on the writer's thread before the event is written.
    /// - Throws: `EventLogError` with code `.storage`, or as `complete` has failed.
    @discardableResult
    package func append(
        _ type: EventType, _ data: JSONObject = [:], raw: [RawWrite] = [], complete: Completion? = nil
    ) async throws(EventLogError) -> Event {
        let result = await withCheckedContinuation { continuation in
            enqueue(type, data, raw, complete) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// As `append`, for a thread that may block: a short-lived command, never the cooperative pool.
    @discardableResult
    package func appendBlocking(
        _ type: EventType, _ data: JSONObject = [:], complete: Completion? = nil
    ) throws(EventLogError) -> Event {
        let answer = Mailbox<Result<Event, EventLogError>>()
        enqueue(type, data, [], complete) { answer.send($0) }
        guard let result = answer.takeAll()?.first else { preconditionFailure("the mailbox was never closed") }
        return try result.get()
    }

    /// Hands an event to the writer without waiting: its place in the stream is fixed, its being on disk is not.
    package func post(_ type: EventType, _ data: JSONObject = [:], raw: [RawWrite] = []) {
        enqueue(type, data, raw) { _ in }
    }

    private func enqueue(
        _ type: EventType, _ data: JSONObject, _ raw: [RawWrite], _ complete: Completion? = nil,
        _ done: @escaping @Sendable (Result<Event, EventLogError>) -> Void
    ) {
        let isOpen = queue.send(Request(type: type, data: data, raw: raw, complete: complete, done: done))
        if !isOpen { done(.failure(EventLogError(.storage, "the event stream is closed"))) }
    }

    /// Refuses more, waits until everything handed over so far is on disk or has failed, and gives the right to append
    /// back. Blocks its thread for the length of a sync.
    package func close() {
        queue.close()
        _ = ended.takeAll()
    }

    /// The writer's thread.
    private final class CommitLoop: @unchecked Sendable {
        // @unchecked because after init only the writer's thread touches it.
        private let file: File
        private var checkpoint: Checkpoint
        private let reserve: String
        private let onCommit: @Sendable ([Event], Checkpoint) -> Void
        private let onFailure: @Sendable (EventLogError) -> Void
        private var failure: EventLogError?

        init(
            file: File, checkpoint: Checkpoint, reserve: String,
            onCommit: @escaping @Sendable ([Event], Checkpoint) -> Void,
            onFailure: @escaping @Sendable (EventLogError) -> Void
        ) {
            self.file = file
            self.checkpoint = checkpoint
            self.reserve = reserve
            self.onCommit = onCommit
            self.onFailure = onFailure
        }

        func run(_ queue: Mailbox<Request>) {
            while let batch = queue.takeAll() {
                if let failure {
                    batch.forEach { $0.done(.failure(failure)) }
                    continue
                }
                let outcomes: [Result<Event, EventLogError>]
                do { outcomes = try commit(batch) } catch {
                    let failure = EventLogError(.storage, "could not record: \(error)")
                    self.failure = failure
                    reportStorageError(error)
                    batch.forEach { $0.done(.failure(failure)) }
                    onFailure(failure)
                    continue
                }
                onCommit(outcomes.compactMap { try? $0.get() }, checkpoint)
                for (request, outcome) in zip(batch, outcomes) { request.done(outcome) }
            }
        }

        private func commit(_ batch: [Request]) throws -> [Result<Event, EventLogError>] {
            var rawFiles: [Int32: File] = [:]
            for raw in batch.flatMap(\.raw) {
                try raw.file.write(raw.bytes, at: raw.offset)
                rawFiles[raw.file.descriptor] = raw.file
            }
            for file in rawFiles.values { try file.syncData() }
            // A log that has just got its first bytes may be new in its folder.
            let folders = batch.flatMap(\.raw).filter { $0.offset == 0 }.map { FileSystem.parent(of: $0.file.path) }
            for folder in Set(folders) { try FileSystem.syncDirectory(folder) }
            var next = checkpoint
            var bytes: [UInt8] = []
            var outcomes: [Result<Event, EventLogError>] = []
            for request in batch {
                let data: JSONObject
                do { data = try request.complete?(next.seq, request.data) ?? request.data } catch {
                    let code: EventLogError.Code = error.isStorageFailure ? .storage : .unavailable
                    outcomes.append(.failure(EventLogError(code, error.description)))
                    continue
                }
                let event = stamp(request.type, data, next)
                let line = event.line
                try next.accept(event, line: line)
                bytes += line
                bytes.append(0x0A)
                outcomes.append(.success(event))
            }
            if bytes.isEmpty { return outcomes }
            try write(bytes)
            checkpoint = next
            return outcomes
        }

        private func stamp(_ type: EventType, _ data: JSONObject, _ place: Checkpoint) -> Event {
            Event(
                seq: place.seq, time: Clock.iso8601(microseconds: Clock.wallMicroseconds()),
                boottimeNanoseconds: Clock.boottimeNanoseconds(), boot: Clock.bootID, type: type, data: data,
                previous: place.hash)
        }

        private func write(_ bytes: [UInt8]) throws(SystemError) {
            do {
                try file.write(bytes, at: checkpoint.byteOffset)
                try file.syncData()
            } catch {
                // A short write before ENOSPC is real: what is behind the last acknowledged line must go.
                try? file.truncate(to: checkpoint.byteOffset)
                throw error
            }
        }

        /// Uses the space of the reserve file, so that the failure itself is on record.
        private func reportStorageError(_ error: any Error) {
            unlink(reserve)
            let event = stamp(.storageError, ["message": .string("\(error)")], checkpoint)
            let line = event.line
            guard (try? write(line + [0x0A])) != nil, (try? checkpoint.accept(event, line: line)) != nil else { return }
            onCommit([event], checkpoint)
        }
    }
}
