import ArgumentParser

struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print what makes a shell complete commands, options and names.",
        discussion: """
            Commands, options, runs, jobs, actions, collectors, profiles, parameters and tags are completed. The Debian \
            package installs this for all three shells; otherwise:

            bash, in ~/.bashrc:
              source <(ecr completion bash)

            zsh, in ~/.zshrc behind compinit:
              source <(ecr completion zsh)

            fish:
              ecr completion fish > ~/.config/fish/completions/ecr.fish

            Example:
              source <(ecr completion bash)
            """)

    @Argument(help: "The shell.") var shell: CompletionScript

    func run() { Terminal.result(shell.text) }
}
