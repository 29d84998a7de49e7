import EventLog
import JSON
import LinuxSystem
import RunStore

/// The manifest beside the events: where it says that it stands in the stream, and what it says of the run.
struct ManifestCheck {
    private let json: JSON?
    private let checkpoint: Checkpoint?
    private(set) var damages: [String] = []
    private(set) var remarks: [String] = []
    private var isPassed = false

    /// Reads the manifest. This comes before the end of the stream is looked up, which then is at least as far.
    init(_ run: RunDirectory) {
        guard FileSystem.exists(run.manifest) else {
            (json, checkpoint) = (nil, nil)
            remarks.append("is missing; the next change of the run makes it anew")
            return
        }
        do {
            json = try JSON(parsing: try FileSystem.read(run.manifest))
            checkpoint = Checkpoint(json: json?["checkpoint"])
            if checkpoint == nil {
                remarks.append("is of another version: only its presence was checked")
            } else if json?["head_hash"]?.string != checkpoint?.hash {
                damages.append("names one head hash and another checkpoint")
            }
        } catch {
            (json, checkpoint) = (nil, nil)
            damages.append("is not readable: \(error)")
        }
    }

    /// Told of every place between two lines.
    /// - Parameter state: nil where the lines before it were not all whole.
    mutating func pass(_ place: Checkpoint, _ state: RunState?) {
        guard let checkpoint, !isPassed, place.seq >= checkpoint.seq else { return }
        isPassed = true
        guard place == checkpoint else {
            damages.append("does not stand behind seq \(checkpoint.seq - 1) of this stream: hash or offset differ")
            return
        }
        guard var state, let json else { return }
        state.checkpoint = place
        // As it would have been written: 2.0 and 2 are one number in a file.
        guard let told = try? JSON(parsing: state.json(id: "").text) else { return }
        if let difference = Self.difference(json, told, "") { damages.append(difference) }
    }

    /// Told that the stream has ended.
    mutating func end(at place: Checkpoint) {
        guard let checkpoint, !isPassed else { return }
        damages.append(
            "knows of \(checkpoint.seq) events, \(place.seq) are there: the end of events.jsonl is missing, or the "
                + "manifest is wrong")
    }

    /// The first member that both have and that differs. Other members are those of another version; `id` is the name
    /// that the directory had.
    private static func difference(_ manifest: JSON, _ told: JSON, _ path: String) -> String? {
        switch (manifest, told) {
        case (.object(let left), .object(let right)):
            for (key, value) in left.members where !(path.isEmpty && key == "id") {
                guard let other = right[key] else { continue }
                if let found = difference(value, other, path.isEmpty ? key : "\(path).\(key)") { return found }
            }
            return nil
        case (.array(let left), .array(let right)) where left.count == right.count:
            for (index, (value, other)) in zip(left, right).enumerated() {
                if let found = difference(value, other, "\(path)[\(index)]") { return found }
            }
            return nil
        default:
            return manifest == told
                ? nil : "says \(path) is \(brief(manifest)), the events say \(brief(told))"
        }
    }

    private static func brief(_ json: JSON) -> String {
        let text = json.text
        return text.unicodeScalars.count <= 80 ? text : String(text.unicodeScalars.prefix(77)) + "..."
    }
}
