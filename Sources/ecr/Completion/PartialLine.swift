import ArgumentParser

/// A command line up to the cursor, taken apart as the parser will do it: what has been given, and what may come now.
struct PartialLine {
    /// What the word at the cursor is going to be.
    enum Place {
        /// One of these commands.
        case command([any ParsableCommand.Type])
        /// A value of the positional argument, if one may still come, unless a dash begins one of the options.
        case argument(options: [CommandReference.Argument], positional: CommandReference.Argument?)
        /// The value of an option. `prefix` stands before it in the same word: `--run=`.
        case value(CommandReference.Argument, prefix: String)
        case nothing
    }

    let place: Place
    /// The values that stand on the line, by the argument's key.
    private(set) var given: [String: [String]] = [:]

    /// - Parameters:
    ///   - words: those before the one at the cursor, without `ecr`.
    ///   - current: the word at the cursor, as far as it is typed.
    init(_ root: any ParsableCommand.Type, words: [String], current: String) {
        var command = root
        var rest = words[...]
        while let word = rest.first, let next = command.visibleSubcommands.first(where: { $0._commandName == word }) {
            command = next
            rest = rest.dropFirst()
        }
        let subcommands = command.visibleSubcommands
        if rest.isEmpty && !subcommands.isEmpty && !current.hasPrefix("-") {
            place = .command(subcommands)
            return
        }
        if !rest.isEmpty && !subcommands.isEmpty {
            place = .nothing
            return
        }
        var scan = Scan(arguments: CommandReference(command).arguments)
        rest.forEach { scan.take($0) }
        given = scan.given
        place = scan.place(of: current)
    }

    /// The value that was given last for an argument.
    func value(_ key: String) -> String? { given[key]?.last }
}

extension ParsableCommand {
    /// Those that are for people.
    static var visibleSubcommands: [any ParsableCommand.Type] {
        configuration.subcommands.filter { $0.configuration.shouldDisplay }
    }
}

/// The arguments of one command on their way from the words.
private struct Scan {
    let arguments: [CommandReference.Argument]
    var given: [String: [String]] = [:]
    /// An option that still waits for its value.
    private var open: CommandReference.Argument?
    private var isBehindTerminator = false
    /// How many words are positional.
    private var positionals = 0

    init(arguments: [CommandReference.Argument]) { self.arguments = arguments }

    mutating func take(_ word: String) {
        if let option = open {
            add(word, to: option)
            open = nil
        } else if word == "--" && !isBehindTerminator {
            isBehindTerminator = true
        } else if let (option, value) = option(in: word) {
            if let value { add(value, to: option) } else if option.kind == .option { open = option }
            if option.kind == .flag { add("", to: option) }
        } else {
            if let positional = nextPositional { add(word, to: positional) }
            positionals += 1
        }
    }

    func place(of current: String) -> PartialLine.Place {
        if let open { return .value(open, prefix: "") }
        if let (option, value) = option(in: current), value != nil {
            return .value(option, prefix: String(current.prefix { $0 != "=" }) + "=")
        }
        if isBehindTerminator { return .argument(options: [], positional: nextPositional) }
        let options = arguments.filter { $0.kind != .positional && ($0.isRepeating || given[$0.key] == nil) }
        return .argument(options: options, positional: nextPositional)
    }

    private mutating func add(_ value: String, to argument: CommandReference.Argument) {
        given[argument.key, default: []].append(value)
    }

    /// The argument that a positional word would be.
    private var nextPositional: CommandReference.Argument? {
        let all = arguments.filter { $0.kind == .positional && $0.isBehindTerminator == isBehindTerminator }
        return positionals < all.count ? all[positionals] : all.last.flatMap { $0.isRepeating ? $0 : nil }
    }

    /// The option that a word names, and the value that it carries behind an equals sign.
    private func option(in word: String) -> (CommandReference.Argument, value: String?)? {
        guard word.hasPrefix("-"), !isBehindTerminator else { return nil }
        let name = String(word.prefix { $0 != "=" })
        guard let argument = arguments.first(where: { $0.names.contains(name) }) else { return nil }
        return (argument, name == word ? nil : String(word.dropFirst(name.count + 1)))
    }
}
