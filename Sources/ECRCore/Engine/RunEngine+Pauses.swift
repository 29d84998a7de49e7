import JSON
import Profiles
import RunStore

/// Collectors with `while_paused: false`: stopped by a pause, started again when the run goes on. What they did not sample
/// in between is no gap.
extension RunEngine {
    /// Whether a collector runs, or will be started again after its death.
    func runs(_ name: String) -> Bool { collectors[name] != nil || restarts[name]?.pending != nil }

    /// Stops collectors for the length of a pause, as soon as the target can be reached.
    func putToSleep(_ names: Set<String>) {
        sleepers.formUnion(names)
        for name in names where runs(name) {
            Task {
                _ = try? await link.target()
                guard sleepers.contains(name), !isEnding else { return }
                _ = try? await stopCollector(name)
                // The run went on meanwhile.
                if !sleepers.contains(name), !isEnding { try? restartCollector(name) }
            }
        }
    }

    /// Starts again what a pause has stopped.
    func wakeCollectors() {
        let names = sleepers
        sleepers = []
        for name in names.sorted() { try? restartCollector(name) }
    }
}
