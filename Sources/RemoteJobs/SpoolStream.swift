import LinuxSystem
import SSH

/// Reads a growing file of a spool on a channel of its own, for targets on which no program reads a piece of a file: all
/// of it comes, as often as it has grown, and what is known already is thrown away. Runs on the SSH loop.
@SSHActor final class SpoolStream {
    private let path: String
    private let target: Target
    private var script: RemoteScript?
    /// What has come and is still to be given out.
    private var buffer: [UInt8] = []
    /// Where in the file that begins.
    private var position: Int64 = 0
    /// Bytes in front of it that still come.
    private var known: Int64 = 0
    /// When the file was read from its beginning last.
    private var lastStart: Int64 = 0

    /// Bytes a second that may come once more. Origin: a link of some megabits has room for other things beside it.
    private static let rate = 256.0 * 1024
    /// Seconds. Origin: whoever watches a job's output bears so much.
    private static let longestRest = 10.0

    init(_ path: String, on target: Target) {
        self.path = path
        self.target = target
    }

    /// Up to `count` bytes at an offset; empty at the present end.
    func read(at offset: Int64, count: Int) async throws(SSHError) -> [UInt8] {
        if script == nil || position != offset {
            close()
            guard try await hasGrown(beyond: offset) else { return [] }
            try await open(at: offset)
        }
        while buffer.isEmpty {
            guard let bytes = try await script?.read() else {
                close()
                return []
            }
            let again = Int(min(known, Int64(bytes.count)))
            known -= Int64(again)
            buffer = Array(bytes.dropFirst(again))
        }
        let piece = Array(buffer.prefix(count))
        buffer.removeFirst(piece.count)
        position += Int64(piece.count)
        return piece
    }

    func close() {
        script?.close()
        script = nil
        buffer = []
    }

    /// The usual question of who polls costs no channel.
    private func hasGrown(beyond offset: Int64) async throws(SSHError) -> Bool {
        let text = try await target.dispatcher.run("wc -c <\(shellWord(path))").text
        return Int64(text.filter { !$0.isWhitespace }).map { $0 > offset } ?? true
    }

    private func open(at offset: Int64) async throws(SSHError) {
        let reader = target.reader
        position = offset
        known = reader.hasOffsets ? 0 : offset
        let rest = min(Self.longestRest, Double(known) / Self.rate)
        let left = rest - Double(Clock.boottimeNanoseconds() - lastStart) / 1e9
        if left > 0 { try? await Task.sleep(for: .seconds(left)) }
        if Task.isCancelled { throw SSHError(.closed, "the stream is not waited for any more") }
        lastStart = Clock.boottimeNanoseconds()
        let text = Array("exec 2>/dev/null; exec ".utf8) + reader.command(Array(path.utf8), from: offset, block: 1)
        let script: RemoteScript
        do { script = try await target.transferLine(isBulk: false).start(text) } catch let error as SSHError {
            throw error
        } catch {
            throw SSHError(.closed, "the target's files cannot be read: \(error)")
        }
        script.endInput()
        self.script = script
    }
}
