package import JSON
import Patterns

extension Profile {
    /// The profile as understood, for `profile_resolved.json`: the profile's own keys, defaults filled in, durations in
    /// seconds, in the order of the file. What is not set and has no default is left out.
    package var resolved: JSON {
        [
            "name": .string(name), "description": description.map { .string($0) },
            "connection": connection.resolved,
            "parameters": JSON(members: parameters.map { ($0.name, $0.resolved) }),
            "setup": JSON(strings: setup),
            "actions": JSON(members: actions.map { ($0.name, $0.resolved) }),
            "background_collectors": JSON(members: collectors.map { ($0.name, $0.resolved) }),
            "stages": .array(stages.map { ["name": .string($0.name), "actions": JSON(strings: $0.actions)] }),
            "finally": JSON(strings: finally), "rules": .array(rules.map(\.resolved)), "facts": facts.resolved,
            "transfers": transfers.resolved, "notify": notify?.resolved,
        ]
    }
}

extension JSON {
    fileprivate init(members: [(String, JSON)]) {
        var object = JSONObject()
        for (key, value) in members { object[key] = value }
        self = .object(object)
    }

    fileprivate init?(text: String?) {
        guard let text else { return nil }
        self = .string(text)
    }

    fileprivate init?(number: Double?) {
        guard let number else { return nil }
        self = Int64(exactly: number).map { .int($0) } ?? .double(number)
    }

    fileprivate init?(list: [String]?) {
        guard let list else { return nil }
        self = JSON(strings: list)
    }
}

extension Connection {
    fileprivate var resolved: JSON {
        [
            "host": .string(host), "port": port.map { JSON($0) }, "user": JSON(text: user),
            "key_file": JSON(text: keyFile), "timeout": JSON(number: timeout), "known_hosts": JSON(text: knownHosts),
            "host_key": JSON(text: hostKey), "ssh_config": JSON(text: sshConfig), "jump": JSON(list: jump),
            "algorithms": algorithms.map {
                [
                    "kex": JSON(list: $0.kex), "ciphers": JSON(list: $0.ciphers),
                    "hostkeys": JSON(list: $0.hostkeys), "macs": JSON(list: $0.macs),
                    "pubkeys": JSON(list: $0.pubkeys),
                ]
            },
            "keepalive": JSON(number: keepalive), "clock_interval": JSON(number: clockInterval),
            "spool_dir": JSON(text: spoolDir),
            "env": env.resolved, "password": password?.resolved, "sudo_password": sudoPassword?.resolved,
            "reconnect": ["give_up_after": JSON(number: giveUpAfter) ?? "never"],
        ]
    }
}

extension ParameterDeclaration {
    package var resolved: JSON {
        [
            "type": .string(type.rawValue), "default": JSON(text: defaultValue), "choices": JSON(list: choices),
            "min": JSON(number: min), "max": JSON(number: max),
            "allow": allow.isEmpty ? nil : JSON(strings: allow.map(\.rawValue)), "description": JSON(text: description),
        ]
    }
}

extension Action {
    fileprivate var resolved: JSON {
        [
            "description": JSON(text: description), "commands": JSON(strings: commands.map(\.text)),
            "workdir": JSON(text: workdir?.text), "env": env.resolved, "sudo": .bool(sudo), "spool": .bool(spool),
            "stop_if_unreachable": JSON(number: stopIfUnreachable),
            "upload": .array(upload.map { ["from": .string($0.from.text), "to": .string($0.to.text)] }),
            "artifacts": .array(artifacts.map(\.resolved)),
            "metrics": JSON(members: metrics.map { ($0.name, $0.resolved) }),
            "timeout": JSON(number: timeout), "retries": JSON(retries),
            "retry_on": JSON(strings: retryOn.map(\.rawValue)),
        ]
    }
}

extension ArtifactEntry {
    fileprivate var resolved: JSON {
        [
            "path": .string(path.text), "allow_old": .bool(allowOld), "required": .bool(required),
            "method": method.map { .string($0.rawValue) },
        ]
    }
}

