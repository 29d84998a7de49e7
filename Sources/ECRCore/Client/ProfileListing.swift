import LinuxSystem

/// One file in the directories for profiles, valid or not.
package struct ListedProfile: Sendable {
    /// What to type: the file's name without its ending, or its path where a file of that name in an earlier directory
    /// goes before.
    package let reference: String
    /// Absolute.
    package let path: String
    package let content: Result<ProfileFile, ECRFailure>

    /// Every profile that can be named, in the order in which names are looked for.
    /// - Parameter directory: `--profiles-dir`.
    package static func all(
        directory: String?
    ) throws(ECRFailure) -> (profiles: [ListedProfile], directories: [String]) {
        // Two settings may mean the same place.
        var seen: Set<String> = []
        let directories = try ProfileFile.directories(directory).filter { path in
            guard FileSystem.isDirectory(path), let place = try? FileSystem.realPath(path) else { return false }
            return seen.insert(place).inserted
        }
        var names: Set<String> = []
        var profiles: [ListedProfile] = []
        for directory in directories {
            let files = ((try? FileSystem.list(directory)) ?? []).filter {
                $0.hasSuffix(".yaml") || $0.hasSuffix(".yml")
            }
            for file in files where !FileSystem.isDirectory("\(directory)/\(file)") {
                let name = String(file[..<(file.lastIndex(of: ".") ?? file.endIndex)])
                let path = "\(directory)/\(file)"
                profiles.append(ListedProfile(path: path, reference: names.insert(name).inserted ? name : path))
            }
        }
        return (profiles, directories)
    }

    private init(path: String, reference: String) {
        self.reference = reference
        self.path = FileSystem.absolute(path)
        content = Result { () throws(ECRFailure) in try ProfileFile(path, directory: nil) }
    }
}
