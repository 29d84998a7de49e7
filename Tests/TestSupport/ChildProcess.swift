import Glibc
import LinuxSystem
import Synchronization

/// A child in a process group of its own with three streams to the test (posix_spawn(3)).
///
/// `pipe(2)` cannot set O_CLOEXEC, and a child that inherits another's pipe would keep it from ending: a lock lets one
/// start at a time make its pipes and close them.
struct ChildProcess: Sendable {
    let pid: pid_t
    /// The test's end of the child's stdin; nil where that is /dev/null.
    let input: File?
    let output: File
    let error: File

    private static let starting = Mutex<Void>(())

    /// A write to a child that no longer reads must be an error of that write, not the end of the whole suite.
    private static let ignoreBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    static func start(
        _ executable: String, _ arguments: [String], environment: [String: String?], hasInput: Bool
    ) throws(SystemError) -> ChildProcess {
        _ = ignoreBrokenPipes
        let result: Result<ChildProcess, SystemError> = starting.withLock { _ in
            Result { () throws(SystemError) in
                let input = hasInput ? try makePipe() : nil
                let output = try makePipe()
                let error = try makePipe()
                let actions = FileActions()
                if let input {
                    try actions.duplicate(input.reader, as: 0)
                } else {
                    try actions.openNull(as: 0)
                }
                try actions.duplicate(output.writer, as: 1)
                try actions.duplicate(error.writer, as: 2)
                let pid = try spawn(executable, arguments, merged(environment), actions)
                return ChildProcess(pid: pid, input: input?.writer, output: output.reader, error: error.reader)
            }
        }
        return try result.get()
    }

    private static func makePipe() throws(SystemError) -> (reader: File, writer: File) {
        var ends: [Int32] = [-1, -1]
        try check("make a pipe") { pipe(&ends) }
        let pair = (File(adopting: ends[0], path: "pipe"), File(adopting: ends[1], path: "pipe"))
        for end in ends { try check("configure a pipe") { fcntl(end, F_SETFD, FD_CLOEXEC) } }
        return pair
    }

    /// This process's environment with `changes` made to it; nil removes a variable.
    private static func merged(_ changes: [String: String?]) -> [String] {
        var lines: [String] = []
        var next = environ
        while let entry = next.pointee {
            let line = String(cString: entry)
            if changes[String(line.prefix { $0 != "=" })] == nil { lines.append(line) }
            next += 1
        }
        for case (let name, let value?) in changes { lines.append("\(name)=\(value)") }
        return lines
    }

    private static func spawn(
        _ executable: String, _ arguments: [String], _ environment: [String], _ actions: FileActions
    ) throws(SystemError) -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let argumentVector = cStrings([executable] + arguments)
        let environmentVector = cStrings(environment)
        defer { (argumentVector + environmentVector).forEach { free($0) } }
        var pid: pid_t = 0
        let code = actions.withPointer {
            posix_spawn(&pid, executable, $0, &attributes, argumentVector, environmentVector)
        }
        guard code == 0 else { throw SystemError("start", path: executable, code: code) }
        return pid
    }

    /// A null-terminated vector; the caller frees its strings.
    private static func cStrings(_ strings: [String]) -> [UnsafeMutablePointer<CChar>?] {
        strings.map { strdup($0) } + [nil]
    }
}

/// What the child does with descriptors before its program starts (posix_spawn_file_actions_init(3)).
private final class FileActions {
    private var actions = posix_spawn_file_actions_t()

    init() { posix_spawn_file_actions_init(&actions) }

    deinit { posix_spawn_file_actions_destroy(&actions) }

    func duplicate(_ file: File, as descriptor: Int32) throws(SystemError) {
        try require(posix_spawn_file_actions_adddup2(&actions, file.descriptor, descriptor))
    }

    func openNull(as descriptor: Int32) throws(SystemError) {
        try require(posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDONLY, 0))
    }

    func withPointer<Result>(_ body: (UnsafePointer<posix_spawn_file_actions_t>) -> Result) -> Result {
        withUnsafePointer(to: actions, body)
    }

    private func require(_ code: Int32) throws(SystemError) {
        if code != 0 { throw SystemError("prepare a child", code: code) }
    }
}
