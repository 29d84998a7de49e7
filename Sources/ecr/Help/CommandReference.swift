import ArgumentParser
import JSON

/// What the parser knows of a command: the one source of completion and of the man page.
struct CommandReference {
    /// `run start`; empty for `ecr` itself.
    let words: [String]
    let abstract: String
    let discussion: String
    let arguments: [Argument]
    /// Those that are for people.
    let subcommands: [CommandReference]

    struct Argument: Hashable {
        enum Kind: String { case positional, option, flag }

        let kind: Kind
        /// With their dashes; none for a positional.
        let names: [String]
        let valueName: String
        let abstract: String
        let isOptional: Bool
        let isRepeating: Bool
        /// Stands behind `--`.
        let isBehindTerminator: Bool
        /// The values that are possible, where they are few.
        let choices: [String]

        /// What identifies it among the arguments of its command: `--run`, `<run>`.
        var key: String { names.first { $0.hasPrefix("--") } ?? names.first ?? "<\(valueName)>" }
    }

    init(_ command: any ParsableCommand.Type) {
        // The parser describes itself in JSON; there is no other way to ask it.
        let json = (try? JSON(parsing: Array(command._dumpHelp().utf8)))?["command"] ?? [:]
        // It adds a `help` of its own behind the subcommands that we gave it.
        self.init(json, words: [], subcommands: (json["subcommands"]?.array ?? []).dropLast())
    }

    private init(_ json: JSON, words: [String], subcommands: some Sequence<JSON>) {
        self.words = words
        abstract = json["abstract"]?.string ?? ""
        discussion = json["discussion"]?.string ?? ""
        arguments = (json["arguments"]?.array ?? []).filter { $0["shouldDisplay"]?.bool == true }.map(Argument.init)
        self.subcommands = subcommands.filter { $0["shouldDisplay"]?.bool == true }.map { child in
            CommandReference(
                child, words: words + [child["commandName"]?.string ?? ""],
                subcommands: child["subcommands"]?.array ?? [])
        }
    }

    /// The commands below this one that do something, in the order of the help.
    var leaves: [CommandReference] { subcommands.isEmpty ? [self] : subcommands.flatMap(\.leaves) }
}

extension CommandReference.Argument {
    fileprivate init(_ json: JSON) {
        kind = Kind(rawValue: json["kind"]?.string ?? "") ?? .positional
        names = (json["names"]?.array ?? []).map { name in
            (name["kind"]?.string == "long" ? "--" : "-") + (name["name"]?.string ?? "")
        }
        valueName = json["valueName"]?.string ?? ""
        abstract = json["abstract"]?.string ?? ""
        isOptional = json["isOptional"]?.bool ?? false
        isRepeating = json["isRepeating"]?.bool ?? false
        isBehindTerminator = json["parsingStrategy"]?.string == "postTerminator"
        choices = (json["allValues"]?.array ?? []).compactMap(\.string)
    }
}
