import Synchronization

/// What a client that follows a job is told.
enum JobNews: Sendable {
    case output(stream: String, bytes: [UInt8])
    case progress(String)
}

/// Passes a running job's recorded output to the clients that follow it.
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
