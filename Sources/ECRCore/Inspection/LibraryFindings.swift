import JSON

/// The libraries that ecr is linked to, and whether libssh has its security fixes.
enum LibraryFindings {
    /// Debian 12's libssh with the fixes of 2023 to 2026; u1 has those against Terrapin (CVE-2023-48795).
    private static let mended = DebianVersion("0.10.6-0+deb12u3")
    /// The first release with the fix against Terrapin.
    private static let firstWithStrictKex = DebianVersion("0.10.6")

    static func all(_ versions: [(name: String, version: String)]) -> [Finding] {
        let others = versions.filter { $0.name != "libssh" }
        var details = JSONObject()
        for (name, version) in others { details[name] = .string(version) }
        let message = others.map { "\($0.name) \($0.version)" }.joined(separator: ", ")
        let ssh = versions.first { $0.name == "libssh" }?.version ?? "unknown"
        return [
            libssh(loaded: ssh, installed: DebianVersion.installed("libssh-4")),
            Finding("libraries", .ok, message, details: details),
        ]
    }

    /// - Parameter installed: Debian's version of the package, if the library comes from it.
    static func libssh(loaded: String, installed: DebianVersion?) -> Finding {
        // A library that was built by hand may be loaded in the package's place.
        let package = installed.flatMap { $0.description.hasPrefix(loaded) ? $0 : nil }
        let details: JSONObject = [
            "version": .string(loaded), "package": package.map { .string($0.description) } ?? .null,
        ]
        if let package, package.description.contains("+deb12u") || package.description.hasSuffix("-0+deb12") {
            if package >= mended { return Finding("libssh", .ok, package.description, details: details) }
            return Finding(
                "libssh", .warning, "\(package): \(mended) has security fixes that it lacks",
                hint: "apt-get update && apt-get install --only-upgrade libssh-4, as root", details: details)
        }
        if DebianVersion(loaded) < firstWithStrictKex {
            return Finding(
                "libssh", .warning, "\(loaded) has known security holes (CVE-2023-48795 and later)",
                hint: "update libssh to 0.10.6 or newer", details: details)
        }
        let version = package?.description ?? loaded
        return Finding(
            "libssh", .ok, "\(version); whether it has the fixes of 2025 and 2026 is not known here", details: details)
    }
}
