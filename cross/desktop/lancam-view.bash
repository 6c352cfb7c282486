# What bash completes for lancam-view: made from its --help by tests/it/package/completions.rs.
_lancam_view() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    # bash takes --size=640x480 apart.
    if [[ $word == = ]]; then before=${COMP_WORDS[COMP_CWORD-1]} word=; elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi
    COMPREPLY=()
    case $before in
    --pickle) :; return ;;
    --code) :; return ;;
    --key-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -W '' -- "$word"; compgen -f -- "$word"); return ;;
    --forget) :; return ;;
    --record) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -W '' -- "$word"; compgen -f -- "$word"); return ;;
    --record-every) :; return ;;
    --record-max) :; return ;;
    --record-keep) :; return ;;
    --width) :; return ;;
    --height) :; return ;;
    --quality) :; return ;;
    --fps) :; return ;;
    --frames) :; return ;;
    --seconds) :; return ;;
    --timeout) :; return ;;
    --save) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -W '' -- "$word"; compgen -f -- "$word"); return ;;
    esac
    [[ $word != -* ]] || COMPREPLY=($(compgen -W '--list --pickle --fullscreen --code --key-file --forget --record --record-every --record-max --record-keep --width --height --quality --fps --headless --frames --seconds --timeout --save --json --version --help' -- "$word"))
}
complete -F _lancam_view lancam-view
