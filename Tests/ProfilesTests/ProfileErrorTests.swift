import Profiles
import Testing
import YAML

@Suite struct ProfileErrorTests {
    private let head = "name: n\nconnection: {host: h}\n"

    /// Complaints about one action, whose keys are given in flow style.
    private func action(_ keys: String) -> [String] {
        complaints(head + "actions: {a: {commands: [x], \(keys)}}\n").map(withoutPlace)
    }

    private func collector(_ keys: String) -> [String] {
        complaints(head + "background_collectors: {c: {\(keys)}}\n").map(withoutPlace)
    }

    private func connection(_ keys: String) -> [String] {
        complaints("name: n\nconnection: {\(keys)}\nactions: {a: {commands: [x]}}\n").map(withoutPlace)
    }

    private func parameter(_ keys: String) -> [String] {
        complaints(head + "parameters: {p: {\(keys)}}\nactions: {a: {commands: ['x {p}']}}\n").map(withoutPlace)
    }

    private func withoutPlace(_ complaint: String) -> String {
        complaint.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? complaint
    }

    @Test func reportsEverythingTogetherWithPlaces() throws {
        let text = """
            name: -n
            desciption: x
            conection: {host: h}
            setup: [prepair, 1]
            actions:
              prepare: {commands: [], timeout: soon, sudo: perhaps}
              "bad name": {commands: ["x", "", [y]]}
              none: {}
            background_collectors:
              c: {command: x, interval: 0}
            stages: [{name: s, actions: [prepare]}, {name: s, actions: []}]
            """
        #expect(
            complaints(text) == [
                "1:1: error: the profile has no 'connection'; write 'connection: {host: my-device}'",
                "1:7: error: 'name' cannot be '-n'; write 1 to 64 letters, digits, '_', '.' or '-', the first a letter or digit",
                "2:1: error: unknown key 'desciption' in the profile; did you mean 'description'?",
                "3:1: error: unknown key 'conection' in the profile; did you mean 'connection'?",
                "4:9: error: there is no action 'prepair'; did you mean 'prepare'?",
                "4:18: error: there is no action '1'; actions: prepare, bad name, none",
                "6:23: error: 'commands' is empty; write at least one command, such as [\"uname -a\"]",
                "6:36: error: 'timeout' must be a duration, not the text 'soon'; write a number of seconds, or 500ms, 60s, 5m, 2h",
                "6:48: error: 'sudo' must be true or false, not the text 'perhaps'; write true or false without quotes",
                "7:3: error: an action's name cannot be 'bad name'; write 1 to 64 letters, digits, '_', '.' or '-', the first a letter or digit",
                "7:32: error: a command is empty; write its text, or remove it",
                "7:36: error: a command must be text, not a list; write it in quotes, such as \"abc\"",
                "8:9: error: action 'none' has no 'commands'; write 'commands: [\"uname -a\"]'",
                "10:29: error: 'interval' must be longer than 0; write a duration, such as 60s",
                "11:48: error: the stage 's' occurs twice; give each its own name",
                "11:60: error: a stage needs at least one action; write 'actions: [my-action]'",
            ])
    }

    @Test func showsTheLineAndACaret() {
        do {
            _ = try parse(profile(command: "echo 'é {m}'"))
            Issue.record("accepted")
        } catch {
            #expect(
                error.description == """
                    p.yaml:8:19: error: {m} cannot be substituted inside single quotes; \
                    use "$ECR_PARAM_M" outside of them, or write {{m}} for the text {m}
                              echo 'é {m}'
                                      ^
                    """)
        }
    }

    @Test(arguments: [
        ("`x {m}`", "inside backticks; use \"$ECR_PARAM_M\" or $(...), or write {{m}} for the text {m}"),
        (
            "cat <<E\n{m}\nE",
            "inside a here-document; use \"$ECR_PARAM_M\" without its quotes below an unquoted delimiter, or write {{m}} for the text {m}"
        ),
        (
            "x $(({m}))",
            "inside ((...)); use \"$ECR_PARAM_M\" there only after checking that it is a number, or write {{m}} for the text {m}"
        ),
        ("x # {m}", "inside a comment; use \"$ECR_PARAM_M\" instead, or write {{m}} for the text {m}"),
        ("x \\{m}", "behind a backslash; use \"$ECR_PARAM_M\" instead, or write {{m}} for the text {m}"),
    ])
    func namesTheWayOut(command: String, message: String) {
        #expect(
            complaints(profile(command: command)).map(withoutPlace) == ["error: {m} cannot be substituted " + message])
    }

    @Test func needsSomethingToDo() {
        #expect(
            complaints(head) == [
                "1:1: error: the profile does nothing; write 'actions' or 'background_collectors' with at least one entry"
            ])
        #expect(
            complaints(head + "actions: {}\n") == ["3:10: error: 'actions' is empty; write an action, or remove it"])
        #expect(
            complaints("[a]") == [
                "1:1: error: the profile must be a mapping, not a list; write 'name: value', one a line"
            ])
        #expect(
            complaints(head + "targets: {}\nactions: {a: {commands: [x]}}\n") == [
                "3:1: error: unknown key 'targets' in the profile; this version of ecr knows one target; write 'connection'"
            ])
    }

    @Test func checksConnections() {
        #expect(
            connection(
                "host: h, port: 22, user: u, timeout: 5s, known_hosts: ~/k, keepalive: 10, spool_dir: /x, env: {A: 1}, host_key: \"SHA256:\(String(repeating: "a", count: 43))\""
            ) == [])
        #expect(
            connection("port: 70000") == [
                "error: 'connection' has no 'host'; write 'host: \"192.168.1.100\"'",
                "error: 'port' cannot be 70000; write a number from 1 to 65535",
            ])
        #expect(
            connection("host: -oProxyCommand=x") == [
                "error: 'host' cannot be '-oProxyCommand=x'; write it without blanks and without a leading '-'"
            ])
        #expect(
            connection("host: h, password: x") == [
                "error: a profile holds no password; write 'password: {secret: env:NAME}' for one from the environment, use a key, or type it when asked"
            ])
        #expect(connection("host: h, password: {secret: env:A}, sudo_password: {secret: env:B_1}") == [])
        #expect(
            connection("host: h, sudo_password: {secret: file:x}, env: {T: {secret: env:1A, sectre: x}}") == [
                "error: 'secret' cannot be 'file:x'; write env:NAME for the value of the variable NAME",
                "error: 'secret' cannot be 'env:1A'; write env:NAME for the value of the variable NAME",
                "error: unknown key 'sectre' in 'T'; did you mean 'secret'?",
            ])
        #expect(
            connection("host: h, password: {env: A}") == [
                "error: 'password' has no 'secret'; write 'secret: env:NAME'",
                "error: unknown key 'env' in 'password'; known keys: secret",
            ])
        #expect(
            connection("host: h, host_key: abc") == [
                "error: 'host_key' is no fingerprint; write \"SHA256:\" and 43 characters, as 'ssh-keygen -l' prints them"
            ])
        #expect(connection("host: h, spool_dir: x") == ["error: 'spool_dir' cannot be 'x'; write a path from '/' on"])
        #expect(
            connection("host: h, passphrase: y") == [
                "error: unknown key 'passphrase' in 'connection'; a profile holds no passphrase; load the key into the agent with ssh-add, or type it when asked"
            ])
        #expect(
            connection("host: h, jump: [a, me@b:2222], ssh_config: none, algorithms: {kex: [+a], macs: a, pubkeys: []}")
                == [])
        #expect(
            connection("host: h, proxyjump: j, jump: 'a b', ssh_config: '', algorithms: {kex: [{}], maks: [b]}") == [
                "error: unknown key 'proxyjump' in 'connection'; write 'jump'",
                "error: 'jump' cannot be 'a b'; write it without blanks and without a leading '-'",
                "error: 'ssh_config' is empty; write its text, or remove it",
                "error: each entry of 'kex' must be text, not a mapping; write it in quotes, such as \"abc\"",
                "error: unknown key 'maks' in 'algorithms'; did you mean 'macs'?",
            ])
        #expect(
            connection("host: h, env: {A-B: 1, ECR_X: 2}") == [
                "error: 'A-B' cannot be an environment variable; write letters, digits and '_', no digit first",
                "error: 'ECR_X' belongs to ecr; use a name that does not start with ECR_",
            ])
        #expect(
            connection("host: h, reconnect: {give_up_after: always}") == [
                "error: 'give_up_after' (or never) must be a duration, not the text 'always'; write a number of seconds, or 500ms, 60s, 5m, 2h"
            ])
    }

    @Test func checksActions() {
        #expect(action("workdir: /x, env: {A: '{p}'}, retries: 2, retry_on: [unknown], artifacts: [/x]") == [])
        #expect(action("retries: -1") == ["error: 'retries' cannot be -1; write a number from 0 to 1000"])
        #expect(
            action("retry_on: [failed]") == ["warning: 'retry_on' has no effect without 'retries'; write 'retries: 1'"])
        #expect(
            action("retries: 1, retry_on: [timeot]") == [
                "error: each entry of 'retry_on' must be one of failed, timeout, unknown, not 'timeot'; did you mean 'timeout'?"
            ])
        #expect(action("spool: false, sudo: true, env: {T: {secret: env:T}, U: '{p}'}") == [])
        #expect(
            action("env: {T: {secret: [env:T]}}") == [
                "error: 'secret' must be text, not a list; write it in quotes, such as \"abc\""
            ])
        #expect(
            collector("stream: x, spool: false, sudo: true, env: {T: {secret: env:T}}") == [
                "error: unknown key 'spool' in collector 'c'; a collector's samples always go through a spool; remove it",
                "error: unknown key 'sudo' in collector 'c'; only actions run under sudo; write `sudo -n` in the command, where the target asks for no password",
            ])
        #expect(
            action("stop_if_unreachable: 2s") == [
                "error: 'stop_if_unreachable' must be at least 5s; write 'stop_if_unreachable: 60s'"
            ])
        #expect(action("stop_if_unreachable: 60s") == [])
        #expect(
            action("metrics: {m: {}}") == [
                "error: metric 'm' needs one of 'regex', 'json' and 'csv'; write one of them"
            ])
        for path in ["$ECR_OUT", "$ECR_OUT/a b"] {
            let refusal =
                "error: all of $ECR_OUT is fetched anyway: leave it out; where a file of it must be there, let a command say so: "
                + "test -e \"\(path)\""
            #expect(action("artifacts: ['\(path)', {path: '\(path)', required: true}]") == [refusal, refusal])
        }
        #expect(action("artifacts: [$ECR_OUTPUT/x]") == [])
        #expect(
            action("artifacts: [{allow_old: true}, '']") == [
                "error: an artifact has no 'path'; write 'path: /tmp/results.json'",
                "error: an artifact is empty; write its text, or remove it",
            ])
    }

    @Test func checksNotify() throws {
        func notify(_ text: String) -> [String] {
            complaints("name: n\nconnection: {host: h}\nactions: {a: {commands: [x]}}\nnotify: \(text)").map {
                String($0.drop { $0 != " " }.dropFirst())
            }
        }
        #expect(notify("{on: [connection_lost, run_completed], run: './ping.sh \"$ECR_EVENT\"'}") == [])
        #expect(
            notify("{on: [conection_lost], run: x}") == [
                "error: there is no event type 'conection_lost'; did you mean 'connection_lost'?"
            ])
        #expect(
            notify("{on: [], run: x}") == [
                "error: 'on' is empty; write at least one type of event, such as run_completed"
            ])
        #expect(
            notify("{run: x, command: y}") == [
                "error: 'notify' has no 'on'; write 'on: [connection_lost, run_completed]'",
                "error: unknown key 'command' in 'notify'; known keys: on, run",
            ])
        #expect(
            notify("./ping.sh") == [
                "error: 'notify' must be a mapping, not the text './ping.sh'; write 'name: value', one a line"
            ])
    }

    @Test func checksCollectors() {
        #expect(collector("command: x, interval: 500ms, start: manual, while_paused: true, env: {A: b}") == [])
        #expect(
            collector("command: x, interval: 5, while_paused: false") == [])
        #expect(collector("stream: x, description: d") == [])
        #expect(collector("command: x") == ["error: collector 'c' has no 'interval'; write 'interval: 60s'"])
        #expect(
            collector("interval: 1") == [
                "error: collector 'c' has no command; write 'command' and 'interval', or 'stream', or 'builtin'"
            ])
        #expect(
            collector("command: x, stream: y") == [
                "error: collector 'c' has 'command' and 'stream'; remove one of the two"
            ])
        #expect(
            collector("stream: y, interval: 1, timeout: 2") == [
                "error: a 'stream' runs without end and takes no 'interval'; remove it",
                "error: a 'stream' runs without end and takes no 'timeout'; remove it",
            ])
        #expect(
            collector("stream: y, parse: {}") == [
                "error: 'parse' needs one of 'regex', 'json', 'csv' and 'key_value', and no more than one"
            ])
    }

    @Test func checksParameters() {
        #expect(parameter("type: int, default: 5, min: 1, max: 9, choices: [1, 5]") == [])
        #expect(
            parameter("type: flot") == [
                "error: 'type' must be one of string, int, float, bool, path, words, not 'flot'; did you mean 'float'?"
            ])
        #expect(
            parameter("default: c, choices: [a, b]") == [
                "error: the default must be one of a, b, not 'c'; write another, or change the declaration"
            ])
        #expect(
            parameter("type: int, default: 5.5") == [
                "error: the default must be a whole number, not '5.5'; write another, or change the declaration"
            ])
        #expect(parameter("type: int, min: 3, max: 2") == ["error: 'max' is below 'min'; swap the two"])
        #expect(
            parameter("min: 3") == ["error: 'min' needs a number; write 'type: int' or 'type: float' too, or remove it"]
        )
        #expect(
            parameter("type: float, min: 0.5, choices: [0.1, 1]") == [
                "error: this choice must be at least 0.5, not 0.1; write another, or change the declaration"
            ])
        #expect(
            parameter("pattern: x") == [
                "error: 'pattern' is not supported by this version of ecr; use 'choices', or remove it"
            ])
        #expect(parameter("choices: []") == ["error: 'choices' is empty; write at least one, or remove it"])
        #expect(
            parameter("default: -x") == [
                "error: the default must not start with '-', as '-x' does (its declaration may say 'allow: [leading_dash]'); write another, or change the declaration"
            ])
        #expect(parameter("default: -x, allow: [leading_dash]") == [])
    }

    @Test func checksTheUseOfParameters() {
        let actions = "actions: {a: {commands: ['x'], env: {A: '{used}', B: '$ECR_PARAM_SEEN'}}}\n"
        #expect(
            complaints(head + "parameters: {used: {}, seen: ~, idle: {}, 9x: {}}\n" + actions) == [
                "3:33: warning: nothing uses the parameter 'idle'; write {idle} in a command, or remove it",
                "3:43: error: a parameter cannot be named '9x'; write letters, digits and '_', no digit first",
            ])
        #expect(
            complaints(profile(command: "x {p} {q} {Q}", parameters: "{p: {}, P: {}}")).map(withoutPlace) == [
                "error: 'P' and 'p' would both be ECR_PARAM_P; rename one of the two",
                "warning: nothing uses the parameter 'P'; write {P} in a command, or remove it",
                "error: {Q} and {q} would both be ECR_PARAM_Q; use one spelling",
            ])
        #expect(
            complaints(profile(command: "x {p} {P}")) == [
                "8:17: error: {P} and {p} would both be ECR_PARAM_P; use one spelling"
            ])
    }

    @Test func wordsMustStandAlone() {
        let words = "{w: {type: words}}"
        #expect(complaints(profile(command: "x {w} | {w}; {w}", parameters: words)) == [])
        for command in ["x \"{w}\"", "x a{w}", "x {w}{w}", "x > {w}", "A={w}"] {
            #expect(
                complaints(profile(command: command, parameters: words)).first?.hasSuffix(
                    "error: {w} gives several words and must stand alone; put blanks around it, no quotes") == true)
        }
        #expect(
            complaints(head + "parameters: {w: {type: words}}\nactions: {a: {commands: [x], workdir: '/{w}'}}\n") == [
                "4:41: error: {w} gives several words, which only a command can take; use another parameter"
            ])
    }

    @Test func warnsOfInterpreters() {
        #expect(
            complaints(profile(command: "awk \"/{p}/\" f")) == [
                "8:17: warning: the value of {p} is interpreted again by 'awk'; use \"$ECR_PARAM_P\" there, or declare the parameter with 'choices' or as a number"
            ])
        #expect(complaints(profile(command: "awk \"/{p}/\" f", parameters: "{p: {type: int}}")) == [])
        #expect(complaints(profile(command: "eval {p}", parameters: "{p: {choices: [a, b]}}")) == [])
    }
}
