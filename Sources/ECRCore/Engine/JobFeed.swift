import LinuxSystem

/// What a client that follows a job is told.
enum JobNews: Sendable {
    /// A stream's raw log holds so many bytes now, all of them on record. The bytes themselves are read from the run
    /// directory by whoever wants them, so that a slow client costs the supervisor no memory.
    case recorded(stream: String, bytes: Int64)
    /// The job has its id.
    case begun
    /// What it does from now on.
    case phase(JobPhase)
    case progress(String)
    /// A rule holds what the client waits for; told again every second.
    case holding(String)
    /// One of several jobs that a client waits for has ended.
    case ended(JobEnd)
    /// Files are on their way.
    case transferring(TransferNews)
    /// A file is in the run: its path there, and its bytes.
    case transferred(path: String, size: Int64)
}

/// Tells the clients that follow a running job what has come on record.
final class JobFeed: Sendable {
    private let listeners = Locked<[Int: @Sendable (JobNews) -> Void]>([:])
    private let progress = Locked(UnderWay())

    private struct UnderWay {
        /// It lives as long as files are on their way.
        weak var transfer: TransferProgress?
    }

    func tell(_ news: JobNews) {
        let all = listeners.withLock { Array($0.values) }
        all.forEach { $0(news) }
    }

    /// Files are on their way from now on.
    func begin(_ transfer: TransferProgress) { progress.withLock { $0.transfer = transfer } }

    /// How far the files are that are on their way; nil while none are.
    var transfer: TransferNews? { progress.withLock { $0.transfer }?.standing }

    /// Adds a listener; the number takes it off again.
    func add(_ listener: @escaping @Sendable (JobNews) -> Void) -> Int {
        listeners.withLock {
            let number = ($0.keys.max() ?? 0) + 1
            $0[number] = listener
            return number
        }
    }

    func remove(_ number: Int) { listeners.withLock { $0[number] = nil } }

    /// Whether anybody watches: an unwatched job is looked at less often.
    var hasListeners: Bool { listeners.withLock { !$0.isEmpty } }
}
