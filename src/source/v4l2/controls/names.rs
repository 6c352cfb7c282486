//! The names of the usual controls of USB cameras, by their V4L2 numbers.

/// The usual name of the control with this number, or else the number.
pub(super) fn of(id: u32) -> String {
    let usual = NAMES.iter().find(|(known, _)| *known == id);
    usual.map_or_else(|| format!("{id:#010x}"), |(_, names)| names[0].into())
}

/// The number of the control that has this name with any kernel.
pub(super) fn id(name: &str) -> Option<u32> {
    NAMES.iter().find(|(_, names)| names.contains(&name)).map(|(id, _)| *id)
}

/// For each number the name that kernels since 5.13 use, then the names of older kernels and other programs.
const NAMES: [(u32, &[&str]); 23] = [
    (0x0098_0900, &["brightness"]),
    (0x0098_0901, &["contrast"]),
    (0x0098_0902, &["saturation"]),
    (0x0098_0903, &["hue"]),
    (
        0x0098_090c,
        &["white_balance_automatic", "white_balance_temperature_auto", "auto_white_balance"],
    ),
    (0x0098_0910, &["gamma"]),
    (0x0098_0912, &["gain_automatic", "autogain"]),
    (0x0098_0913, &["gain"]),
    (0x0098_0914, &["horizontal_flip", "hflip"]),
    (0x0098_0915, &["vertical_flip", "vflip"]),
    (0x0098_0918, &["power_line_frequency"]),
    (0x0098_091a, &["white_balance_temperature"]),
    (0x0098_091b, &["sharpness"]),
    (0x0098_091c, &["backlight_compensation"]),
    (0x009a_0901, &["auto_exposure", "exposure_auto", "exposure_automatic"]),
    (0x009a_0902, &["exposure_time_absolute", "exposure_absolute", "exposure_time"]),
    (0x009a_0903, &["exposure_dynamic_framerate", "exposure_auto_priority"]),
    (0x009a_0908, &["pan_absolute"]),
    (0x009a_0909, &["tilt_absolute"]),
    (0x009a_090a, &["focus_absolute", "focus"]),
    (0x009a_090c, &["focus_automatic_continuous", "focus_auto", "autofocus"]),
    (0x009a_090d, &["zoom_absolute"]),
    (0x009a_0910, &["privacy"]),
];

#[test]
fn a_name_leads_to_its_number_and_back() {
    for (id, names) in NAMES {
        assert_eq!(of(id), names[0]);
        assert!(names.iter().all(|name| self::id(name) == Some(id)), "{names:?}");
    }
    assert_eq!((of(5).as_str(), id("shutter")), ("0x00000005", None));
}
