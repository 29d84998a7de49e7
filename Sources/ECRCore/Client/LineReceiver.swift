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
        /// Nothing came for a while.
        case tick
        case end
    }

    /// Waits for the next line, a signal, or the end.
    /// - Parameter milliseconds: after which a `tick` is returned; -1 for never.
    mutating func next(within milliseconds: Int32 = -1) throws(SystemError) -> Item {
        var searched = start
        while true {
            if let newline = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = newline + 1 }
                return .line(Array(buffer[start..<newline]))
            }
            buffer.removeFirst(start)
            start = 0
            searched = buffer.count
            switch try InterruptSignal.wait(for: file.descriptor, or: interrupt, milliseconds: milliseconds) {
            case .signal(let code): return .interrupt(code)
            case .timeout: return .tick
            case .readable: break
            }
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
