import JSON
import RemoteJobs

extension TargetBaseline {
    /// The data of a `target_facts` event.
    /// - Parameter facts: those of the connection.
    func event(at: String, uptime: Double, _ facts: TargetFacts) -> JSONObject {
        [
            "target": .string(RunEngine.targetName), "at": .string(at), "boot_id": .string(facts.boot),
            "uptime_s": .double(uptime), "kernel": .string(value("kernel") ?? facts.kernel),
            "kernel_build": text("kernel_build"), "os": text("os"), "os_version": text("os_version"),
            "l4t": text("l4t"),
            "model": text("model"), "dmi": dmi, "hostname": .string(value("hostname") ?? facts.hostname),
            "tools": JSON(strings: all("tool").map(\.value)), "cpu": cpu, "memory": memory, "load": text("load"),
            "clocksource": text("clocksource"),
            "disks": list("disk", ["device", "name", "size_kib", "free_kib"]),
            "blocks": list("block", ["name", "sectors", "model"]), "frequencies": frequencies, "thermal": thermal,
            "throttled": text("throttled"), "gpus": list("nvidia", ["name"]), "power_mode": text("nvpmodel"),
            "containers": list("container", ["name", "version"]), "own": own, "identifiers": identifiers,
            "incomplete": isWhole ? nil : true,
        ]
    }

    private func text(_ key: String) -> JSON? { value(key).map { .string($0) } }

    private func list(_ key: String, _ names: [String]) -> JSON? {
        let entries = all(key)
        if entries.isEmpty { return nil }
        return .array(
            entries.map { entry in
                var object = JSONObject()
                for (name, part) in zip(names, entry.parts) where !part.isEmpty {
                    object[name] = name == "name" || name == "model" || name == "version" ? .string(part) : number(part)
                }
                return .object(object)
            })
    }

    private func number(_ text: String) -> JSON { Int64(text).map { .int($0) } ?? .string(text) }

    private func object(_ members: [(String, JSON)]) -> JSON? {
        if members.isEmpty { return nil }
        var object = JSONObject()
        for (key, value) in members { object[key] = value }
        return .object(object)
    }

    private var dmi: JSON? {
        object(
            ["sys_vendor", "product_name", "product_version", "bios_vendor", "bios_version"].compactMap { name in
                value("dmi_\(name)").map { (name, .string($0)) }
            })
    }

    private var cpu: JSON? {
        let names = [("cpu_model", "model"), ("cpu_parts", "parts"), ("cpus_online", "online"), ("smt", "smt")]
        let texts = names.compactMap { key, name in value(key).map { (name, JSON.string($0)) } }
        return object(texts + (value("cpu_count").map { [("count", number($0))] } ?? []))
    }

    private var memory: JSON? {
        let names = [
            "MemTotal:": "total_kib", "MemAvailable:": "available_kib", "SwapTotal:": "swap_total_kib",
            "SwapFree:": "swap_free_kib",
        ]
        return object(
            all("memory").compactMap { entry in
                guard let name = names[entry.value], entry.parts.count > 1 else { return nil }
                return (name, number(entry.parts[1]))
            })
    }

    private var frequencies: JSON? {
        let entries = all("policy") + all("devfreq")
        if entries.isEmpty { return nil }
        return .array(
            entries.map { entry in
                var object: JSONObject = ["name": .string(entry.value)]
                for (name, part) in zip(["governor", "min_khz", "max_khz", "now_khz"], entry.parts.dropFirst())
                where !part.isEmpty {
                    // Devices tell hertz, processors kilohertz.
                    let value = entry.key == "devfreq" && name != "governor" ? Int64(part).map { "\($0 / 1000)" } : part
                    object[name] = number(value ?? part)
                }
                return .object(object)
            })
    }

    /// Two zones may have one name; the warmer one counts.
    private var thermal: JSON? {
        var zones: [(String, Double)] = []
        for entry in all("zone") {
            guard entry.parts.count > 1, let thousandths = Double(entry.parts[1]) else { continue }
            let degrees = thousandths / 1000
            if let index = zones.firstIndex(where: { $0.0 == entry.value }) {
                zones[index].1 = max(zones[index].1, degrees)
            } else {
                zones.append((entry.value, degrees))
            }
        }
        return object(zones.map { ($0.0, .double($0.1)) })
    }

    /// Origin of 4096: a fact is a line or a few; the target sends one byte more, so that a longer one can be told.
    private static let longestFact = 4096

    private var own: JSON? {
        object(
            all("own").map { entry in
                let text = entry.parts.count > 2 ? entry.parts[2] : ""
                // Line feeds travel as record separators.
                let lines = text.split(separator: "\u{1E}", omittingEmptySubsequences: false).joined(separator: "\n")
                let trimmed = lines.hasSuffix("\n") ? String(lines.dropLast()) : lines
                let isLong = text.utf8.count > Self.longestFact
                return (
                    entry.value,
                    [
                        "text": .string(isLong ? String(trimmed.prefix(Self.longestFact)) : trimmed),
                        "exit": entry.parts.count > 1 ? Int64(entry.parts[1]).map { .int($0) } : nil,
                        "truncated": isLong ? true : nil,
                    ]
                )
            })
    }

    private var identifiers: JSON? {
        let single = ["serial", "machine_id", "ssid"].compactMap { name in value(name).map { (name, JSON.string($0)) } }
        let addresses = all("mac").compactMap { entry in
            entry.parts.count > 1 ? ("mac_\(entry.value)", JSON.string(entry.parts[1])) : nil
        }
        return object(single + addresses)
    }
}
