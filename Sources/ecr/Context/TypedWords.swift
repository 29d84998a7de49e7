import LinuxSystem

/// The words of the command line as they were typed: those of `CommandLine.arguments` are UTF-8 by now, whatever they were,
/// and name no file then.
enum TypedWords {
    /// The raw bytes of arguments that the parser has given out, each of the next word that reads like it.
    static func raw(_ arguments: [String]) -> [RawPath] {
        var words = (1..<max(1, Int(CommandLine.argc))).compactMap { CommandLine.unsafeArgv[$0] }
            .map { RawPath(cString: $0) }[...]
        return arguments.map { argument in
            guard let place = words.firstIndex(where: { $0.text == argument }) else {
                return RawPath(argument)
            }
            defer { words = words[(place + 1)...] }
            return words[place]
        }
    }
}
