/// A sampler that needs no command of the user's: `background_collectors: {cpu: {builtin: cpu}}`.
///
/// Its text runs in the sampler's own shell, so that a sample costs no process where the kernel's files tell all of it.
/// It prints `field=value` lines. A field that the target does not have is left empty; further keys, such as one for each
/// core or sensor, may follow, and stand in the collector's log. POSIX sh, BusyBox included; every variable begins with
/// `e_`, because the loop around it has variables of its own.
package struct BuiltinSampler: Sendable {
    package struct Field: Sendable, Equatable {
        package let name: String
        package let unit: String?
        /// What it is, for people.
        package let meaning: String

        init(_ name: String, _ unit: String?, _ meaning: String) {
            self.name = name
            self.unit = unit
            self.meaning = meaning
        }
    }

    package enum Program: Sendable {
        /// Defines `e_sample`, which takes one sample; run once before the first.
        case shell(String)
        /// Reads a long-lived command whose lines are samples; `MILLISECONDS` is the interval.
        case stream(String)
    }

    package let name: String
    package let meaning: String
    package let fields: [Field]
    package let program: Program

    init(_ name: String, _ meaning: String, _ fields: [Field], _ program: Program) {
        self.name = name
        self.meaning = meaning
        self.fields = fields
        self.program = program
    }

    /// How its samples are read; which fields there are, is the target's affair.
    package var format: SampleFormat {
        let fields = fields.map { field in
            var column = SampleField(name: field.name)
            (column.unit, column.kind) = (field.unit, .number)
            return column
        }
        return SampleFormat(syntax: .keyValue(fields.map(\.name)), fields: fields, isPatient: true)
    }

    package var isStream: Bool { if case .stream = program { true } else { false } }

    /// The command of a stream.
    /// - Parameter interval: in seconds.
    package func command(every interval: Double) -> String {
        guard case .stream(let text) = program else { preconditionFailure("\(name) is no stream") }
        let milliseconds = String(max(1, Int((interval * 1000).rounded())))
        return text.split(separator: "MILLISECONDS", maxSplits: 1).joined(separator: milliseconds)
    }

    /// In the order in which they are listed.
    package static let all = [cpu, memory, disk, network, temperature, frequency, power, nvidia, tegrastats]

    package static func named(_ name: String) -> BuiltinSampler? { all.first { $0.name == name } }

    /// Shell functions that several of them need. `e_tenths`, `e_thousandths`: a whole number as a decimal one in `e_v`;
    /// `e_nap`: the shortest pause that the target's sleep can do.
    static let library = #"""
        e_nap() { sleep 0.2 2>/dev/null || sleep 1; }
        e_tenths() { e_v="$(($1/10)).$(($1%10))"; }
        e_thousandths() { e_m= e_v=$1; case $1 in -*) e_m=- e_v=${1#-} ;; esac
        e_y=$((1000+e_v%1000)); e_v="$e_m$((e_v/1000)).${e_y#1}"; }
        e_now() { read -r e_t e_x </proc/uptime; e_t=${e_t%.*}${e_t#*.}; }

        """#
}
