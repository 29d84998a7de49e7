import EventLog
import Glibc
import LinuxSystem

/// Deleting runs: a run first gets a hidden name, so that it is either there as a whole or gone for everybody, and then
/// its files are removed.
extension RunsDirectory {
    private static let hidden = ".deleted-"

    /// Deletes a run on which nobody works. If it is the current one, there is none afterwards.
    /// - Parameter step: called for each file that is gone.
    /// - Throws: `RunStoreError` (`.inUse`), `SystemError`; when files cannot be removed, the run is gone all the same
    ///   and they lie below the hidden name.
    package func delete(_ run: RunDirectory, step: () -> Void = {}) throws {
        // Held until the run has its hidden name: nobody can take it up meanwhile.
        let events = try File(path: run.events, O_RDWR)
        guard try events.lock(byte: EventWriter.appendByte), try events.lock(byte: EventWriter.supervisorByte) else {
            throw RunStoreError(.inUse, "run \(run.id) is in use")
        }
        if current() == run { try setCurrent(nil) }
        let mark = Host.randomHex(4)
        let tomb = "\(path)/\(Self.hidden)\(run.id)-\(mark)"
        try FileSystem.rename(run.path, to: tomb)
        try FileSystem.removeTree(tomb, step: step)
    }

    /// Removes what deletions that were cut short have left.
    package func removeRemains() {
        for name in (try? FileSystem.list(path)) ?? [] where name.hasPrefix(Self.hidden) {
            try? FileSystem.removeTree("\(path)/\(name)")
        }
    }
}
