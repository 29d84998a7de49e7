import EventLog
import Glibc
import Hashing
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Files of a small device, by every way that such a one has, over a link that breaks in the middle of it.
@Suite(
    .serialized, .enabled(if: DropbearServer.isSmallAvailable, "needs root, dropbear and BusyBox"),
    .timeLimit(.minutes(6)))
struct SmallTargetFaultTests {
    enum Way: Sendable, CaseIterable {
        case tar, dd, tail, scp

        var missing: Set<String> {
            switch self {
            case .tar: []
            case .dd: ["tar"]
            case .tail: ["tar", "dd"]
            case .scp: ["tar", "dd", "tail"]
            }
        }

        /// As it stands in events.
        var method: String { [.dd, .tail].contains(self) ? "exec" : self == .tar ? "tar" : "scp" }
    }

    enum Break: Sendable, CaseIterable { case link, interrupted, killed, swapped }

    /// A small device behind a link that can fail, and a folder there: of one large file, or of many for an archive.
    private struct Bench {
        let fixture: RunFixture
        let link: FlakyLink
        let folder: String
        let contents: [String: [UInt8]]

        /// - Parameter keepalive: seconds, until a link that is silent for three times as long is taken for lost.
        static func with(
            _ way: Way, keepalive: Double = 0.2, _ body: (Bench, RunDirectory) async throws -> Void
        ) async throws {
            let small = try await DropbearServer.startSmall(without: way.missing, with: way == .scp ? ["scp"] : [])
            let link = try FlakyLink(to: small.port)
            let known = String(decoding: try FileSystem.read(small.knownHosts), as: UTF8.self)
            let key = known.split(separator: " ", maxSplits: 1)[1]
            let scratch = try ScratchDirectory()
            try scratch.write("known_hosts", "[127.0.0.1]:\(link.port) \(key)")
            let connection = [
                "host": "\"127.0.0.1\"", "port": "\(link.port)", "user": "\"\(small.user)\"",
                "key_file": "\"\(small.clientKey)\"", "known_hosts": "\"\(scratch.path("known_hosts"))\"",
                "spool_dir": "\"\(small.scratch.path("spool"))\"", "keepalive": "\(keepalive)",
            ]
            let fixture = RunFixture(
                server: try await SSHServer.start(.init()), scratch: scratch, connection: connection)
            try fixture.write("actions: {hello: {commands: [\"echo hello\"]}}")
            let bytes = testBytes(6_000_000)
            var contents = ["big": bytes]
            if way == .tar {
                contents = [:]
                for number in 0..<12 { contents["f\(number)"] = Array(bytes[(number * 500_000)...].prefix(500_000)) }
            }
            for (name, bytes) in contents { try scratch.write("tree/\(name)", bytes: bytes) }
            let bench = Bench(fixture: fixture, link: link, folder: scratch.path("tree"), contents: contents)
            try await fixture.use { try await body(bench, try await $0.start()) }
            try await small.stop()
        }

        /// What a file is by then.
        func other(_ name: String) -> [UInt8] { (contents[name] ?? []).reversed() }

        /// Carries on as the break asks for.
        /// - Parameter command: that was under way, its arguments.
        func goOn(after cut: Break, _ running: RunningCommand, _ run: RunDirectory, _ command: [String]) async throws {
            switch cut {
            case .link: break
            case .swapped: for name in contents.keys { try fixture.scratch.write("tree/\(name)", bytes: other(name)) }
            case .interrupted:
                running.signal(SIGINT)
                #expect(try await running.wait().status == 130)
            case .killed:
                try await fixture.killSupervisor(of: run)
                #expect(try await running.wait().status == 79)
            }
            link.fail(.reset)
            link.restore()
            switch cut {
            case .link, .swapped:
                let result = try await running.wait()
                #expect(result.status == 0, "\(result.errorText)")
            case .killed:
                try await fixture.expect(0, "run", "resume")
                let result = try await fixture.ecr(command)
                #expect(result.status == 0, "\(result.errorText)")
            case .interrupted:
                let result = try await fixture.ecr(command)
                #expect(result.status == 0, "\(result.errorText)")
            }
        }
    }

