import RemoteJobs

/// What is on the target already: it need not be sent.
extension UploadBatch {
    /// Files that are asked about at a time. Origin: their paths and what is said of them stay below some MiB.
    private static let askedFiles = 4096

    mutating func takeKnown(
        _ place: UploadPlace, _ line: TransferLine, _ progress: TransferProgress
    ) async throws {
        let (tree, worker, left) = (tree, worker, left)
        for start in stride(from: 0, to: left.count, by: Self.askedFiles) {
            let asked = Array(left[start..<min(start + Self.askedFiles, left.count)])
            let bytes = asked.reduce(0) { $0 + tree.files[$1].size }
            let known = try await Patience(bytes: UInt64(bytes)).whileWaiting {
                try await line.known(tree, asked, at: place, worker: worker)
            }
            try Task.checkCancellation()
            try await take(asked, known, place, line, progress)
        }
    }

    /// Gives what is there its permissions, and has it on record.
    private mutating func take(
        _ asked: [Int], _ known: [Int: TransferLine.Known], _ place: UploadPlace, _ line: TransferLine,
        _ progress: TransferProgress
    ) async throws {
        let wrong = Set(
            asked.filter { index in
                known[index]?.permissions.map { $0 != tree.files[index].permissions } ?? false
            })
        // Another user's: one that is sent takes its place.
        let refused = try await UploadSeat(over: line).setPermissions(
            wrong.map { (destination($0, place), tree.files[$0].permissions) })
        var sent: [Sent] = []
        for index in asked {
            guard let same = known[index], !refused.contains(destination(index, place)) else { continue }
            sent.append(
                Sent(
                    index: index, sha256: same.sha256, remoteSHA256: same.sha256, method: "unchanged",
                    hasNewPermissions: wrong.contains(index)))
        }
        try await record(sent, place, progress)
    }
}
