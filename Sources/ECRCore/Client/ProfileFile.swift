import Glibc
import LinuxSystem
package import Profiles
package import RunStore
import YAML

/// A profile as a person names it: a path, or a name in one of the directories for profiles.
package struct ProfileFile: Sendable {
    /// Absolute.
    package let path: String
    package let bytes: [UInt8]
    package let profile: Profile

    /// What is worth saying although the profile is valid: several lines each, safe for a terminal.
    package var warnings: [String] { profile.warnings.map(\.description) }

    /// Finds, reads and checks a profile.
    /// - Parameters:
    ///   - reference: a path, or a name with or without `.yaml`.
    ///   - directory: `--profiles-dir`, the first place to look for a name.
    /// - Throws: `.notFound` with the names that exist, `.invalidInput` with all that is wrong in the file.
    package init(_ reference: String, directory: String?) throws(ECRFailure) {
        path = FileSystem.absolute(try Self.locate(reference, directory))
        do { bytes = try FileSystem.read(path, limit: Self.sizeLimit) } catch {
            throw ECRFailure(error.code == EFBIG ? .invalidInput : .notFound, error.description)
        }
        do { profile = try Profile.parse(bytes, file: reference, rules: .ssh) } catch { throw ECRFailure(error) }
    }

    /// The profile of a run, as it was given at the run's making.
    package init(snapshotOf run: RunDirectory) throws(ECRFailure) {
        path = run.profileSnapshot
        do {
            bytes = try FileSystem.read(path, limit: Self.sizeLimit)
            profile = try Profile.parse(bytes, file: path)
        } catch { throw ECRFailure(error) }
    }

    /// Origin: four times what the parser takes, so that it is the one that refuses with its own words.
    private static let sizeLimit: Int64 = 1 << 20

    /// Where names are looked for, existing or not, in this order.
    static func directories(_ first: String?) throws(ECRFailure) -> [String] {
        try Settings.load().profilesDirectories(option: first)
    }

    private static func isFile(_ path: String) -> Bool { FileSystem.exists(path) && !FileSystem.isDirectory(path) }

    private static func locate(_ reference: String, _ directory: String?) throws(ECRFailure) -> String {
        let path = FileSystem.expandingTilde(reference)
        if isFile(path) { return path }
        let directories = try directories(directory)
        if !reference.contains("/") {
            for directory in directories {
                let candidates = ["", ".yaml", ".yml"].map { "\(directory)/\(reference)\($0)" }
                if let found = candidates.first(where: isFile) { return found }
            }
        }
        let isThere = FileSystem.isDirectory(path)
        let problem = isThere ? "'\(reference)' is a directory, not a profile" : "there is no profile '\(reference)'"
        throw ECRFailure(.notFound, "\(problem); \(known(in: directories, for: reference))")
    }

    /// The names under which profiles are found.
    /// - Parameter directory: `--profiles-dir`.
    package static func names(directory: String?) throws(ECRFailure) -> [String] {
        names(in: try directories(directory))
    }

    private static func names(in directories: [String]) -> [String] {
        var names: [String] = []
        for name in directories.flatMap({ (try? FileSystem.list($0)) ?? [] }) where name.hasSuffix(".yaml") {
            let short = String(name.dropLast(".yaml".count))
            if !names.contains(short) { names.append(short) }
        }
        return names
    }

    private static func known(in directories: [String], for reference: String) -> String {
        let names = names(in: directories)
        if let near = KnownNames(names).closest(to: reference) { return "did you mean '\(near)'?" }
        let places = directories.filter { FileSystem.isDirectory($0) }.joined(separator: ", ")
        if !names.isEmpty { return "profiles in \(places): \(names.joined(separator: ", "))" }
        return "give the path of a YAML file, or a name in --profiles-dir, $ECR_PROFILES_DIR or ./profiles"
    }
}
