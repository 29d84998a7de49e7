import LinuxSystem
import RemoteJobs
import Synchronization

/// A file on its way, as it is told of.
protocol TransferItem {
    /// Tells it from the other files of the transfer.
    var key: [UInt8] { get }
    var shownName: String { get }
    var shownSize: Int64 { get }
}

extension RemoteFile: TransferItem {
    var key: [UInt8] { path }
    var shownName: String { String(decoding: relative, as: UTF8.self) }
    var shownSize: Int64 { Int64(clamping: size) }
}

extension LocalFile: TransferItem {
    var key: [UInt8] { Array(relative.utf8) }
    var shownName: String { relative }
    var shownSize: Int64 { size }
}

/// Tells of a transfer of several files while it goes on. Thread-safe.
final class TransferProgress: Sendable {
    private struct Content {
        var doneFiles = 0
        var doneBytes: Int64 = 0
        /// Of files that are on their way: bytes by their keys.
        var underWay: [[UInt8]: Int64] = [:]
        /// Of an archive.
        var archiveFiles = 0
        var archiveBytes: Int64 = 0
    }

    private let files: Int
    private let bytes: Int64
    private let feed: JobFeed
    private let isUpload: Bool
    private let steps = ProgressSteps()
    private let content = Mutex(Content())

    init(_ files: [some TransferItem], _ feed: JobFeed, isUpload: Bool = false) {
        self.files = files.count
        bytes = files.reduce(0) { $0 + $1.shownSize }
        self.feed = feed
        self.isUpload = isUpload
    }

    /// So much of one file is where it goes.
    func tell(_ file: some TransferItem, bytes: Int64) {
        content.withLock { $0.underWay[file.key] = bytes }
        tellIfDue(file, bytes)
    }

    /// So much of an archive is where it goes.
    func tell(files: Int, bytes: Int64) {
        content.withLock {
            $0.archiveFiles = files
            $0.archiveBytes = bytes
        }
        tellIfDue(nil as LocalFile?, bytes)
    }

    /// A file has come to its place.
    func finish(_ file: some TransferItem, _ path: String) {
        content.withLock {
            $0.underWay[file.key] = nil
            $0.archiveFiles = 0
            $0.archiveBytes = 0
            $0.doneFiles += 1
            $0.doneBytes += file.shownSize
        }
        feed.tell(.transferred(path: path, size: file.shownSize))
        tellIfDue(nil as LocalFile?, 0)
    }

    /// A file had come before.
    func finishSilently(_ file: some TransferItem) {
        content.withLock {
            $0.doneFiles += 1
            $0.doneBytes += file.shownSize
        }
    }

    private func tellIfDue(_ file: (some TransferItem)?, _ done: Int64) {
        if steps.isDue() { feed.tell(.transferring(news(content.withLock { $0 }, file: file, done: done))) }
    }

    private func news(_ content: Content, file: (some TransferItem)?, done: Int64) -> TransferNews {
        TransferNews(
            name: file?.shownName, done: done, size: file?.shownSize ?? 0,
            files: content.doneFiles + content.archiveFiles,
            allFiles: files, bytes: content.doneBytes + content.archiveBytes + content.underWay.values.reduce(0, +),
            allBytes: bytes, isUpload: isUpload)
    }
}
