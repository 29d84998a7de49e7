package import JSON

/// How far a transfer is.
package struct TransferNews: Sendable, Equatable {
    /// The file that is on its way; nil where many are at once.
    package let name: String?
    /// Bytes of it that have come, and all.
    package let done: Int64
    package let size: Int64
    /// Files that have come, and all.
    package let files: Int
    package let allFiles: Int
    /// Bytes of all files that are there, those of them that were there before (of an earlier attempt, or of content that
    /// had not to travel), and all.
    package let bytes: Int64
    package let before: Int64
    package let allBytes: Int64
    /// Whether they go to the target.
    package var isUpload = false
    /// Bytes a second at present, where that is known.
    package var rate: Double?

    /// Bytes that have come since.
    package var came: Int64 { bytes - before }
}

extension TransferNews {
    /// As in the control protocol.
    package var json: JSON {
        [
            "name": name.map { .string($0) }, "done": .int(done), "size": .int(size), "files": JSON(files),
            "all_files": JSON(allFiles), "bytes": .int(bytes),
            "bytes_before": before > 0 ? .int(before) : nil, "all_bytes": .int(allBytes),
            "upload": isUpload ? true : nil,
            "bytes_per_s": rate.map { .int(Int64($0)) },
        ]
    }

    package init(json: JSON) {
        func number(_ key: String) -> Int64 { json[key]?.int ?? 0 }
        self.init(
            name: json["name"]?.string, done: number("done"), size: number("size"), files: Int(number("files")),
            allFiles: Int(number("all_files")), bytes: number("bytes"), before: number("bytes_before"),
            allBytes: number("all_bytes"), isUpload: json["upload"]?.bool ?? false, rate: json["bytes_per_s"]?.double)
    }
}
