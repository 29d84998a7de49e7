import RemoteJobs

/// Hands out places in a job's folder of artifacts, each once.
///
/// Names are compared without case: the dataset may be unpacked where case does not count.
struct ArtifactPlaces {
    /// Relative to the run directory, with a slash at its end.
    let folder: String
    /// Files, and folders with a slash behind them, in lower case, from `folder` on.
    private var taken: Set<String> = []

    /// - Parameter given: paths that were handed out before.
    init(folder: String, given: [String]) {
        self.folder = folder
        for path in given { occupy(path) }
    }

    private mutating func occupy(_ path: String) {
        var place = path.lowercased().dropFirst(folder.count)
        taken.insert(String(place))
        while let slash = place.lastIndex(of: "/") {
            taken.insert(String(place[...slash]))
            place = place[..<slash]
        }
    }

    /// A path that neither is another artifact nor leads through one: a folder may have the name of a file elsewhere.
    mutating func take(for file: RemoteFile) -> String {
        var path = ""
        let components = ArtifactName.local(for: file.relative).split(separator: "/").map(String.init)
        for (index, component) in components.enumerated() {
            let isFolder = index < components.count - 1
            var name = component
            var number = 1
            while taken.contains((path + name).lowercased())
                || !isFolder && taken.contains((path + name).lowercased() + "/")
            {
                number += 1
                name = ArtifactName.numbered(component, number)
            }
            path += isFolder ? name + "/" : name
            taken.insert(path.lowercased())
        }
        return folder + path
    }

    /// The path is free for the next attempt.
    mutating func release(_ path: String) { taken.remove(String(path.lowercased().dropFirst(folder.count))) }
}
