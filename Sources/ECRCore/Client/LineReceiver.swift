import Glibc
import LinuxSystem

/// Lines from a pipe or socket. Owned by one caller, which it blocks.
struct LineReceiver: ~Copyable {
    private let file: File
    private let interrupt: InterruptSignal?
    private var buffer: [UInt8] = []
    private var start = 0

    init(_ file: File, interrupt: InterruptSignal?) {
        self.file = file
        self.interrupt = interrupt
    }

    enum Item {
        /// Without its newline.
        case line([UInt8])
        case interrupt(ExitCode)
        case end
    }

    /// Waits for the next line, a signal, or the end.
    mutating func next() throws(SystemError) -> Item {
        var searched = start
        while true {
            if let newline = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = newline + 1 }
                return .line(Array(buffer[start..<newline]))
            }
            buffer.removeFirst(start)
            start = 0
            searched = buffer.count
            if let code = try InterruptSignal.wait(for: file.descriptor, or: interrupt) { return .interrupt(code) }
            guard try fill() else { return .end }
        }
    }

    /// False at the end. A peer that died with our words unread resets the connection: that is an end, too.
    private mutating func fill() throws(SystemError) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count: Int
        do {
            count = try check("read", path: file.path) { read(file.descriptor, &chunk, chunk.count) }
        } catch  where error.code == ECONNRESET { return false }
        buffer += chunk.prefix(count)
        return count > 0
    }
}
