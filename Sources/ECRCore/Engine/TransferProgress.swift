import LinuxSystem
import RemoteJobs

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
    var key: [UInt8] { relative }
    var shownName: String { String(decoding: relative, as: UTF8.self) }
    var shownSize: Int64 { size }
}

/// Tells of a transfer of several files while it goes on. Thread-safe.
final class TransferProgress: Sendable {
    private struct Content {
        var done = Amount()
        /// By how much files were larger than was seen of them before they came: what the kernel writes has no size.
        var surplus: Int64 = 0
        /// Of files that are on their way: bytes by their keys.
        var underWay: [[UInt8]: Int64] = [:]
        /// Bytes that an earlier attempt had brought of a file, by its key.
        var kept: [[UInt8]: Int64] = [:]
        /// Bytes of files that did not have to come.
        var unmoved: Int64 = 0
        /// What has come of an archive, and what of that is at its place and counted as done.
        var archive = Amount()
        var archived = Amount()
        var pace: TransferPace

        var files: Int { done.files + max(0, archive.files - archived.files) }
        var bytes: Int64 { done.bytes + max(0, archive.bytes - archived.bytes) + underWay.values.reduce(0, +) }
        var before: Int64 { unmoved + kept.values.reduce(0, +) }
    }

    private struct Amount {
        var files = 0
        var bytes: Int64 = 0

        mutating func add(_ size: Int64) {
            files += 1
            bytes += size
        }
    }

    private let files: Int
    private let bytes: Int64
    private let feed: JobFeed
    private let isUpload: Bool
    private let steps = ProgressSteps()
    private let content: Locked<Content>

    init(_ files: [some TransferItem], _ feed: JobFeed, isUpload: Bool = false) {
        self.files = files.count
        bytes = files.reduce(0) { $0 + $1.shownSize }
        self.feed = feed
        self.isUpload = isUpload
        content = Locked(Content(pace: TransferPace()))
        feed.begin(self)
    }

    /// A file goes on behind so many bytes that are where it goes already.
    func resume(_ file: some TransferItem, at bytes: Int64) {
        content.withLock {
            $0.kept[file.key] = bytes > 0 ? bytes : nil
            $0.underWay[file.key] = bytes
        }
    }

    /// So much of one file is where it goes.
    func tell(_ file: some TransferItem, bytes: Int64) {
        content.withLock { $0.underWay[file.key] = bytes }
        tellIfDue(file, bytes)
    }

    /// An archive has ended: what has come of it and got no place comes once more.
    func endArchive() { content.withLock { ($0.archive, $0.archived) = (Amount(), Amount()) } }

    /// So much of an archive is where it goes.
    func tell(files: Int, bytes: Int64) {
        content.withLock { $0.archive = Amount(files: files, bytes: bytes) }
        tellIfDue(nil as LocalFile?, bytes)
    }

    /// A file has come to its place.
    /// - Parameters:
    ///   - size: its bytes by now.
    ///   - method: as in events.
    func finish(_ file: some TransferItem, _ path: String, size: Int64, method: String) {
        content.withLock {
            $0.underWay[file.key] = nil
            $0.done.add(size)
            $0.surplus += size - file.shownSize
            if method == TransferMethod.tar.rawValue { $0.archived.add(size) }
            if Self.unmoving.contains(method) { $0.unmoved += size }
        }
        feed.tell(.transferred(path: path, size: size))
        tellIfDue(nil as LocalFile?, 0)
    }

    /// What has come of a file is no part of the transfer any more.
    func fail(_ file: some TransferItem) {
        content.withLock { ($0.underWay[file.key], $0.kept[file.key]) = (nil, nil) }
    }

    /// A file had come before.
    func finishSilently(_ file: some TransferItem) {
        content.withLock {
            $0.done.add(file.shownSize)
            $0.unmoved += file.shownSize
        }
    }

    /// How the record calls what was there already.
    private static let unmoving: Set<String> = ["unchanged", "known"]

    private func tellIfDue(_ file: (some TransferItem)?, _ done: Int64) {
        if steps.isDue() { feed.tell(.transferring(news(file: file, done: done))) }
    }

    private func news(file: (some TransferItem)?, done: Int64) -> TransferNews {
        content.withLock { content in
            let (bytes, before) = (content.bytes, content.before)
            return TransferNews(
                name: file?.shownName, done: done, size: file?.shownSize ?? 0, files: content.files, allFiles: files,
                bytes: bytes, before: before, allBytes: self.bytes + content.surplus, isUpload: isUpload,
                rate: content.pace.rate(bytes - before))
        }
    }

    /// How far it is.
    var standing: TransferNews { news(file: nil as LocalFile?, done: 0) }
}
