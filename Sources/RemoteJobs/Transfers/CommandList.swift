import LinuxSystem

/// Shell commands for any number of names: as many names in a command as its argument list takes, as many commands in a
/// script as a small board's memory bears.
struct CommandList {
    /// Begins every script.
    private let prelude: [UInt8]
    /// Ends every command.
    private let end: [UInt8]
    private var commands: [[UInt8]] = []
    private var current: [UInt8] = []

    /// Bytes. Origin: the kernel's limit for one argument list is 128 KiB on the oldest boards.
    private static let longestCommand = 60_000
    /// Bytes. Origin: a shell holds all of it.
    private static let longestScript = 256_000

    init(prelude: String = "export LC_ALL=C\n", end: String = "\n") {
        self.init(prelude: Array(prelude.utf8), end: end)
    }

    /// - Parameter prelude: with names of any bytes in it.
    init(prelude: [UInt8], end: String = "\n") {
        self.prelude = prelude
        self.end = Array(end.utf8)
    }

    var isEmpty: Bool { commands.isEmpty }

    /// Adds a name to a command's arguments. Names of one command that follow one another share it.
    mutating func add(_ name: [UInt8], to command: [UInt8]) {
        if command != current || commands.last?.count ?? 0 > Self.longestCommand {
            commands.append(command)
            current = command
        }
        commands[commands.count - 1] += [0x20] + shellWord(name)
    }

    /// All of it, in order.
    var scripts: [[UInt8]] {
        var scripts: [[UInt8]] = []
        for command in commands {
            if scripts.isEmpty || scripts[scripts.count - 1].count + command.count > Self.longestScript {
                scripts.append(prelude)
            }
            scripts[scripts.count - 1] += command + end
        }
        return scripts
    }
}
