import Synchronization
import Testing

@testable import ECRCore

/// How far a transfer is, as it is told while it goes on.
@Suite struct TransferProgressTests {
    private struct Item: TransferItem {
        let name: String
        let shownSize: Int64
        var key: [UInt8] { Array(name.utf8) }
        var shownName: String { name }
    }

    private let items = (0..<4).map { Item(name: "\($0)", shownSize: 100) }

    private func standing(_ progress: TransferProgress) -> [Int64] {
        let news = progress.standing
        return [Int64(news.files), Int64(news.allFiles), news.bytes, news.allBytes]
    }

    @Test func whatHasItsPlaceIsNotCountedAsPartOfTheArchive() {
        let progress = TransferProgress(items, JobFeed())
        progress.tell(files: 2, bytes: 250)
        #expect(standing(progress) == [2, 4, 250, 400])
        for item in items.prefix(2) { progress.finish(item, item.name, size: 100, method: "tar") }
        #expect(standing(progress) == [2, 4, 250, 400])
        progress.tell(files: 3, bytes: 350)
        #expect(standing(progress) == [3, 4, 350, 400])
        // The third has not come as it should, and is fetched by itself.
        progress.endArchive()
        #expect(standing(progress) == [2, 4, 200, 400])
        progress.tell(items[2], bytes: 70)
        #expect(standing(progress) == [2, 4, 270, 400])
        for item in items.suffix(2) { progress.finish(item, item.name, size: 100, method: "sftp") }
        #expect(standing(progress) == [4, 4, 400, 400])
    }

    @Test func whatWasThereBeforeHasNotCome() {
        func came(_ progress: TransferProgress) -> [Int64] { [progress.standing.bytes, progress.standing.came] }
        let progress = TransferProgress(items, JobFeed())
        progress.finish(items[0], "0", size: 100, method: "unchanged")
        progress.finishSilently(items[1])
        #expect(came(progress) == [200, 0])
        progress.resume(items[2], at: 60)
        #expect(came(progress) == [260, 0])
        progress.tell(items[2], bytes: 75)
        #expect(came(progress) == [275, 15])
        progress.finish(items[2], "2", size: 100, method: "sftp")
        #expect(came(progress) == [300, 40])
        // What another attempt has brought was no beginning of the file.
        progress.resume(items[3], at: 50)
        progress.resume(items[3], at: 0)
        progress.finish(items[3], "3", size: 100, method: "exec")
        #expect(came(progress) == [400, 140])
        #expect(TransferNews(json: progress.standing.json) == progress.standing)
    }

    @Test func whatHasFailedHasNotCome() {
        let progress = TransferProgress(items, JobFeed())
        progress.resume(items[0], at: 30)
        progress.tell(items[0], bytes: 60)
        progress.tell(items[1], bytes: 50)
        progress.fail(items[0])
        #expect(standing(progress) == [0, 4, 50, 400])
        #expect(progress.standing.came == 50)
        // It is fetched by itself, and goes on.
        progress.resume(items[0], at: 60)
        #expect(standing(progress) == [0, 4, 110, 400])
        #expect(progress.standing.came == 50)
    }

    @Test func aFileThatHadNoSizeHasTheOneThatCame() {
        let feed = JobFeed()
        let told = Mutex<[Int64]>([])
        _ = feed.add { news in if case .transferred(_, let size) = news { told.withLock { $0.append(size) } } }
        let kernels = Item(name: "uptime", shownSize: 0)
        let progress = TransferProgress([kernels, items[0]], feed)
        progress.tell(kernels, bytes: 20)
        #expect(standing(progress) == [0, 2, 20, 100])
        progress.finish(kernels, "uptime", size: 20, method: "sftp")
        #expect(standing(progress) == [1, 2, 20, 120])
        #expect(told.withLock { $0 } == [20])
    }

    @Test func theFeedKnowsWhatIsOnItsWayAndNothingElse() {
        let feed = JobFeed()
        #expect(feed.transfer == nil)
        do {
            let progress = TransferProgress(items, feed, isUpload: true)
            progress.finishSilently(items[0])
            #expect(feed.transfer?.files == 1)
            #expect(feed.transfer?.isUpload == true)
            withExtendedLifetime(progress) {}
        }
        #expect(feed.transfer == nil)
    }
}
