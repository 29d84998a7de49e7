import EventLog
package import JSON

/// Uploads that were begun, and of which not everything is on record as being there: the target may have parts of them under
/// temporary names.
package struct UnfinishedUploads: Sendable {
    private var left: [(key: JSONObject, remote: String, files: Int64)] = []

    /// Reads the whole stream.
    package init(in path: String) throws {
        var reader = try EventReader(path: path)
        while let event = try reader.next() {
            // A later attempt may bring what an earlier one has left.
            let key: JSONObject = ["local": event.data["local"], "local_base64": event.data["local_base64"]]
            switch event.type {
            case .uploadStarted:
                let remote = RawName.text("remote", of: .object(event.data))
                left.removeAll { $0.key == key && $0.remote == remote }
                let files = event.data["files"]?.int ?? 0
                if files > 0 { left.append((key, remote, files)) }
            case .uploaded:
                guard let index = left.lastIndex(where: { $0.key == key }) else { continue }
                left[index].files -= 1
                if left[index].files == 0 { left.remove(at: index) }
            default: continue
            }
        }
    }

    /// Where they go on the target.
    package var json: JSON { JSON(strings: left.map(\.remote)) }
}
