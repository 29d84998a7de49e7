import LinuxSystem
import Profiles
package import RunStore

/// Looks for the values of a run's secrets in the files of its dataset: fetched files are not masked, and notes that were
/// made without a supervisor are not either.
///
/// Only those can be looked for whose variables are set where the export runs.
package struct SecretScan {
    private let masks: [(variable: String, mask: SecretMask)]
    private var entry = ""
    private var streams: [MaskedStream] = []
    /// `$API_TOKEN in artifacts/0003-a/config.txt`, each once.
    package private(set) var findings: [String] = []

    /// Nil where there is nothing to look for.
    package init?(_ run: RunDirectory) {
        guard let bytes = try? FileSystem.read(run.profileSnapshot),
            let profile = try? Profile.parse(bytes, file: run.profileSnapshot)
        else { return nil }
        var masks: [(variable: String, mask: SecretMask)] = []
        for variable in Set(profile.secrets.map(\.variable)).sorted() {
            guard let value = Host.environment(variable) else { continue }
            let mask = SecretMask([value])
            if !mask.isEmpty { masks.append((variable, mask)) }
        }
        if masks.isEmpty { return nil }
        self.masks = masks
    }

    /// Takes the next bytes of an entry of the dataset.
    package mutating func look(at entry: String, _ bytes: [UInt8]) {
        if entry != self.entry {
            self.entry = entry
            streams = masks.map { _ in MaskedStream() }
        }
        for (index, (variable, mask)) in masks.enumerated() {
            let before = streams[index].maskedBytes
            _ = streams[index].take(bytes, isLast: false, mask)
            if before == 0 && streams[index].maskedBytes > 0 { findings.append("$\(variable) in \(entry)") }
        }
    }
}
