import Glibc
import LinuxSystem
import SSH
import TestSupport
import Testing

@testable import RemoteJobs

/// Programs of a target that say what an honest one never would: what comes of it is an error or the bytes of one file, in
/// its place alone, and soon.
@Suite(.serialized, .timeLimit(.minutes(1))) struct LyingTargetTests {
    /// `scp -f -- …/NAME` and `scp -t -- …/NAME` do as NAME says; `dd` to a place of that name prints without end.
    private static let programs = [
        "scp": #"""
        finish() { cat >/dev/null; exit; }
        case $1-${3##*/} in
        -f-paths) printf 'C0644 5 /../../../escaped\ntext\n\0'; finish;;
        -f-times) printf 'T1 0 1 0\nC0644 5 f\ntext\n\0'; finish;;
        -f-negative) printf 'C0644 -5 f\ntext\n\0'; finish;;
        -f-beyond) printf 'C0644 99999999999999999999 f\n'; exec cat /dev/zero;;
        -f-enormous) printf 'C0644 18446744073709551615 f\ntext\n'; exec cat /dev/zero;;
        -f-sizeless) printf 'C0644\n'; finish;;
        -f-line) printf 'C0644 '; exec cat /dev/zero;;
        -f-time-for-ever) yes 'T1 0 1 0';;
        -f-folder) printf 'D0755 0 f\n'; finish;;
        -f-noise) printf 'Welcome!\n'; finish;;
        -f-short) printf 'C0644 5 f\nte';;
        -f-silent) ;;
        -f-long) printf 'C0644 5 f\ntext\nand more\n\0'; finish;;
        -f-for-ever) printf 'C0644 5 f\ntext\n\0'; exec cat /dev/zero;;
        -f-complaint) printf '\001scp: f: \033[2Jred\033[0m\n'; finish;;
        -f-complaint-for-ever) printf '\002'; exec cat /dev/zero;;
        -t-for-ever) printf '\0\0\0'; exec cat /dev/zero;;
        -t-silent) ;;
        -t-complaint) printf '\0\002scp: f: \033[2Jred\n'; finish;;
        -t-noise) printf 'Welcome!\n'; finish;;
        esac
        """#,
        "dd":
            #"for word; do case $word in of=*/for-ever) cat >/dev/null; exec cat /dev/zero;; esac; done; exec /bin/dd "$@""#,
    ]

    private struct Bench {
        let server: SSHServer
        let target: Target
        let line: TransferLine
        let worker = Worker()

        init() async throws {
            let scratch = try ScratchDirectory()
            for (name, text) in programs { try scratch.write("bin/\(name)", "#!/bin/sh\n\(text)\n", mode: 0o755) }
            server = try await SSHServer.start(
                .init(extraLines: ["SetEnv PATH=\(scratch.path("bin")):/usr/bin:/bin"]))
            self.scratch = scratch
            target = try await Target.connect(server.options)
            line = try await target.transferLine(isBulk: true)
            try FileSystem.makeDirectories(parts)
        }

        /// With the programs.
        private let scratch: ScratchDirectory
        var folder: String { server.scratch.path("tree") }
        var parts: String { server.scratch.path("parts") }

        /// Fetches a file of five bytes.
        func fetch(_ name: String) async throws -> ReceivedFile {
            try server.scratch.write("tree/\(name)", "TEXT\n")
            let file = try #require(try await line.expand(globLiteral("\(folder)/\(name)"), base: nil).files.first)
            return try await FileTransfer(over: line, by: .scp, worker: worker).fetch(file, to: "\(parts)/p")
        }

        func send(_ method: TransferMethod, to name: String) async throws {
            let path = try server.scratch.write("here", "TEXT\n")
            let file = try #require(try UploadTree(path).files.first)
            _ = try await FileUpload(over: line, by: method, worker: worker).send(
                file, to: Array("\(folder)/\(name)".utf8), mayResume: false)
        }
    }

    @Test func whatSCPSaysIsTheBytesOfOneFileOrAnError() async throws {
        let bench = try await Bench()
        for name in ["paths", "times"] {
            let received = try await bench.fetch(name)
            #expect(try FileSystem.read(received.part) == Array("text\n".utf8))
            #expect(received.change == nil)
        }
        // As much as was there, and no end is waited for.
        let enormous = try await bench.fetch("enormous")
        #expect(try enormous.change == .grown && FileSystem.read(enormous.part) == Array("text\n".utf8))

        for (name, reason) in [
            ("negative", "scp on the target has sent no size"), ("beyond", "scp on the target has sent no size"),
            ("sizeless", "scp on the target has sent no size"),
            ("line", "scp on the target has sent a line without an end"),
            ("time-for-ever", "scp on the target sends times and no file"),
            ("noise", "what scp on the target says is not its protocol"),
            ("long", "scp on the target has sent more than it had said"),
            ("for-ever", "what moves files on the target prints on and on behind their end"),
            ("complaint-for-ever", "scp on the target has sent a line without an end"),
            ("folder", "not a regular file"), ("short", "scp on the target has ended before the file"),
            ("silent", "scp on the target has ended before the file"), ("complaint", "\u{1B}[2Jred\u{1B}[0m"),
        ] {
            let failure = await #expect(throws: TransferFailure.self, "\(name)") { try await bench.fetch(name) }
            #expect(failure?.reason == reason, "\(name)")
        }
        #expect(try FileSystem.list(bench.parts) == ["p"])
        #expect(try FileSystem.read("\(bench.parts)/p").count <= 5)
        #expect(await bench.line.session.isConnected)
        await bench.target.close()
    }

    @Test func whateverATargetSaysToAnUploadItEnds() async throws {
        let bench = try await Bench()
        for (method, name) in [(TransferMethod.scp, "for-ever"), (.exec, "for-ever")] {
            let error = await #expect(throws: SSHError.self) { try await bench.send(method, to: name) }
            #expect(error?.message == "what moves files on the target prints on and on behind their end")
        }
        for (name, reason) in [
            ("silent", "scp on the target has ended before the file"), ("complaint", "\u{1B}[2Jred"),
            ("noise", "elcome!"),
        ] {
            let failure = await #expect(throws: TransferFailure.self) { try await bench.send(.scp, to: name) }
            #expect(failure?.reason == reason)
        }
        #expect(try FileSystem.list(bench.folder) == [])
        await bench.target.close()
    }
}
