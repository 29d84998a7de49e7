package import SSH

/// The channel of a job without a spool: its output comes as it is written, and waits in the job's pipes while nobody
/// reads. Runs on the SSH loop.
@SSHActor package final class AttachedJob {
    /// What has come at one time.
    package struct Piece: Sendable {
        package var stdout: [UInt8] = []
        package var stderr: [UInt8] = []
        var count: Int { stdout.count + stderr.count }
    }

    private let channel: SSHChannel
    private let marker: Prelude.Marker
    private var stdout: Prelude
    private var stderr: Prelude
    private var pieces = 0
    private var isWaiting = false

    /// Origin: a piece costs a sync of the disk; so large, it is a small part of the cost of its bytes.
    private static let largest = 256 << 10

    /// Opens the channel; nothing of the job runs yet.
    /// - Throws: `channelRefused` where the server allows no further one.
    package static func open(on target: Target) async throws(SSHError) -> AttachedJob {
        AttachedJob(try await target.session.openExec("exec sh"))
    }

    private init(_ channel: SSHChannel) {
        self.channel = channel
        marker = Prelude.Marker()
        stdout = Prelude(marker)
        stderr = Prelude(marker)
    }

    /// How the channel's shell ended; nil before its end, or where the server does not say.
    package var exit: ChannelExit? { channel.exit }

    /// Starts the job. The shell text comes by stdin, as the dispatcher's does, and the job's own is empty.
    package func start(_ request: JobRequest, on target: Target) async throws(SSHError) {
        let text = """
            \(JobProtocol.library)
            \(marker.print); \(marker.print) >&2
            \(request.call("ecr_attach", tools: target.facts.tools))

            """
        try await channel.write(Array(text.utf8))
        channel.sendEOF()
    }

    /// Waits for output, and takes what else is there; nil at the end.
    package func read() async throws(SSHError) -> Piece? {
        while true {
            isWaiting = true
            let first = try await channel.read()
            isWaiting = false
            guard let first else { return nil }
            pieces += 1
            var piece = Piece()
            add(first, to: &piece)
            while piece.count < Self.largest, let more = channel.readNow() { add(more, to: &piece) }
            if piece.count > 0 { return piece }
        }
    }

    private func add(_ output: SSHChannel.Output, to piece: inout Piece) {
        switch output {
        case .stdout(let bytes): piece.stdout += stdout.rest(of: bytes)
        case .stderr(let bytes): piece.stderr += stderr.rest(of: bytes)
        }
    }

    /// Ends the channel once nothing comes any more for a second: what a job has left running may hold it open for ever.
    package func closeWhenQuiet() async {
        while true {
            let before = pieces
            try? await Task.sleep(for: .seconds(1))
            if Task.isCancelled { return }
            if isWaiting && pieces == before { return channel.close() }
        }
    }

    package func close() { channel.close() }
}
