import Glibc

/// Runs a text with a shell in a fresh directory, to see what really happens.
struct Shell {
    /// The words that start it, before the name of a script.
    let command: String

    /// Those that this machine has.
    static let all = ["/bin/sh", "/bin/dash", "/bin/bash", "/bin/bash --posix", "/usr/bin/busybox sh"]
        .filter { access(String($0.prefix { $0 != " " }), X_OK) == 0 }.map { Shell(command: $0) }

    struct Outcome {
        let output: [UInt8]
        /// The files that the text left behind.
        let files: [String]
    }

    /// Gives what the text wrote to standard output. Its errors go nowhere.
    func run(_ text: String, environment: [(name: String, value: String)] = []) -> Outcome {
        let directory = Shell.temporaryDirectory()
        defer { remove(directory) }
        let script = directory + ".sh"
        Shell.write(text, to: script)
        defer { unlink(script) }
        let output = directory + ".out"
        defer { unlink(output) }
        let line = "cd \"$1\" && exec \(command) \"$2\" >\"$3\" 2>/dev/null </dev/null"
        spawn(["-c", line, "x", directory, script, output], environment)
        return Outcome(output: Shell.read(output), files: Shell.names(in: directory))
    }

    private func spawn(_ arguments: [String], _ environment: [(name: String, value: String)]) {
        let given = ["PATH=/usr/bin:/bin"] + environment.map { "\($0.name)=\($0.value)" }
        var argv = ((["sh"] + arguments).map { strdup($0) }) + [nil]
        var envp = given.map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var child = pid_t()
        guard posix_spawn(&child, "/bin/sh", nil, nil, &argv, &envp) == 0 else { return }
        var status: Int32 = 0
        while waitpid(child, &status, 0) == -1, errno == EINTR {}
    }

    private func remove(_ directory: String) {
        for name in Shell.names(in: directory) { unlink(directory + "/" + name) }
        rmdir(directory)
    }

    private static func temporaryDirectory() -> String {
        var template = Array("/tmp/ecr-shell-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("no temporary directory") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func write(_ text: String, to path: String) {
        guard let file = fopen(path, "w") else { fatalError("cannot write \(path)") }
        let bytes = Array(text.utf8)
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    static func read(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }

    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