extension TransferSettings {
    fileprivate var resolved: JSON {
        [
            "method": .string(method.rawValue), "max_bytes": mostBytes.map { .int($0) },
            "max_files": JSON(mostFiles), "min_free_disk": .int(minFreeDisk),
        ]
    }
}

extension Rule {
    fileprivate var resolved: JSON {
        [
            "name": .string(name), "when": .string(when.text), "for": JSON(number: patience),
            "do": .string(deed.rawValue),
            "until": JSON(text: until?.text), "max_hold": JSON(number: maxHold), "note": JSON(text: note),
        ]
    }
}

extension FactSettings {
    fileprivate var resolved: JSON {
        var object: JSONObject = ["identifiers": .bool(identifiers)]
        for fact in own { object[fact.name] = .string(fact.command) }
        return .object(object)
    }
}

extension [EnvironmentEntry] {
    fileprivate var resolved: JSON { JSON(members: map { ($0.name, $0.value.resolved) }) }
}

extension EnvironmentEntry.Value {
    fileprivate var resolved: JSON {
        switch self {
        case .text(let template): .string(template.text)
        case .secret(let secret): secret.resolved
        }
    }
}

extension Secret {
    fileprivate var resolved: JSON { ["secret": .string(source)] }
}

extension Metric {
    fileprivate var resolved: JSON {
        var object = JSONObject()
        switch source {
        case .regex(let pattern, _): object["regex"] = .string(pattern.source)
        case .json(let path): object["json"] = .string(path.text)
        case .csv(let column, let separator):
            object["csv"] = .string(column)
            object["separator"] = JSON(text: separator?.word)
        }
        switch from {
        case .stdout: object["from"] = "stdout"
        case .stderr: object["from"] = "stderr"
        case .file(let template): object["from"] = .string(template.text)
        }
        object["unit"] = JSON(text: unit)
        object["required"] = .bool(required)
        object["count"] = isCount ? true : nil
        return .object(object)
    }
}

extension SampleFormat {
    fileprivate var resolved: JSON {
        var object = JSONObject()
        switch syntax {
        case .regex(let pattern): object["regex"] = .string(pattern.source)
        case .json(let paths):
            object["json"] = JSON(members: zip(fields, paths).map { ($0.name, .string($1.text)) })
        case .csv(let columns, let separator):
            object["csv"] = JSON(strings: columns.map { $0.map { fields[$0].name } ?? SampleField.leftOut })
            object["separator"] = .string(separator.word)
        case .keyValue(let keys):
            object["key_value"] = JSON(members: zip(fields, keys).map { ($0.name, .string($1)) })
        }
        object["units"] = optional(fields.compactMap { field in field.unit.map { (field.name, .string($0)) } })
        object["types"] = optional(fields.compactMap { field in field.kind.map { (field.name, .string($0.rawValue)) } })
        return .object(object)
    }

    private func optional(_ members: [(String, JSON)]) -> JSON? { members.isEmpty ? nil : JSON(members: members) }
}

extension Collector {
    fileprivate var resolved: JSON {
        var object: JSONObject = ["description": JSON(text: description)]
        switch kind {
        case .command(let command, let interval, let timeout):
            object["command"] = .string(command.text)
            object["interval"] = JSON(number: interval)
            object["timeout"] = JSON(number: timeout)
        case .stream(let command): object["stream"] = .string(command.text)
        case .builtin(let sampler, let interval):
            object["builtin"] = .string(sampler.name)
            object["interval"] = JSON(number: interval)
        }
        object["max_sample_bytes"] = maxSampleBytes.map { JSON($0) } ?? "none"
        if case .builtin = kind {} else { object["parse"] = parse?.resolved }
        object["start"] = .string(start.rawValue)
        object["while_paused"] = .bool(whilePaused)
        object["env"] = env.resolved
        return .object(object)
    }
}
