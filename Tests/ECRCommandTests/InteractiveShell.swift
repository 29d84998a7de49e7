import LinuxSystem
import TestSupport
import Testing

/// bash or zsh at a pseudo-terminal, with our completion and nothing of the person who runs the tests.
///
/// zsh's zpty module holds the terminal for both. A key prints the edited line between two control characters that no
/// line has, and empties it.
struct InteractiveShell {
    enum Key: String {
        /// Completes as far as is sure.
        case tab = "\t"
        /// Inserts all that is possible.
        case all = "\u{18}\u{01}"
    }

    private let shell: String
    private let scratch: ScratchDirectory

    init(_ shell: String, _ scratch: ScratchDirectory) throws {
        self.shell = shell
        self.scratch = scratch
        try scratch.write(".bashrc", Self.bash)
        try scratch.write(".zshrc", Self.zsh)
        try scratch.write("driver.zsh", Self.driver)
    }

    static func environment(_ scratch: ScratchDirectory) -> [String: String?] {
        [
            "PATH": "\(BuiltProducts.directory):/usr/bin:/bin", "HOME": scratch.path, "ZDOTDIR": scratch.path,
            "TERM": "dumb", "LC_ALL": "C.UTF-8", "ECR_RUN": nil, "ECR_RUNS_DIR": nil, "ECR_PROFILES_DIR": nil,
            "INPUTRC": "/dev/null",
        ]
    }

    /// Origin: some forty lines, each with a process of ours, on a machine that does other things as well.
    private static let patience: Duration = .seconds(300)

    /// What lines become when a key is pressed behind them.
    func lines(pressing key: Key, behind typed: [String]) async throws -> [String] {
        let command = ["bash": "bash --noprofile --rcfile .bashrc -i", "zsh": "zsh -d -i"][shell] ?? shell
        let result = try await Command.runSuccessfully(
            try #require(Command.find("zsh")),
            ["-f", scratch.path("driver.zsh"), command] + typed.map { $0 + key.rawValue },
            environment: Self.environment(scratch), workingDirectory: scratch.path, timeout: Self.patience)
        return result.outputText.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private static let driver = #"""
        zmodload zsh/zpty
        zpty shell "$1"
        shift
        zpty -r shell out '*READY*'
        for typed; do
            zpty -w -n shell "$typed"$'\C-x\C-p'
            zpty -r shell out $'*\2*\3*'
            print -r -- "${${out##*$'\2'}%%$'\3'*}"
        done
        zpty -d shell
        """#

    private static let bash = #"""
        source <(ecr completion bash)
        bind 'set enable-bracketed-paste off'
        bind 'set bell-style none'
        show() { printf '\2%s\3' "$READLINE_LINE"; READLINE_LINE=; READLINE_POINT=0; }
        bind -x '"\C-x\C-p": show'
        bind '"\C-x\C-a": insert-completions'
        PS1=READY
        """#

    private static let zsh = #"""
        autoload -Uz compinit
        compinit -D
        source <(ecr completion zsh)
        show() { print -rn -- $'\2'"$BUFFER"$'\3'; BUFFER= }
        zle -N show
        all() { _main_complete; compstate[insert]=all; compstate[list]= }
        zle -C all complete-word all
        bindkey '^I' complete-word '^X^P' show '^X^A' all
        PS1=READY
        """#
}
