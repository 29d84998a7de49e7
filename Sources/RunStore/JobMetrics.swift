import EventLog
package import JSON

/// The metrics of one job as its last `metrics_derived` tells them: a later derivation replaces an earlier one as a whole.
package struct JobMetrics: Sendable, Equatable {
    /// 1 at the job's end; a recomputation has a number that no derivation of the run had before.
    package let derivation: Int64
    /// `end`, or `recompute`.
    package let by: String
    /// In the order of the profile.
    package let metrics: [Entry]
    /// Those that were declared and not found, each with the reason.
    package let missing: [(name: String, reason: String)]

    package struct Entry: Sendable, Equatable {
        package let name: String
        package let unit: String?
        /// It says how many things the action did.
        package let isCount: Bool
        package let aggregates: Aggregates
    }

    package init(_ data: JSON) {
        derivation = data["derivation"]?.int ?? 1
        by = data["by"]?.string ?? "end"
        metrics = (data["metrics"]?.object?.members ?? []).compactMap { name, value in
            Aggregates(json: value).map {
                Entry(
                    name: name, unit: value["unit"]?.string, isCount: value["is_count"]?.bool ?? false, aggregates: $0)
            }
        }
        missing = (data["missing"]?.array ?? []).compactMap { entry in
            entry["name"]?.string.map { ($0, entry["reason"]?.string ?? "") }
        }
    }

    package var json: JSON {
        var object = JSONObject()
        for metric in metrics { object[metric.name] = metric.json }
        return [
            "derivation": .int(derivation), "by": .string(by), "metrics": .object(object),
            "missing": missing.isEmpty
                ? nil : .array(missing.map { ["name": .string($0.name), "reason": .string($0.reason)] }),
        ]
    }

    /// How many things the action did, if it has said so.
    package var count: Double? {
        metrics.first(where: \.isCount)?.aggregates.last.measure.flatMap { $0 > 0 ? $0 : nil }
    }

    package static func == (left: JobMetrics, right: JobMetrics) -> Bool { left.json == right.json }
}

extension JobMetrics.Entry {
    package init(name: String, unit: String?, isCount: Bool, _ aggregates: Aggregates) {
        self.init(name: name, unit: unit, isCount: isCount, aggregates: aggregates)
    }

    package var json: JSON {
        var members: JSONObject = ["unit": unit.map { .string($0) }, "is_count": isCount ? true : nil]
        members.merge(aggregates.members)
        return .object(members)
    }
}

/// One metric of one action over its jobs.
package struct ActionMetric: Sendable, Equatable {
    package let action: String
    package let name: String
    package let unit: String?
    /// Over one number a job: the mean of its series, which of a single value is the value.
    package let aggregates: Aggregates

    package var json: JSON {
        var members: JSONObject = ["unit": unit.map { .string($0) }]
        members.merge(aggregates.members)
        return .object(members)
    }
}

extension RunState {
    /// Every metric of every action, over the jobs that have completed and are not marked invalid.
    package var actionMetrics: [ActionMetric] {
        var keys: [(action: String, name: String)] = []
        var series: [String: (unit: String?, values: [Double], last: JSON)] = [:]
        for job in jobs where job.outcome == .completed && job.metrics != nil && invalidity(of: job) == nil {
            for metric in job.metrics?.metrics ?? [] {
                let key = "\(job.name) \(metric.name)"
                if series[key] == nil { keys.append((job.name, metric.name)) }
                let isSingle = metric.aggregates.count == 1
                series[key, default: (nil, [], .null)].values.append(metric.aggregates.mean)
                series[key]?.unit = metric.unit
                series[key]?.last = isSingle ? metric.aggregates.last : .double(metric.aggregates.mean)
            }
        }
        return keys.compactMap { action, name in
            guard let found = series["\(action) \(name)"] else { return nil }
            return Aggregates(found.values, last: found.last).map {
                ActionMetric(action: action, name: name, unit: found.unit, aggregates: $0)
            }
        }
    }

    /// The same for the manifest, by action and metric.
    var actionMetricsJSON: JSON {
        var actions = JSONObject()
        for metric in actionMetrics {
            var own = actions[metric.action]?.object ?? [:]
            own[metric.name] = metric.json
            actions[metric.action] = .object(own)
        }
        return .object(actions)
    }
}
