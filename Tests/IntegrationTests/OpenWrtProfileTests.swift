import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Profiles/openwrt.yaml against what it is for: dropbear and BusyBox, and no SFTP server.
@Suite(.enabled(if: DropbearServer.isAvailable)) struct OpenWrtProfileTests {
    private static let profile =
        "\(#filePath)".split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/Profiles/openwrt.yaml"

    /// Tools that only a router has; the actions need them.
    private static let routersOwn: Set<String> = ["throughput", "wifi_scan"]

    @Test func itRunsOnASmallDevice() async throws {
        let server = try await DropbearServer.startSmall(without: [])
        let scratch = try ScratchDirectory()
        try scratch.write("openwrt.yaml", try adapted(to: server))
        @discardableResult func ecr(_ arguments: [String]) async throws -> CommandResult {
            try await Command.runSuccessfully(
                try BuiltProducts.ecr(), arguments, environment: ["ECR_RUN": nil, "ECR_RUNS_DIR": nil],
                workingDirectory: scratch.path)
        }

        let started = try await ecr(["run", "start", "openwrt.yaml", "--no-input"])
        let run = RunDirectory(path: scratch.path("runs/\(started.outputText.dropLast())"))
        do {
            #expect(try run.state().facts["sftp"]?.bool == false)
            let actions = try JSON(parsing: FileSystem.read(run.profileResolved))["actions"]?.object?.members.map(\.key)
            for name in try #require(actions) where !Self.routersOwn.contains(name) {
                let result = try await ecr(["run", "action", name] + (name == "ping" ? ["-p", "count=2"] : []))
                #expect(!result.output.isEmpty, "\(name)")
            }
            try await waitForSamples(of: run)
            let end = try await ecr(["run", "complete"])
            #expect(end.errorText.contains("complete: 100 %"))
        } catch {
            _ = try? await ecr(["run", "abort"])
            throw error
        }
        try await server.stop()

        // In the words of BusyBox's ping.
        let ping = try #require(try run.state().jobs.first { $0.name == "ping" })
        #expect(try run.text(ping.id).contains("2 packets transmitted, 2 packets received"))
        for row in try run.events(.collectorOutput).flatMap({ $0.data["rows"]?.array ?? [] }) {
            #expect(row["exit"]?.int == 0 && row["text"]?.string?.isEmpty == false, "\(row.text)")
        }
        #expect(try run.events(.artifactPullFailed).isEmpty)
    }

    /// The profile with the address of a server in place of the router's, and nothing else changed.
    private func adapted(to server: DropbearServer) throws -> String {
        var text = String(decoding: try FileSystem.read(Self.profile), as: UTF8.self)
        let changes = [
            (
                "host: \"192.168.1.1\"",
                "host: \"\(server.host)\"\n  port: \(server.port)\n  key_file: \"\(server.clientKey)\"\n"
                    + "  known_hosts: \"\(server.knownHosts)\""
            ),
            ("user: \"root\"", "user: \"\(server.user)\""),
            ("spool_dir: \"/tmp/ecr\"", "spool_dir: \"\(server.scratch.path("spool"))\""),
        ]
        for (old, new) in changes {
            let parts = text.split(separator: old, omittingEmptySubsequences: false)
            try #require(parts.count == 2, "\(old)")
            text = parts.joined(separator: new)
        }
        return text
    }

    /// Every collector has sampled.
    private func waitForSamples(of run: RunDirectory) async throws {
        for _ in 0..<1500 {
            let collectors = try run.state().jobs.filter { $0.kind == .collector }
            if collectors.count == 5, collectors.allSatisfy({ $0.samples > 0 }) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("a collector has no sample after 30 s")
    }
}
