import LinuxSystem
import RemoteJobs
import Synchronization

/// Tells of a transfer of several files while it goes on. Thread-safe.
final class PullProgress: Sendable {
    private struct Content {
        var doneFiles = 0
        var doneBytes: Int64 = 0
        /// Of files that are on their way: bytes by their names.
        var underWay: [[UInt8]: Int64] = [:]
        /// Of an archive.
        var archiveFiles = 0
        var archiveBytes: Int64 = 0
    }

    private let files: Int
    private let bytes: Int64
    private let feed: JobFeed
    private let steps: ProgressSteps
    private let content = Mutex(Content())

    init(_ files: [RemoteFile], _ feed: JobFeed) {
        self.files = files.count
        bytes = files.reduce(0) { $0 + Int64(clamping: $1.size) }
        self.feed = feed
        steps = ProgressSteps()
    }

    /// So much of one file is here.
    func tell(_ file: RemoteFile, bytes: Int64) {
        content.withLock { $0.underWay[file.path] = bytes }
        tellIfDue(file, bytes)
    }

    /// So much of an archive is here.
    func tell(files: Int, bytes: Int64) {
        content.withLock {
            $0.archiveFiles = files
            $0.archiveBytes = bytes
        }
        tellIfDue(nil, bytes)
    }

    /// A file is in the run.
    func finish(_ file: RemoteFile, _ path: String) {
        content.withLock {
            $0.underWay[file.path] = nil
            $0.archiveFiles = 0
            $0.archiveBytes = 0
            $0.doneFiles += 1
            $0.doneBytes += Int64(clamping: file.size)
        }
        feed.tell(.transferred(path: path, size: Int64(clamping: file.size)))
        tellIfDue(nil, 0)
    }

    private func tellIfDue(_ file: RemoteFile?, _ done: Int64) {
        if steps.isDue() { feed.tell(.transferring(news(content.withLock { $0 }, file: file, done: done))) }
    }

    private func news(_ content: Content, file: RemoteFile?, done: Int64) -> TransferNews {
        TransferNews(
            name: file.map { String(decoding: $0.relative, as: UTF8.self) }, done: done,
            size: file.map { Int64(clamping: $0.size) } ?? 0, files: content.doneFiles + content.archiveFiles,
            allFiles: files, bytes: content.doneBytes + content.archiveBytes + content.underWay.values.reduce(0, +),
            allBytes: bytes)
    }
}
