import Glibc
import LinuxSystem
package import Profiles
import RunStore
import YAML

/// One file of settings: `ecr.yaml` of a project, or a person's `config.yaml`.
///
/// ```yaml
/// runs_dir: ~/runs            # relative paths start at the file's folder
/// profiles_dir: profiles
/// defaults: {tags: [lab], author: "Ada Lovelace", licence: CC-BY-4.0}
/// notify: {on: [connection_lost, run_completed], run: ./ping.sh}
/// ```
package struct SettingsFile: Sendable {
    /// A value and the line at which it stands.
    package struct Placed<Value: Sendable>: Sendable {
        package let value: Value
        package let line: Int
    }

    /// Absolute.
    package let path: String
    package private(set) var runsDirectory: Placed<String>?
    package private(set) var profilesDirectory: Placed<String>?
    package private(set) var tags: Placed<[String]>?
    package private(set) var author: Placed<String>?
    package private(set) var licence: Placed<String>?
    package private(set) var notify: Placed<Notify>?
    /// What is worth saying although the file is valid.
    package private(set) var warnings: [String] = []

    /// The folder at which relative paths start.
    package var folder: String { FileSystem.parent(of: path) }

    /// Reads and checks a file.
    /// - Throws: `.configuration` with all that is wrong in it.
    init(_ path: String) throws(ECRFailure) {
        self.path = path
        let bytes: [UInt8]
        do { bytes = try FileSystem.read(path, limit: Self.sizeLimit) } catch {
            throw ECRFailure(.configuration, error.description)
        }
        // Where everything is commented out there is nothing to set.
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        if lines.allSatisfy({ $0.first { !$0.isWhitespace } ?? "#" == "#" }) { return }
        do { try decode(try Document(parsing: bytes, file: path)) } catch { throw ECRFailure(settings: error) }
        mistrustStrangers()
    }

    /// Origin: four times what the parser takes, so that it is the one that refuses with its own words.
    private static let sizeLimit: Int64 = 1 << 20

    private mutating func decode(_ document: Document) throws(Diagnostics) {
        let context = DecodingContext(document)
        let keys = ["runs_dir", "profiles_dir", "defaults", "notify"]
        let advice = [
            "tags": "write it below 'defaults'", "author": "write it below 'defaults'",
            "licence": "write it below 'defaults'",
        ]
        if let fields = context.fields(document.root, "the settings", keys: keys, advice: advice) {
            runsDirectory = directory(fields, "runs_dir")
            profilesDirectory = directory(fields, "profiles_dir")
            if let node = fields["defaults"] { decodeDefaults(node, context) }
            if let node = fields["notify"] {
                notify = context.notify(node).map { Placed(value: $0, line: node.mark.line) }
            }
        }
        warnings = try context.finish().map(\.description)
    }

    private mutating func decodeDefaults(_ node: Node, _ context: DecodingContext) {
        let keys = ["tags", "author", "licence"]
        guard let fields = context.fields(node, "'defaults'", keys: keys, advice: ["license": "write 'licence'"]) else {
            return
        }
        author = text(fields, "author")
        licence = text(fields, "licence")
        guard let list = fields["tags"], let items = context.list(list, "'tags'") else { return }
        let names = items.compactMap { item -> String? in
            guard let name = context.string(item, "each entry of 'tags'") else { return nil }
            if RunsDirectory.isName(name) { return name }
            context.error("a tag cannot be '\(name)'; write 1 to 64 letters, digits, '_', '.' or '-'", at: item.mark)
            return nil
        }
        tags = Placed(value: names, line: list.mark.line)
    }

    private func text(_ fields: FieldReader, _ key: String) -> Placed<String>? {
        guard let node = fields[key], let text = fields.string(key) else { return nil }
        guard !text.allSatisfy(\.isWhitespace) else {
            fields.context.error("'\(key)' is empty; write its text, or remove it", at: node.mark)
            return nil
        }
        return Placed(value: text, line: node.mark.line)
    }

    private func directory(_ fields: FieldReader, _ key: String) -> Placed<String>? {
        guard let placed = text(fields, key) else { return nil }
        let path = FileSystem.expandingTilde(placed.value)
        return Placed(value: path.hasPrefix("/") ? path : "\(folder)/\(path)", line: placed.line)
    }

    /// A file that is found upward may be a stranger's, and its command would run as us: the rest of it only says where
    /// things are.
    private mutating func mistrustStrangers() {
        guard notify != nil else { return }
        var status = stat()
        let isOurs = stat(path, &status) == 0 && [getuid(), 0].contains(status.st_uid) && status.st_mode & S_IWOTH == 0
        if isOurs { return }
        notify = nil
        warnings.append("'notify' in \(path) is not used: the file belongs to, or can be written by, somebody else")
    }
}
