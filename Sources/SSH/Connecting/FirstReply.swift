import LinuxSystem

/// One answer from whoever is first; later ones are refused.
final class FirstReply<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Value, Never>)
        case given
    }

    private let state = Locked(State.open)

    /// Starts those who answer, and waits for the first of them.
    func value(_ start: () -> Void) async -> Value {
        await withCheckedContinuation { continuation in
            state.withLock { $0 = .awaited(continuation) }
            start()
        }
    }

    /// - Returns: false where somebody else was first.
    func give(_ value: Value) -> Bool {
        let continuation: CheckedContinuation<Value, Never>? = state.withLock { state in
            guard case .awaited(let continuation) = state else { return nil }
            state = .given
            return continuation
        }
        continuation?.resume(returning: value)
        return continuation != nil
    }
}
