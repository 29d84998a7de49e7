import ArgumentParser

/// Prints the man page; the package script keeps it, `ecr man | man -l -` shows it.
struct Man: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "man", abstract: "Print the man page.",
        discussion: """
            Example:
              ecr man | man -l -
            """, shouldDisplay: false)

    func run() { Terminal.result(ManPage(CommandReference(ECR.self)).text) }
}
