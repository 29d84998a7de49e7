import Synchronization

/// What a client that follows a job is told.
enum JobNews: Sendable {
    /// A stream's raw log holds so many bytes now, all of them on record. The bytes themselves are read from the run
    /// directory by whoever wants them, so that a slow client costs the supervisor no memory.
    case recorded(stream: String, bytes: Int64)
    /// The job has its id.
    case begun
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
    private let listeners = Mutex<[Int: @Sendable (JobNews) -> Void]>([:])

    func tell(_ news: JobNews) {
        let all = listeners.withLock { Array($0.values) }
        all.forEach { $0(news) }
    }

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
