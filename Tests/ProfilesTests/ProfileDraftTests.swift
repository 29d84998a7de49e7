import Profiles
import Testing

/// Profiles that ecr writes are profiles that ecr reads.
@Suite struct ProfileDraftTests {
    @Test func theTemplateIsValid() throws {
        let profile = try parse(ProfileDraft(name: "board", host: "192.168.1.100", port: nil, user: "root").text)
        #expect(profile.warnings == [])
        #expect(profile.name == "board")
        #expect(profile.setup == ["snapshot"])
        #expect(profile.collectors.map(\.name) == ["load", "memory", "disk"])
    }

    @Test func whatATargetSaysOfItselfIsOnlyAComment() throws {
        var draft = ProfileDraft(name: "board", host: "fe80::1", port: 2222, user: "me")
        let hostile = "x\nactions: {evil: {commands: [\"rm -rf /\"]}}\n# \u{1B}[31m \u{202E} \"quoted\" {a}"
        draft.description = hostile
        draft.origin = [hostile]
        draft.spoolNote = hostile
        draft.hostKey = "SHA256:" + String(repeating: "A", count: 43)
        draft.samplers = [
            .init("a", "cat \"/x\" {{b}}, # c", .interval("1s"), hostile, evidence: hostile),
            .init("b", "tegrastats", .stream, "p", isManual: true),
        ]
        draft.keepsTimeouts = false
        draft.pullsFiles = false
        let text = draft.text
        let profile = try parse(text)
        #expect(profile.actions.map(\.name) == ["snapshot", "measure"])
        #expect(profile.collectors.map(\.name) == ["a", "b"])
        #expect(profile.collectors[0].command?.text == "cat \"/x\" {{b}}, # c")
        #expect(profile.collectors[1].start == .manual)
        #expect(profile.connection.port == 2222 && profile.connection.host == "fe80::1")
        #expect(profile.connection.hostKey == nil)
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value != 0x202E })
    }

    @Test func withoutAnySampler() throws {
        var draft = ProfileDraft(name: "board", host: "h", port: nil, user: "u")
        draft.samplers = []
        draft.snapshots = []
        #expect(try parse(draft.text).collectors.isEmpty)
    }

    /// `profile show` prints a profile.
    @Test(arguments: Shell.names(in: ShippedProfileTests.directory)) func shownProfilesAreProfiles(file: String) throws
    {
        let profile = try Profile.parse(Shell.read(ShippedProfileTests.directory + "/" + file), file: file)
        #expect(try parse(profile.text).resolved == profile.resolved)
    }

    @Test func everythingThatAProfileCanSayIsShown() throws {
        let profile = try parse(
            """
            name: all
            description: "a: b # c"
            connection:
              host: h
              port: 2222
              keepalive: 500ms
              spool_dir: "/a b"
              env: {A: "x y", B: "1"}
              reconnect: {give_up_after: 5m}
            parameters:
              n: {type: int, default: 4, choices: [4, 5]}
              f: {type: float, min: 0.5, max: 2}
              t: {default: "yes\\n", allow: [newline, leading_dash]}
              bare:
            setup: [a]
            actions:
              a:
                commands: ["echo {n} {f} {t} {bare} ${HOME} {{x}}", "a\\nb\\n"]
                workdir: "/tmp/{n}"
                env: {C: "{n}"}
                artifacts: [/x, {path: "/y/*", required: true}]
                timeout: 1.5
                retries: 2
                retry_on: [unknown]
            background_collectors:
              c: {command: "uptime", interval: 250ms, start: manual, while_paused: true, env: {D: "e"}}
              s: {stream: "cat -", description: "s"}
            stages: [{name: w, actions: [a]}]
            finally: [a]
            """)
        #expect(try parse(profile.text).resolved == profile.resolved)
    }
}
