import Synchronization

/// A value that several threads and tasks use, one after the other.
///
/// The standard library's `Mutex` is inlined wherever it is used, with the look-up of the present thread. In an async
/// function the optimiser (Swift 6.3) may do that look-up before a suspension, and use it behind it, on another thread: the
/// unlock then ends the process ("Call to unlock Mutex on a thread which hasn't acquired the lock"). Here it is never
/// inlined.
package final class Locked<Value>: Sendable {
    private let mutex: Mutex<Value>

    package init(_ value: consuming sending Value) { mutex = Mutex(value) }

    /// Calls the body with the value, once nobody else has it. It must not block, nor lock the same value again.
    @inline(never)
    package func withLock<Result, E: Error>(
        _ body: (inout sending Value) throws(E) -> sending Result
    ) throws(E) -> sending Result {
        try mutex.withLock(body)
    }
}
