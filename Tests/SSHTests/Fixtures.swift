import LinuxSystem
import SSH
import Synchronization
import TestSupport

extension SSHTestServer {
    /// Options that reach this server with its own key and known_hosts file.
    var options: SSHOptions {
        SSHOptions(host: host, port: port, user: user, keyFile: clientKey, knownHostsFile: knownHosts, timeout: 20)
    }
}

/// A remote command's whole output and end.
struct RemoteResult: Equatable {
    var output: [UInt8] = []
    var error: [UInt8] = []
    var exit: ChannelExit?

    var outputText: String { String(decoding: output, as: UTF8.self) }
    var errorText: String { String(decoding: error, as: UTF8.self) }
}

extension SSHChannel {
    /// Reads to the channel's end.
    func readToEnd() async throws(SSHError) -> RemoteResult {
        var result = RemoteResult()
        while let output = try await read() {
            switch output {
            case .stdout(let bytes): result.output += bytes
            case .stderr(let bytes): result.error += bytes
            }
        }
        result.exit = exit
        return result
    }
}

extension SSHSession {
    /// Runs a command to its end.
    func run(_ command: String, input: [UInt8] = []) async throws(SSHError) -> RemoteResult {
        let channel = try await openExec(command)
        if !input.isEmpty { try await channel.write(input) }
        channel.sendEOF()
        return try await channel.readToEnd()
    }
}

/// Answers prompts with given words, then with none, and remembers what was asked.
final class Person: Sendable {
    private let state: Mutex<(answers: [String?], prompts: [SSHPrompt])>

    init(_ answers: String?...) { state = Mutex((answers, [])) }

    var prompts: [SSHPrompt] { state.withLock { $0.prompts } }

    var ask: SSHAsk {
        { [self] prompt in
            state.withLock { state in
                state.prompts.append(prompt)
                return state.answers.isEmpty ? nil : state.answers.removeFirst()
            }
        }
    }
}
