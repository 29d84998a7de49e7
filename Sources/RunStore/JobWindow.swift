package import JSON

/// What the collectors saw while a job ran, as its last `action_window` tells it.
package struct JobWindow: Sendable, Equatable {
    /// The job's beginning and end, UTC by the controller's clock.
    package let from: String
    package let to: String
    /// Seconds between them.
    package let duration: Double
    /// By the collectors' names and their fields.
    package let fields: [Field]

    package struct Field: Sendable, Equatable {
        package let collector: String
        package let name: String
        package let unit: String?
        package let aggregates: Aggregates
        /// Of a power in W or mW.
        package let energy: Energy?

        package init(collector: String, name: String, unit: String?, _ aggregates: Aggregates, _ energy: Energy?) {
            (self.collector, self.name, self.unit) = (collector, name, unit)
            (self.aggregates, self.energy) = (aggregates, energy)
        }
    }

    /// The integral of a power over a window, by trapezoids.
    package struct Energy: Sendable, Equatable {
        package let joules: Double
        /// Seconds of the window for which there is power: less than all of it where samples are missing.
        package let covered: Double

        package init(joules: Double, covered: Double) {
            self.joules = joules
            self.covered = covered
        }
    }

    package init(from: String, to: String, duration: Double, fields: [Field]) {
        (self.from, self.to, self.duration, self.fields) = (from, to, duration, fields)
    }

    package init?(json: JSON?) {
        guard let json, let from = json["from"]?.string, let to = json["to"]?.string else { return nil }
        self.init(
            from: from, to: to, duration: json["duration_s"]?.double ?? 0,
            fields: (json["fields"]?.array ?? []).compactMap { Field(json: $0) })
    }

    package var json: JSON { .object(members(count: nil)) }

    /// - Parameter count: how many things the action did; energy is told for each of them as well.
    package func members(count: Double?) -> JSONObject {
        [
            "from": .string(from), "to": .string(to), "duration_s": .double(duration),
            "fields": .array(fields.map { $0.json(count: count) }),
        ]
    }
}

extension JobWindow.Field {
    fileprivate init?(json: JSON) {
        guard let collector = json["collector"]?.string, let name = json["field"]?.string,
            let aggregates = Aggregates(json: json)
        else { return nil }
        var energy: JobWindow.Energy?
        if let joules = json["energy_j"]?.double {
            energy = JobWindow.Energy(joules: joules, covered: json["covered_s"]?.double ?? 0)
        }
        self.init(collector: collector, name: name, unit: json["unit"]?.string, aggregates, energy)
    }

    fileprivate func json(count: Double?) -> JSON {
        var members: JSONObject = [
            "collector": .string(collector), "field": .string(name), "unit": unit.map { .string($0) },
        ]
        members.merge(aggregates.members)
        members["energy_j"] = energy.map { .double($0.joules) }
        members["covered_s"] = energy.map { .double($0.covered) }
        members["energy_per_count_j"] = perCount(count).map { .double($0) }
        return .object(members)
    }

    /// Joules for each thing that the action did.
    package func perCount(_ count: Double?) -> Double? {
        guard let energy, let count, count > 0 else { return nil }
        return energy.joules / count
    }
}
