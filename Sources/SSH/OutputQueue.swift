/// Output that has come but was not read, with the marks at which the server is held back and let go on.
struct OutputQueue {
    private var items: [SSHChannel.Output] = []
    /// Items before it were taken.
    private var head = 0
    private var bytes = 0

    /// Origin: about the size of libssh's receive window, so that a slow reader costs at most twice as much.
    private static let high = 1 << 20

    var isEmpty: Bool { head == items.count }
    var isFull: Bool { bytes >= OutputQueue.high }
    var isLow: Bool { bytes < OutputQueue.high / 4 }

    mutating func append(_ output: SSHChannel.Output) {
        items.append(output)
        bytes += output.count
    }

    mutating func removeFirst() -> SSHChannel.Output? {
        guard head < items.count else { return nil }
        let output = items[head]
        items[head] = .stdout([])
        head += 1
        bytes -= output.count
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
        } else if head == 64 {
            items.removeFirst(head)
            head = 0
        }
        return output
    }
}
