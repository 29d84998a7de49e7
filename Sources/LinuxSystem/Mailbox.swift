import Glibc
import Synchronization

/// A queue from many threads to one that waits: a pthread mutex and condition, since a thread of our own may block where
/// Swift's cooperative pool must not.
package final class Mailbox<Element: Sendable>: @unchecked Sendable {
    // @unchecked because the two fields below are only touched with `mutex` held.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var elements: [Element] = []
    private var isClosed = false

    package init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Adds an element and wakes the reader; false after `close`.
    @discardableResult
    package func send(_ element: Element) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return false }
        elements.append(element)
        pthread_cond_signal(condition)
        return true
    }

    /// No more elements are taken in; the reader gets those that are there, then nil.
    package func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Waits for elements and takes all of them; nil once the mailbox is closed and empty.
    package func takeAll() -> [Element]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while elements.isEmpty && !isClosed { pthread_cond_wait(condition, mutex) }
        if elements.isEmpty { return nil }
        defer { elements = [] }
        return elements
    }
}

/// A thread that carries out blocking work in order, for callers on Swift's cooperative pool.
package final class Worker: Sendable {
    private let jobs = Mailbox<@Sendable () -> Void>()

    package init() {
        let jobs = jobs
        startThread {
            while let batch = jobs.takeAll() { batch.forEach { $0() } }
        }
    }

    deinit { jobs.close() }

    /// Runs blocking work on the thread and returns its result.
    package func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            jobs.send { continuation.resume(with: Result(catching: work)) }
        }
    }
}

/// Starts a detached thread with a stack of its own.
package func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let error = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    precondition(error == 0, "no thread could be started")
    pthread_detach(thread)
}
