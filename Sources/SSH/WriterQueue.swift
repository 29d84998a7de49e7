/// Lets one writer at a time through, in the order of their coming: a packet of one must not stand in another's.
@SSHActor final class WriterQueue {
    /// Somebody writes, or the place is being handed over.
    private(set) var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    nonisolated init() {}

    func enter() async {
        if isTaken {
            // Whoever leaves hands its place over, so nobody can slip in between.
            await withCheckedContinuation { waiting.append($0) }
        }
        isTaken = true
    }

    func leave() {
        if waiting.isEmpty {
            isTaken = false
        } else {
            waiting.removeFirst().resume()
        }
    }
}
