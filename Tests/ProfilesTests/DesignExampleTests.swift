import JSON
import Profiles
import Testing

/// The profile that the design shows, key for key.
private let example = #"""
    name: my-device
    description: "My edge AI device"
    connection:
      host: "192.168.1.100"      # or a Host alias of ~/.ssh/config
      port: 22
      user: "root"
      key_file: "~/.ssh/id_ed25519"
      timeout: 30
      reconnect: {give_up_after: never}
    parameters:
      model_name: {default: resnet50, choices: [resnet50, mobilenet]}
    setup: [prepare]
    actions:
      prepare: {commands: ["nvpmodel -m 0"], sudo: true}
      cool_down: {commands: ["sleep 60"]}
      run_inference:
        description: "Run ML inference"
        commands:
          - "cd /opt/model && ./infer.sh {model_name}"
        workdir: /opt/model
        upload: [{from: model.onnx, to: /opt/model/}]
        artifacts: ["/tmp/results.json", {path: "/tmp/logs/*.csv", required: true}]
        metrics:
          latency_ms: {regex: 'latency: ([0-9.]+) ms', unit: ms}
          accuracy: {from: /tmp/results.json, json: accuracy}
        timeout: 5m
        retries: 2
        retry_on: [failed, timeout]
    background_collectors:
      system_stats: {command: "uptime && free -m", interval: 60, timeout: 10}
      power: {stream: "tegrastats --interval 500", parse: {regex: 'VDD_IN (?<vdd_in_mw>\d+)mW'}}
    stages:
      - {name: warmup, actions: [run_inference]}
    finally: [cool_down]
    """#

@Suite struct DesignExampleTests {
    @Test func isCarriedOutWhole() { #expect(complaints(example) == []) }

    @Test func readsEverything() throws {
        let profile = try parse(example)
        #expect(profile.connection.timeout == 30)
        #expect(profile.connection.giveUpAfter == nil)
        #expect(profile.actions.map(\.name) == ["prepare", "cool_down", "run_inference"])
        let action = try #require(profile.action(named: "run_inference"))
        #expect(action.timeout == 300)
        #expect(action.artifacts.map(\.required) == [false, true])
        #expect(action.metrics.map(\.name) == ["latency_ms", "accuracy"])
        let stats = try #require(profile.collector(named: "system_stats"))
        guard case .command(_, let interval, let timeout) = stats.kind else {
            Issue.record("not a command")
            return
        }
        #expect(interval == 60)
        #expect(timeout == 10)
        #expect(profile.stages.map(\.actions) == [["run_inference"]])
        #expect(profile.finally == ["cool_down"])
    }

    @Test func resolvesToJSON() throws {
        let expected = """
            {"name":"my-device","description":"My edge AI device","connection":{"host":"192.168.1.100","port":22,\
            "user":"root","key_file":"~/.ssh/id_ed25519","timeout":30,"clock_interval":60,"env":{},"reconnect":{"give_up_after":"never"}},\
            "parameters":{"model_name":{"type":"string","default":"resnet50","choices":["resnet50","mobilenet"]}},\
            "setup":["prepare"],"actions":{"prepare":{"commands":["nvpmodel -m 0"],"env":{},"sudo":true,"spool":true,\
            "upload":[],"artifacts":[],"metrics":{},"retries":0,"retry_on":["failed","timeout"]},\
            "cool_down":{"commands":["sleep 60"],"env":{},"sudo":false,"spool":true,"upload":[],"artifacts":[],\
            "metrics":{},"retries":0,"retry_on":["failed","timeout"]},"run_inference":{"description":"Run ML inference",\
            "commands":["cd /opt/model && ./infer.sh {model_name}"],"workdir":"/opt/model","env":{},"sudo":false,\
            "spool":true,"upload":[{"from":"model.onnx","to":"/opt/model/"}],\
            "artifacts":[{"path":"/tmp/results.json","allow_old":false,"required":false},\
            {"path":"/tmp/logs/*.csv","allow_old":false,"required":true}],"metrics":{"latency_ms":{"regex":\
            "latency: ([0-9.]+) ms","from":"stdout","unit":"ms","required":false},"accuracy":{"json":"accuracy",\
            "from":"/tmp/results.json","required":false}},"timeout":300,"retries":2,"retry_on":["failed","timeout"]}},\
            "background_collectors":{"system_stats":{"command":"uptime && free -m","interval":60,"timeout":10,\
            "max_sample_bytes":1048576,"start":"auto","while_paused":true,"env":{}},"power":{"stream":"tegrastats --interval 500",\
            "max_sample_bytes":1048576,"parse":{"regex":"VDD_IN (?<vdd_in_mw>\\\\d+)mW"},"start":"auto","while_paused":true,"env":{}}},\
            "stages":[{"name":"warmup","actions":["run_inference"]}],"finally":["cool_down"],\
            "rules":[],"facts":{"identifiers":false},"transfers":{"method":"auto","max_files":100000,"min_free_disk":100000000}}
            """
        #expect(try parse(example).resolved.text == expected)
    }

    @Test func resolvesAConnectionToJSON() throws {
        func resolved(_ connection: String) throws -> String? {
            try parse("name: n\nconnection: {host: h, \(connection)}\nactions: {a: {commands: [x]}}\n")
                .resolved["connection"]?.text
        }
        #expect(
            try resolved("jump: 'a,b@c', ssh_config: ./x, algorithms: {kex: +k, hostkeys: [h, i], pubkeys: [-p]}")
                == #"{"host":"h","ssh_config":"./x","jump":["a","b@c"],"algorithms":{"kex":["+k"],"hostkeys":["h","i"],"#
                + #""pubkeys":["-p"]},"clock_interval":60,"env":{},"reconnect":{"give_up_after":"never"}}"#)
        #expect(
            try resolved("jump: none")
                == #"{"host":"h","jump":[],"clock_interval":60,"env":{},"reconnect":{"give_up_after":"never"}}"#)
    }

    @Test func preparesTheAction() throws {
        let profile = try parse(example)
        let action = try #require(profile.action(named: "run_inference"))
        let values = try profile.parameters(for: action, given: [("model_name", "mobilenet")], standing: [])
        let prepared = profile.prepare(action, with: values)
        #expect(prepared.commands == ["cd /opt/model && ./infer.sh 'mobilenet'"])
        #expect(prepared.environment.map { "\($0.name)=\($0.value)" } == ["ECR_PARAM_MODEL_NAME=mobilenet"])
        #expect(prepared.workdir == "/opt/model")
        #expect(prepared.artifacts.map(\.pattern) == ["/tmp/results.json", "/tmp/logs/*.csv"])
    }
}