    /// dropbear (2022.83) closes a channel whose program was not asked for yet when another one's ends, and dies of the
    /// request that follows.
    @Test func theServerOutlivesManyChannels() async throws {
        try await Bench.with(.dd, keepalive: 60) { bench, run in
            bench.link.delay(.milliseconds(15))
            for number in 0..<24 { try bench.fixture.scratch.write("many/\(number)", "content \(number)") }
            let many = bench.fixture.scratch.path("many")
            let pull = try bench.fixture.background("run", "pull", many)
            let push = try bench.fixture.background("run", "push", "many", "\(many)-2")
            #expect(try await pull.wait().status == 0)
            #expect(try await push.wait().status == 0)
            #expect(try run.events(.connectionLost).isEmpty)
            #expect(try run.events(.artifactPulled).count == 24 && run.events(.uploaded).count == 24)
            #expect(try run.events(.uploaded).allSatisfy { $0.data["method"] == "exec" })
            bench.link.delay(.zero)
        }
    }

    /// Every way, and every break.
    private static let pulls: [(Way, Break)] =
        Way.allCases.map { ($0, .link) } + [
            (.tar, .killed), (.tar, .swapped), (.dd, .interrupted), (.dd, .swapped), (.tail, .killed),
            (.scp, .interrupted),
        ]
    private static let pushes: [(Way, Break)] =
        Way.allCases.map { ($0, .link) } + [(.tar, .interrupted), (.dd, .killed), (.scp, .interrupted)]

    @Test(arguments: pulls) func aPullThatIsCutGoesOn(_ way: Way, _ cut: Break) async throws {
        try await Bench.with(way) { bench, run in
            bench.link.fail(.stall, after: 3_000_000, .toClient)
            let command = ["run", "pull", bench.folder]
            let pull = try bench.fixture.background("run", "pull", bench.folder)
            try await bench.fixture.wait(for: "the stall") { !bench.link.isArmed }
            try await bench.goOn(after: cut, pull, run, command)
            // Of a command that is typed again, what counts is the last word on each file.
            var last: [String: JSONObject] = [:]
            for event in try run.events(.artifactPulled) {
                let name = FileSystem.name(of: event.data["remote"]?.string ?? "")
                last[name] = event.data
            }
            #expect(last.keys.sorted() == bench.contents.keys.sorted())
            for (name, artifact) in last {
                let bytes = try FileSystem.read("\(run.path)/\(artifact["path"]?.string ?? "")")
                // Files of an archive that were here before the break are what they were.
                let isOld = bytes == bench.contents[name] && (cut != .swapped || way == .tar)
                #expect(isOld || cut == .swapped && bytes == bench.other(name), "\(name)")
                #expect(artifact["sha256"]?.string == SHA256.hexDigest(of: bytes))
                #expect(artifact["remote_sha256"] == artifact["sha256"])
                let method = artifact["method"]?.string
                #expect(
                    method == way.method || way == .tar && ["exec", "unchanged"].contains(method), "\(method ?? "")")
                let isResumed = (artifact["resumed_at"]?.int ?? 0) > 500_000
                #expect(isResumed == ([.dd, .tail].contains(way) && cut != .swapped), "\(artifact)")
            }
            try await bench.fixture.expect(0, "run", "complete")
            #expect(run.partsFolders.isEmpty)
            try await bench.fixture.expect(0, "verify", run.path)
        }
    }

    @Test(arguments: pushes) func aPushThatIsCutGoesOn(_ way: Way, _ cut: Break) async throws {
        try await Bench.with(way) { bench, run in
            let work = bench.fixture.scratch.path("work")
            bench.link.fail(.stall, after: 3_000_000, .toServer)
            let command = ["run", "push", "tree", "\(work)/tree"]
            let push = try bench.fixture.background("run", "push", "tree", "\(work)/tree")
            try await bench.fixture.wait(for: "the stall") { !bench.link.isArmed }
            try await bench.goOn(after: cut, push, run, command)
            for (name, bytes) in bench.contents { #expect(try FileSystem.read("\(work)/tree/\(name)") == bytes) }
            let sent = try run.events(.uploaded).map(\.data)
            #expect(Set(sent.compactMap { $0["remote"]?.string }).count == bench.contents.count)
            for one in sent {
                // Without `dd` nothing is written from an offset on: `scp`, or `cat` where that is not there either.
                let method = one["method"]?.string
                #expect(
                    method == way.method || way == .tar && ["exec", "unchanged"].contains(method), "\(method ?? "")")
                #expect((one["resumed_at"]?.int ?? 0 > 0) == (way == .dd), "\(one)")
                #expect(one["remote_sha256"] == one["sha256"])
            }
            try await bench.fixture.expect(0, "run", "complete")
            #expect(try FileSystem.list("\(work)/tree") == bench.contents.keys.sorted())
        }
    }
}
