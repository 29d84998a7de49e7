import ArgumentParser

/// What a shell must read to complete our commands, by the name of the shell.
enum CompletionScript: String, CaseIterable, ExpressibleByArgument {
    case bash, zsh, fish

    /// It only asks `ecr complete-words` for candidates and hands them to the shell, so it need
    /// not be renewed with ecr.
    var text: String {
        switch self {
        case .bash: Self.forBash
        case .zsh: Self.forZsh
        case .fish: Self.forFish
        }
    }

    private static let forBash = #"""
        # Completion of ecr in bash; ecr itself knows the words.
        _ecr() {
            local ecr=ecr files
            case $1 in */*) ecr=${1/#\~/$HOME} ;; esac
            {
                IFS= read -r files
                mapfile -t COMPREPLY
            } < <("$ecr" complete-words bash "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
            if [[ ${COMPREPLY[*]} == *= ]]; then compopt -o nospace; fi
            case $files in
                directories) compopt -o dirnames ;;
                files | profiles)
                    # Names come first; where none fits, any file may be meant.
                    if ((${#COMPREPLY[@]})); then compopt -o plusdirs; else compopt -o default; fi
                    ;;
            esac
        }
        complete -F _ecr ecr

        """#

    private static let forZsh = #"""
        #compdef ecr
        # Completion of ecr in zsh; ecr itself knows the words.
        _ecr() {
            local ecr=ecr line word ret=1
            local -a lines spaced joined
            [[ $words[1] == */* ]] && ecr=${(Q)words[1]/#\~/$HOME}
            lines=("${(@f)$("$ecr" complete-words zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
            for line in "${(@)lines[2,-1]}"; do
                # _describe divides a word from its explanation by a colon.
                word=${${line%%$'\t'*}//:/\\:}
                [[ $line == *$'\t'* ]] && line=$word:${line#*$'\t'} || line=$word
                if [[ $word == *= ]]; then joined+=("$line"); else spaced+=("$line"); fi
            done
            (( $#spaced )) && _describe -V ecr spaced && ret=0
            (( $#joined )) && _describe -V ecr joined -S '' && ret=0
            [[ $lines[1] != words && $PREFIX == --*=* ]] && compset -P '*='
            case $lines[1] in
                directories) _files -/ && ret=0 ;;
                files) _files && ret=0 ;;
                profiles) _files -g '*.(yaml|yml)' && ret=0 ;;
            esac
            return ret
        }
        if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _ecr "$@"; else compdef _ecr ecr; fi

        """#

    private static let forFish = #"""
        # Completion of ecr in fish; ecr itself knows the words.
        function __ecr_complete
            set -l words (commandline -opc)
            set -l current (commandline -ct)
            set -l ecr ecr
            string match -q '*/*' -- $words[1]; and set ecr (string replace -r '^~' $HOME -- $words[1])
            set -e words[1]
            set -l lines ($ecr complete-words fish $words (string unescape -- "$current") 2>/dev/null)
            set -l files $lines[1]
            set -e lines[1]
            printf '%s\n' $lines
            switch "$files"
                case directories
                    __fish_complete_directories "$current" ''
                case files
                    __fish_complete_path "$current"
                case profiles
                    __fish_complete_suffix .yaml
            end
        end
        complete -c ecr -f -k -a '(__ecr_complete)'

        """#
}
