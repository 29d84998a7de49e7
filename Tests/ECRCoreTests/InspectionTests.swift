import JSON
import LinuxSystem

import SSH
import Testing

@testable import ECRCore
@testable import RemoteJobs

/// What findings say of what was found; the looking itself is tested against real servers.
@Suite struct InspectionTests {
    private func clock(_ offset: Double?, _ uncertainty: Double = 0.001) -> Finding {
        let options = SSHOptions(host: "board", port: 2222, user: "me", knownHostsFile: "/none")
        let reading = ClockReading(
            offset: offset, uncertainty: uncertainty, roundTrip: 0.0025, boottimeZero: 0, targetUptime: 1)
        return ClockFinding.finding(reading, options)
    }

    @Test func aClockIsWarnedOfAboveASecond() {
        #expect(clock(0.9).state == .ok)
        #expect(clock(-0.9).message == "0.900 s behind this machine's, ±0.001 s; round trip 2.500 ms")
        #expect(clock(1.1).state == .warning)
        #expect(clock(-1.1).state == .warning)
        #expect(clock(-8e8).hint == "set it: ssh -p 2222 me@board \"date -u -s @$(date +%s)\", as root")
        #expect(clock(nil).state == .warning)
    }

    @Test func whatIsMissingIsSaidWithWhatSuffers() {
        let all: Set = ["setsid", "timeout", "stdbuf", "tar", "dd", "sha256sum", "base64", "fractional-sleep"]
        #expect(ToolFindings.tools(all, hasSFTP: true).map(\.state) == [.ok])
        let few = ToolFindings.tools(["dd"], hasSFTP: false)
        #expect(few.map(\.check) == ["tools", "setsid", "timeout", "stdbuf", "sha256sum", "fractional-sleep"])
        #expect(few.dropFirst().allSatisfy { $0.state == .warning && $0.hint != nil })
        #expect(ToolFindings.tools([], hasSFTP: true)[0].message.contains("not needed: tar, base64, dd"))
        for (tools, program) in [([], "cat"), (["tail"], "tail"), (["tail", "dd"], "dd")] as [(Set<String>, String)] {
            let finding = ToolFindings.sftp(hasSFTP: false, channels: 3, tools: tools)
            #expect(finding.state == .warning && finding.message.contains("fetched by \(program), "))
            #expect(finding.details["fallback"]?.string == program)
        }
    }

    private func spool(_ lines: String, storage: Storage = .disk) throws -> [Finding] {
        let place = try #require(SpoolPlace(lines: ("place /s\n" + lines).split(separator: "\n")))
        return SpoolFindings(
            place: place, mount: nil, storage: storage, block: nil,
            controller: ControllerIdentity(id: "c0ffee", name: "me@laptop"), reference: "board"
        ).all
    }

    @Test func whoHoldsTheLock() throws {
        func lock(_ line: String) throws -> Finding { try spool(line)[1] }
        #expect(try lock("").state == .ok)
        #expect(try lock("lock lock 1 c0ffee me@laptop 2026-01-27T14:30:52Z end").state == .ok)
        let other = try lock("run\nlock lock 1 abcd you@bench 2026-01-27T14:30:52Z end")
        #expect(other.state == .failed)
        #expect(
            other.message
                == "held by you@bench since 2026-01-27 14:30:52 UTC, 1 spool: no run can start from here")
        #expect(try lock("lock lock 1 abcd you@be").state == .failed)
        // Another format is none: a run would take the place over, too.
        #expect(try lock("lock something else").state == .ok)
    }

    @Test func howMuchRoomThereIs() throws {
        func room(_ kib: Int64, inodes: String = "5000") throws -> Finding.State {
            try spool(
                """
                kib /dev/my disk 100000 5 \(kib) 1% /mnt/my disk
                inodes /dev/my disk 9000 5 \(inodes) 1% /
                """)[2].state
        }
        #expect(try room(1 << 20) == .ok)
        #expect(try room(63 << 10) == .warning)
        #expect(try room(100) == .failed)
        #expect(try room(1 << 20, inodes: "12") == .warning)
        // btrfs counts none.
        #expect(try room(1 << 20, inodes: "0") == .ok)
        #expect(try spool("")[2].state == .warning)
    }

    @Test func whatSurvivesAReboot() throws {
        #expect(try spool("", storage: .memory)[0].state == .warning)
        #expect(try spool("", storage: .unknown)[0].state == .warning)
        #expect(try spool("", storage: .flash)[0].message.contains("flash"))
        #expect(try spool("", storage: .flash)[0].state == .ok)
    }

    @Test func whatBecameOfTheJobThatWasLeft() {
        #expect(DisconnectionFinding.finding(.running, hasSystemd: true).state == .ok)
        let killed = DisconnectionFinding.finding(.vanished, hasSystemd: true)
        #expect(killed.state == .failed)
        #expect(killed.hint?.contains("KillUserProcesses=no") == true)
        #expect(DisconnectionFinding.finding(.vanished, hasSystemd: false).hint?.contains("logind") == false)
        #expect(DisconnectionFinding.finding(.rebooted, hasSystemd: false).message.contains("rebooted"))
    }

    @Test func aFailedConnectionTellsHowFarItCame() {
        func checks(_ code: SSHError.Code) -> [String] {
            ConnectionFindings.failed(SSHError(code, "m")).map { "\($0.check) \($0.state.rawValue)" }
        }
        #expect(checks(.unreachable) == ["reachable failed"])
        #expect(checks(.hostKeyChanged) == ["reachable ok", "host key failed"])
        #expect(checks(.authenticationFailed) == ["reachable ok", "host key ok", "login failed"])
        #expect(checks(.noCommonAlgorithm(.kex)) == ["reachable ok", "algorithms failed"])
        #expect(checks(.connectionLost) == ["link failed"])
    }
}
