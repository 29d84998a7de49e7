import EventLog
import Glibc
import RunStore

/// The events of a run in their order, and then those that are appended until the run is at rest.
struct EventTail: ~Copyable {
    private let run: RunDirectory
    private var reader: EventReader
    /// The last event that says how the run stands.
    private var condition: EventType = .runCreated
    private var wasAtRest = false

    init(_ run: RunDirectory) throws {
        self.run = run
        reader = try EventReader(path: run.events)
    }

    /// The next event that is on record; nil at the end.
    mutating func next() throws -> Event? {
        guard let event = try reader.next() else { return nil }
        if Self.conditions.contains(event.type) { condition = event.type }
        return event
    }

    private static let conditions: Set<EventType> = [.runStarted, .runResumed, .runCompleted, .runAborted]

    /// Whether the run has ended, as far as was read.
    var isOver: Bool { [.runCompleted, .runAborted].contains(condition) }

    /// Origin: what a person does not notice; a look costs microseconds.
    private static let interval: UInt32 = 100_000

    /// Waits a moment for more; false once nobody works on the run and all that was appended has been read.
    mutating func wait() -> Bool {
        if wasAtRest { return false }
        // Then one more look finds what was appended before the supervisor's end. A run that is only created is waited
        // for: somebody is about to start it.
        wasAtRest = condition != .runCreated && !run.hasSupervisor()
        if !wasAtRest { usleep(Self.interval) }
        return true
    }
}
