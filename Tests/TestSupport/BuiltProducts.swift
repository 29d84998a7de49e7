import LinuxSystem

/// What the build left beside the running test bundle.
package enum BuiltProducts {
    /// The directory of this build's products, for example `.build/debug`: where the test bundle lies. It is named in
    /// the arguments, since the process itself may be the toolchain's test runner.
    package static var directory: String {
        if let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") }) {
            return FileSystem.parent(of: FileSystem.absolute(bundle))
        }
        return FileSystem.parent(of: Host.executablePath)
    }

    /// The absolute path of the built `ecr`.
    /// - Throws: `SystemError` where the build has none.
    package static func ecr() throws -> String {
        let path = "\(directory)/ecr"
        guard FileSystem.exists(path) else { throw SystemError("find", path: path, code: 2) }
        return path
    }
}
