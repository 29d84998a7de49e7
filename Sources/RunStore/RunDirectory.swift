import EventLog
import Glibc
import JSON
package import LinuxSystem

/// A run's directory: the only owner of the names in it.
package struct RunDirectory: Sendable, Equatable {
    /// The absolute path.
    package let path: String

    package init(path: String) { self.path = FileSystem.absolute(path) }

    /// The run's id: the directory's name.
    package var id: String { FileSystem.name(of: path) }

    package var events: String { "\(path)/events.jsonl" }
    package var manifest: String { "\(path)/manifest.json" }
    package var profileSnapshot: String { "\(path)/profile_snapshot.yaml" }
    package var profileResolved: String { "\(path)/profile_resolved.json" }
    package var socket: String { "\(path)/control.sock" }
    package var supervisorLog: String { "\(path)/logs/supervisor.log" }
    package var artifacts: String { "\(path)/artifacts" }
    /// Files that belong to notes.
    package var attachments: String { "\(path)/artifacts/attachments" }
    /// Space that is given back when the disk is full, so that the failure itself can be recorded.
    package var reserve: String { "\(path)/.reserve" }

    /// The raw log of one stream of an action's job.
    package func actionLog(job: String, stream: String) -> String { "\(path)/logs/actions/\(job).\(stream)" }
    /// A collector's samples: rows, and the raw bytes of the spool.
    package func collectorRows(_ name: String) -> String { "\(path)/logs/collectors/\(name).csv" }
    package func collectorLog(_ name: String) -> String { "\(path)/logs/collectors/\(name).log" }

    /// The path of a file as it stands in events: relative to the run directory.
    package func relative(_ file: String) -> String {
        file.hasPrefix(path + "/") ? String(file.dropFirst(path.count + 1)) : file
    }

    /// Makes the folders and the reserve of a new run. Their names are on the medium on return, but for those in the run
    /// directory itself, which is synced when the event stream is made in it.
    func makeLayout() throws(SystemError) {
        for folder in ["artifacts", "logs", "logs/actions", "logs/collectors"] {
            try FileSystem.makeDirectory("\(path)/\(folder)")
        }
        try FileSystem.syncDirectory("\(path)/logs")
        try makeReserve()
    }

    /// Takes the space that is given back when the disk is full. Origin of 64 KiB: a failure event needs a block or two.
    package func makeReserve() throws(SystemError) { try File(path: reserve, O_WRONLY | O_CREAT).reserve(65_536) }

    /// Removes the directory with everything in it.
    package func remove() throws(SystemError) { try FileSystem.removeTree(path) }

    /// Whether a supervisor lives: it holds byte 1 of the event stream, which the kernel releases with its death.
    package func hasSupervisor() -> Bool {
        guard let file = try? File(path: events, O_RDONLY) else { return false }
        return (try? file.isLocked(byte: EventWriter.supervisorByte)) ?? false
    }

    /// The run's state: the manifest's checkpoint and the events behind it.
    /// - Throws: `EventLogError` (damage), `SystemError` (not readable).
    package func state() throws -> RunState {
        var state = try savedState() ?? RunState()
        do {
            try state.catchUp(with: events)
        } catch let error as EventLogError where state.checkpoint.seq > 0 && error.code != .storage {
            // The checkpoint may be the one that is wrong: the events are the truth.
            state = RunState()
            try state.catchUp(with: events)
        }
        return state
    }

    /// As `state`, and also checks the numbers and the chain of the events in front of the manifest's checkpoint.
    package func checkedState() throws -> RunState {
        let state = try state()
        if try EventChain.leads(to: state.checkpoint, in: events) { return state }
        var whole = RunState()
        try whole.catchUp(with: events)
        return whole
    }

    /// The manifest's state; nil where there is none that this version can read.
    /// - Throws: `EventLogError` where events are missing that the manifest knows of: they were on disk before it was.
    private func savedState() throws -> RunState? {
        guard let bytes = try? FileSystem.read(manifest), let state = RunState(manifest: bytes)
        else { return nil }
        let size = try File(path: events, O_RDONLY).size()
        guard size >= state.checkpoint.byteOffset else {
            var reader = try EventReader(path: events)
            // A manifest of another run tells nothing about this one.
            if let first = try reader.next(), first.time != state.created { return nil }
            throw EventLogError(
                .damaged,
                "\(events) has \(size) bytes, but its manifest.json knows of \(state.checkpoint.byteOffset): the end is "
                    + "missing, or the manifest is wrong")
        }
        return state
    }

    /// Replaces the manifest atomically.
    package func save(_ state: RunState) throws(SystemError) {
        try FileSystem.replace(manifest) { (file: File) throws(SystemError) in
            var end: Int64 = 0
            try state.writeManifest(id: id) { (text: [UInt8]) throws(SystemError) in
                try file.write(text, at: end)
                end += Int64(text.count)
            }
        }
    }
}
