//! Cedar's `decimal`: a whole number of ten-thousandths, so that comparing is comparing integers.

use std::fmt;

/// Digits after the point.
const PLACES: usize = 4;
const ONE: u16 = 10_000;

/// The ten-thousandths that `text` names: an optional `-`, digits, a point, one to four digits, and a value that fits.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.')?;
    let negative = whole.starts_with('-');
    if !is_digits(whole.strip_prefix('-').unwrap_or(whole)) || !is_digits(fraction) {
        return None;
    }
    let scale = 10_i64.pow(u32::try_from(PLACES.checked_sub(fraction.len())?).ok()?);
    let fraction = fraction.parse::<i64>().ok()? * scale;
    let whole = whole.parse::<i64>().ok()?.checked_mul(i64::from(ONE))?;
    // The sign is read from the text: the whole part of `-0.5` has none.
    if negative { whole.checked_sub(fraction) } else { whole.checked_add(fraction) }
}

/// Writes a decimal as Cedar source, with as few digits as say it: `decimal("1.5")`.
pub(super) fn write(value: i64, to: &mut impl fmt::Write) -> fmt::Result {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, mut fraction) = (value.unsigned_abs() / u64::from(ONE), value.unsigned_abs() % u64::from(ONE));
    let mut places = PLACES;
    while places > 1 && fraction % 10 == 0 {
        fraction /= 10;
        places -= 1;
    }
    write!(to, r#"decimal("{sign}{whole}.{fraction:0places$}")"#)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
