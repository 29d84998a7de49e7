import EventLog
import Glibc
import Hashing
import JSON
import LinuxSystem
import Profiles
package import RunStore

/// Makes a run: its directory with the profile in it, and `run_created`. No target is needed.
package struct RunCreation {
    private let file: ProfileFile
    private let name: String
    private let tags: [String]
    private let parameters: [(String, String)]
    private let settings: Settings

    /// Checks everything that can be wrong before anything is made.
    /// - Parameters:
    ///   - name: nil for the profile's name.
    ///   - tags: those that are given beside the ones of the settings.
    ///   - parameters: the `-p` that hold for the whole run.
    package init(
        _ file: ProfileFile, name: String?, tags: [String], parameters: [(String, String)], settings: Settings
    ) throws(ECRFailure) {
        self.file = file
        self.name = name ?? file.profile.name
        let standing = settings.tags?.content ?? []
        self.tags = standing + tags.filter { !standing.contains($0) }
        self.parameters = parameters
        self.settings = settings
        guard RunsDirectory.isName(self.name) else {
            throw ECRFailure(
                .usage,
                "a run cannot be named '\(self.name)'; use 1 to 64 letters, digits, '_', '.' or '-', the first a letter "
                    + "or digit")
        }
        try TagName.check(tags)
        do { try file.profile.checkStanding(parameters) } catch { throw ECRFailure(error) }
    }

    /// Makes the run. What was begun is removed when it fails.
    package func make(in runs: RunsDirectory) throws(ECRFailure) -> RunDirectory {
        do {
            let run = try runs.makeRun(name: name)
            do { try fill(run) } catch {
                try? FileSystem.removeTree(run.path)
                throw error
            }
            return run
        } catch { throw ECRFailure(.storage, ECRFailure(error).message) }
    }

    private func fill(_ run: RunDirectory) throws {
        let resolved = Array((file.profile.resolved.prettyText + "\n").utf8)
        try FileSystem.replace(run.profileSnapshot, with: file.bytes)
        try FileSystem.replace(run.profileResolved, with: resolved)
        let writer = try EventWriter(path: run.events)
        var event = event
        event["profile_sha256"] = .string(SHA256.hexDigest(of: file.bytes))
        event["resolved_sha256"] = .string(SHA256.hexDigest(of: resolved))
        try writer.appendBlocking(.runCreated, event)
        writer.close()
        try run.save(try run.state())
    }

    private var event: JSONObject {
        var values = JSONObject()
        for (name, value) in parameters { values[name] = .string(value) }
        return [
            "format": 1, "uuid": .string(Self.uuid()), "short_id": .string(Self.shortID()), "name": .string(name),
            "profile": .string(file.profile.name), "profile_file": .string(file.path), "tags": JSON(strings: tags),
            "author": (settings.author?.content).map { .string($0) },
            "licence": (settings.licence?.content).map { .string($0) }, "notify": notify,
            "parameters": .object(values), "ecr": .string(ECRVersion.current),
            "controller": ["host": .string(Host.name), "user": .string(Host.userName)],
        ]
    }

    /// The command that is told of events: the profile's, else that of the settings. It is kept with the run, since a
    /// resume may be typed elsewhere.
    private var notify: JSON? {
        let standing = settings.notify.map { ($0.value.content, $0.folder) }
        let own = file.profile.notify.map { ($0, FileSystem.parent(of: file.path)) }
        return (own ?? standing).map { notify, folder in
            ["on": JSON(strings: notify.on), "run": .string(notify.run), "directory": .string(folder)]
        }
    }

    /// A random UUID (RFC 9562, version 4).
    private static func uuid() -> String {
        var bytes = Host.randomBytes(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        let groups = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16]
        return groups.map { digits[$0].joined() }.joined(separator: "-")
    }

    /// Four letters without i, l and o, which are read as digits.
    private static func shortID() -> String {
        let alphabet = Array("abcdefghjkmnpqrstuvwxyz")
        return String((0..<4).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] })
    }
}
