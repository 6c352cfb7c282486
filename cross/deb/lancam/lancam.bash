# What bash completes for lancam: made from its --help by tests/it/package/completions.rs.
_lancam() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    # bash takes --size=640x480 apart.
    if [[ $word == = ]]; then before=${COMP_WORDS[COMP_CWORD-1]} word=; elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi
    COMPREPLY=()
    case $before in
    --may) COMPREPLY=($(compgen -W 'watch control' -- "$word")); return ;;
    --revoke) :; return ;;
    --source) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -W 'auto test -' -- "$word"; compgen -f -- "$word"); return ;;
    --size) :; return ;;
    --fps) :; return ;;
    --format) :; return ;;
    --set) :; return ;;
    --rotate) COMPREPLY=($(compgen -W '0 90 180 270' -- "$word")); return ;;
    --flip) COMPREPLY=($(compgen -W 'h v hv' -- "$word")); return ;;
    --raw) :; return ;;
    --camera-memory) COMPREPLY=($(compgen -W 'auto cached uncached' -- "$word")); return ;;
    --csi-format) COMPREPLY=($(compgen -W 'auto yuv420 mjpeg' -- "$word")); return ;;
    --csi-option) :; return ;;
    --csi-program) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -W '' -- "$word"; compgen -f -- "$word"); return ;;
    --idle-stop) :; return ;;
    --width) :; return ;;
    --height) :; return ;;
    --quality) :; return ;;
    --chroma) COMPREPLY=($(compgen -W '420 422' -- "$word")); return ;;
    --encode-threads) :; return ;;
    --listen) :; return ;;
    --allow) :; return ;;
    --access) COMPREPLY=($(compgen -W 'keys open' -- "$word")); return ;;
    --plain) COMPREPLY=($(compgen -W 'off keys' -- "$word")); return ;;
    --state) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -W '' -- "$word"; compgen -f -- "$word"); return ;;
    --name) :; return ;;
    --announce) COMPREPLY=($(compgen -W 'on off' -- "$word")); return ;;
    --http-name) :; return ;;
    --cors) :; return ;;
    --control) COMPREPLY=($(compgen -W 'off lan' -- "$word")); return ;;
    --max-viewers) :; return ;;
    --log) COMPREPLY=($(compgen -W 'error warn info debug' -- "$word")); return ;;
    --config) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -W '' -- "$word"; compgen -f -- "$word"); return ;;
    --config-errors) COMPREPLY=($(compgen -W 'stop defaults' -- "$word")); return ;;
    esac
    [[ $word == -* || $COMP_CWORD != 1 ]] || COMPREPLY=($(compgen -W 'run list check pair selftest version help' -- "$word"))
    [[ $word != -* ]] || COMPREPLY=($(compgen -W '--may --list --revoke --new-code --source --size --fps --format --set --rotate --flip --raw --camera-memory --csi-format --csi-option --csi-program --idle-stop --width --height --stretch --quality --chroma --encode-threads --listen --allow --access --plain --state --name --announce --http-name --cors --control --pickle --max-viewers --log --config --config-errors --help --version' -- "$word"))
}
complete -F _lancam lancam
