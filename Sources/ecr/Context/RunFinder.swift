import ECRCore
import RunStore
import YAML

/// Finds the run that a person names, and says which one may have been meant.
struct RunFinder {
    private let runs: RunsDirectory

    init(_ runs: RunsDirectory) { self.runs = runs }

    func find(_ reference: String) throws(ECRFailure) -> RunDirectory {
        do { return try runs.find(reference) } catch {
            guard error.code == .noSuchRun, let near = meant(reference) else { throw ECRFailure(error) }
            throw ECRFailure(.notFound, "no run '\(reference)' in \(runs.path); did you mean '\(near)'?")
        }
    }

    /// The newest run whose id, or the name in it, is spelled nearly so.
    private func meant(_ reference: String) -> String? {
        let ids = runs.runs().map(\.id).reversed()
        if reference.hasPrefix("latest") { return nil }
        if let near = KnownNames(Array(ids)).closest(to: reference) { return near }
        let names = ids.map { Self.name(in: $0) }
        guard let near = KnownNames(names).closest(to: reference) else { return nil }
        return zip(ids, names).first { $0.1 == near }?.0
    }

    /// What stands behind the stamp, without the number of a run that was made in the same second.
    private static func name(in id: String) -> String {
        let name = id.dropFirst(RunsDirectory.stampLength + 1)
        guard let end = name.lastIndex(of: "_"), name[name.index(after: end)...].allSatisfy(\.isNumber) else {
            return String(name)
        }
        return String(name[..<end])
    }
}
