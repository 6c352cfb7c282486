//! What `lancam --help` prints.

/// Every option and what it is when nobody sets it.
pub const HELP: &str = "\
lancam turns this machine's camera into a LAN camera.

lancam [run] [options]     stream until SIGTERM or Ctrl-C
lancam list [--json]       the cameras, and the nodes that are none, with why
lancam --version           version, commit, target, features built in
lancam --help              this text

  --source S          auto; /dev/video0 or /dev/v4l/by-id/...; test[:WxH[@FPS]] (a moving
                      pattern); clip.mjpeg (looped at --fps); - (JPEGs on standard input)  [auto]
  --size WxH          what to ask of the camera              [its best at up to 1280x720]
  --fps N             frames per second to ask for           [30]
  --format F          MJPG, NV12, YUYV, ...; lancam list names the camera's  [auto]
  --set NAME=VALUE    repeatable; a control of the camera, such as brightness=128 or
                      power_line_frequency=\"50 Hz\"; lancam list says which it has
  --rotate DEGREES    0, 90, 180 or 270, clockwise; the camera does it where it can  [0]
  --flip h|v|hv       left and right, top and bottom exchanged, after --rotate  [none]
  --raw LIST          what is done to a sensor's own samples (Bayer): off, or auto for all of
                      black,balance,gamma: black level, white balance, brightness curve  [auto]
  --width N           width sent to viewers; the height follows unless given
  --height N          height sent to viewers; the width follows unless given
  --stretch           with both: exactly that, whatever becomes of the shape
  --quality 1..100    where lancam encodes                   [80]
  --chroma 420|422    where lancam encodes                   [420]
  --idle-stop SECONDS stop the camera when nobody has watched for so long; 0 never  [60]
  --listen ADDR:PORT  repeatable; port 0 takes any free one  [[::]:9999 and [::]:8080]
  --allow PREFIX      repeatable; who may connect besides loopback and the LAN; any for all
  --name NAME         shown in viewers and announced on the LAN  [the host name]
  --announce on|off   whether viewers and browsers on the LAN find this camera  [on]
  --cors ORIGIN       repeatable; a web page of that origin may read what HTTP says; * for all
  --pickle            also serve a client that says nothing, in the tutorial's pickles, 320 wide
                      unless --width says otherwise
  --max-viewers N     one more is told why, and closed       [64]
  -v, -q              more or less in the log (or RUST_LOG=debug)

Every option can be set in the environment: LANCAM_SIZE=640x480, LANCAM_PICKLE=1. The command line wins.
Exit: 0 ended as asked; 1 failure; 2 wrong options; 69 address in use, or the camera can never be used.
";
