package import EventLog
package import JSON
import LinuxSystem
package import RunStore

/// The record of one live run: the event writer, the state folded from what is on disk, and the manifest.
///
/// Thread-safe: appending goes through the writer's thread, which folds each event once it is on disk.
package final class Journal: Sendable {
    package let directory: RunDirectory
    /// Masked in whatever is appended.
    let secrets = KnownSecrets()
    private let writer: EventWriter
    private let fold: StateFold
    private let worker = Worker()
    private let listener: Listener

    /// What is told of events once they are on disk, on the writer's thread.
    private final class Listener: Sendable {
        let body = Locked<(@Sendable ([Event]) -> Void)?>(nil)
    }

    /// Opens the run's stream, takes the right to append, and folds what is there.
    /// - Parameter onFailure: called once, when from now on nothing can be recorded.
    package init(
        _ directory: RunDirectory, onFailure: @escaping @Sendable (EventLogError) -> Void = { _ in }
    ) throws {
        self.directory = directory
        let (fold, listener) = (StateFold(), Listener())
        writer = try EventWriter.openPatiently(
            path: directory.events,
            onCommit: { events, checkpoint in
                fold.take(events, behind: checkpoint)
                listener.body.withLock { $0 }?(events)
            }, onFailure: onFailure)
        self.fold = fold
        self.listener = listener
        // A disk that was full has cost it; without it the run goes on as well, until the disk is full again.
        try? directory.makeReserve()
        fold.begin(with: try directory.state())
    }

    /// - Parameter body: called with events that are on disk, in their order; it must not block.
    func listen(_ body: @escaping @Sendable ([Event]) -> Void) { listener.body.withLock { $0 = body } }

    /// Appends nothing more, and gives the right to append back. Blocks its thread for the length of a sync.
    func close() { writer.close() }

    /// The state of what is on disk.
    package var state: RunState { fold.state }

    /// The stream's file, on which the supervisor's lock is taken.
    var file: File { writer.file }

    /// Appends an event; returns once it is on disk.
    /// - Parameter complete: see `EventWriter.Completion`; what it fills in is not masked.
    @discardableResult
    package func append(
        _ type: EventType, _ data: JSONObject = [:], raw: [RawWrite] = [], complete: EventWriter.Completion? = nil
    ) async throws -> Event {
        try await writer.append(type, secrets.mask.masked(data), raw: raw, complete: complete)
    }

    /// Hands over an event that the next `append` will share its sync with.
    package func post(_ type: EventType, _ data: JSONObject) { writer.post(type, secrets.mask.masked(data)) }

    /// Replaces the manifest, away from the caller's thread. It is a summary of what is on disk already: failing to renew
    /// it costs readers some milliseconds, and ends nothing.
    package func saveManifest() async {
        let (directory, state) = (directory, state)
        do { try await worker.run { try directory.save(state) } } catch {
            Supervisor.log("cannot save the manifest: \(error)")
        }
    }
}

/// The state, folded on the writer's thread and read from anywhere.
private final class StateFold: Sendable {
    private struct Content {
        var state = RunState()
        /// Events that came before the state was read from disk.
        var early: [(event: Event, behind: Checkpoint)]? = []
    }
    private let content = Locked(Content())

    var state: RunState { content.withLock { $0.state } }

    func begin(with state: RunState) {
        content.withLock {
            $0.state = state
            for (event, behind) in $0.early ?? [] where event.seq >= state.checkpoint.seq {
                $0.state.apply(event)
                $0.state.checkpoint = behind
            }
            $0.early = nil
        }
    }

    func take(_ events: [Event], behind checkpoint: Checkpoint) {
        content.withLock {
            if $0.early != nil {
                for event in events { $0.early?.append((event, checkpoint)) }
                return
            }
            for event in events { $0.state.apply(event) }
            $0.state.checkpoint = checkpoint
        }
    }
}
