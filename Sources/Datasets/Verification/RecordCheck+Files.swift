import EventLog
import JSON
import LinuxSystem
import RunStore

/// The other files of a run: profile, artifacts, what was put aside, the sums of a dataset, and what nobody names.
extension RecordCheck {
    mutating func note(artifact data: JSONObject) -> String? {
        guard let path = data["path"]?.string, let size = data["size"]?.int, let sha256 = data["sha256"]?.string else {
            return "an artifact lacks its path, size or hash"
        }
        artifacts[FileName(path)] = (size, sha256)
        return nil
    }

    mutating func checkFiles() {
        compare(run.relative(run.profileSnapshot), size: nil, sha256: profileHashes.snapshot)
        compare(run.relative(run.profileResolved), size: nil, sha256: profileHashes.resolved)
        for (name, artifact) in artifacts.sorted(by: { $0.key < $1.key }) {
            compare(place(of: name), size: artifact.size, sha256: artifact.sha256)
        }
        for (name, bytes) in torn.sorted(by: { $0.key < $1.key }) {
            compare(place(of: name), size: min(bytes, EventWriter.mostTornBytesKept), sha256: nil)
        }
    }

    /// In a dataset some characters of names are encoded.
    private mutating func place(of name: FileName) -> String {
        let isHere = FileSystem.exists("\(run.path)/\(name.text)")
        let path = isHere ? name.text : ExportPlan.entryName(name.text)
        known.insert(FileName(path))
        return path
    }

    private mutating func compare(_ path: String, size: Int64?, sha256: String?) {
        compared.insert(FileName(path))
        do throws(CheckedFiles.Refusal) {
            let found = try files.size(of: path)
            if let size, size != found { return damage(path, "has \(found) bytes, \(size) are recorded") }
            guard let sha256 else { return }
            let hash = try files.hash(path, count: found)
            if hash != sha256 {
                damage(path, "has the SHA-256 \(hash ?? "of something shorter"), recorded is \(sha256)")
            }
        } catch {
            damage(path, error.message + (size.map { "; \($0) bytes are recorded" } ?? ""))
        }
    }

    func readSums() -> ChecksumList? {
        guard let bytes = try? FileSystem.read("\(run.path)/\(ChecksumList.name)") else { return nil }
        return ChecksumList(bytes)
    }

    /// - Parameter sums: those of an unpacked dataset. A file that is damaged by the record is not named again.
    mutating func check(_ sums: ChecksumList, _ tree: RunTree) {
        if let line = sums.badLine { damage(ChecksumList.name, "is not as sha256sum(1) writes it", line: Int64(line)) }
        let reported = Set(result.damages.map { FileName($0.file) })
        for (path, sha256) in sums.sums where !reported.contains(FileName(path)) {
            compare(path, size: nil, sha256: sha256)
        }
        let listed = Set(sums.sums.map { FileName($0.path) } + [FileName(ChecksumList.name)])
        for (path, _) in tree.files where !listed.contains(FileName(path)) {
            result.remarks.append("\(path): \(ChecksumList.name) does not list it")
        }
    }

    mutating func nameOthers(_ tree: RunTree) {
        result.unnamed = tree.files.map(\.path).filter { !known.contains(FileName($0)) }
        result.unnamed += tree.others.filter { $0 != run.relative(run.socket) }
        result.unnamed += tree.unreadable.map(\.path)
    }
}
