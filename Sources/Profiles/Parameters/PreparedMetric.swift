import Glibc

/// A metric with its parameters in place.
package struct PreparedMetric: Sendable {
    package enum Place: Sendable, Equatable {
        case stdout
        case stderr
        /// A path on the target.
        case file(String)
    }

    package let metric: Metric
    package let place: Place

    package init(_ metric: Metric, _ values: ParameterValues) {
        self.metric = metric
        place =
            switch metric.from {
            case .stdout: .stdout
            case .stderr: .stderr
            case .file(let template): .file(template.plainText(with: values))
            }
    }

    /// The name of a file in the job's own folder, which is fetched without being named.
    package static func nameInOwnFolder(_ path: String) -> String? {
        path.hasPrefix("$ECR_OUT/") ? String(path.dropFirst("$ECR_OUT/".count)) : nil
    }

    /// The file that has to be fetched for it, if nothing in a list of artifacts does so already.
    func artifact(beside entries: [PreparedArtifact], workdir: String?) -> PreparedArtifact? {
        guard case .file(let path) = place, Self.nameInOwnFolder(path) == nil else { return nil }
        let absolute = Self.absolute(path, workdir)
        if entries.contains(where: { Self.names(Self.absolute($0.pattern, workdir), absolute) }) { return nil }
        return PreparedArtifact(pattern: Self.literal(path), allowOld: false, required: false, method: nil)
    }

    private static func absolute(_ path: String, _ workdir: String?) -> String {
        path.hasPrefix("/") ? path : "\(workdir ?? ".")/\(path)"
    }

    /// Whether a pattern stands for a file, or for a folder above it.
    private static func names(_ pattern: String, _ path: String) -> Bool {
        var components = path.split(separator: "/", omittingEmptySubsequences: false)
        while !components.isEmpty {
            if fnmatch(pattern, components.joined(separator: "/"), FNM_PATHNAME | FNM_PERIOD) == 0 { return true }
            components.removeLast()
        }
        return false
    }

    /// A pattern that matches nothing but the path.
    private static func literal(_ path: String) -> String {
        var bytes: [UInt8] = []
        for byte in path.utf8 {
            if "*?[\\".utf8.contains(byte) { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
