//! The 256 colours of xterm as classes of the stylesheet, so that a page needs no inline style.
//!
//! Colours that would be hard to read on the log's dark ground are raised until they have the contrast
//! WCAG asks of text (4.5:1); on a background that the program chose itself they stay as they are.

use std::fmt::Write as _;

/// The log's ground, `--log-ground` in the stylesheet; the same in both themes.
const GROUND: [u8; 3] = [0x10, 0x18, 0x22];

/// The sixteen that have names; chosen to fit the stylesheet.
const NAMED: [[u8; 3]; 16] = [
    [0x10, 0x18, 0x22],
    [0xf0, 0x71, 0x6b],
    [0x5f, 0xc4, 0x86],
    [0xe2, 0xb1, 0x55],
    [0x6c, 0xae, 0xf2],
    [0xc9, 0x92, 0xe8],
    [0x56, 0xc5, 0xcf],
    [0xc9, 0xd3, 0xdc],
    [0x84, 0x93, 0xa3],
    [0xff, 0x95, 0x8c],
    [0x86, 0xe0, 0xa8],
    [0xf6, 0xcf, 0x7c],
    [0x97, 0xc9, 0xff],
    [0xdf, 0xb3, 0xf7],
    [0x86, 0xe2, 0xea],
    [0xf6, 0xf9, 0xfb],
];

/// Levels of the 6x6x6 cube.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

pub fn rgb(index: u8) -> [u8; 3] {
    match index {
        0..=15 => NAMED[usize::from(index)],
        16..=231 => {
            let n = usize::from(index - 16);
            [LEVELS[n / 36], LEVELS[n / 6 % 6], LEVELS[n % 6]]
        }
        232..=255 => [8 + 10 * (index - 232); 3],
    }
}

/// The colour of the cube or the grey ramp next to `wanted`; values above 255 count as 255.
pub fn nearest(wanted: [u16; 3]) -> u8 {
    let distance = |index: &u8| -> i32 {
        let pairs = rgb(*index).into_iter().zip(wanted);
        pairs.map(|(a, b)| (i32::from(a) - i32::from(b.min(255))).pow(2)).sum()
    };
    (16..=255).min_by_key(distance).unwrap_or(15)
}

/// Relative luminance as in WCAG 2.2.
fn luminance(colour: [u8; 3]) -> f64 {
    let channel = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(colour[0]) + 0.7152 * channel(colour[1]) + 0.0722 * channel(colour[2])
}

/// 1 to 21, as WCAG 2.2 defines it for two sRGB colours.
pub fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    a.max(b) / a.min(b)
}

/// `colour`, mixed with white until it can be read on the ground.
fn raised(colour: [u8; 3]) -> [u8; 3] {
    let mix = |step: u16| {
        colour.map(|v| u8::try_from((u16::from(v) * (20 - step) + 255 * step) / 20).unwrap_or(255))
    };
    (0..=20).map(mix).find(|c| contrast(*c, GROUND) >= 4.5).unwrap_or([255; 3])
}

/// The rules of all colours, to stand at the end of the stylesheet.
pub fn rules() -> String {
    let mut css = String::new();
    let hex = |c: [u8; 3]| format!("#{:02x}{:02x}{:02x}", c[0], c[1], c[2]);
    for index in 0..=255 {
        let (plain, raised) = (rgb(index), raised(rgb(index)));
        let _ = if plain == raised {
            write!(css, ".f{index},.g{index}{{color:{}}}", hex(plain))
        } else {
            write!(css, ".f{index}{{color:{}}}.g{index}{{color:{}}}", hex(raised), hex(plain))
        };
        let _ = write!(css, ".b{index}{{background:{}}}", hex(plain));
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_can_be_read() {
        for index in 0..=255 {
            assert!(contrast(raised(rgb(index)), GROUND) >= 4.5, "{index}");
        }
        for index in (1..=7).chain(9..=15) {
            assert!(contrast(rgb(index), GROUND) >= 4.5, "named colour {index} needs no raising");
        }
    }

    #[test]
    fn the_nearest_of_a_colour_is_itself() {
        for index in 16..=255 {
            assert_eq!(rgb(nearest(rgb(index).map(u16::from))), rgb(index));
        }
    }
}
